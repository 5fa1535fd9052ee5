"""SIP, SIPS and tel URIs: parsing, comparison, and the canonical address-of-record.

RFC 3261 19.1, 10.3 step 5, 25.1; RFC 3966.

The user part ends at the first "@", before anything else is looked at: semicolons, question marks and slashes
are ordinary in it. Everything is kept as written except what comparison needs in one case; other schemes are
kept whole, for somebody else to refuse or to route.

Knows nothing of header fields, name-addrs or what a URI resolves to.
"""

from __future__ import annotations

from typing import Final

from appliance.sip.characters import (
    HOST,
    IPV6,
    SCHEME,
    UNRESERVED,
    URI,
    escape,
    has_bad_escape,
    is_all,
    number,
    unescape,
)
from appliance.sip.errors import MalformedMessage

# RFC 3261 25.1: unreserved and user-unreserved may stand in a user part as they are.
_USER: Final = bytes(1 if UNRESERVED[octet] or octet in b"&=+$,;?/" else 0 for octet in range(256))
_PARAMETER: Final = bytes(1 if UNRESERVED[octet] or octet in b"[]/:&+$" else 0 for octet in range(256))
# RFC 3261 19.1.4: these never match a URI that lacks them.
_DECISIVE: Final = (b"transport", b"user", b"method", b"maddr", b"ttl")
_TEL_SEPARATORS: Final = b"-.()"
_TEL_NUMBER: Final = bytes(1 if octet in b"0123456789ABCDEFabcdef*#" else 0 for octet in range(256))


class Uri:
    """One parsed URI. Treat as a value: parse another rather than change one that others may hold.

    scheme: lower case. user, password: as written (escaped), None when absent; for tel the number as written.
    host: lower case, IPv6 with brackets, b"" for tel and unknown schemes. port: 0 when absent.
    parameters: in order, names unescaped and lower case, values as written, None without "=".
    headers: raw text after "?". text: the whole as received.
    """

    __slots__ = ("headers", "host", "parameters", "password", "port", "scheme", "text", "user")

    scheme: bytes
    user: bytes | None
    password: bytes | None
    host: bytes
    port: int
    parameters: dict[bytes, bytes | None]
    headers: bytes
    text: bytes

    def __init__(
        self,
        scheme: bytes,
        user: bytes | None,
        host: bytes,
        port: int = 0,
        parameters: dict[bytes, bytes | None] | None = None,
        headers: bytes = b"",
        password: bytes | None = None,
        text: bytes = b"",
    ) -> None:
        self.scheme = scheme
        self.user = user
        self.password = password
        self.host = host
        self.port = port
        self.parameters = {} if parameters is None else parameters
        self.headers = headers
        self.text = text or self.write()

    @property
    def is_sip(self) -> bool:
        """Whether the scheme is sip or sips."""
        return self.scheme == b"sip" or self.scheme == b"sips"

    @property
    def has_lr(self) -> bool:
        """Whether it names a loose router (RFC 3261 19.1.1 lr-param)."""
        return b"lr" in self.parameters

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
        if not self.is_sip or (not self.headers and b"method" not in self.parameters):
            return self.text
        kept = {name: value for name, value in self.parameters.items() if name != b"method"}
        return self._address() + _write_parameters(kept)

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
        port = b":%d" % self.port if self.port else b""
        return b"".join((self.scheme, b":", user, self.host, port))


def parse_uri(text: bytes) -> Uri:
    """A URI of any scheme. Raises MalformedMessage(400); whether the scheme is supported is not decided here."""
    colon = text.find(b":")
    if colon <= 0:
        raise MalformedMessage(400, "URI Without Scheme")
    scheme = text[:colon]
    if scheme != b"sip":
        scheme = scheme.lower()
    if not is_all(text, URI):
        if text.startswith(b"<"):
            raise MalformedMessage(400, "URI Inside Angle Brackets")
        raise MalformedMessage(400, _character_fault(text))
    if b"%" in text and has_bad_escape(text):
        raise MalformedMessage(400, "Malformed Escape in URI")
    uri = Uri.__new__(Uri)
    uri.scheme = scheme
    uri.text = text
    uri.password = None
    uri.headers = b""
    uri.port = 0
    if scheme == b"sip" or scheme == b"sips":
        _parse_sip(uri, text[colon + 1 :])
    elif scheme == b"tel":
        _parse_tel(uri, text[colon + 1 :])
    elif is_all(scheme, SCHEME):
        uri.user = text[colon + 1 :]
        uri.host = b""
        uri.parameters = {}
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
    if not uri.is_sip:
        return uri.text
    if uri.user is None:
        return b"sip:" + uri.host
    user = uri.user
    if b"%" in user or not is_all(user, _USER):
        user = escape(unescape(user), _USER)
    return b"sip:" + user + b"@" + uri.host


def _canonical_context(context: bytes) -> bytes:
    context = context.lower()
    return context.translate(None, _TEL_SEPARATORS) if context.startswith(b"+") else context


def _character_fault(text: bytes) -> str:
    if b" " in text or b"\t" in text:
        return "Whitespace in URI"
    return "Illegal Character in URI"


def _parse_sip(uri: Uri, rest: bytes) -> None:
    at = rest.find(b"@")
    if at >= 0:
        _parse_userinfo(uri, rest[:at])
        rest = rest[at + 1 :]
        if b"@" in rest:
            raise MalformedMessage(400, "More Than One At Sign in URI")
    else:
        uri.user = None
    if b"?" in rest:
        rest, _, uri.headers = rest.partition(b"?")
    semicolon = rest.find(b";")
    if semicolon >= 0:
        uri.parameters = _parse_parameters(rest[semicolon + 1 :])
        rest = rest[:semicolon]
    else:
        uri.parameters = {}
    uri.host, uri.port = parse_host_port(rest)


def _parse_userinfo(uri: Uri, userinfo: bytes) -> None:
    colon = userinfo.find(b":")
    if colon >= 0:
        uri.password = userinfo[colon + 1 :]
        userinfo = userinfo[:colon]
    if not userinfo:
        raise MalformedMessage(400, "Empty User in URI")
    uri.user = userinfo


def parse_host_port(text: bytes) -> tuple[bytes, int]:
    """RFC 3261 25.1 hostport -> (host in lower case, port or 0). Raises MalformedMessage(400)."""
    if text.startswith(b"["):
        end = text.find(b"]") + 1
        if end < 4 or not is_all(text[1 : end - 1], IPV6):
            raise MalformedMessage(400, "Malformed IPv6 Reference")
    else:
        end = text.find(b":")
        if end < 0:
            end = len(text)
    host = text[:end]
    if not host or (host[0] != 91 and not is_all(host, HOST)):
        raise MalformedMessage(400, "Malformed Host")
    if end == len(text):
        return host.lower(), 0
    port = number(text[end + 1 :])
    if text[end] != 58 or port <= 0 or port > 65535:
        raise MalformedMessage(400, "Malformed Port")
    return host.lower(), port


def _parse_parameters(text: bytes) -> dict[bytes, bytes | None]:
    parameters: dict[bytes, bytes | None] = {}
    for part in text.split(b";"):
        equals = part.find(b"=")
        name = part if equals < 0 else part[:equals]
        name = unescape(name).lower() if b"%" in name else name.lower()
        if not name:
            raise MalformedMessage(400, "Empty Parameter in URI")
        if name in parameters:
            raise MalformedMessage(400, "Repeated Parameter in URI")
        parameters[name] = None if equals < 0 else part[equals + 1 :]
    return parameters


def _parse_tel(uri: Uri, rest: bytes) -> None:
    """RFC 3966 3. A local number without phone-context is let through: telephones send them."""
    semicolon = rest.find(b";")
    uri.host = b""
    uri.parameters = {} if semicolon < 0 else _parse_parameters(rest[semicolon + 1 :])
    uri.user = rest if semicolon < 0 else rest[:semicolon]
    digits = uri.user.translate(None, _TEL_SEPARATORS)
    is_valid = digits[1:].isdigit() if digits.startswith(b"+") else len(digits) > 0 and is_all(digits, _TEL_NUMBER)
    if not is_valid:
        raise MalformedMessage(400, "Malformed Telephone Number")


def _write_parameters(parameters: dict[bytes, bytes | None]) -> bytes:
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


def _parameters_match(ours: dict[bytes, bytes | None], theirs: dict[bytes, bytes | None]) -> bool:
    for name in _DECISIVE:
        if (name in ours) != (name in theirs):
            return False
    return all(_folded(value) == _folded(theirs[name]) for name, value in ours.items() if name in theirs)


def _header_set(headers: bytes) -> list[tuple[bytes, bytes]]:
    if not headers:
        return []
    pairs = (part.partition(b"=") for part in headers.split(b"&"))
    return sorted((_folded(name), _normal(value) or b"") for name, _, value in pairs)
