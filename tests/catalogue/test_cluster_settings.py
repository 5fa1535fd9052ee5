"""The sections of a cluster: what is right, and what is said of the rest."""

from __future__ import annotations

import pytest

from appliance.catalogue.cluster_values import NUMBER_MAX, VIRTUAL_ADDRESSES_MAX, number_of
from appliance.catalogue.errors import ConfigError
from appliance.catalogue.node_settings import addresses_at_places, settings_of_node, virtual_ip_addresses
from appliance.configuration.node_text import text_of_node
from appliance.configuration.text import parse_configuration, write_configuration

TEXT = """listener phones
  address 10.0.0.50
!
listener own
  address 10.0.0.1
!
virtual-address sip
  address 10.0.0.50/24
  address 2001:db8::50/64
  node b
  node a
  preempt
!
node b
  listener own 10.0.0.2
!
cluster
  lease 450
!
"""


def test_it_is_read_and_written() -> None:
    settings = parse_configuration(TEXT)
    (sip,) = settings.virtual_addresses
    assert (sip.addresses, sip.nodes, sip.preempt) == (("10.0.0.50/24", "2001:db8::50/64"), ("b", "a"), True)
    assert settings.cluster.lease_ms == 450
    assert parse_configuration(write_configuration(settings)) == settings
    assert virtual_ip_addresses(settings) == {"10.0.0.50", "2001:db8::50"}


def test_a_listener_is_at_the_virtual_address_that_it_names() -> None:
    """Other nodes get copies of the calls that come in there."""
    settings = parse_configuration(TEXT)
    (section,) = settings.virtual_addresses
    assert addresses_at_places(settings) == (number_of(section.name), 0)


def test_a_node_has_its_own_addresses_in_its_listeners() -> None:
    settings = parse_configuration(TEXT)
    assert settings_of_node(settings, "a") == settings
    assert [listener.address for listener in settings_of_node(settings, "b").listeners] == ["10.0.0.50", "10.0.0.2"]
    assert settings_of_node(settings, "b").nodes[0].own_addresses == {"own": "10.0.0.1"}
    assert text_of_node(TEXT, "a") == TEXT
    assert parse_configuration(text_of_node(TEXT, "b")) == settings_of_node(settings, "b")


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (
            "virtual-address x\n  address 10.0.0.9\n!\n",
            'line 2: `address`: "10.0.0.9" is not an address with a prefix length; type an IPv4 or IPv6 address with '
            "the length of its prefix, such as 192.0.2.50/24 or 2001:db8::50/64",
        ),
        (
            "virtual-address x\n  address 10.0.0.9/24\n!\nvirtual-address y\n  address 10.0.0.9/16\n!\n",
            "line 5: 10.0.0.9 is already an address of virtual-address x; delete one of them",
        ),
        (
            "virtual-address x\n  address 10.0.0.9/24\n  node a\n  node a\n!\n",
            "line 4: `node a` is present twice; delete one of them",
        ),
        (
            "node a\n  listener local\n!\n",
            "line 2: `listener`: a listener and an address are expected; type `listener NAME ADDRESS`",
        ),
        (
            "node a\n  listener wrong 10.0.0.1\n!\n",
            "line 2: node a: there is no listener wrong; add a section `listener wrong`",
        ),
        (
            "node a\n  listener local 10.0.0.1\n  listener local 10.0.0.2\n!\n",
            "line 3: `listener local` is present twice; delete one of them",
        ),
        (
            "listener x\n  address 10.0.0.1\n!\nlistener y\n  address 10.0.0.2\n!\nnode a\n  listener y 10.0.0.1\n!\n",
            "10.0.0.1 port 5060 udp and tcp is already used by listener x on node a; change the address, port or "
            "transport",
        ),
        (
            "cluster\n  heartbeat 200\n!\n",
            "line 2: `lease` 600 is too short for a heartbeat every 200 milliseconds; type `lease 800` or more",
        ),
        (
            "cluster\n  lease 2000\n!\n",
            "line 2: `margin` 50 is too short for a lease of 2000 milliseconds; type `margin 100` or more",
        ),
        (
            "virtual-address x\n  address 127.0.0.9/8\n!\n",
            "127.0.0.9 cannot move between machines",
        ),
        ("virtual-address x\n  interface a/b\n!\n", '"a/b" is not the name of an interface'),
    ],
)
def test_what_is_wrong_is_said_with_what_to_type(lines: str, fault: str) -> None:
    with pytest.raises(ConfigError) as found:
        parse_configuration(lines)
    assert fault in str(found.value)


def test_there_is_room_for_so_many_in_a_heartbeat() -> None:
    sections = [f"virtual-address v{n}\n  address 10.0.0.{n}/24\n!\n" for n in range(1, VIRTUAL_ADDRESSES_MAX + 2)]
    parse_configuration("".join(sections[:-1]))
    with pytest.raises(ConfigError, match="more than 28 sections `virtual-address`"):
        parse_configuration("".join(sections))


def test_the_number_of_a_name_is_for_ever() -> None:
    assert number_of("sip") == number_of("sip") != number_of("sips")
    assert all(1 <= number_of(f"{n}") <= NUMBER_MAX for n in range(1000))
