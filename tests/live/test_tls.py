"""TLS with real clients: openssl, baresip; certificates that change while connections stay (RFC 3261 26, RFC 8446)."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.certificate_authority import CertificateAuthority
from tests.live.appliance import Appliance
from tests.live.baresip import Baresip
from tests.live.control import Control
from tests.live.processes import LOOPBACK, Processes, free_port, wait_until

PASSWORDS = {"alice": "wonderland-1", "bob": "builder-2"}
OPTIONS = (
    "OPTIONS sip:{address} SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK{mark}\r\nMax-Forwards: 70\r\n"
    "From: <sip:a@signalbox.test>;tag=1\r\nTo: <sip:{address}>\r\nCall-ID: {mark}\r\nCSeq: 1 OPTIONS\r\n"
    "Content-Length: 0\r\n\r\n"
)


class SecureAppliance:
    """An appliance with a second listener that speaks TLS; its certificate can be replaced."""

    def __init__(
        self,
        folder: Path,
        start_appliance: Callable[..., Appliance],
        authenticate: str = "",
        tls: Callable[[CertificateAuthority], str] | None = None,
        workers: int = 2,
        settings: str = "",
    ) -> None:
        """`authenticate`: lines of the listener. `tls`: more lines of the section `tls`. `settings`: more sections."""
        self.authority = CertificateAuthority(folder / "authority")
        self.port = free_port()
        self.chain, self.key = folder / "own.pem", folder / "own.key"
        self.replace("first")
        settings += (
            f"domain 127.0.0.1\ncertificate own\n  chain {self.chain}\n  key {self.key}\n!\n"
            f"tls\n  trust {self.authority.trust}\n  {tls(self.authority) if tls else ''}\n!\n"
            f"listener secure\n  address {LOOPBACK}\n  port {self.port}\n  transport tls\n  certificate own\n"
            f"  {authenticate or 'no authenticate'}\n!\n"
        )
        self.appliance = start_appliance(settings, workers=workers, digest=("algorithm md5",))

    def replace(self, name: str, **options: int) -> None:
        """Put another certificate where the configuration says."""
        self.put(*self.authority.issue(name, f"DNS:signalbox.test,IP:{LOOPBACK}", **options))

    def put(self, chain: Path, key: Path) -> None:
        """The same with one that was issued before."""
        shutil.copy(chain, self.chain)
        shutil.copy(key, self.key)

    def served(self) -> bytes:
        """The certificate that new connections are to get, in DER."""
        return ssl.PEM_cert_to_DER_cert(self.chain.read_text())

    def dial(self) -> ssl.SSLSocket:
        """A connection of a phone that trusts the authority."""
        context = ssl.create_default_context(cafile=str(self.authority.trust))
        plain = socket.create_connection((LOOPBACK, self.port), timeout=60)
        return context.wrap_socket(plain, server_hostname="signalbox.test")


@pytest.fixture
def secure(tmp_path: Path, start_appliance: Callable[..., Appliance]) -> SecureAppliance:
    return SecureAppliance(tmp_path, start_appliance)


def answers(end: ssl.SSLSocket, mark: str) -> bool:
    """Does the appliance answer an OPTIONS on this connection?"""
    end.sendall(OPTIONS.format(address=LOOPBACK, mark=mark).encode())
    return end.recv(4096).startswith(b"SIP/2.0 200 ")


def test_openssl_sees_the_certificate_and_good_ciphers_only(secure: SecureAppliance) -> None:
    where = ("-connect", f"{LOOPBACK}:{secure.port}", "-CAfile", str(secure.authority.trust), "-verify_return_error")

    def connect(*words: str) -> subprocess.CompletedProcess[str]:
        argv = ["openssl", "s_client", *where, *words]
        return subprocess.run(argv, input="", capture_output=True, text=True, timeout=60, check=False)

    assert "TLSv1.3" in connect().stdout
    assert "ECDHE-ECDSA-AES" in connect("-tls1_2").stdout
    assert connect("-tls1_2", "-cipher", "AES128-SHA").returncode != 0
    assert connect("-tls1_1").returncode != 0
    wait_until(lambda: secure.appliance.counter("handshakes-failed") == 2, "the failures are counted")


def test_baresip_registers_calls_and_hangs_up(
    processes: Processes, tmp_path: Path, start_appliance: Callable[..., Appliance]
) -> None:
    secure = SecureAppliance(tmp_path, start_appliance, "authenticate")
    appliance, server = secure.appliance, f"{LOOPBACK}:{secure.port}"
    for name, password in PASSWORDS.items():
        appliance.add_subscriber(name, password)
    alice, bob = (
        Baresip(processes, name, server, PASSWORDS[name], "tls", secure.authority.trust) for name in PASSWORDS
    )
    bob.start()
    wait_until(lambda: appliance.registrations() == 1, "bob is registered")
    alice.start(dial=f"sip:bob@{server}", talk_s=4)
    bob.wait_until_it_says("Call established")
    alice.wait_until_it_says("Call established")
    bob.wait_until_it_says("terminated (duration")
    assert alice.process is not None and alice.process.wait(60.0) == 0
    counters = appliance.counters()
    assert (counters["calls-started"], counters["calls-answered"], counters["calls-failed"]) == (1, 1, 0)
    assert counters["handshakes-completed"] >= 2 and counters["udp-messages-received"] == 0


def test_a_renewed_certificate_comes_into_use_and_connections_stay(secure: SecureAppliance) -> None:
    """A commit reads the files again; one with a certificate that cannot be used is refused."""
    with secure.dial() as former, Control(secure.appliance.state) as control:
        serial = former.getpeercert()["serialNumber"]
        assert answers(former, "before")
        text = control.ask("show running-config")["text"]
        secure.replace("expired", days=-1)
        refusal = control.error("commit", text=text + "banner One\n", base=1)
        assert "certificate has expired" in str(refusal), refusal
        secure.replace("second")
        control.commit(text + "banner Two\n")
        (row,) = control.ask("show certificates")["certificates"]
        assert (row["name"], row["listeners"], row["state"]) == ("own", "secure", "valid")
        with secure.dial() as later:
            assert later.getpeercert()["serialNumber"] != serial
            assert answers(later, "later")
        assert answers(former, "after")


def test_half_open_and_garbage_handshakes_cost_no_answers(secure: SecureAppliance) -> None:
    """A phone goes on, and another one connects, while strangers begin handshakes and finish none."""
    beginnings = (b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b"")
    with secure.dial() as phone, ExitStack() as strangers:
        rss = secure.appliance.rss()
        for number in range(600):
            stranger = strangers.enter_context(socket.create_connection((LOOPBACK, secure.port), timeout=60))
            stranger.sendall(beginnings[number % len(beginnings)])
            if number % 20 == 0:
                assert answers(phone, f"flood{number}")
            if number % 100 == 0:
                with secure.dial() as other:
                    assert answers(other, f"other{number}")
        wait_until(lambda: secure.appliance.counter("handshakes-timed-out") >= 150, "handshakes are given up")
        assert answers(phone, "end")
        counters = secure.appliance.counters()
        assert counters["handshakes-not-tls"] == 150 and counters["handshakes-failed"] == 150
        assert secure.appliance.rss() - rss < 32 << 20
