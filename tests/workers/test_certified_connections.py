"""Connections whose peers have shown certificates (RFC 5280 5)."""

from __future__ import annotations

from appliance.workers.certified_connections import CertifiedConnections


class Connection:
    """Stands for a TlsConnection, of which nothing is asked."""


def test_a_connection_is_given_out_once() -> None:
    """Two searches may find it before it has ended, and it is counted once."""
    certified = CertifiedConnections()
    good, bad, unnamed = connections = [Connection() for _ in range(3)]
    for connection, shown in zip(connections, (b"good", b"bad", None), strict=True):
        certified.add(connection, shown)  # type: ignore[arg-type]
    assert certified.take({b"bad"}) == [bad]
    assert certified.take({b"bad"}) == []
    assert certified.certificates() == {b"good"}
    certified.drop(bad)  # type: ignore[arg-type]
    certified.drop(unnamed)  # type: ignore[arg-type]
    assert certified.take({b"good", b"bad"}) == [good]
