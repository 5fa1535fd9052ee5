"""Values about the machine that have several parts: an interface with its addresses, and a host that gets the log.

    interface eth0 address 192.0.2.10/24
    interface eth0 gateway 192.0.2.1
    logging host 192.0.2.9 transport tls port 6514 name log.example.com
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.catalogue.cluster_values import AddressWithPrefix, Interface
from appliance.catalogue.errors import ValueFault, alternatives
from appliance.catalogue.value_types import Host, without_brackets

DHCP: Final = "dhcp"
ADDRESS, GATEWAY = "address", "gateway"
BY_UDP, BY_TCP, BY_TLS = "udp", "tcp", "tls"
# UDP: RFC 5426 3.3. TCP has none by RFC 6587; 601 is that of syslog-conn. TLS: RFC 5425 4.1.
SYSLOG_PORTS: Final = {BY_UDP: 514, BY_TCP: 601, BY_TLS: 6514}


@dataclass(frozen=True, slots=True)
class InterfaceLine:
    """An address or a default gateway of an interface."""

    placeholder: str = "INTERFACE address ADDRESS/LENGTH | address dhcp | gateway ADDRESS"
    range_text: str = "an interface, and `address` with an address and prefix length or `dhcp`, or `gateway ADDRESS`"

    def read(self, words: Sequence[str]) -> str:
        if len(words) != 3:
            raise ValueFault("an interface and its address are expected", f"type {self.placeholder}", len(words) - 1)
        name, what = Interface().read(words[:1]), words[1].lower()
        if not name or what not in (ADDRESS, GATEWAY):
            raise ValueFault(f'"{words[1]}" is not expected here', f"type {ADDRESS} or {GATEWAY}", 1)
        read = _read_address if what == ADDRESS else _read_gateway
        return f"{name} {what} {read(words[2])}"

    def write(self, value: str) -> list[str]:
        return value.split()


def _read_address(word: str) -> str:
    if word.lower() == DHCP:
        return DHCP
    try:
        return AddressWithPrefix().read([word])
    except ValueFault:
        remedy = f"type {DHCP}, or {AddressWithPrefix().range_text}"
        raise ValueFault(f'"{word}" is not an address with a prefix length', remedy, 2) from None


def _read_gateway(word: str) -> str:
    try:
        return ipaddress.ip_address(without_brackets(word)).compressed
    except ValueError:
        raise ValueFault(f'"{word}" is not an IP address', "type an address such as 192.0.2.1", 2) from None


@dataclass(frozen=True, slots=True)
class InterfaceAddresses:
    """What the lines of one interface say."""

    name: str
    addresses: tuple[str, ...]
    gateways: tuple[str, ...]


def interfaces_of(lines: Sequence[str]) -> list[InterfaceAddresses]:
    """The interfaces of these lines, in their order."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for line in lines:
        name, what, value = line.split()
        found.setdefault(name, ([], []))[what == GATEWAY].append(value)
    return [InterfaceAddresses(name, tuple(own), tuple(gateways)) for name, (own, gateways) in found.items()]


@dataclass(frozen=True, slots=True)
class LogHost:
    """A syslog server: its address, how it is reached, and for TLS the name in its certificate."""

    placeholder: str = "ADDRESS [transport udp | tcp | tls] [port PORT] [name NAME]"
    range_text: str = "the address of a syslog server; `name`: that of its certificate, where it is not the address"

    def read(self, words: Sequence[str]) -> str:
        if not words or len(words) % 2 == 0:
            raise ValueFault("a value is missing", f"type {self.placeholder}", max(len(words) - 1, 0))
        try:
            line = ipaddress.ip_address(without_brackets(words[0])).compressed
        except ValueError:
            raise ValueFault(f'"{words[0]}" is not an IP address', "type an address such as 192.0.2.1") from None
        given = _options(words)
        transport = given.get("transport", BY_UDP)
        if "name" in given and transport != BY_TLS:
            raise ValueFault("`name` is for tls", "type `transport tls`, or leave the name out", words.index("name"))
        return str(LogServer(line, transport, int(given.get("port", SYSLOG_PORTS[transport])), given.get("name", "")))

    def write(self, value: str) -> list[str]:
        return value.split()


def _options(words: Sequence[str]) -> dict[str, str]:
    """The words behind the address, in pairs. Raises ValueFault."""
    given: dict[str, str] = {}
    for place in range(1, len(words), 2):
        name, value = words[place].lower(), words[place + 1].lower()
        if name not in ("transport", "port", "name") or name in given:
            raise ValueFault(f'"{words[place]}" is not expected here', "type transport, port or name, each once", place)
        if name == "transport" and value not in SYSLOG_PORTS:
            raise ValueFault(f'"{value}" is unknown', f"type {alternatives(tuple(SYSLOG_PORTS))}", place + 1)
        if name == "port" and not (value.isascii() and value.isdigit() and len(value) < 6 and 0 < int(value) < 65536):
            raise ValueFault(f'"{value}" is out of range', "type a number from 1 to 65535", place + 1)
        given[name] = Host().read([value]) if name == "name" else value
    return given


@dataclass(frozen=True, slots=True)
class LogServer:
    """The parts of a value of LogHost; `str` is the value."""

    address: str
    transport: str
    port: int
    name: str = ""

    def __str__(self) -> str:
        words = [self.address]
        if self.transport != BY_UDP:
            words += ["transport", self.transport]
        if self.port != SYSLOG_PORTS[self.transport]:
            words += ["port", str(self.port)]
        return " ".join([*words, *(["name", self.name] if self.name else [])])


def log_server_of(value: str) -> LogServer:
    """The parts of a value of LogHost."""
    address, *rest = value.split()
    given = dict(zip(rest[::2], rest[1::2], strict=True))
    transport = given.get("transport", BY_UDP)
    return LogServer(address, transport, int(given.get("port", SYSLOG_PORTS[transport])), given.get("name", ""))
