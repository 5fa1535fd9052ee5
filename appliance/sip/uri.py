"""SIP, SIPS and tel URIs: parsing, comparison, and the canonical address-of-record.

RFC 3261 19.1, 10.3 step 5, 25.1; RFC 3966.

The user part ends at the first "@", before anything else is looked at: semicolons, question marks and slashes
are ordinary in it. Everything is kept as written except what comparison needs in one case; other schemes are
kept whole, to be refused or routed by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Final

from appliance.sip.characters import (
    HOST,
    IPV6,
    SCHEME,
    UNRESERVED,
    URI,
    URI_AT,
    URI_PERCENT,
    URI_QUESTION,
    classes_in,
    digits_of,
    escape,
    has_bad_escape,
    index_of,
    is_all,
    lowered,
    number_between,
    part,
    unescape,
)
from appliance.sip.errors import MalformedMessage
from appliance.sip.parameters import NO_PARAMETERS

# RFC 3261 25.1: unreserved and user-unreserved may stand in a user part as they are.
_USER: Final = bytes(1 if UNRESERVED[octet] or octet in b"&=+$,;?/" else 0 for octet in range(256))
_USER_WRITTEN: Final = bytes(1 if _USER[octet] or octet == 37 else 0 for octet in range(256))
_PARAMETER: Final = bytes(1 if UNRESERVED[octet] or octet in b"[]/:&+$" else 0 for octet in range(256))
# RFC 3261 19.1.4: these never match a URI that lacks them.
_DECISIVE: Final = (b"transport", b"user", b"method", b"maddr", b"ttl")
_SIP: Final = b"sip"
# As plain names of this module, which compiled code keeps in C (see the .pxd).
_PERCENT: Final = URI_PERCENT
_AT: Final = URI_AT
_QUESTION: Final = URI_QUESTION
_TEL_SEPARATORS: Final = b"-.()"
_TEL_NUMBER: Final = bytes(1 if octet in b"0123456789ABCDEFabcdef*#" else 0 for octet in range(256))


class Uri:
    """One parsed URI. Treat as a value: parse another rather than change one that others may hold.

    scheme: lower case. user, password: as written (escaped), None when absent; for tel the number as written.
    host: as `canonical_host` writes it, IPv6 with brackets, b"" for tel and unknown schemes. port: 0 when absent.
    parameters: in order, names unescaped and lower case, values as written, None without "=".
    headers: raw text after "?". text: the whole as received.
    """

    __slots__ = ("headers", "host", "parameters", "password", "port", "scheme", "text", "user")

    scheme: bytes
    user: bytes | None
    password: bytes | None
    host: bytes
    port: int
    parameters: Mapping[bytes, bytes | None]
    headers: bytes
    text: bytes

    def __init__(
        self,
        scheme: bytes,
        user: bytes | None,
        host: bytes,
        port: int = 0,
        parameters: Mapping[bytes, bytes | None] = NO_PARAMETERS,
        headers: bytes = b"",
        password: bytes | None = None,
        text: bytes = b"",
    ) -> None:
        """Without `text`, it is written from the parts. Raises MalformedMessage(400) where that cannot be a URI."""
        self.scheme = scheme
        self.user = user
        self.password = password
        self.host = host
        self.port = port
        self.parameters = parameters
        self.headers = headers
        self.text = text or self.write()
        _check_written(self)

    @property
    def is_sip(self) -> bool:
        """Whether the scheme is sip or sips."""
        return self.has_sip_scheme()

    @property
    def has_lr(self) -> bool:
        """Whether it names a loose router (RFC 3261 19.1.1 lr-param)."""
        return b"lr" in self.parameters

    def has_sip_scheme(self) -> bool:
        """What `is_sip` gives, by a method that compiled code calls directly."""
        return self.scheme == b"sip" or self.scheme == b"sips"

    def parameter(self, name: bytes) -> bytes | None:
        """The unescaped value of a parameter; b"" when it has no value, None when it is absent."""
        if name not in self.parameters:
            return None
        value = self.parameters[name]
        return b"" if value is None else unescape(value)

    def write(self) -> bytes:
        """The URI put together from its parts. `text` has it as received."""
        return b"".join(
            (self._address(), _write_parameters(self.parameters), b"?" if self.headers else b"", self.headers)
        )

    def without_headers(self) -> bytes:
        """The text for a Request-URI made from this one: no headers, no method (RFC 3261 19.1.5)."""
        if not self.has_sip_scheme() or (not self.headers and b"method" not in self.parameters):
            return self.text
        kept = {name: value for name, value in self.parameters.items() if name != b"method"}
        return self._address() + _write_parameters(kept)

    def with_scheme(self, scheme: bytes) -> Uri:
        """The same URI with `sip` or `sips` in place of its own scheme."""
        return Uri(scheme, self.user, self.host, self.port, self.parameters, self.headers, self.password)

    def equals(self, other: Uri) -> bool:
        """RFC 3261 19.1.4 for sip and sips, RFC 3966 4 for tel, octets for other schemes."""
        if self.text == other.text:
            return True
        if self.scheme != other.scheme:
            return False
        if self.scheme == b"tel":
            return canonical_aor(self) == canonical_aor(other)
        if not self.is_sip:
            return False
        return (
            self.host == other.host
            and self.port == other.port
            and _normal(self.user) == _normal(other.user)
            and _normal(self.password) == _normal(other.password)
            and _parameters_match(self.parameters, other.parameters)
            and _header_set(self.headers) == _header_set(other.headers)
        )

    def _address(self) -> bytes:
        if not self.is_sip:
            return self.scheme + b":" + (self.user or b"")
        password = b"" if self.password is None else b":" + self.password
        user = b"" if self.user is None else self.user + password + b"@"
        port = b":" + digits_of(self.port) if self.port else b""
        return b"".join((self.scheme, b":", user, self.host, port))


def parse_uri(text: bytes) -> Uri:
    """A URI of any scheme. Raises MalformedMessage(400); whether the scheme is supported is not decided here."""
    colon = index_of(text, 58, 0)
    if colon <= 0:
        raise MalformedMessage(400, "URI Without Scheme")
    classes = classes_in(text, URI)
    if not classes:
        raise MalformedMessage(400, _character_fault(text))
    if classes & _PERCENT and has_bad_escape(text):
        raise MalformedMessage(400, "Malformed Escape in URI")
    # Of nearly all URIs it is this one: one object for all of them.
    scheme = _SIP if colon == 3 and text.startswith(_SIP) else lowered(part(text, 0, colon))
    uri = Uri.__new__(Uri)
    uri.scheme = scheme
    uri.text = text
    uri.password = None
    uri.headers = b""
    uri.port = 0
    if uri.has_sip_scheme():
        _parse_sip(uri, text, colon + 1, classes)
    elif scheme == b"tel":
        _parse_tel(uri, text, colon + 1)
    elif is_all(scheme, SCHEME):
        uri.user = text[colon + 1 :]
        uri.host = b""
        uri.parameters = NO_PARAMETERS
    else:
        raise MalformedMessage(400, "Malformed URI Scheme")
    return uri


def canonical_aor(uri: Uri) -> bytes:
    """The key of an address-of-record: RFC 3261 10.3 step 5.

    b"sip:" for sip and sips, the user unescaped and then escaped only where it must be (so %61 is "a", %00 stays
    %00), the host in lower case, no port, password, parameters or headers. tel: b"tel:" and the number without
    visual separators, with its phone-context. Other schemes: the text.
    """
    if uri.scheme == b"tel":
        digits = (uri.user or b"").translate(None, _TEL_SEPARATORS).lower()
        context = uri.parameters.get(b"phone-context")
        return b"tel:" + digits + (b";phone-context=" + _canonical_context(context) if context else b"")
    if not uri.has_sip_scheme():
        return uri.text
    if uri.user is None:
        return b"sip:" + uri.host
    return b"".join((b"sip:", canonical_user(uri.user), b"@", uri.host))


def canonical_user(user: bytes) -> bytes:
    """The user of an address-of-record: unescaped, and then escaped only where it must be (RFC 3261 10.3 step 5)."""
    # Most have nothing that is escaped, and nothing that would have to be.
    return user if is_all(user, _USER) else escape(unescape(user), _USER)


def escaped_user(name: bytes) -> bytes:
    """The user part of a URI for a plain name: escaped where it must be, "%" itself as well."""
    return name if is_all(name, _USER) else escape(name, _USER)


def written_user(text: bytes) -> bytes:
    """A user part from text that has its escapes: what may not stand there is escaped (RFC 3261 19.1.6, 25.1)."""
    return escape(text, _USER if has_bad_escape(text) else _USER_WRITTEN)


def _check_written(uri: Uri) -> None:
    """RFC 3261 25.1: octets that would have to be escaped must not end the URI, or one of its parts."""
    user = uri.user or b""
    if not classes_in(uri.text, URI) or has_bad_escape(uri.text):
        raise MalformedMessage(400, _character_fault(uri.text))
    if uri.has_sip_scheme() and (b":" in user or uri.text.count(b"@") != (uri.user is not None)):
        raise MalformedMessage(400, "Illegal Character in URI")


def _canonical_context(context: bytes) -> bytes:
    context = context.lower()
    return context.translate(None, _TEL_SEPARATORS) if context.startswith(b"+") else context


def _character_fault(text: bytes) -> str:
    if text.startswith(b"<"):
        return "URI Inside Angle Brackets"
    if b" " in text or b"\t" in text:
        return "Whitespace in URI"
    return "Illegal Character in URI"


def _parse_sip(uri: Uri, text: bytes, start: int, classes: int) -> None:
    octets = text
    size = len(text)
    if classes & _AT:
        at = index_of(text, 64, start)
        if index_of(text, 64, at + 1) >= 0:
            raise MalformedMessage(400, "More Than One At Sign in URI")
        _parse_userinfo(uri, text, start, at)
        start = at + 1
    else:
        uri.user = None
    semicolon = start
    while semicolon < size and octets[semicolon] != 59 and octets[semicolon] != 63:
        semicolon += 1
    host_end = end_of_host(text, start, semicolon)
    uri.host = canonical_host(lowered(part(text, start, host_end)))
    uri.port = port_between(text, host_end, semicolon)
    if classes & _QUESTION:
        question = index_of(text, 63, semicolon)
        if question >= 0:
            uri.headers = part(text, question + 1, size)
            size = question
    uri.parameters = _parse_parameters(text, semicolon, size)


def _parse_userinfo(uri: Uri, text: bytes, start: int, end: int) -> None:
    octets = text
    colon = start
    while colon < end and octets[colon] != 58:
        colon += 1
    if colon < end:
        uri.password = part(text, colon + 1, end)
        end = colon
    if start == end:
        raise MalformedMessage(400, "Empty User in URI")
    uri.user = part(text, start, end)


def canonical_host(host: bytes) -> bytes:
    """A host, which is in lower case, in the one spelling in which hosts are compared.

    RFC 5954 4.2: IPv6 literals are compared as addresses, so they are written as RFC 5952 says. RFC 1034 3.1: a dot
    at the end of a name only says that it is complete.
    """
    size = len(host)
    if size < 2:
        return host
    if host[0] == 91:
        return _canonical_ipv6(host)
    return host[: size - 1] if host[size - 1] == 46 else host


@lru_cache(maxsize=1024)
def _canonical_ipv6(reference: bytes) -> bytes:
    """An IPv6 reference; what only looks like one stays as it is."""
    try:
        return b"[" + IPv6Address(reference[1:-1].decode("ascii")).compressed.encode() + b"]"
    except ValueError:
        return reference


def end_of_host(text: bytes, start: int, end: int) -> int:
    """Index after the host that starts at `start`: `end`, or a colon before it. Raises MalformedMessage(400)."""
    octets = text
    at = start
    if start < end and octets[start] == 91:
        while at < end and octets[at] != 93:
            at += 1
        if at == end or at < start + 3 or not is_all(part(text, start + 1, at), IPV6):
            raise MalformedMessage(400, "Malformed IPv6 Reference")
        return at + 1
    hosts = HOST
    while at < end and hosts[octets[at]]:
        at += 1
    if at == start or (at < end and octets[at] != 58):
        raise MalformedMessage(400, "Malformed Host")
    return at


def port_between(text: bytes, colon: int, end: int) -> int:
    """The port written as text[colon:end]; 0 when that is empty. Raises MalformedMessage(400)."""
    if colon == end:
        return 0
    port = number_between(text, colon + 1, end)
    if text[colon] != 58 or port <= 0 or port > 65535:
        raise MalformedMessage(400, "Malformed Port")
    return port


def _parse_parameters(text: bytes, at: int, end: int) -> dict[bytes, bytes | None]:
    """text[at:end] is empty or starts with a semicolon."""
    if at >= end:
        return NO_PARAMETERS
    octets = text
    parameters: dict[bytes, bytes | None] = {}
    while at < end:
        start = at + 1
        equals = -1
        at = start
        while at < end and octets[at] != 59:
            if octets[at] == 61 and equals < 0:
                equals = at
            at += 1
        name = lowered(part(text, start, at if equals < 0 else equals))
        if index_of(name, 37, 0) >= 0:
            name = unescape(name).lower()
        if not name:
            raise MalformedMessage(400, "Empty Parameter in URI")
        if name in parameters:
            raise MalformedMessage(400, "Repeated Parameter in URI")
        parameters[name] = None if equals < 0 else part(text, equals + 1, at)
    return parameters


def _parse_tel(uri: Uri, text: bytes, start: int) -> None:
    """RFC 3966 3. A local number without phone-context is let through: telephones send them."""
    semicolon = text.find(b";", start)
    end = len(text) if semicolon < 0 else semicolon
    uri.host = b""
    uri.parameters = _parse_parameters(text, end, len(text))
    uri.user = text[start:end]
    digits = uri.user.translate(None, _TEL_SEPARATORS)
    is_valid = digits[1:].isdigit() if digits.startswith(b"+") else len(digits) > 0 and is_all(digits, _TEL_NUMBER)
    if not is_valid:
        raise MalformedMessage(400, "Malformed Telephone Number")


def _write_parameters(parameters: Mapping[bytes, bytes | None]) -> bytes:
    parts: list[bytes] = []
    for name, value in parameters.items():
        parts.append(b";" + escape(name, _PARAMETER))
        if value is not None:
            parts.append(b"=" + value)
    return b"".join(parts)


def _normal(text: bytes | None) -> bytes | None:
    """Escapes of unreserved characters undone; the others in one spelling (RFC 3261 19.1.4, RFC 2396 2.3)."""
    if text is None or b"%" not in text:
        return text
    parts = text.split(b"%")
    for index in range(1, len(parts)):
        octet = int(parts[index][:2], 16)
        parts[index] = (bytes((octet,)) if UNRESERVED[octet] else b"%%%02X" % octet) + parts[index][2:]
    return b"".join(parts)


def _folded(value: bytes | None) -> bytes:
    return (_normal(value) or b"").lower()


def _parameters_match(ours: Mapping[bytes, bytes | None], theirs: Mapping[bytes, bytes | None]) -> bool:
    for name in _DECISIVE:
        if (name in ours) != (name in theirs):
            return False
    return all(_folded(value) == _folded(theirs[name]) for name, value in ours.items() if name in theirs)


def _header_set(headers: bytes) -> list[tuple[bytes, bytes]]:
    if not headers:
        return []
    pairs = (part.partition(b"=") for part in headers.split(b"&"))
    return sorted((_folded(name), _normal(value) or b"") for name, _, value in pairs)
