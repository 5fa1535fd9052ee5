"""Lookups by https and ldaps: only a server whose certificate proves its name is asked (RFC 6125, RFC 4513 3.1.3)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import create_server, socket
from threading import Thread

import pytest

from appliance.catalogue.lookup_settings import LookupSettings
from appliance.lookups.lookup_client import ServerFailed
from appliance.lookups.lookup_clients import new_client
from appliance.routing.lookup_templates import LookupValues
from tests.certificate_authority import CertificateAuthority

VALUES = LookupValues("+4930123456")
FOUND = b'{"targets": ["sip:gw1.example.com"]}'
# RFC 4511 4.2, 4.5: the tags of requests, and those of their answers.
BIND, SEARCH = 0x60, 0x63
ANSWERS = {BIND: 0x61, SEARCH: 0x65}


def answer_http(connection: ssl.SSLSocket) -> None:
    """One request, one answer."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(FOUND), FOUND))


def answer_ldap(connection: ssl.SSLSocket) -> None:
    """A bind succeeds, and a search finds nothing: {messageID, [APPLICATION n] {success, "", ""}}."""
    while request := connection.recv(65536):
        # SEQUENCE of short or long form, then INTEGER of one octet, then the operation.
        at = 2 if request[1] < 0x80 else 2 + (request[1] & 0x7F)
        number, tag = request[at + 2], request[at + 3]
        if tag not in ANSWERS:
            return
        connection.sendall(bytes((0x30, 12, 2, 1, number, ANSWERS[tag], 7, 10, 1, 0, 4, 0, 4, 0)))


@contextmanager
def server(certificate: tuple[Path, Path], answer: Callable[[ssl.SSLSocket], None]) -> Iterator[int]:
    """A TLS server with that certificate, at a port of 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    listening = create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                _talk(listening.accept()[0])

    def _talk(accepted: socket) -> None:
        # A client that does not like the certificate ends the handshake.
        with suppress(OSError), accepted, context.wrap_socket(accepted, server_side=True) as connection:
            answer(connection)

    Thread(target=serve, daemon=True).start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        listening.close()


def https(host: str, port: int, authorities: Path | None) -> LookupSettings:
    url = f"https://{host}:{port}/route?number={{number}}"
    return LookupSettings("a", servers=(url,), authorities=str(authorities or ""), timeout_ms=10000)


def ldaps(host: str, port: int, authorities: Path | None) -> LookupSettings:
    return LookupSettings(
        "a",
        servers=(f"ldaps://{host}:{port}",),
        base="dc=example",
        filter="(telephoneNumber={number})",
        attributes=("labeledURI",),
        authorities=str(authorities or ""),
        timeout_ms=10000,
    )


Settings = Callable[[str, int, Path | None], LookupSettings]
PROTOCOLS = pytest.mark.parametrize(("settings_of", "answer"), [(https, answer_http), (ldaps, answer_ldap)])


def find(settings: LookupSettings) -> list[str]:
    async def ask() -> list[str]:
        client = new_client(settings.servers[0], settings)
        try:
            return await client.find(VALUES)
        finally:
            client.close()

    return asyncio.run(ask())


@PROTOCOLS
def test_a_certificate_that_proves_the_name_is_accepted(
    tmp_path: Path, settings_of: Settings, answer: Callable[[ssl.SSLSocket], None]
) -> None:
    authority = CertificateAuthority(tmp_path / "ca")
    with server(authority.issue("server", "DNS:localhost"), answer) as port:
        expected = ["sip:gw1.example.com"] if settings_of is https else []
        assert find(settings_of("localhost", port, authority.trust)) == expected


@PROTOCOLS
def test_another_name_is_refused(
    tmp_path: Path, settings_of: Settings, answer: Callable[[ssl.SSLSocket], None]
) -> None:
    authority = CertificateAuthority(tmp_path / "ca")
    with server(authority.issue("server", "DNS:other.example"), answer) as port, pytest.raises(ServerFailed):
        find(settings_of("localhost", port, authority.trust))


@PROTOCOLS
def test_another_authority_is_refused(
    tmp_path: Path, settings_of: Settings, answer: Callable[[ssl.SSLSocket], None]
) -> None:
    authority, other = CertificateAuthority(tmp_path / "ca"), CertificateAuthority(tmp_path / "other")
    certificate = authority.issue("server", "DNS:localhost")
    with server(certificate, answer) as port:
        for trusted in (other.trust, None):
            with pytest.raises(ServerFailed):
                find(settings_of("localhost", port, trusted))


@PROTOCOLS
def test_authorities_that_cannot_be_read_are_a_failure(
    tmp_path: Path, settings_of: Settings, answer: Callable[[ssl.SSLSocket], None]
) -> None:
    authority = CertificateAuthority(tmp_path / "ca")
    with server(authority.issue("server", "DNS:localhost"), answer) as port, pytest.raises(ServerFailed):
        find(settings_of("localhost", port, tmp_path / "missing.pem"))
