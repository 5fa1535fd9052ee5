"""The address of the agent, as the standard modules write it: RFC 3419 (transport) and RFC 4001 (internet)."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.snmp_settings import SnmpSettings
from appliance.catalogue.snmp_values import listen_of

UDP_IPV4: Final[Oid] = (1, 3, 6, 1, 6, 1, 1)
UDP_IPV6: Final[Oid] = (1, 3, 6, 1, 2, 1, 100, 1, 2)
# InetAddressType
IPV4, IPV6 = 1, 2


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """`domain` and `transport_address`: TDomain and TAddress; `kind` and `address`: InetAddressType and InetAddress."""

    domain: Oid
    transport_address: bytes
    kind: int
    address: bytes


def engine_address(settings: SnmpSettings) -> EngineAddress:
    """Where the agent is reached first; 0.0.0.0 port 0 where it only sends."""
    for value in settings.listen:
        listen = listen_of(value)
        return address_of(listen.address, listen.port)
    return address_of("0.0.0.0", 0)


def address_of(text: str, port: int) -> EngineAddress:
    """An address of IPv4 or IPv6, and a port."""
    address = ip_address(text)
    is_ipv6 = address.version == 6
    return EngineAddress(
        UDP_IPV6 if is_ipv6 else UDP_IPV4,
        address.packed + port.to_bytes(2, "big"),
        IPV6 if is_ipv6 else IPV4,
        address.packed,
    )
