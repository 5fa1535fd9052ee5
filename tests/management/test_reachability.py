"""Why a host gives no answer: DNS, a refusal, no route and silence are told apart."""

from __future__ import annotations

import asyncio
import errno
import socket

import pytest

from appliance import resolver
from appliance.catalogue.settings import Settings
from appliance.management.reachability import SILENCE, fault_of_name, why_silent
from tests.management.fake_dns import FakeDns
from tests.ports import free_port

SETTINGS = Settings(domains=("example.com",))


def test_a_closed_port_is_a_refusal() -> None:
    udp, tcp = free_port(), free_port()
    for uri, port in ((f"sip:x@127.0.0.1:{udp}", udp), (f"sip:127.0.0.1:{tcp};transport=tcp", tcp)):
        why = asyncio.run(why_silent(uri, SETTINGS))
        assert why == f"connection refused by 127.0.0.1:{port}"


def test_an_open_port_that_says_nothing_is_silence() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        uri = f"sip:127.0.0.1:{one.getsockname()[1]}"
        assert asyncio.run(why_silent(uri, SETTINGS)) == SILENCE


@pytest.mark.parametrize("number", [errno.ENETUNREACH, errno.EHOSTUNREACH])
def test_no_route_is_told(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "unreachable")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert asyncio.run(why_silent("sip:192.0.2.1", SETTINGS)) == "no route to 192.0.2.1"


def test_the_faults_of_dns_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        resolver, "HostResolver", lambda timeout_s: FakeDns({"nowhere.test": [], "there.test": ["192.0.2.1"]})
    )
    for uri, fault in (
        ("sip:nowhere.test", "DNS has no address for nowhere.test."),
        ("sip:silent.test", "No response from DNS for silent.test."),
        ("sip:x@there.test", ""),
        ("sip:alice@example.com", ""),
        ("sip:192.0.2.1", ""),
    ):
        assert asyncio.run(fault_of_name(uri, SETTINGS)) == fault
