"""One row of a route table: what happens to calls of a prefix.

    sip:gw1.example.com:5060;transport=tcp     the call goes to this next hop
    redirect sip:gw1.example.com               the caller is told to call there (302)
    reject 403 Not Allowed                     the call is answered with this status and reason
    table NAME                                 the routes of another table
    enum e164.arpa                             the SIP URIs of the number in this ENUM tree, if it has any
    enum e164.example trusted                  the same, from a tree of the operator's own: they may be gateways
    region NAME                                the routes of the policy of this region
    lookup NAME                                what a database or directory says of the number (route_lookups.py)
    registrar                                  the contacts that the called address has registered

Lower priorities are tried first; among equal ones, each is first in proportion to its weight. `strip` takes characters
from the beginning of the number, `+` included, and `prepend` then puts others there. `translation` and `condition` name
those of the configuration (translations.py, route_conditions.py).
"""

from __future__ import annotations

import re
from typing import Final

from appliance.sip.errors import MalformedMessage
from appliance.sip.uri import Uri, parse_uri, written_user

NEXT_HOP, REDIRECT, REJECT, TABLE, REGISTRAR, ENUM, LOOKUP, REGION = range(8)
ORDER_MAX: Final = 65535
STRIP_MAX: Final = 32
# With the 15 digits of a number and their dots, a name of 253 octets.
SUFFIX_LEN_MAX: Final = 200
TEXT_LEN_MAX: Final = 512
TABLE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_PREPEND: Final = re.compile(r"\+?[0-9*#]{0,31}")
_SUFFIX: Final = re.compile(r"(?:(?!-)[a-z0-9-]{1,63}\.)*(?!-)[a-z0-9-]{1,63}")
_TRUSTED: Final = " trusted"
_STATUS: Final = re.compile(r"[4-6][0-9]{2}")
_REASON: Final = re.compile(r"[ -~]{0,80}")
ACTIONS: Final = (
    "type sip:HOST, redirect sip:HOST, reject STATUS REASON, table NAME, enum DOMAIN, enum DOMAIN trusted, "
    "lookup NAME, region NAME, or registrar"
)


class RouteFault(ValueError):
    """A row, or a part of it, cannot be used. `remedy`: what to type in its place."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


class RouteEntry:
    """One row. Never changed.

    `hop`: the URI of a next hop or of a redirect. `status` and `reason`: those of a reject. `table`: the other one.
    `region`, `lookup`, `translation` and `condition`: names of the configuration. `suffix`: the domain of an ENUM tree;
    `is_trusted`: what it says counts as much as a row.
    """

    __slots__ = (
        "action",
        "condition",
        "hop",
        "is_trusted",
        "kind",
        "lookup",
        "prepend",
        "priority",
        "reason",
        "region",
        "status",
        "strip",
        "suffix",
        "table",
        "translation",
        "weight",
    )

    def __init__(
        self,
        action: str,
        priority: int = 0,
        weight: int = 1,
        strip: int = 0,
        prepend: str = "",
        translation: str = "",
        condition: str = "",
    ) -> None:
        """Raises RouteFault."""
        self.action = action
        self.priority = _within(priority, ORDER_MAX, "priority")
        self.weight = _within(weight, ORDER_MAX, "weight")
        self.strip = _within(strip, STRIP_MAX, "strip")
        if not _PREPEND.fullmatch(prepend):
            raise RouteFault(f'"{prepend}" cannot be prepended to a number', "type up to 31 digits, with + in front")
        self.prepend = prepend.encode()
        self.translation = _name_of("translation", translation) if translation else ""
        self.condition = _name_of("condition", condition) if condition else ""
        self.hop: Uri | None = None
        self.status = 0
        self.reason = b""
        self.table = ""
        self.region = ""
        self.lookup = ""
        self.suffix = b""
        self.is_trusted = False
        self.kind = self._read_action(action)

    def _read_action(self, action: str) -> int:
        word, _, rest = action.partition(" ")
        if word == "registrar" and not rest:
            return REGISTRAR
        if word == "table":
            self.table = _name_of("table", rest)
            return TABLE
        if word == "region":
            self.region = _name_of("region", rest)
            return REGION
        if word == "lookup":
            self.lookup = _name_of("lookup", rest)
            return LOOKUP
        if word == "enum":
            domain = rest.removesuffix(_TRUSTED)
            if not _SUFFIX.fullmatch(domain) or len(domain) > SUFFIX_LEN_MAX:
                raise RouteFault(f'"{rest[:80]}" is not a domain', "type the domain of the tree, such as e164.arpa")
            self.suffix = domain.encode()
            self.is_trusted = domain != rest
            return ENUM
        if word == "reject":
            self.status, self.reason = _status_of(rest)
            return REJECT
        is_redirect = word == "redirect"
        self.hop = _hop_of(rest if is_redirect else action)
        return REDIRECT if is_redirect else NEXT_HOP

    def text(self) -> str:
        """The row as a route file has it: the action is its fifth part, and what is empty at its end is left out."""
        numbers = (str(self.priority), str(self.weight), str(self.strip))
        names = (self.translation, self.condition)
        return "\t".join((*numbers, self.prepend.decode(), self.action, *names)).rstrip("\t")

    def references(self) -> list[str]:
        """What the row names: `table NAME`, `lookup NAME`, `translation NAME` and so on."""
        named = (
            ("table", self.table),
            ("region", self.region),
            ("lookup", self.lookup),
            ("translation", self.translation),
            ("condition", self.condition),
        )
        return [f"{kind} {name}" for kind, name in named if name]

    def number_for(self, number: bytes) -> bytes:
        """The number after `strip` and `prepend`."""
        return self.prepend + number[self.strip :] or number

    def route(self) -> bytes:
        """A value of Route that leads to the next hop, for a request with another Request-URI."""
        hop = self.hop
        assert hop is not None
        return b"<" + Uri(hop.scheme, None, hop.host, hop.port, {**hop.parameters, b"lr": None}).text + b">"

    def uri_for(self, user: bytes, parameters: bytes) -> Uri:
        """The Request-URI for the next hop, or the Contact of a redirect (RFC 3261 19.1.6)."""
        hop = self.hop
        assert hop is not None
        known = hop.parameters if b"user" in hop.parameters else {**hop.parameters, b"user": b"phone"}
        return Uri(hop.scheme, written_user(user + parameters), hop.host, hop.port, known)


def entry_of(text: str) -> RouteEntry:
    """What `RouteEntry.text` has written. Raises RouteFault."""
    priority, weight, strip, prepend, action, *others = text.split("\t")
    return RouteEntry(action, int(priority), int(weight), int(strip), prepend, *others)


def action_in(text: bytes) -> bytes:
    """The action in what `RouteEntry.text` has written."""
    return text.split(b"\t", 5)[4]


def _name_of(kind: str, name: str) -> str:
    if not TABLE_NAME.fullmatch(name):
        raise RouteFault(f'"{name[:40]}" is not the name of a {kind}', "type up to 32 letters, digits, - . and _")
    return name


def _within(value: int, most: int, name: str) -> int:
    if not 0 <= value <= most:
        raise RouteFault(f"{name} {value} is out of range", f"type 0 to {most}")
    return value


def _status_of(text: str) -> tuple[int, bytes]:
    status, _, reason = text.partition(" ")
    if not _STATUS.fullmatch(status):
        raise RouteFault(f'"{status}" is not the status of a rejection', "type 400 to 699, then the reason")
    if not _REASON.fullmatch(reason):
        raise RouteFault("the reason is not plain text", "type up to 80 ASCII characters")
    return int(status), reason.encode()


def _hop_of(text: str) -> Uri:
    try:
        uri = parse_uri(text.encode()) if len(text) <= TEXT_LEN_MAX else None
    except MalformedMessage:
        uri = None
    if uri is None or not uri.is_sip or uri.headers:
        raise RouteFault(f'"{text[:80]}" is not an action', ACTIONS)
    if uri.user is not None:
        raise RouteFault(f'"{text[:80]}" has a user part', "type the next hop only: the number is put in front of it")
    return uri
