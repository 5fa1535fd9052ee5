"""A token by which a machine joins a cluster: text that an operator carries from one machine to the other.

It holds the name of the cluster, the addresses of etcd and a secret of 16 octets that is used once. etcd keeps the
hash of the secret with a lease, so the token ends by itself, whatever clocks say. The text ends with a checksum: a
token that was cut off when it was copied is not taken for a wrong one.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from zlib import crc32

from appliance.cluster.coordination.keys import NAME_PATTERN

PREFIX: Final = "sbx1."
SECRET_LEN: Final = 16
TOKEN_LEN_MAX: Final = 4096
_CHECKSUM_LEN: Final = 4


class TokenUnusable(Exception):
    """What was typed is no token; the message is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class JoinToken:
    """`urls`: those of etcd."""

    cluster: str
    urls: tuple[str, ...]
    secret: bytes

    @property
    def hash_hex(self) -> str:
        """What etcd knows of the secret."""
        return sha256(self.secret).hexdigest()

    def to_text(self) -> str:
        """As the operator sees it."""
        fields = {"cluster": self.cluster, "etcd": list(self.urls), "secret": self.secret.hex()}
        octets = json.dumps(fields, separators=(",", ":")).encode()
        checksum = crc32(octets).to_bytes(_CHECKSUM_LEN, "big")
        return PREFIX + urlsafe_b64encode(octets + checksum).decode().rstrip("=")

    @classmethod
    def from_text(cls, text: str) -> JoinToken:
        """Raises TokenUnusable."""
        if not text.startswith(PREFIX) or len(text) > TOKEN_LEN_MAX:
            raise TokenUnusable(f"This is no token, which begins with {PREFIX}. Use `signalbox cluster token`.")
        body = text.removeprefix(PREFIX)
        try:
            octets = urlsafe_b64decode(body + "=" * (-len(body) % 4))
            content, checksum = octets[:-_CHECKSUM_LEN], octets[-_CHECKSUM_LEN:]
            if crc32(content).to_bytes(_CHECKSUM_LEN, "big") != checksum:
                raise ValueError("the checksum is wrong")
            return cls._of(json.loads(content))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise TokenUnusable("The token is incomplete or was changed. Copy the whole of it.") from None

    @classmethod
    def _of(cls, fields: dict[str, Any]) -> JoinToken:
        token = cls(fields["cluster"], tuple(map(str, fields["etcd"])), bytes.fromhex(fields["secret"]))
        if not NAME_PATTERN.fullmatch(token.cluster) or not token.urls or len(token.secret) != SECRET_LEN:
            raise ValueError("a field is wrong")
        return token


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """What etcd keeps of a token. `created`: unix time of the machine that made it; `used_by`: "" while unused."""

    created: float
    used_by: str = ""

    def to_octets(self) -> bytes:
        """As it is stored."""
        return json.dumps({"format": 1, "created": self.created, "used_by": self.used_by}).encode()

    @classmethod
    def from_octets(cls, octets: bytes) -> TokenRecord:
        """Raises ValueError, TypeError or KeyError."""
        fields = json.loads(octets)
        return cls(float(fields["created"]), str(fields["used_by"]))
