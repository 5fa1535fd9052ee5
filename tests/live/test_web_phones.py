"""Phones in web pages: JsSIP in Chromium, by WSS (RFC 7118)."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.certificate_authority import CertificateAuthority
from tests.live.appliance import Appliance
from tests.live.processes import LOOPBACK, Processes, free_port, wait_until
from tests.live.sipp import register, start_callee
from tests.live.web_phone import WebPage, WebPhone, web_page

PASSWORDS = {"alice": "wonderland-1", "carol": "carolina-3"}


@pytest.fixture
def page() -> Iterator[WebPage]:
    with web_page() as served:
        yield served


class WebAppliance:
    """An appliance with a listener for web phones of one page."""

    def __init__(
        self, folder: Path, start_appliance: Callable[..., Appliance], origin: str, settings_too: str = ""
    ) -> None:
        authority = CertificateAuthority(folder / "authority")
        self.chain, key = authority.issue("edge", f"DNS:signalbox.test,IP:{LOOPBACK}")
        self.port = free_port()
        settings = (
            # A browser that starts takes the processors from the workers for longer than they may be silent.
            f"supervision\n  hang 60000\n!\ndomain 127.0.0.1\ncertificate own\n  chain {self.chain}\n  key {key}\n!\n"
            f"listener web\n  address {LOOPBACK}\n  port {self.port}\n  transport wss\n  certificate own\n"
            f"  authenticate\n  origin {origin}\n!\n{settings_too}"
        )
        self.appliance = start_appliance(settings, digest=("algorithm md5",))
        for name, password in PASSWORDS.items():
            self.appliance.add_subscriber(name, password)

    def phone(self, processes: Processes, page: WebPage, name: str) -> WebPhone:
        uri = f"sip:{name}@{self.appliance.domain}"
        server = f"wss://{LOOPBACK}:{self.port}/"
        phone = WebPhone(processes, page, name, uri, PASSWORDS[name], server, self.chain)
        phone.wait_until_it_tells("registered")
        return phone

    def refused(self, request: bytes) -> bytes:
        """What a stranger gets by HTTPS."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(socket.create_connection((LOOPBACK, self.port), timeout=60)) as stranger:
            stranger.sendall(request)
            return stranger.recv(4096)


def test_two_browsers_register_call_and_hang_up(
    processes: Processes, tmp_path: Path, start_appliance: Callable[..., Appliance], page: WebPage
) -> None:
    web = WebAppliance(tmp_path, start_appliance, page.origin)
    alice, carol = (web.phone(processes, page, name) for name in PASSWORDS)
    assert web.appliance.registrations() == 2
    alice.call("sip:carol@signalbox.test")
    for phone in (alice, carol):
        phone.wait_until_it_tells("confirmed")
    carol.hang_up()
    alice.wait_until_it_tells("ended by remote")
    carol.call("sip:alice@signalbox.test")
    for phone in (carol, alice):
        phone.wait_until_it_tells("confirmed")
    carol.hang_up()
    alice.wait_until_it_tells("ended by remote")
    alice.unregister()
    alice.wait_until_it_tells("unregistered")
    assert web.appliance.registrations() == 1
    counters = web.appliance.counters()
    assert (counters["calls-started"], counters["calls-answered"], counters["calls-failed"]) == (2, 2, 0)
    assert counters["web-sockets-opened"] == 2 and counters["udp-messages-received"] == 0


def test_a_browser_that_is_silent_answers_pings_and_stays(
    processes: Processes, tmp_path: Path, start_appliance: Callable[..., Appliance], page: WebPage
) -> None:
    """RFC 6455 5.5.2, 5.5.3: the browser does so without the page."""
    web = WebAppliance(tmp_path, start_appliance, page.origin, "limits\n  connection ping 5\n!\n")
    web.phone(processes, page, "alice")
    pings = web.appliance.counters
    # After three of them the first has been answered: otherwise its connection was closed.
    wait_until(lambda: pings()["web-socket-pings-sent"] >= 4, "it was sent Pings", 120.0)
    assert pings()["web-sockets-unanswered"] == 0
    assert pings()["web-sockets-opened"] == 1


def test_a_browser_calls_a_phone_by_udp_and_hangs_up(
    processes: Processes, tmp_path: Path, start_appliance: Callable[..., Appliance], page: WebPage
) -> None:
    web = WebAppliance(tmp_path, start_appliance, page.origin)
    alice = web.phone(processes, page, "alice")
    callee = start_callee(processes, "callee-web")
    register(processes, web.appliance, "bob", callee.contact)
    alice.call("sip:bob@signalbox.test")
    alice.wait_until_it_tells("confirmed")
    alice.hang_up()
    alice.wait_until_it_tells("ended by local")
    callee.succeed()


def test_strangers_are_refused(tmp_path: Path, start_appliance: Callable[..., Appliance]) -> None:
    web = WebAppliance(tmp_path, start_appliance, "https://phone.example.com")
    assert web.refused(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").startswith(b"HTTP/1.1 426 ")
    upgrade = (
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    sub_protocol, origin = b"Sec-WebSocket-Protocol: sip\r\n", b"Origin: https://phone.example.com\r\n"
    assert web.refused(upgrade + sub_protocol + b"Origin: https://evil.example\r\n\r\n").startswith(b"HTTP/1.1 403 ")
    assert web.refused(upgrade + origin + b"\r\n").startswith(b"HTTP/1.1 400 ")
    assert web.refused(b"SIP/2.0 200 OK\r\n") == b""
    assert web.refused(upgrade + sub_protocol + origin + b"\r\n").startswith(b"HTTP/1.1 101 ")
    wait_until(lambda: web.appliance.counter("web-sockets-opened") == 1, "the last one is counted")
    said = "WebSocket connections refused or closed: "
    wait_until(lambda: said in web.appliance.process.text(), "the log says how many were refused")
    counters = web.appliance.counters()
    names = ("not-upgraded", "origin-refused", "protocol-refused", "refused")
    assert [counters[f"web-sockets-{name}"] for name in names] == [1, 1, 1, 1]
