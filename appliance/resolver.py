"""The door to names: hosts to addresses by /etc/hosts and DNS (RFC 3263 4.2: A and AAAA).

What /etc/hosts says counts and DNS is not asked, as with every other program of the machine; the file
is read again when it changes. "There is no such host" and "cannot be known now" are different answers.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver

HOSTS_FILE: Final = Path("/etc/hosts")
RESOLV_CONF: Final = Path("/etc/resolv.conf")
# How long the absence of a host, and what stands in a file, may be believed.
ABSENT_TTL_S: Final = 30.0
FILE_TTL_S: Final = 60.0
# Records of one domain that are read.
NAPTR_MAX: Final = 20
# RFC 6761 6.3: this name means the machine itself whatever DNS says.
LOCALHOST: Final = ("127.0.0.1", "::1")


class LookupFailed(Exception):
    """It cannot be known now whether the host exists; it may be known later. The message says why."""


@dataclass(frozen=True, slots=True)
class HostAddresses:
    """IPv4 before IPv6, each in the order of the answer; () when there is no such host. `ttl_s` seconds."""

    addresses: tuple[str, ...]
    ttl_s: float


@dataclass(frozen=True, slots=True)
class NaptrRecords:
    """Order, preference, flags, services and regexp of each, separated by tabs (routing/enum_rules.py)."""

    records: tuple[str, ...]
    ttl_s: float


class HostResolver:
    """Asks for hosts within `timeout_s` seconds each. For one event loop."""

    def __init__(self, timeout_s: float, hosts_file: Path = HOSTS_FILE, resolv_conf: Path = RESOLV_CONF) -> None:
        self._hosts = HostsFile(hosts_file)
        self._resolv_conf = resolv_conf
        self._timeout_s = timeout_s
        self._resolver: dns.asyncresolver.Resolver | None = None

    def set_timeout(self, timeout_s: float) -> None:
        """For the questions to come."""
        self._timeout_s = timeout_s
        if self._resolver is not None:
            self._resolver.lifetime = timeout_s

    async def lookup(self, host: str) -> HostAddresses:
        """The addresses of a host name. Raises LookupFailed when that cannot be known now."""
        name = host.rstrip(".").lower()
        listed = self._hosts.find(name)
        if listed:
            return HostAddresses(listed, FILE_TTL_S)
        try:
            absolute = dns.name.from_text(name)
        except (dns.exception.DNSException, UnicodeError, ValueError):
            # What is no name has no address.
            return HostAddresses((), ABSENT_TTL_S)
        found = await asyncio.gather(self._ask(absolute, "A"), self._ask(absolute, "AAAA"))
        return _joined(host, found)

    async def naptr(self, domain: str) -> NaptrRecords:
        """The NAPTR records of a domain, () where it has none. Raises LookupFailed when that cannot be known now."""
        try:
            answer = await self._made().resolve(dns.name.from_text(domain), "NAPTR", raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return NaptrRecords((), ABSENT_TTL_S)
        except (dns.exception.DNSException, UnicodeError, ValueError, OSError, EOFError) as fault:
            raise LookupFailed(f"{domain} NAPTR: {fault}") from None
        if answer.rrset is None:
            return NaptrRecords((), ABSENT_TTL_S)
        records = tuple(_naptr_text(record) for record in list(answer.rrset)[:NAPTR_MAX])
        return NaptrRecords(records, float(answer.chaining_result.minimum_ttl))

    def _made(self) -> dns.asyncresolver.Resolver:
        if self._resolver is None:
            self._resolver = dns.asyncresolver.Resolver(str(self._resolv_conf))
            self._resolver.lifetime = self._timeout_s
        return self._resolver

    async def _ask(self, name: dns.name.Name, kind: str) -> HostAddresses | LookupFailed:
        try:
            answer = await self._made().resolve(name, kind, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return HostAddresses((), ABSENT_TTL_S)
        except (dns.exception.DNSException, OSError, EOFError) as fault:
            return LookupFailed(f"{name} {kind}: {fault}")
        if answer.rrset is None:
            return HostAddresses((), ABSENT_TTL_S)
        # RFC 1035 3.2.1: the aliases on the way to the addresses count as well.
        ttl_s = answer.chaining_result.minimum_ttl
        return HostAddresses(tuple(record.address for record in answer.rrset), float(ttl_s))


def _naptr_text(record: Any) -> str:
    texts = (part.decode("ascii", "replace") for part in (record.flags, record.service, record.regexp))
    return "\t".join((str(record.order), str(record.preference), *texts))


def _joined(host: str, found: Sequence[HostAddresses | LookupFailed]) -> HostAddresses:
    """One answer of both families; what one of them says is enough, unless it says "none"."""
    known = [part for part in found if isinstance(part, HostAddresses)]
    addresses = tuple(address for part in known for address in part.addresses)
    faults = [str(part) for part in found if isinstance(part, LookupFailed)]
    if faults and not addresses:
        raise LookupFailed(f"{host}: " + "; ".join(faults))
    return HostAddresses(addresses, min(part.ttl_s for part in known if part.addresses or not addresses))


class HostsFile:
    """The names of a hosts(5) file, read again when it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version: tuple[int, int] = (0, 0)
        self._names: dict[str, tuple[str, ...]] = {}

    def find(self, name: str) -> tuple[str, ...]:
        """Addresses of a name in lower case; () when the file does not say."""
        self._read_again()
        listed = self._names.get(name, ())
        if not listed and (name == "localhost" or name.endswith(".localhost")):
            return LOCALHOST
        return listed

    def _read_again(self) -> None:
        try:
            state = os.stat(self._path)
            version = (state.st_mtime_ns, state.st_ino)
            if version == self._version:
                return
            text = self._path.read_text("utf-8", "replace")
        except OSError:
            self._version, self._names = (0, 0), {}
            return
        self._version, self._names = version, names_in(text)


def names_in(text: str) -> dict[str, tuple[str, ...]]:
    """The lines of hosts(5): name in lower case to its addresses, IPv4 first. Lines that are none are skipped."""
    listed: dict[str, list[str]] = {}
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        try:
            address = ipaddress.ip_address(words[0]).compressed if words else ""
        except ValueError:
            continue
        for name in words[1:]:
            known = listed.setdefault(name.lower(), [])
            if address not in known:
                known.append(address)
    return {name: tuple(sorted(addresses, key=lambda address: ":" in address)) for name, addresses in listed.items()}
