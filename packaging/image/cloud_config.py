"""The answers of the first boot from the files of a NoCloud disk, which tools for virtual machines make.

    user-data        #cloud-config: hostname, fqdn, user and password or users, ntp, and the section `signalbox`
    meta-data        local-hostname
    network-config   version 1 or 2, of the first network interface

cloud-init itself is not in the image: what is not named here is not used, and `unused` says so.
See cloudinit.readthedocs.io, "NoCloud", "Networking config Version 1" and "Version 2".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any

import yaml
from answers import DHCP, Wrong

FIRST_LINE = "#cloud-config"
USED = frozenset({"hostname", "fqdn", "user", "password", "passwd", "users", "ntp", "signalbox", "chpasswd"})
# Aliases of aliases, merged into mappings, take more memory with each one.
ALIASES_MAX = 16
# Each level makes the reader slower and its stack deeper.
DEPTH_MAX = 32
OPENING = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
# What a mapping of `users` may call a password.
PASSWORDS = ("plain_text_passwd", "passwd", "hashed_passwd", "password")


def found_in(user_data: str, meta_data: str = "", network_config: str = "") -> dict[str, str]:
    """What the files say, by the names of the questions (answers.py). Raises Wrong."""
    if not user_data.startswith(FIRST_LINE):
        raise Wrong(f"user-data does not begin with the line `{FIRST_LINE}`.")
    config = _mapping(user_data, "user-data")
    found = _names(config, _mapping(meta_data, "meta-data"))
    found.update(_operator(config))
    servers = _within(config, "ntp").get("servers")
    found["ntp"] = " ".join(map(_text, servers or ()))
    found.update(_network(_mapping(network_config, "network-config")))
    own = _within(config, "signalbox")
    found.update({name: _text(value) for name, value in own.items() if name in ("domain", "operator")})
    return {name: value for name, value in found.items() if value}


def unused(user_data: str) -> list[str]:
    """The keys of user-data that have no effect."""
    return sorted(set(map(str, _mapping(user_data, "user-data"))) - USED)


def _mapping(text: str, what: str) -> Mapping[str, Any]:
    try:
        _check_form(yaml.scan(text), what)
        content = yaml.safe_load(text)
    except yaml.YAMLError as fault:
        # Its own message quotes the line, which may hold a password; this one goes to the console and the journal.
        mark = getattr(fault, "problem_mark", None)
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise Wrong(f"{what} is no YAML{place}.") from None
    if not isinstance(content, dict | None):
        raise Wrong(f"{what} is no mapping.")
    return content or {}


def _check_form(tokens: Iterator[yaml.Token], what: str) -> None:
    depth = aliases = 0
    for token in tokens:
        depth += isinstance(token, OPENING) - isinstance(token, CLOSING)
        aliases += isinstance(token, yaml.AliasToken)
        if depth > DEPTH_MAX:
            raise Wrong(f"{what} is nested deeper than {DEPTH_MAX} levels.")
        if aliases > ALIASES_MAX:
            raise Wrong(f"{what} has more than {ALIASES_MAX} aliases.")


def _within(mapping: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    content = mapping.get(name)
    return content if isinstance(content, dict) else {}


def _text(value: object) -> str:
    """A value that is one text, number or moment. Raises Wrong."""
    if isinstance(value, dict | list | tuple | set):
        raise Wrong("There is a list or a mapping in the place of a text.")
    return str(value)


def _names(config: Mapping[str, Any], meta: Mapping[str, Any]) -> dict[str, str]:
    name = _text(config.get("fqdn") or config.get("hostname") or meta.get("local-hostname") or "").lower()
    hostname, _, domain = name.partition(".")
    return {"hostname": hostname, "domain": domain}


def _operator(config: Mapping[str, Any]) -> dict[str, str]:
    """The first user that has a name and a password."""
    candidates = [user for user in config.get("users") or () if isinstance(user, dict)]
    candidates.append({"name": config.get("user") or "", "passwd": config.get("password") or config.get("passwd")})
    for user in candidates:
        password = next((user[name] for name in PASSWORDS if user.get(name)), None)
        if password is not None:
            return {"operator": _text(user.get("name") or ""), "password": _text(password)}
    return {}


def _network(config: Mapping[str, Any]) -> dict[str, str]:
    config = _within(config, "network") or config
    if not config:
        return {}
    version = config.get("version")
    if version not in (1, 2):
        raise Wrong("network-config has neither version 1 nor version 2.")
    parts = _version_2(config) if version == 2 else _version_1(config)
    found: dict[str, list[str]] = {"address": [], "gateway": [], "dns": []}
    for name, value in parts:
        found[name].append(value)
    # Addresses that were typed hold; DHCP beside them brings nothing that is missing.
    addresses = [address for address in found["address"] if address != DHCP] or found["address"][:1]
    return {"address": " ".join(addresses), "gateway": " ".join(found["gateway"]), "dns": " ".join(found["dns"])}


def _version_2(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    interface = next((each for each in _within(config, "ethernets").values() if isinstance(each, dict)), {})
    if interface.get("dhcp4") or interface.get("dhcp6"):
        yield "address", DHCP
    for address in interface.get("addresses") or ():
        yield "address", _text(address)
    for name in ("gateway4", "gateway6"):
        if interface.get(name):
            yield "gateway", _text(interface[name])
    for route in interface.get("routes") or ():
        if _text(route.get("to")) in ("default", "0.0.0.0/0", "::/0"):
            yield "gateway", _text(route.get("via"))
    for server in _within(interface, "nameservers").get("addresses") or ():
        yield "dns", _text(server)


def _version_1(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    parts = [part for part in config.get("config") or () if isinstance(part, dict)]
    interface = next((part for part in parts if part.get("type") == "physical"), {})
    for subnet in interface.get("subnets") or ():
        if "dhcp" in _text(subnet.get("type")):
            yield "address", DHCP
        if subnet.get("address"):
            yield "address", _with_prefix(_text(subnet["address"]), subnet.get("netmask"))
        if subnet.get("gateway"):
            yield "gateway", _text(subnet["gateway"])
        for server in _listed(subnet.get("dns_nameservers")):
            yield "dns", server
    for part in parts:
        if part.get("type") == "nameserver":
            for server in _listed(part.get("address")):
                yield "dns", server


def _with_prefix(address: str, netmask: object) -> str:
    return address if "/" in address or not netmask else f"{address}/{ip_network(f'0.0.0.0/{netmask}').prefixlen}"


def _listed(value: object) -> list[str]:
    """A list, or one value in its place."""
    return list(map(_text, value)) if isinstance(value, list) else [_text(value)] if value else []
