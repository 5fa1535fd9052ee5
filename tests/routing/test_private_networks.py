"""Which hosts a sender outside of the operator's own networks may name (RFC 1918, RFC 4193, RFC 6598)."""

from __future__ import annotations

import pytest

from appliance.catalogue.settings import ListenerSettings
from appliance.routing.private_networks import PrivateNetworks, is_private
from appliance.transport.flow import UDP, Flow


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        *((each, True) for each in ("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1")),
        *((each, True) for each in ("169.254.169.254", "fd00::1", "fe80::1%eth0", "::ffff:10.0.0.1")),
        *((each, False) for each in ("172.32.0.1", "100.128.0.1", "192.0.2.1", "11.0.0.1")),
        *((each, False) for each in ("ff02::1", "2001:db8::1", "")),
    ],
)
def test_addresses_of_private_networks(address: str, expected: bool) -> None:
    assert is_private(address) is expected


@pytest.mark.parametrize(
    ("listener", "passes"),
    [
        (ListenerSettings(name="one", address="192.0.2.1"), False),
        (ListenerSettings(name="one", address="0.0.0.0", advertise="192.0.2.1"), False),
        (ListenerSettings(name="one", address="0.0.0.0", advertise="10.0.0.1"), True),
        (ListenerSettings(name="one", address="::", advertise="fd00::1"), True),
        (ListenerSettings(name="one", address="0.0.0.0", advertise="sip.example.com"), False),
        (ListenerSettings(name="one", address="10.0.0.1"), True),
        (ListenerSettings(name="one", address="10.0.0.1", advertise="203.0.113.1"), False),
        (ListenerSettings(name="one", address="10.0.0.1", advertise="sip.example.com"), False),
        (ListenerSettings(name="one", address="192.0.2.1", relay_private=True), True),
    ],
)
def test_a_listener_in_a_private_network_serves_it(listener: ListenerSettings, passes: bool) -> None:
    inside, outside = Flow(UDP, 0, ("192.168.7.7", 5060)), Flow(UDP, 0, ("203.0.113.9", 5060))
    found = PrivateNetworks((listener,)).without([inside, outside], 0)
    assert found == ([inside, outside] if passes else [outside])
