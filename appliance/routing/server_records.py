"""The records of DNS that say where the servers of a domain are: NAPTR and SRV (RFC 3263 4.1, RFC 2782).

What DNS says is data of others: records that no server can be meant by are left out, and of very many the first count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from appliance.catalogue.transports import TRANSPORTS

SRV: Final = b"SRV"
NAPTR: Final = b"NAPTR"
# Of one name. More are of no use to a call, and cost time for each.
RECORDS_MAX: Final = 20
# RFC 2782: the service is decidedly not available at this domain.
NOWHERE: Final = b"."

# RFC 1035 2.3.1, 2.3.4; the underscore of RFC 2782 as well. The name of a service adds two labels.
_LABEL: Final = rb"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rb"(?=.{1,253}\Z)" + _LABEL + rb"(?:\." + _LABEL + rb")*\Z")
_NUMBER_MAX: Final = 65535


@dataclass(frozen=True, slots=True)
class SrvRecord:
    """A server: its host in lower case without the last dot, or NOWHERE."""

    priority: int
    weight: int
    port: int
    target: bytes


@dataclass(frozen=True, slots=True)
class NaptrRecord:
    """A transport of a domain: its number, and the name that has the SRV records for it."""

    order: int
    preference: int
    transport: int
    name: bytes


def is_domain_name(name: bytes) -> bool:
    """Can DNS have such a name? In lower case, without the last dot."""
    return _NAME.match(name) is not None


def srv_name(transport: int, domain: bytes) -> bytes:
    """The name of the SRV records of a domain for a transport; b"" where it cannot have any."""
    service = TRANSPORTS[transport].srv_service
    name = service + b"." + domain
    return name if service and is_domain_name(name) else b""


def parse_srv(texts: Iterable[str]) -> tuple[SrvRecord, ...]:
    """The records of texts `priority weight port target`, the best priority first; what is none is left out."""
    found = [record for text in texts if (record := _srv_of(text.encode("ascii", "replace").lower().split()))]
    return tuple(sorted(found, key=_by_priority)[:RECORDS_MAX])


def parse_naptr(texts: Iterable[str]) -> tuple[NaptrRecord, ...]:
    """The records of texts `order preference flags services regexp replacement` (tabs between) that name a transport
    which we know, in the order of preference.
    """
    found = [record for text in texts if (record := _naptr_of(text.encode("ascii", "replace").lower().split(b"\t")))]
    return tuple(sorted(found, key=_by_preference)[:RECORDS_MAX])


def _srv_of(words: list[bytes]) -> SrvRecord | None:
    if len(words) != 4 or not all(_is_number(word) for word in words[:3]):
        return None
    priority, weight, port = (int(word) for word in words[:3])
    target = words[3].rstrip(b".") or NOWHERE
    if target != NOWHERE and (not port or not is_domain_name(target)):
        return None
    # The order of equal ones has to be the same whichever way the name server turns them (RFC 3263 4.4).
    return SrvRecord(priority, weight, port, target)


def _naptr_of(fields: list[bytes]) -> NaptrRecord | None:
    if len(fields) != 6 or not (_is_number(fields[0]) and _is_number(fields[1])):
        return None
    order, preference, flags, service, regexp, replacement = fields
    name, transport = replacement.rstrip(b"."), _BY_SERVICE.get(service)
    # RFC 3263 4.1: a flag `s`, an empty regular expression and a replacement.
    if transport is None or flags != b"s" or regexp or not is_domain_name(name):
        return None
    return NaptrRecord(int(order), int(preference), transport, name)


_BY_SERVICE: Final = {row.naptr_service.lower(): row.number for row in TRANSPORTS if row.naptr_service}


def _is_number(word: bytes) -> bool:
    return word.isdigit() and len(word) <= 5 and int(word) <= _NUMBER_MAX


def _by_priority(record: SrvRecord) -> tuple[int, int, bytes, int]:
    return record.priority, record.weight, record.target, record.port


def _by_preference(record: NaptrRecord) -> tuple[int, int, bytes]:
    return record.order, record.preference, record.name
