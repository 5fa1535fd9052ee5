"""Trusted hops by configuration: an address or a network, with a port and a transport where the operator says so.

    peer 192.0.2.1
    peer 2001:db8::/32
    peer 192.0.2.1 port 5060 transport udp
    peer 192.0.2.1 certificate-name carrier.example

A port is that of datagrams; a connection that a peer opens comes from any port (RFC 3261 18.1.1). A peer with a
certificate name is one by TLS only; its certificate has to prove that name, or the handshake fails (RFC 5922 7.4).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.catalogue.errors import ValueFault, alternatives
from appliance.catalogue.transports import TLS, TRANSPORT_NAMES, TRANSPORTS

_NAME = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class Peer:
    """The kind of a value that names a peer; kept as it is printed."""

    placeholder: str = (
        f"ADDRESS[/LENGTH] [port PORT] [transport {' | '.join(TRANSPORT_NAMES)}] [certificate-name DOMAIN]"
    )
    range_text: str = (
        "an IP address or a network such as 192.0.2.0/24, perhaps with `port 5060`, `transport udp` or "
        "`certificate-name carrier.example`"
    )

    def read(self, words: Sequence[str]) -> str:
        if not words:
            raise ValueFault("a value is missing", f"type {self.placeholder} after it")
        text = network_text(words[0])
        port, transport, name = "", "", ""
        for place in range(1, len(words), 2):
            keyword = words[place].lower()
            value = words[place + 1] if place + 1 < len(words) else ""
            if keyword == "port" and not port:
                port = f" port {_port(value, place + 1)}"
            elif keyword == "transport" and not transport:
                transport = f" transport {_transport(value, place + 1)}"
            elif keyword == "certificate-name" and not name:
                name = f" certificate-name {_domain(value, place + 1)}"
            else:
                raise ValueFault(f'"{words[place]}" does not belong there', f"type {self.placeholder}", place)
        secure = [f" transport {row.name}" for row in TRANSPORTS if row.is_secure and row.is_opened_here]
        if name and transport not in ("", *secure):
            raise ValueFault("only tls has certificates", "type `transport tls`, or leave it out")
        return text + port + transport + name

    def write(self, value: str) -> list[str]:
        return value.split()


@dataclass(frozen=True, slots=True)
class Network:
    """The kind of a value that is an address or a network."""

    placeholder: str = "ADDRESS[/LENGTH]"
    range_text: str = "an IP address or a network such as 192.0.2.0/24"

    def read(self, words: Sequence[str]) -> str:
        if len(words) != 1:
            raise ValueFault("one value is expected", f"type {self.placeholder}")
        return network_text(words[0])

    def write(self, value: str) -> list[str]:
        return [value]


def network_text(word: str) -> str:
    """An address or a network as it is printed. Raises ValueFault."""
    bare = word[1:-1] if word.startswith("[") and word.endswith("]") else word
    try:
        return ipaddress.ip_network(bare).compressed if "/" in bare else ipaddress.ip_address(bare).compressed
    except ValueError as fault:
        if "host bits" in str(fault):
            near = ipaddress.ip_network(bare, strict=False)
            raise ValueFault(f'"{word}" is an address within a network', f"type {near} for all of it") from None
        remedy = "type an address such as 192.0.2.1 or 2001:db8::1, or a network such as 192.0.2.0/24"
        raise ValueFault(f'"{word}" is not an IP address or network', remedy) from None


def _port(word: str, place: int) -> int:
    if not (word.isascii() and word.isdigit() and 1 <= int(word[:6]) <= 65535):
        raise ValueFault(f'"{word}" is not a port', "type 1 to 65535", place)
    return int(word)


def _transport(word: str, place: int) -> str:
    if word.lower() not in TRANSPORT_NAMES:
        raise ValueFault(f'"{word}" is not a transport', f"type {alternatives(TRANSPORT_NAMES)}", place)
    return word.lower()


def _domain(word: str, place: int) -> str:
    name = word.lower().removeprefix("sip:").removesuffix(".")
    if not _NAME.fullmatch(name):
        raise ValueFault(f'"{word}" is not a domain name', "type a name such as carrier.example", place)
    return name


class Peers:
    """The peers of one listener, or of several. Never changed."""

    __slots__ = ("_addresses", "_rules")

    def __init__(self, texts: Sequence[str]) -> None:
        self._addresses = frozenset(text for text in texts if " " not in text and "/" not in text)
        self._rules = tuple(_rule(text) for text in texts if text not in self._addresses)

    def has(self, address: str, port: int, transport: int) -> bool:
        """Is that one of them? `transport`: its number."""
        if address in self._addresses:
            return True
        if not self._rules:
            return False
        return any(rule[1] in (None, transport) and _has_port(rule, port, transport) for rule in self._at(address))

    def has_address(self, address: str) -> bool:
        """Is one of them there, by whichever port and transport?"""
        return address in self._addresses or (bool(self._rules) and bool(self._at(address)))

    def certificate_names(self, address: str) -> tuple[str, ...]:
        """Of these names, the certificate of that address has to prove one; () where it need not."""
        return tuple(rule[3] for rule in self._at(address) if rule[3]) if self._rules else ()

    def _at(self, address: str) -> list[Rule]:
        number = ipaddress.ip_address(address.partition("%")[0])
        return [rule for rule in self._rules if number in rule[0]]


# (network, transport or None, port or 0, certificate name or "")
Rule = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, int | None, int, str]


def _rule(text: str) -> Rule:
    network, *words = text.split()
    options = dict(zip(words[::2], words[1::2], strict=True))
    transport = TRANSPORT_NAMES.index(options["transport"]) if "transport" in options else None
    name = options.get("certificate-name", "")
    return ipaddress.ip_network(network), TLS if name else transport, int(options.get("port", 0)), name


def _has_port(rule: Rule, port: int, transport: int) -> bool:
    return TRANSPORTS[transport].is_stream or rule[2] in (0, port)
