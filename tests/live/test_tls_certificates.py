"""Certificates made and imported by the commands, revocation lists, and connections that proved peers lend (RFC 5280,
RFC 5922, RFC 5923)."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.certificate_authority import CertificateAuthority
from tests.live.appliance import SIGNALBOX, Appliance
from tests.live.control import Control
from tests.live.kamailio import Kamailio
from tests.live.processes import LOOPBACK, Processes, wait_until
from tests.live.test_tls import OPTIONS, SecureAppliance, answers

# Not 127.0.0.1, which is a domain of the appliance of these tests.
PEER, PEER_PORT = "127.0.0.3", 7061
RELAYED = (
    "OPTIONS sip:peer@{address}:{port};transport=tls SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK{mark}\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:a@signalbox.test>;tag=1\r\nTo: <sip:peer@{address}>\r\nCall-ID: {mark}\r\n"
    "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


@contextmanager
def dialled(secure: SecureAppliance, *certificate: Path, source: str = LOOPBACK) -> Iterator[ssl.SSLSocket]:
    """A connection of a client that shows this certificate (chain, key), or none."""
    context = ssl.create_default_context(cafile=str(secure.authority.trust))
    if certificate:
        context.load_cert_chain(*certificate)
    plain = socket.create_connection((LOOPBACK, secure.port), timeout=60, source_address=(source, 0))
    with context.wrap_socket(plain, server_hostname="signalbox.test") as end:
        yield end


def is_served(secure: SecureAppliance, mark: str, *certificate: Path) -> bool:
    """Is a client with this certificate accepted? By TLS 1.3 it hears of the refusal when it reads."""
    try:
        with dialled(secure, *certificate) as end:
            return answers(end, mark)
    except (ssl.SSLError, ConnectionError):
        return False


def is_closed(end: ssl.SSLSocket) -> bool:
    """Has the appliance ended this connection? It may say so by a reset."""
    try:
        return not end.recv(4096)
    except (ssl.SSLError, ConnectionError):
        return True


def test_a_certificate_is_requested_issued_imported_and_served(
    tmp_path: Path, start_appliance: Callable[..., Appliance]
) -> None:
    def certificate(action: str, *words: str) -> subprocess.CompletedProcess[str]:
        argv = [str(SIGNALBOX), "certificate", action, "next", *words, "--folder", str(tmp_path)]
        return subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)

    secure = SecureAppliance(tmp_path, start_appliance)
    appliance = secure.appliance
    asked = certificate("request", "signalbox.test", "sip:signalbox.test")
    assert asked.returncode == 0, asked.stderr
    # A key is never overwritten.
    assert certificate("request", "signalbox.test").returncode != 0
    reply = tmp_path / "reply.pem"
    issued = secure.authority.sign(tmp_path / "next.csr")
    reply.write_text(secure.authority.trust.read_text() + issued.read_text())
    imported = certificate("import", str(reply))
    assert imported.returncode == 0, imported.stderr
    assert f"chain {tmp_path / 'next.pem'}" in imported.stdout
    with Control(appliance.state) as control:
        text = control.ask("show running-config")["text"]
        for suffix in ("pem", "key"):
            text = text.replace(str(tmp_path / f"own.{suffix}"), str(tmp_path / f"next.{suffix}"))
        control.commit(text)
        with dialled(secure) as end:
            names = end.getpeercert()["subjectAltName"]
            assert set(names) == {("DNS", "signalbox.test"), ("URI", "sip:signalbox.test")}
            assert answers(end, "served")
        (row,) = control.ask("show certificates")["certificates"]
        assert row["state"] == "valid"


def test_a_revoked_certificate_is_refused_as_soon_as_the_list_says_so(
    tmp_path: Path, start_appliance: Callable[..., Appliance]
) -> None:
    """RFC 5280 5: a list that is replaced takes effect by itself, also on connections that are open."""
    secure = SecureAppliance(
        tmp_path,
        start_appliance,
        "no authenticate\n  client-certificate require",
        tls=lambda authority: f"revoked {authority.revoke()}",
    )
    good = secure.authority.issue("good", "DNS:good.example")
    bad = secure.authority.issue("bad", "DNS:bad.example")
    with dialled(secure, *good) as caller, dialled(secure, *bad) as former:
        assert answers(former, "before") and answers(caller, "caller")
        secure.authority.revoke(bad[0])
        numbers = iter(range(1000))
        wait_until(lambda: not is_served(secure, f"bad{next(numbers)}", *bad), "the revoked client is refused")
        wait_until(lambda: secure.appliance.counter("certificates-refused") > 0, "it is counted")
        assert is_served(secure, "good", *good)
        assert is_closed(former)
        assert "closed: its certificate is revoked" in secure.appliance.process.text()
        assert answers(caller, "after")


def test_a_request_to_a_server_that_is_revoked_is_refused(
    tmp_path: Path, start_appliance: Callable[..., Appliance]
) -> None:
    """RFC 5922 7.3, RFC 5280 6.3: the server gets nothing, the caller an error, the operator a reason."""
    secure = SecureAppliance(
        tmp_path,
        start_appliance,
        "no authenticate\n  relay any",
        tls=lambda authority: f"revoked {authority.revoke(authority.issue('former', f'IP:{PEER}')[0])}",
    )
    servers = {name: TlsServer(secure.authority, name) for name in ("good", "former")}
    for name, server in servers.items():
        with server, dialled(secure) as caller:
            caller.sendall(RELAYED.format(address=PEER, port=server.port, mark=name).encode())
            if name == "good":
                assert server.first_line() == f"OPTIONS sip:peer@{PEER}:{server.port};transport=tls SIP/2.0"
            else:
                assert server.first_line() == "" and "revoked" in server.refusal
                assert caller.recv(4096).startswith((b"SIP/2.0 503 ", b"SIP/2.0 500 "))
    wait_until(lambda: secure.appliance.counter("certificates-refused") == 1, "it is counted")
    assert f"TLS handshake with {PEER} failed: certificate revoked" in secure.appliance.process.text()


class TlsServer:
    """A server at the address of the peer, for one connection. `refusal`: why that came to nothing, as its TLS says."""

    def __init__(self, authority: CertificateAuthority, name: str) -> None:
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        chain = authority.chain(name)
        pair = (chain, chain.with_suffix(".key")) if chain.exists() else authority.issue(name, f"IP:{PEER}")
        self._context.load_cert_chain(*pair)
        self._listening = socket.create_server((PEER, 0))
        self._listening.settimeout(60)
        self.port = self._listening.getsockname()[1]
        self.refusal = ""

    def first_line(self) -> str:
        """That of the first message by the next connection; "" where there is none."""
        plain, _ = self._listening.accept()
        plain.settimeout(60)
        with plain:
            try:
                with self._context.wrap_socket(plain, server_side=True) as end:
                    return end.recv(4096).partition(b"\r\n")[0].decode()
            except (ssl.SSLError, ConnectionError) as refused:
                self.refusal = str(refused).lower()
                return ""

    def __enter__(self) -> TlsServer:
        return self

    def __exit__(self, *exc: object) -> None:
        self._listening.close()


@pytest.mark.parametrize("is_proved", [True, False], ids=["proved", "without a certificate"])
def test_requests_go_by_the_connection_that_a_proved_peer_has_opened(
    is_proved: bool, tmp_path: Path, start_appliance: Callable[..., Appliance]
) -> None:
    """RFC 5923 8.2, 9.2: `alias` counts where the certificate proves whom the requests are for."""
    lines = "no authenticate\n  relay any\n  client-certificate request"
    secure = SecureAppliance(tmp_path, start_appliance, lines, workers=1)
    certificate = secure.authority.issue("peer", f"DNS:peer.example,IP:{PEER}") if is_proved else ()
    with dialled(secure, *certificate, source=PEER) as peer, dialled(secure) as caller:
        offer = OPTIONS.format(address=LOOPBACK, mark="offer").replace("127.0.0.1:9;", f"{PEER}:{PEER_PORT};alias;")
        peer.sendall(offer.encode())
        assert peer.recv(4096).startswith(b"SIP/2.0 200 ")
        wait_until(lambda: secure.appliance.counter("requests-received") >= 1, "the counters are told")
        caller.sendall(RELAYED.format(address=PEER, port=PEER_PORT, mark="relayed").encode())
        if is_proved:
            assert peer.recv(4096).startswith(f"OPTIONS sip:peer@{PEER}:{PEER_PORT}".encode())
        else:
            # Nothing listens at that port.
            assert caller.recv(4096).startswith((b"SIP/2.0 503 ", b"SIP/2.0 500 "))
        wait_until(lambda: secure.appliance.counter("connections-aliased") == is_proved, "the alias is counted")
        assert secure.appliance.counter("connections-opened") == 0


def test_kamailio_sends_by_the_connection_that_was_opened_to_it(
    processes: Processes, tmp_path: Path, start_appliance: Callable[..., Appliance]
) -> None:
    """RFC 5923 5: our Via has `alias`, and a peer that goes by it needs no second connection."""
    secure = SecureAppliance(tmp_path, start_appliance, "no authenticate\n  relay any", workers=1)
    kamailio = Kamailio(processes, address=PEER, certificate=secure.authority.issue("kamailio", f"IP:{PEER}"))
    with dialled(secure) as caller, socket.socket(type=socket.SOCK_DGRAM) as stranger:
        there = RELAYED.replace("sip:peer@", "sip:").format(address=PEER, port=kamailio.tls_port, mark="there")
        caller.sendall(there.encode())
        assert caller.recv(4096).startswith(b"SIP/2.0 200 ")
        back = OPTIONS.replace("SIP/2.0/TLS 127.0.0.1:9;", "SIP/2.0/UDP 127.0.0.1:9;rport;")
        back = back.replace("OPTIONS sip:{address} ", "OPTIONS sip:{address}:{port};transport=tls ")
        stranger.settimeout(60)
        stranger.sendto(back.format(address=LOOPBACK, port=secure.port, mark="back").encode(), (PEER, kamailio.port))
        answer = stranger.recv(4096)
        while answer.startswith(b"SIP/2.0 1"):
            answer = stranger.recv(4096)
        assert answer.startswith(b"SIP/2.0 200 ")
        counters = secure.appliance.counters()
        assert (counters["connections-accepted"], counters["connections-opened"]) == (1, 1)
