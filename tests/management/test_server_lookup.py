"""`resolve`: each step of RFC 3263, and the targets, as an operator sees them."""

from __future__ import annotations

import asyncio

import pytest

from appliance import resolver
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.catalogue.transports import TRANSPORT_NAMES
from appliance.management.server_lookup import Located, Step, locate
from appliance.sip.uri import parse_uri
from tests.management.fake_dns import TTL_S, FakeDns

SETTINGS = Settings(listeners=(ListenerSettings(name="main", address="192.0.2.100"),))
ZONE = {
    "NAPTR example.com": ["10\t5\ts\tSIP+D2U\t\t_sip._udp.example.com."],
    "SRV _sip._udp.example.com": ["1 1 5070 s1.example.com.", "2 1 5060 s2.example.com."],
    "s1.example.com": ["192.0.2.11"],
    "s2.example.com": ["192.0.2.12"],
    "bare.example": ["192.0.2.13", "2001:db8::13"],
    "empty.example": [],
}


@pytest.fixture(autouse=True)
def _dns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "HostResolver", lambda timeout_s: FakeDns(ZONE))


def located(uri: str) -> Located:
    return asyncio.run(locate(parse_uri(uri.encode()), SETTINGS))


def targets(found: Located) -> list[str]:
    return [f"{TRANSPORT_NAMES[flow.transport]} {flow.remote[0]}:{flow.remote[1]}" for flow in found.flows]


def test_each_query_is_a_step() -> None:
    found = located("sip:example.com")
    assert found.steps == [
        Step("NAPTR example.com", ZONE["NAPTR example.com"], TTL_S),
        Step("SRV _sip._udp.example.com", ZONE["SRV _sip._udp.example.com"], TTL_S),
        Step("A, AAAA s1.example.com", ["192.0.2.11"], TTL_S),
        Step("A, AAAA s2.example.com", ["192.0.2.12"], TTL_S),
    ]
    assert targets(found) == ["udp 192.0.2.11:5070", "udp 192.0.2.12:5060"]


def test_a_transport_of_the_uri_needs_no_naptr() -> None:
    found = located("sip:example.com;transport=tcp")
    assert [step.query for step in found.steps] == ["SRV _sip._tcp.example.com", "A, AAAA example.com"]
    assert found.fault == "No response from DNS for example.com."


def test_a_numeric_host_has_no_step() -> None:
    found = located("sip:192.0.2.9")
    assert (found.steps, targets(found)) == ([], ["udp 192.0.2.9:5060"])


def test_addresses_without_a_listener_of_their_family_are_no_targets() -> None:
    assert targets(located("sip:bare.example:5060")) == ["udp 192.0.2.13:5060"]


def test_a_name_without_records_is_told_from_one_without_an_answer() -> None:
    assert located("sip:empty.example").is_absent
    assert not located("sip:silent.example").is_absent
    assert located("sip:silent.example").fault == "No response from DNS for silent.example."
