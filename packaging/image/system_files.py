"""The files of the operating system by which it has a name, addresses, DNS and NTP servers (systemd-networkd and others).

What they are made from comes from an operator: each value is checked here, for root writes the files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface
from re import fullmatch

DHCP = "dhcp"
_HOST = r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?"
# No scope of an IPv6 address, which could hold anything.
_ADDRESS = r"[0-9A-Fa-f.:/]+"
_INTERFACE = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}"
_PREFIX = "10-signalbox-"
NETWORKS = "/etc/systemd/network"


@dataclass(frozen=True)
class Interface:
    """A network interface: `dhcp`, or addresses with the lengths of their prefixes; and its default gateways."""

    name: str
    addresses: tuple[str, ...]
    gateways: tuple[str, ...] = ()


@dataclass(frozen=True)
class System:
    """The machine as the configuration of the appliance wants it. No interfaces: the network stays as it is."""

    hostname: str
    interfaces: tuple[Interface, ...] = ()
    dns: tuple[str, ...] = ()
    ntp: tuple[str, ...] = ()


def system_of(document: str) -> System:
    """The JSON that the appliance writes. Raises ValueError for anything that is not right."""
    try:
        values = json.loads(document)
        interfaces = tuple(
            Interface(each["name"], tuple(each["addresses"]), tuple(each["gateways"])) for each in values["interfaces"]
        )
        return checked(System(values["hostname"], interfaces, tuple(values["dns"]), tuple(values["ntp"])))
    except (KeyError, TypeError, AttributeError) as fault:
        raise ValueError(f"it has not the right parts: {fault!r}") from None


def checked(system: System) -> System:
    """The same. Raises ValueError."""
    _match(_HOST, system.hostname)
    for interface in system.interfaces:
        _match(_INTERFACE, interface.name)
        for address in interface.addresses:
            if address != DHCP:
                _match(_ADDRESS, address)
                ip_interface(address)
        for gateway in interface.gateways:
            _match(_ADDRESS, gateway)
            ip_address(gateway)
    for server in system.dns:
        _match(_ADDRESS, server)
        ip_address(server)
    for server in system.ntp:
        _match(_HOST, server)
    return system


def _match(pattern: str, text: str) -> None:
    if not fullmatch(pattern, text):
        raise ValueError(f"{text!r} is not right")


def files_of(system: System) -> dict[str, str]:
    """The text of each file, by path; "" for one that shall not be there."""
    files = {
        "/etc/hostname": f"{system.hostname}\n",
        "/etc/hosts": f"127.0.0.1 localhost\n127.0.1.1 {system.hostname}\n::1 localhost ip6-localhost ip6-loopback\n",
        "/etc/systemd/timesyncd.conf.d/signalbox.conf": f"[Time]\nNTP={' '.join(system.ntp)}\n" if system.ntp else "",
        "/etc/systemd/resolved.conf.d/signalbox.conf": f"[Resolve]\nDNS={' '.join(system.dns)}\n" if system.dns else "",
    }
    for interface in system.interfaces:
        files[f"{NETWORKS}/{_PREFIX}{interface.name}.network"] = _network(interface)
    return files


def is_ours(name: str) -> bool:
    """Was a file of NETWORKS written from here?"""
    return name.startswith(_PREFIX)


def _network(interface: Interface) -> str:
    lines = ["[Match]", f"Name={interface.name}", "", "[Network]"]
    if DHCP in interface.addresses:
        lines.append("DHCP=yes")
    lines += [f"Address={address}" for address in interface.addresses if address != DHCP]
    return "\n".join([*lines, *(f"Gateway={gateway}" for gateway in interface.gateways), ""])
