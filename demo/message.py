"""SIP messages as a user agent needs them: made from parts, taken apart into parts.

Small on purpose: no folded lines, no compact forms, no lists but Via and Record-Route of one value a line.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Message:
    """`start` is the first line; header names keep their case, and come in order."""

    start: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""

    def all(self, name: str) -> list[str]:
        """Every value of a header field."""
        return [value for known, value in self.headers if known.lower() == name.lower()]

    def get(self, name: str) -> str:
        """The first value of a header field; "" when there is none."""
        values = self.all(name)
        return values[0] if values else ""

    @property
    def is_request(self) -> bool:
        return not self.start.startswith("SIP/2.0 ")

    @property
    def method(self) -> str:
        """The method of a request, or the one that a response answers."""
        return self.start.split(" ")[0] if self.is_request else self.get("CSeq").split(" ")[-1]

    @property
    def uri(self) -> str:
        return self.start.split(" ")[1]

    @property
    def status(self) -> int:
        """The status of a response; 0 for a request."""
        return 0 if self.is_request else int(self.start.split(" ")[1])

    def to_bytes(self) -> bytes:
        """The message as it goes out, with its Content-Length."""
        body = self.body.encode()
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers), f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + body


def read_message(data: bytes) -> Message:
    """Take a datagram apart. Raises ValueError for what is no SIP message."""
    head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    if "SIP/2.0" not in start:
        raise ValueError("not a SIP message")
    headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return Message(start, [pair for pair in headers if pair[0].lower() != "content-length"], body)


def response_to(request: Message, status: int, reason: str, tag: str, contact: str = "", body: str = "") -> Message:
    """A response: Via, From, To, Call-ID, CSeq and Record-Route as the request had them (RFC 3261 8.2.6, 12.1.1)."""
    response = Message(f"SIP/2.0 {status} {reason}", body=body)
    for name in ("Via", "Record-Route", "From", "To", "Call-ID", "CSeq"):
        for value in request.all(name):
            needs_tag = name == "To" and status > 100 and ";tag=" not in value
            response.headers.append((name, f"{value};tag={tag}" if needs_tag else value))
    if contact:
        response.headers.append(("Contact", contact))
    if body:
        response.headers.append(("Content-Type", "application/sdp"))
    return response
