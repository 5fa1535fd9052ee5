"""Answering a digest challenge (RFC 7616, RFC 8760): the first one whose algorithm is known."""

from __future__ import annotations

import hashlib
import re
import secrets

HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')


def answer(challenges: list[str], method: str, uri: str, username: str, password: str) -> str:
    """The value of Authorization or Proxy-Authorization. Raises ValueError when no challenge can be answered."""
    for challenge in challenges:
        scheme, _, rest = challenge.partition(" ")
        fields = {name.lower(): quoted or plain for name, quoted, plain in PARAMETER.findall(rest)}
        if scheme.lower() == "digest" and fields.get("algorithm", "MD5").upper() in HASHES:
            return _credentials(fields, method, uri, username, password)
    raise ValueError(f"no challenge here can be answered: {challenges}")


def _credentials(fields: dict[str, str], method: str, uri: str, username: str, password: str) -> str:
    algorithm = fields.get("algorithm", "MD5").upper()
    realm, nonce = fields["realm"], fields["nonce"]
    cnonce, count = secrets.token_hex(8), "00000001"

    def hashed(text: str) -> str:
        return HASHES[algorithm](text.encode()).hexdigest()

    ha1, ha2 = hashed(f"{username}:{realm}:{password}"), hashed(f"{method}:{uri}")
    response = hashed(f"{ha1}:{nonce}:{count}:{cnonce}:auth:{ha2}")
    return (
        f'Digest username="{username}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}", '
        f'algorithm={algorithm}, qop=auth, nc={count}, cnonce="{cnonce}"'
    )
