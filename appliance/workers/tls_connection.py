"""A connection by TLS: the handshake, then octets unsealed and messages sealed (RFC 8446, RFC 3261 26.2.1).

OpenSSL reads and writes memory, so that the connections share one buffer and what is sealed is written at once. Memory
for TLS is taken when the first octets of a handshake have come: a peer that only connects costs no more than by TCP.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from typing import Final

from appliance import clock
from appliance.catalogue.counters import CONNECTIONS_CLOSED_MALFORMED
from appliance.security.certificate_names import identities_of, is_proved
from appliance.workers.connection import Connection, ConnectionOwner
from appliance.workers.handshakes import Handshakes, Outcome, Step

# RFC 8446 5.1: the content type of a handshake record.
HANDSHAKE_RECORD: Final = 22
# Reads that one handshake may take: one to three are usual, and each costs a step.
READS_MAX: Final = 40
READ_LEN: Final = 1 << 15
# A peer may send records that carry no octet of a message (new keys, empty ones), and each costs as much as a small
# message. For each octet of a message, so many octets of records are in order: a keep-alive of two octets takes 42 at
# most (RFC 5246 6.2.3.2). Beyond that, and beyond some records that are not whole yet, the peer has no use for us.
SEALED_PER_OCTET: Final = 64
UNPAID_LEN_MAX: Final = 1 << 17


class HandshakeFailed(ConnectionError):
    """No secure connection could be made."""


class TlsConnection(Connection):
    """`is_secured`: the handshake is done. `incoming`, `sealed`: what has come from the peer, and what goes there."""

    __slots__ = (
        "_early",
        "_end",
        "_handshakes",
        "_is_finished",
        "_is_stepping",
        "_reads_left",
        "_ready",
        "_unpaid_len",
        "identities",
        "incoming",
        "is_authenticated",
        "is_secured",
        "sealed",
    )

    def __init__(
        self,
        owner: ConnectionOwner,
        transport: int,
        listener: int,
        number: int,
        is_opened_here: bool,
        name: str,
        handshakes: Handshakes,
    ) -> None:
        super().__init__(owner, transport, listener, number, is_opened_here, name)
        self._handshakes = handshakes
        self.incoming = ssl.MemoryBIO()
        self.sealed = ssl.MemoryBIO()
        self._end: ssl.SSLObject | None = None
        self._early = b""
        self._is_finished = False
        self._is_stepping = False
        self._reads_left = READS_MAX
        self._unpaid_len = 0
        self._ready: asyncio.Future[None] | None = None
        self.is_secured = False
        self.identities = frozenset()
        self.is_authenticated = False

    @property
    def identity(self) -> str:
        """What the certificate of the peer has to prove (RFC 5922 7.3)."""
        return self.flow.name or self.flow.remote[0]

    def proves(self, names: tuple[str, ...]) -> bool:
        if not names or self._end is None or not self.is_secured:
            return True
        certificate = self._end.getpeercert() or {}
        return any(is_proved(certificate, name) for name in names)

    def proves_address(self) -> bool:
        certificate = (self._end.getpeercert() if self._end is not None else None) or {}
        return self.is_authenticated and is_proved(certificate, self.flow.remote[0])

    async def ready(self) -> None:
        """Wait for the end of the handshake. Raises HandshakeFailed."""
        if self._ready is not None:
            await self._ready

    # -- the handshake -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self.is_opened_here:
            super().connection_made(transport)
            return
        self.know_remote(transport)
        self._ready = asyncio.get_running_loop().create_future()
        if self._begin(clock.monotonic()):
            self._step()
        else:
            self._fail("the trust store cannot be used")

    def buffer_updated(self, nbytes: int) -> None:
        if self._is_finished:
            # RFC 8446 6.1: what comes after a closure alert is ignored.
            return
        data = memoryview(self.owner.read_buffer)[:nbytes]
        if self.is_secured:
            self._unpaid_len += nbytes
            self.incoming.write(data)
            self._unseal()
        elif self._is_stepping:
            # OpenSSL is at work on what came before, in its thread.
            self._early += bytes(data)
        elif not self.is_closing:
            self._receive_handshake(data)

    def _receive_handshake(self, data: memoryview) -> None:
        now = clock.monotonic()
        if self._end is None:
            if data[0] != HANDSHAKE_RECORD:
                self._handshakes.is_not_tls(self, now)
                self.abort()
                return
            if not self._begin(now):
                self.abort()
                return
        self._reads_left -= 1
        if self._reads_left < 0:
            self._handshakes.failed(self, Step(Outcome.FAILED, "it came in too many pieces"), now)
            self.abort()
            return
        self.incoming.write(data)
        self._step()

    def _begin(self, now: float) -> bool:
        self._end = self._handshakes.begin(self, now)
        return self._end is not None

    def _step(self) -> None:
        assert self.transport is not None and self._end is not None
        self._is_stepping = True
        self.transport.pause_reading()
        self._handshakes.advance(self, self._end)

    def stepped(self, made: Step) -> None:
        """What a step has come to."""
        self._is_stepping = False
        if self.is_closing:
            self._handshakes.forget(self)
            return
        assert self.transport is not None
        self._write_sealed()
        if made.outcome is Outcome.DONE:
            self._complete()
        elif made.outcome is not Outcome.WAITS:
            self._handshakes.failed(self, made, clock.monotonic())
            # The alert that says why is on its way.
            self.transport.close()
            self._fail(made.reason)
        elif self._early:
            early, self._early = self._early, b""
            self._receive_handshake(memoryview(early))
        else:
            self.transport.resume_reading()

    def _complete(self) -> None:
        assert self.transport is not None and self._end is not None
        self.is_secured = True
        self._handshakes.completed(self, self._end)
        names = self.owner.certificate_names(self)
        if not self.proves(names):
            # The configuration has changed since the step began.
            self.abort()
            return
        if self.is_opened_here:
            self.owner.connection_opened(self, clock.monotonic())
        else:
            certificate = self._end.getpeercert() or {}
            self.identities, self.is_authenticated = identities_of(certificate), bool(certificate)
            if names:
                self.owner.peer_proved(self)
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(None)
        if self.is_closing:
            return
        self.transport.resume_reading()
        if self._early:
            self.incoming.write(self._early)
            self._early = b""
        if self.incoming.pending or self._end.pending():
            self._unseal()

    def _fail(self, reason: str) -> None:
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(HandshakeFailed(reason))

    # -- when it is done -----------------------------------------------------------------------------

    def _unseal(self) -> None:
        """Tell what the octets of one read contain."""
        assert self._end is not None
        parts = []
        try:
            while self.incoming.pending or self._end.pending():
                part = self._end.read(READ_LEN)
                if not part:
                    self._is_finished = True
                    # OpenSSL takes no more of it.
                    self.incoming.read()
                    break
                parts.append(part)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self._end_malformed()
            return
        self._unpaid_len = max(0, self._unpaid_len - SEALED_PER_OCTET * sum(map(len, parts)))
        if self._unpaid_len > UNPAID_LEN_MAX:
            self._end_malformed()
            return
        # RFC 8446 4.6.3: the answer to a new key. A peer may ask for many, and read none.
        self._write_sealed()
        if self.is_closing or not self.owner.keeps(self, self.unread_len()):
            return
        if parts and (not self.is_ending or self.framer.fault is None):
            self.owner.data_arrived(self, b"".join(parts), clock.monotonic())
        if self._is_finished:
            self.owner.peer_finished(self, clock.monotonic())

    def _end_malformed(self) -> None:
        self._handshakes.count(CONNECTIONS_CLOSED_MALFORMED)
        self.abort()

    def _write_sealed(self) -> None:
        if self.sealed.pending and not self.is_closing:
            assert self.transport is not None
            self.transport.write(self.sealed.read())

    def eof_received(self) -> bool:
        if not self.is_secured:
            self._fail("the peer has closed the connection")
            return False
        # After close_notify the owner knows it.
        return self._is_finished or super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._handshakes.forget(self)
        self._fail("the peer has closed the connection")
        if self.is_secured and self.is_opened_here and self._end is not None:
            self._handshakes.keep_session(self, self._end)
        if self.is_secured or not self.is_opened_here:
            super().connection_lost(exc)

    def takes(self, data: bytes) -> bool:
        return self.is_secured and super().takes(data)

    def write(self, data: bytes) -> int:
        assert self.transport is not None and self._end is not None
        if not self.is_closing:
            self._end.write(data)
            self._write_sealed()
        return self.unread_len()

    def close(self) -> None:
        if self.is_secured and self._end is not None and not self.is_closing:
            with suppress(ssl.SSLError):
                # RFC 8446 6.1: close_notify. That of the peer is not waited for.
                self._end.unwrap()
            self._write_sealed()
        super().close()
