"""Does a server answer? Asked by OPTIONS (RFC 3261 11) every 10 ms, to see for how long it does not."""

from __future__ import annotations

import asyncio
import secrets

from demo.user_agent import CallFailed, local_address_to

EVERY_S = 0.01
# An answer may be under way to a moment for so long.
UNDER_WAY_S = 0.02


class Probe(asyncio.DatagramProtocol):
    """Asks as long as it is open."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None
        self._asking: asyncio.Task[None] | None = None
        self._answered = asyncio.Event()
        self._answered_at = 0.0
        self._gap_s = 0.0
        self._after = 0.0

    async def open(self) -> None:
        """Begin to ask."""
        loop = asyncio.get_running_loop()
        local = (local_address_to(self._server), 0)
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=local)
        self._asking = loop.create_task(self._ask(), name="probe")

    async def _ask(self) -> None:
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")[:2]
        while True:
            unique = secrets.token_hex(8)
            self._transport.sendto(
                (
                    f"OPTIONS sip:{self._server[0]} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{unique};"
                    f"rport\r\nMax-Forwards: 70\r\nFrom: <sip:probe@{host}>;tag={unique}\r\n"
                    f"To: <sip:{self._server[0]}>\r\nCall-ID: {unique}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
                ).encode(),
                self._server,
            )
            await asyncio.sleep(EVERY_S)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        """An answer, of any kind."""
        now = asyncio.get_running_loop().time()
        self._gap_s, self._answered_at = now - self._answered_at, now
        if now >= self._after:
            self._answered.set()

    def error_received(self, exc: Exception) -> None:
        """No route, or no server there: it is asked again."""

    async def next_answer(self, patience_s: float) -> float:
        """Wait for the next answer; for how long there was none before it. Raises CallFailed."""
        self._after = asyncio.get_running_loop().time() + UNDER_WAY_S
        self._answered.clear()
        try:
            await asyncio.wait_for(self._answered.wait(), patience_s)
        except TimeoutError:
            raise CallFailed(f"{self._server[0]} did not answer within {patience_s:g} seconds") from None
        return self._gap_s

    def close(self) -> None:
        """Stop asking."""
        if self._asking is not None:
            self._asking.cancel()
        if self._transport is not None:
            self._transport.close()
