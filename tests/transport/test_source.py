"""Sources are counted by what one sender has: an IPv4 address, or an IPv6 prefix of 64 bits."""

from __future__ import annotations

import pytest

from appliance.transport.source import source_of


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::%eth0/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("nonsense:", "nonsense:"),
    ],
)
def test_an_ipv6_address_is_counted_by_its_first_64_bits(address: str, source: str) -> None:
    assert source_of(address) == source
