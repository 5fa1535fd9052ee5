"""SIP messages as a test peer sees them: a start line, header fields, a body.

A second, much smaller reader and writer than the appliance's own, so that a fault there cannot hide
here. Text is `str` (UTF-8, odd octets kept); it reads well-formed messages only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LISTS = frozenset(
    ("via", "route", "record-route", "path", "contact", "supported", "unsupported", "require", "proxy-require")
)
COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "k": "supported"}


@dataclass
class Message:
    """A request or response that may be changed."""

    start: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    @property
    def is_request(self) -> bool:
        return not self.start.startswith("SIP/2.0 ")

    @property
    def method(self) -> str:
        """The request's method; for a response that of its CSeq."""
        return self.start.split(" ")[0] if self.is_request else self.first("CSeq").split()[1]

    @property
    def uri(self) -> str:
        return self.start.split(" ")[1]

    @property
    def status(self) -> int:
        """0 for a request."""
        return 0 if self.is_request else int(self.start.split(" ")[1])

    @property
    def reason(self) -> str:
        return self.start.split(" ", 2)[2]

    @property
    def cseq(self) -> int:
        return int(self.first("CSeq").split()[0])

    @property
    def transaction(self) -> tuple[str, str]:
        """What a request and its responses have in common at one hop (RFC 3261 17.1.3)."""
        return parameter(self.first("Via"), "branch"), self.first("CSeq")

    def first(self, name: str) -> str:
        """The first value of a header field, "" when there is none."""
        return next(iter(self.values(name)), "")

    def values(self, name: str) -> list[str]:
        """All values of a header field, lists cut at their commas."""
        found: list[str] = []
        for other, value in self.headers:
            if same_name(other, name):
                found.extend(split_list(value) if name.lower() in LISTS else [value])
        return found

    def add(self, name: str, value: str) -> None:
        self.headers.append((name, value))

    def put(self, name: str, value: str) -> None:
        """Make this the only value of a header field."""
        self.remove(name)
        self.add(name, value)

    def remove(self, name: str) -> None:
        self.headers = [(other, value) for other, value in self.headers if not same_name(other, name)]

    def write(self) -> bytes:
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers), "", ""]
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + self.body


def read(data: bytes) -> Message:
    """A whole message."""
    head, _, body = data.partition(b"\r\n\r\n")
    start, *lines = head.decode("utf-8", "surrogateescape").replace("\r\n ", " ").split("\r\n")
    message = Message(start, body=body)
    for line in lines:
        name, _, value = line.partition(":")
        message.add(name.strip(), value.strip())
    return message


def same_name(one: str, other: str) -> bool:
    """Are these two names of one header field (RFC 3261 7.3.3)?"""
    one, other = one.lower(), other.lower()
    return COMPACT.get(one, one) == COMPACT.get(other, other)


def split_list(value: str) -> list[str]:
    """Cut at the commas outside quotes and angle brackets (RFC 3261 7.3.1)."""
    parts, begin, depth, quoted = [], 0, 0, False
    for index, letter in enumerate(value):
        if letter == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif letter in "<>":
            depth += 1 if letter == "<" else -1
        elif letter == "," and not depth:
            parts.append(value[begin:index].strip())
            begin = index + 1
    parts.append(value[begin:].strip())
    return parts


def address(value: str) -> str:
    """The URI in a name-addr."""
    return value.partition("<")[2].partition(">")[0] if "<" in value else value.partition(";")[0].strip()


def parameter(value: str, name: str) -> str:
    """A header parameter of a Via, From or To value, "" when it is not there."""
    for part in value.rpartition(">")[2].split(";")[1:]:
        key, _, text = part.strip().partition("=")
        if key.lower() == name:
            return text
    return ""
