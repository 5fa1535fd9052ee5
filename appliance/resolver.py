"""The door to names: hosts to addresses by /etc/hosts and DNS, and the NAPTR and SRV records of domains (RFC 3263 4).

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
# How long the absence of a host, and what stands in a file, may be believed. What a zone says of absence counts up to
# the longer time (RFC 2308 5).
ABSENT_TTL_S: Final = 30.0
ABSENT_TTL_MAX_S: Final = 300.0
FILE_TTL_S: Final = 60.0
# Records of one domain that are read.
RECORDS_MAX: Final = 200
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
class DomainRecords:
    """Records as text, () where there is none of the type; `ttl_s` seconds.

    SRV: priority, weight, port and target, separated by spaces. NAPTR: order, preference, flags, services, regexp and
    replacement, separated by tabs.
    """

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

    async def records(self, domain: str, record_type: str) -> DomainRecords:
        """The SRV or NAPTR records of a domain. Raises LookupFailed when that cannot be known now.

        A domain that /etc/hosts has is a single host: DNS is not asked for its servers either.
        """
        if self._hosts.find(_host_of_service(domain)):
            return DomainRecords((), FILE_TTL_S)
        try:
            answer = await self._made().resolve(dns.name.from_text(domain), record_type, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN as absent:
            return DomainRecords((), _absent_ttl(absent))
        except (dns.exception.DNSException, UnicodeError, ValueError, OSError, EOFError) as fault:
            raise LookupFailed(f"{domain} {record_type}: {fault}") from None
        ttl_s = float(answer.chaining_result.minimum_ttl)
        if answer.rrset is None:
            return DomainRecords((), min(ttl_s, ABSENT_TTL_MAX_S))
        text = _TEXTS[record_type]
        return DomainRecords(tuple(text(record) for record in list(answer.rrset)[:RECORDS_MAX]), ttl_s)

    async def naptr(self, domain: str) -> DomainRecords:
        """The NAPTR records of an ENUM domain, without their replacements. Raises LookupFailed, as `records`."""
        found = await self.records(domain, "NAPTR")
        return DomainRecords(tuple(record.rpartition("\t")[0] for record in found.records), found.ttl_s)

    def _made(self) -> dns.asyncresolver.Resolver:
        if self._resolver is None:
            self._resolver = dns.asyncresolver.Resolver(str(self._resolv_conf))
            self._resolver.lifetime = self._timeout_s
        return self._resolver

    async def _ask(self, name: dns.name.Name, kind: str) -> HostAddresses | LookupFailed:
        try:
            answer = await self._made().resolve(name, kind, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN as absent:
            return HostAddresses((), _absent_ttl(absent))
        except (dns.exception.DNSException, OSError, EOFError) as fault:
            return LookupFailed(f"{name} {kind}: {fault}")
        # RFC 1035 3.2.1: the aliases on the way to the addresses count as well.
        ttl_s = float(answer.chaining_result.minimum_ttl)
        if answer.rrset is None:
            return HostAddresses((), min(ttl_s, ABSENT_TTL_MAX_S))
        return HostAddresses(tuple(record.address for record in list(answer.rrset)[:RECORDS_MAX]), ttl_s)


def _naptr_text(record: Any) -> str:
    texts = (part.decode("ascii", "replace") for part in (record.flags, record.service, record.regexp))
    return "\t".join((str(record.order), str(record.preference), *texts, record.replacement.to_text()))


def _srv_text(record: Any) -> str:
    return f"{record.priority} {record.weight} {record.port} {record.target.to_text()}"


_TEXTS: Final = {"NAPTR": _naptr_text, "SRV": _srv_text}


def _host_of_service(domain: str) -> str:
    """The domain of a name such as `_sip._udp.example.com` (RFC 2782)."""
    labels = domain.rstrip(".").lower().split(".")
    return ".".join(label for label in labels if not label.startswith("_"))


def _absent_ttl(absent: Any) -> float:
    """How long the absence of a name may be believed (RFC 2308 5)."""
    for response in absent.responses().values():
        return min(float(response.resolve_chaining().minimum_ttl), ABSENT_TTL_MAX_S)
    return ABSENT_TTL_S


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
