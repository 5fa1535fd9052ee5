"""Connections whose peers have shown certificates: they end when a revocation list names one (RFC 5280 5).

OpenSSL looks at the lists in a handshake only, and a connection may live for weeks.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.workers.tls_connection import TlsConnection


class CertifiedConnections:
    """Those of one worker, with the certificates of their peers in DER."""

    def __init__(self) -> None:
        self._certificates: dict[TlsConnection, bytes] = {}

    def add(self, connection: TlsConnection, certificate: bytes | None) -> None:
        """Its handshake is done; None where the peer has shown none."""
        if certificate is not None:
            self._certificates[connection] = certificate

    def drop(self, connection: TlsConnection) -> None:
        """It is gone."""
        self._certificates.pop(connection, None)

    def certificates(self) -> set[bytes]:
        """Each of them once."""
        return set(self._certificates.values())

    def take(self, certificates: Collection[bytes]) -> list[TlsConnection]:
        """Takes out the connections whose peer has shown one of these."""
        taken = [connection for connection, shown in self._certificates.items() if shown in certificates]
        for connection in taken:
            del self._certificates[connection]
        return taken
