"""A resolver that knows some names, in place of DNS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from appliance.resolver import DomainRecords, HostAddresses, LookupFailed

TTL_S = 300.0


class FakeDns:
    """`TYPE NAME`, or the name of a host, to what DNS has. For a host that is not in it there is no response."""

    def __init__(self, zone: Mapping[str, Sequence[str]]) -> None:
        self._zone = zone

    async def lookup(self, host: str) -> HostAddresses:
        if host not in self._zone:
            raise LookupFailed(host)
        return HostAddresses(tuple(self._zone[host]), TTL_S)

    async def records(self, domain: str, record_type: str) -> DomainRecords:
        return DomainRecords(tuple(self._zone.get(f"{record_type} {domain}", ())), TTL_S)
