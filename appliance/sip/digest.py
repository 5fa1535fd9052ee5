"""Digest arithmetic: HA1, the response value, credentials and challenges.

RFC 7616 3.4, RFC 8760, RFC 3261 22.4; RFC 2069's form where a client sends no qop.

MD5, SHA-256 and SHA-512-256, each with its -sess form, qop auth and auth-int. Digests are lower-case hexadecimal
bytes as they stand on the wire; they are compared in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from appliance.sip.characters import HEX_DIGIT, is_all
from appliance.sip.errors import MalformedMessage
from appliance.sip.headers import parse_auth, quote

# By their constructors, where they have one: `new` looks each of them up by its name.
_HASHES: Final[dict[bytes, Callable[..., Any]]] = {
    b"MD5": hashlib.md5,
    b"SHA-256": hashlib.sha256,
    b"SHA-512-256": partial(hashlib.new, "sha512_256"),
}
_REQUIRED: Final = (b"username", b"realm", b"nonce", b"uri", b"response")


@dataclass(slots=True)
class Credentials:
    """Digest credentials as received, quotes taken off; never changed.

    algorithm: b"MD5" when absent. qop: lower case, b"" without. nc: eight hexadecimal digits as sent.
    nonce_count: their value, 0 without qop.
    """

    username: bytes
    realm: bytes
    nonce: bytes
    uri: bytes
    response: bytes
    algorithm: bytes = b"MD5"
    qop: bytes = b""
    nc: bytes = b""
    cnonce: bytes = b""
    opaque: bytes = b""
    nonce_count: int = 0


def is_supported(algorithm: bytes) -> bool:
    """Whether `response` can reckon with it; any case, -sess forms too."""
    return _base(algorithm) in _HASHES


def digest(algorithm: bytes, text: bytes) -> bytes:
    """H(text) of RFC 7616 3.3 in lower-case hexadecimal. Raises ValueError for an unknown algorithm."""
    hash_of = _HASHES.get(_base(algorithm))
    if hash_of is None:
        raise ValueError(f"unknown digest algorithm {algorithm!r}")
    value: str = hash_of(text, usedforsecurity=False).hexdigest()
    return value.encode()


def ha1(algorithm: bytes, username: bytes, realm: bytes, password: bytes) -> bytes:
    """H(username:realm:password): what is stored for a subscriber. The same for the -sess form of an algorithm."""
    return digest(algorithm, b"%b:%b:%b" % (username, realm, password))


def response(
    algorithm: bytes,
    ha1: bytes,
    nonce: bytes,
    nc: bytes,
    cnonce: bytes,
    qop: bytes,
    method: bytes,
    uri: bytes,
    body_hash: bytes = b"",
) -> bytes:
    """The response value of RFC 7616 3.4.1. nc: as on the wire; body_hash: H(body), wanted for auth-int only."""
    if algorithm.lower().endswith(b"-sess"):
        ha1 = digest(algorithm, b"%b:%b:%b" % (ha1, nonce, cnonce))
    a2 = b"%b:%b" % (method, uri)
    if qop == b"auth-int":
        a2 += b":" + body_hash
    ha2 = digest(algorithm, a2)
    if not qop:
        return digest(algorithm, b"%b:%b:%b" % (ha1, nonce, ha2))
    return digest(algorithm, b"%b:%b:%b:%b:%b:%b" % (ha1, nonce, nc, cnonce, qop, ha2))


def verify(credentials: Credentials, ha1: bytes, method: bytes, body: bytes) -> bool:
    """Whether the credentials were made with the password behind ha1 (RFC 7616 3.4).

    False for an algorithm or qop that is not known. Whether the nonce is ours, and whether the credentials' URI is
    that of the request, is checked by the caller.
    """
    if not is_supported(credentials.algorithm) or credentials.qop not in (b"", b"auth", b"auth-int"):
        return False
    body_hash = digest(credentials.algorithm, body) if credentials.qop == b"auth-int" else b""
    expected = response(
        credentials.algorithm,
        ha1,
        credentials.nonce,
        credentials.nc,
        credentials.cnonce,
        credentials.qop,
        method,
        credentials.uri,
        body_hash,
    )
    return hmac.compare_digest(expected, credentials.response.lower())


def parse_credentials(value: bytes) -> Credentials:
    """An Authorization or Proxy-Authorization value. Raises MalformedMessage(400) unless it is whole and Digest."""
    scheme, parameters = parse_auth(value)
    if scheme != b"digest":
        raise MalformedMessage(400, "Not Digest Credentials")
    for name in _REQUIRED:
        if name not in parameters:
            raise MalformedMessage(400, "Credentials Without " + name.decode())
    qop = parameters.get(b"qop", b"").lower()
    nc = parameters.get(b"nc", b"")
    # RFC 7616 3.4: with qop, cnonce and an eight-digit nc are mandatory.
    if qop and (b"cnonce" not in parameters or len(nc) != 8 or not is_all(nc, HEX_DIGIT)):
        raise MalformedMessage(400, "Credentials Without nc or cnonce")
    return Credentials(
        username=parameters[b"username"],
        realm=parameters[b"realm"],
        nonce=parameters[b"nonce"],
        uri=parameters[b"uri"],
        response=parameters[b"response"],
        algorithm=parameters.get(b"algorithm", b"MD5"),
        qop=qop,
        nc=nc if qop else b"",
        cnonce=parameters.get(b"cnonce", b""),
        opaque=parameters.get(b"opaque", b""),
        nonce_count=int(nc, 16) if qop else 0,
    )


def write_challenge(
    realm: bytes,
    nonce: bytes,
    algorithm: bytes = b"MD5",
    qop: bytes = b"auth",
    stale: bool = False,
    opaque: bytes = b"",
) -> bytes:
    """A WWW-Authenticate or Proxy-Authenticate value (RFC 7616 3.3). qop b"" leaves it out."""
    parts = [b"Digest realm=" + quote(realm), b"nonce=" + quote(nonce), b"algorithm=" + algorithm]
    if qop:
        parts.append(b"qop=" + quote(qop))
    if opaque:
        parts.append(b"opaque=" + quote(opaque))
    if stale:
        parts.append(b"stale=true")
    return b", ".join(parts)


def _base(algorithm: bytes) -> bytes:
    return algorithm.upper().removesuffix(b"-SESS")
