"""Bindings for tests: bob's phone, unless something else is said."""

from __future__ import annotations

from typing import Final

from appliance.location.binding import Binding, BindingChange, new_binding

BOB: Final = b"sip:bob@biloxi.example.com"
WALL: Final = 1_700_000_000.0


def version_at(wall_time: float, worker: int = 1) -> int:
    return int(wall_time * 1_000_000) << 8 | worker


def binding(
    uri: bytes = b"sip:bob@192.0.2.4",
    aor: bytes = BOB,
    at: float = WALL,
    lasts_s: float = 3600.0,
    cseq: int = 1,
    series: int | None = None,
    worker: int = 1,
    q: int = 1000,
    instance: bytes = b"",
    reg_id: int = 0,
    forget_at: float | None = None,
) -> Binding:
    """One that a REGISTER made at a time. lasts_s 0: the tombstone of one, remembered for an hour."""
    version = version_at(at, worker)
    expires_at = at + lasts_s if lasts_s else 0.0
    return new_binding(
        aor,
        b"reg-id=%d;%b" % (reg_id, instance) if reg_id else uri,
        uri,
        b"",
        q,
        expires_at,
        (expires_at or at + 3600.0) if forget_at is None else forget_at,
        b"1j9FpLxk3uxtm8tn",
        cseq,
        (),
        instance,
        reg_id,
        None,
        ("192.0.2.4", 5060),
        b"",
        version if series is None else series,
        version,
    )


def change(*bindings: Binding) -> BindingChange:
    return BindingChange(bindings[0].aor, bindings)


def uris(bindings: list[Binding]) -> list[bytes]:
    return [entry.uri for entry in bindings]
