"""SNMP-USER-BASED-SM-MIB (RFC 3414 5): the users, as they are configured. Keys cannot be read, and not be changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.snmp_values import User
from appliance.management.snmp.object_tree import Value, Variable
from appliance.management.snmp.rows import ACTIVE, READ_ONLY, index_of, row, text

USERS: Final[Oid] = (1, 3, 6, 1, 6, 3, 15, 1, 2)
USER_ENTRY: Final[Oid] = (*USERS, 2, 1)
# RFC 3414, RFC 7860: usmHMACSHAAuthProtocol, usmHMAC192SHA256AuthProtocol; RFC 3826: usmAesCfb128Protocol.
_AUTHENTICATION: Final = {"sha1": (1, 3, 6, 1, 6, 3, 10, 1, 1, 3), "sha256": (1, 3, 6, 1, 6, 3, 10, 1, 1, 5)}
_AES: Final[Oid] = (1, 3, 6, 1, 6, 3, 10, 1, 2, 4)
_NONE: Final = Value("ObjectIdentifier", (0, 0))
# What is read of a column that changes a key.
_KEY_CHANGE: Final = Value("OctetString", b"")


def user_variables(users: Sequence[User], engine_id: bytes) -> Iterator[Variable]:
    """All of them."""
    yield (*USERS, 1, 0), Value("Integer32", 0)
    for user in users:
        yield from row(USER_ENTRY, (*index_of(engine_id), *index_of(user.name.encode())), _columns(user))


def _columns(user: User) -> dict[int, Value]:
    return {
        3: text(user.name),
        4: _NONE,
        5: Value("ObjectIdentifier", _AUTHENTICATION[user.hash]),
        6: _KEY_CHANGE,
        7: _KEY_CHANGE,
        8: Value("ObjectIdentifier", _AES),
        9: _KEY_CHANGE,
        10: _KEY_CHANGE,
        11: Value("OctetString", b""),
        12: READ_ONLY,
        13: ACTIVE,
    }
