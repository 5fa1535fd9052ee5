"""SNMP-TARGET-MIB and SNMP-NOTIFICATION-MIB (RFC 3413 4, 5): the targets of notifications, as they are configured.

A row of each table has the name of its target. The community of a target is a secret and is not shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.snmp_values import Target
from appliance.management.snmp.engine_address import address_of
from appliance.management.snmp.object_tree import Value, Variable
from appliance.management.snmp.rows import ACTIVE, READ_ONLY, index_of, row, text

TARGET_MIB: Final[Oid] = (1, 3, 6, 1, 6, 3, 12, 1)
ADDRESS_ENTRY: Final[Oid] = (*TARGET_MIB, 2, 1)
PARAMETERS_ENTRY: Final[Oid] = (*TARGET_MIB, 3, 1)
NOTIFICATION_MIB: Final[Oid] = (1, 3, 6, 1, 6, 3, 13, 1)
NOTIFY_ENTRY: Final[Oid] = (*NOTIFICATION_MIB, 1, 1)
PROFILE_ENTRY: Final[Oid] = (*NOTIFICATION_MIB, 2, 1)
FILTER_ENTRY: Final[Oid] = (*NOTIFICATION_MIB, 3, 1)
# The one filter: every target gets every notification.
EVERYTHING: Final = b"everything"
_ALL_OBJECTS: Final[Oid] = (1, 3)
_INCLUDED: Final = 1
_TRAP, _INFORM = 1, 2
# SnmpMessageProcessingModel, SnmpSecurityModel, SnmpSecurityLevel (RFC 3411 5).
_V2C: Final = (1, 2, 1)
_V3: Final = (3, 3, 3)


def target_variables(targets: Sequence[Target]) -> Iterator[Variable]:
    """All of them."""
    yield (*TARGET_MIB, 1, 0), Value("Integer32", 0)
    for target in targets:
        # IMPLIED: without its length.
        name = tuple(target.name.encode())
        yield from row(ADDRESS_ENTRY, name, _address(target))
        yield from row(PARAMETERS_ENTRY, name, _parameters(target))
        kind = Value("Integer32", _INFORM if target.is_inform else _TRAP)
        yield from row(NOTIFY_ENTRY, name, {2: text(target.name), 3: kind, 4: READ_ONLY, 5: ACTIVE})
        profile = {1: Value("OctetString", EVERYTHING), 2: READ_ONLY, 3: ACTIVE}
        yield from row(PROFILE_ENTRY, name, profile)
    values = {2: Value("OctetString", b""), 3: Value("Integer32", _INCLUDED), 4: READ_ONLY, 5: ACTIVE}
    yield from row(FILTER_ENTRY, (*index_of(EVERYTHING), *_ALL_OBJECTS), values)


def _address(target: Target) -> dict[int, Value]:
    address = address_of(target.address, target.port)
    return {
        2: Value("ObjectIdentifier", address.domain),
        3: Value("OctetString", address.transport_address),
        4: Value("Integer32", target.timeout_s * 100),
        5: Value("Integer32", target.retries),
        6: text(target.name),
        7: text(target.name),
        8: READ_ONLY,
        9: ACTIVE,
    }


def _parameters(target: Target) -> dict[int, Value]:
    processing, model, level = _V3 if target.user else _V2C
    return {
        2: Value("Integer32", processing),
        3: Value("Integer32", model),
        4: text(target.user or "(community)"),
        5: Value("Integer32", level),
        6: READ_ONLY,
        7: ACTIVE,
    }
