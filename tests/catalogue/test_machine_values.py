"""Addresses of interfaces, and hosts that get the log: what is right, how it is printed, what is said of the rest."""

from __future__ import annotations

import pytest

from appliance.catalogue.errors import ConfigError, ValueFault
from appliance.catalogue.machine_values import (
    InterfaceAddresses,
    InterfaceLine,
    LogHost,
    LogServer,
    interfaces_of,
    log_server_of,
)
from appliance.catalogue.node_settings import settings_of_node
from appliance.configuration.text import parse_configuration, write_configuration

TEXT = """\
logging host 192.0.2.9
logging host 192.0.2.9 transport tls name log.example.com
interface eth0 address 192.0.2.10/24
interface eth0 address 2001:db8::10/64
interface eth0 gateway 192.0.2.1
interface eth1 address dhcp
name-server 192.0.2.53
ntp server ntp.example.com
node b
  interface eth0 address 192.0.2.11/24
!
"""


def test_it_is_read_and_written() -> None:
    settings = parse_configuration(TEXT)
    assert parse_configuration(write_configuration(settings)) == settings
    assert interfaces_of(settings.interfaces) == [
        InterfaceAddresses("eth0", ("192.0.2.10/24", "2001:db8::10/64"), ("192.0.2.1",)),
        InterfaceAddresses("eth1", ("dhcp",), ()),
    ]


def test_a_node_has_its_own_interfaces_where_its_section_has_any() -> None:
    settings = parse_configuration(TEXT)
    assert settings_of_node(settings, "a") == settings
    assert settings_of_node(settings, "b").interfaces == ("interface eth0 address 192.0.2.11/24".partition(" ")[2],)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("eth0", "an interface and its address are expected"),
        ("eth0 mask 255.255.255.0", '"mask" is not expected here'),
        ("eth0 address 192.0.2.10", '"192.0.2.10" is not an address with a prefix length'),
        ("eth0 address 127.0.0.1/8", '"127.0.0.1/8" is not an address'),
        ("eth0 gateway router", '"router" is not an IP address'),
        ("../etc address dhcp", '"../etc" is not the name of an interface'),
    ],
)
def test_a_wrong_line_of_an_interface_is_named(line: str, problem: str) -> None:
    with pytest.raises(ValueFault) as fault:
        InterfaceLine().read(line.split())
    assert str(fault.value).startswith(problem)


@pytest.mark.parametrize(
    ("line", "server"),
    [
        ("192.0.2.9", LogServer("192.0.2.9", "udp", 514)),
        ("192.0.2.9 port 5514", LogServer("192.0.2.9", "udp", 5514)),
        ("2001:db8::9 transport tcp", LogServer("2001:db8::9", "tcp", 601)),
        ("192.0.2.9 transport tls", LogServer("192.0.2.9", "tls", 6514)),
        ("192.0.2.9 transport tls port 1 name log.test", LogServer("192.0.2.9", "tls", 1, "log.test")),
    ],
)
def test_a_host_of_the_log_has_a_transport_and_its_port(line: str, server: LogServer) -> None:
    assert LogHost().read(line.split()) == line == str(server)
    assert log_server_of(line) == server


def test_what_is_the_default_is_not_printed() -> None:
    assert LogHost().read(["192.0.2.9", "PORT", "514", "transport", "UDP"]) == "192.0.2.9"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("log.example.com", '"log.example.com" is not an IP address'),
        ("192.0.2.9 port", "a value is missing"),
        ("192.0.2.9 port 0", '"0" is out of range'),
        ("192.0.2.9 transport sctp", '"sctp" is unknown'),
        ("192.0.2.9 port 1 port 2", '"port" is not expected here'),
        ("192.0.2.9 name log.test", "`name` is for tls"),
    ],
)
def test_a_wrong_host_of_the_log_is_named(line: str, problem: str) -> None:
    with pytest.raises(ValueFault) as fault:
        LogHost().read(line.split())
    assert str(fault.value).startswith(problem)


def test_a_fault_has_its_line_in_the_configuration() -> None:
    with pytest.raises(ConfigError) as fault:
        parse_configuration("hostname a\ninterface eth0 address 1.2.3\n")
    assert [each.line for each in fault.value.faults] == [2]
