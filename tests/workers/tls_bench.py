"""A node that listens by TLS, a phone that seals its own records, and a server at the other end."""

from __future__ import annotations

import _ssl
import asyncio
import ctypes
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from appliance.catalogue.certificate_settings import CertificateSettings, TlsSettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.tls_contexts import TlsContexts
from appliance.transport.flow import NO_CONNECTION, TLS, Flow
from appliance.transport.process_id import NO_PROCESS
from tests.certificate_authority import CertificateAuthority
from tests.workers.streams_bench import Node, Phone

_UPDATE_REQUESTED = 1


class SecureNode(Node):
    """A node that listens by TLS with a certificate of an authority, and trusts it."""

    def __init__(self, authority: CertificateAuthority, listener: dict[str, Any] | None = None, **tls: Any) -> None:
        self.authority = authority
        self.settings = secure_settings(authority, tls=tls, **(listener or {}))
        super().__init__()
        self.streams.reconfigure(self.settings.listeners, self.settings.limits, self.streams.syntax)
        self.handshakes.reconfigure(TlsContexts(self.settings), self.settings.tls)

    async def listen(self, listener: int = 0) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self.address = listening.getsockname()[:2]
        await self.streams.listen(listener, TLS, listening)

    def context(self) -> ssl.SSLContext:
        """That of a phone which trusts the authority."""
        return ssl.create_default_context(cafile=str(self.authority.trust))

    async def dial(self) -> Phone:
        return Phone(
            *await asyncio.open_connection(*self.address, ssl=self.context(), server_hostname="proxy.example")
        )


def secure_settings(
    authority: CertificateAuthority, name: str = "proxy", tls: dict[str, Any] | None = None, **listener: Any
) -> Settings:
    chain, key = authority.issue(name, "DNS:proxy.example,IP:127.0.0.1")
    return Settings(
        listeners=(ListenerSettings(**{"port": 5061, "transports": (TLS,), "certificates": ("own",)} | listener),),
        certificates=(CertificateSettings(name="own", chain=str(chain), key=str(key)),),
        tls=TlsSettings(trust=str(authority.trust), **(tls or {})),
    )


class RecordPhone:
    """A phone that may send octets of its own between the records of TLS."""

    def __init__(self, phone: Phone, context: ssl.SSLContext) -> None:
        self.phone = phone
        self.incoming = ssl.MemoryBIO()
        self.sealed = ssl.MemoryBIO()
        self.end = context.wrap_bio(self.incoming, self.sealed, server_hostname="proxy.example")

    async def work(self, operation: Callable[[], Any]) -> Any:
        """Send and read until the operation is done."""
        while True:
            try:
                return operation()
            except ssl.SSLWantReadError:
                await self.flush()
                self.incoming.write(await self.phone.reader.read(65536))
            finally:
                await self.flush()

    async def flush(self) -> None:
        if self.sealed.pending:
            await self.phone.send(self.sealed.read())

    async def ask_for_new_keys(self, count: int) -> None:
        """Send KeyUpdates that ask for others (RFC 8446 4.6.3); those that come are not read."""
        for _ in range(count):
            self._seal_key_update()
        if not self.phone.writer.transport.is_closing():
            self.phone.writer.write(self.sealed.read())
        await asyncio.sleep(0)

    def _seal_key_update(self) -> None:
        """The module `ssl` has no word for it."""
        library = ctypes.CDLL(_ssl.__file__)
        # Of the object behind an SSLObject: its head, a reference to the socket, the SSL of OpenSSL.
        place = id(self.end._sslobj) + object.__basicsize__ + ctypes.sizeof(ctypes.c_void_p)  # type: ignore[attr-defined]
        is_done = library.SSL_key_update(ctypes.c_void_p.from_address(place), _UPDATE_REQUESTED)
        assert is_done
        self.end.do_handshake()

    async def finish(self) -> None:
        """Send close_notify."""
        with suppress(ssl.SSLWantReadError):
            self.end.unwrap()
        await self.flush()


class Server:
    """A TLS server at the other end: what it got, and over how many connections."""

    def __init__(self, authority: CertificateAuthority, names: str) -> None:
        self.received = bytearray()
        self.greeting = b""
        self.handshakes: list[ssl.SSLObject] = []
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(*authority.issue("server", names))

    async def start(self) -> tuple[str, int]:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        address: tuple[str, int] = self.server.sockets[0].getsockname()
        return address

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.handshakes.append(writer.get_extra_info("ssl_object"))
        writer.write(self.greeting)
        while data := await reader.read(65536):
            self.received += data


def by_name(address: tuple[str, int], name: str) -> Flow:
    return Flow(TLS, 0, address, NO_PROCESS, NO_CONNECTION, name)
