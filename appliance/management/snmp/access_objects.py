"""SNMP-VIEW-BASED-ACM-MIB (RFC 3415): who may read and write what, as access.py decides it.

There are two groups, `read` and `read-write`, and a view of all that is served beside one of the three objects that are
writable. Communities are secrets: the n-th is called `community n`, as `show snmp users` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.snmp_settings import SnmpSettings
from appliance.catalogue.snmp_values import READ_WRITE, community_of, user_of
from appliance.management.snmp.access import AUTH_PRIV, MODEL_USM, MODEL_V2C, NO_AUTH_NO_PRIV
from appliance.management.snmp.object_tree import Value, Variable
from appliance.management.snmp.rows import ACTIVE, READ_ONLY, index_of, row, text
from appliance.management.snmp.system_objects import SYS_CONTACT, SYS_LOCATION, SYS_NAME

ACCESS_MIB: Final[Oid] = (1, 3, 6, 1, 6, 3, 16, 1)
CONTEXT_ENTRY: Final[Oid] = (*ACCESS_MIB, 1, 1)
GROUP_ENTRY: Final[Oid] = (*ACCESS_MIB, 2, 1)
ACCESS_ENTRY: Final[Oid] = (*ACCESS_MIB, 4, 1)
VIEWS: Final[Oid] = (*ACCESS_MIB, 5)
VIEW_ENTRY: Final[Oid] = (*VIEWS, 2, 1)
READ: Final = "read"
_ALL_VIEW, _WRITABLE_VIEW, _NO_VIEW = "all", "writable", ""
_SUBTREES: Final = {_ALL_VIEW: ((1, 3),), _WRITABLE_VIEW: (SYS_CONTACT, SYS_NAME, SYS_LOCATION)}
_EXACT, _INCLUDED = 1, 1
# SnmpSecurityModel and SnmpSecurityLevel of communities and of users.
_PROOFS: Final = ((MODEL_V2C, NO_AUTH_NO_PRIV), (MODEL_USM, AUTH_PRIV))


def access_variables(settings: SnmpSettings) -> Iterator[Variable]:
    """All of them."""
    # The one context has the empty name.
    yield (*CONTEXT_ENTRY, 1, 0), text("")
    for model, name, group in _principals(settings):
        yield from row(GROUP_ENTRY, (model, *index_of(name.encode())), {3: text(group), 4: READ_ONLY, 5: ACTIVE})
    for group, write_view in ((READ, _NO_VIEW), (READ_WRITE, _WRITABLE_VIEW)):
        for model, level in _PROOFS:
            values = {
                4: Value("Integer32", _EXACT),
                5: text(_ALL_VIEW),
                6: text(write_view),
                7: text(_ALL_VIEW),
                8: READ_ONLY,
                9: ACTIVE,
            }
            yield from row(ACCESS_ENTRY, (*index_of(group.encode()), 0, model, level), values)
    yield (*VIEWS, 1, 0), Value("Integer32", 0)
    for view, subtrees in _SUBTREES.items():
        for subtree in subtrees:
            values = {3: text(""), 4: Value("Integer32", _INCLUDED), 5: READ_ONLY, 6: ACTIVE}
            yield from row(VIEW_ENTRY, (*index_of(view.encode()), len(subtree), *subtree), values)


def _principals(settings: SnmpSettings) -> Iterator[tuple[int, str, str]]:
    """The security model, the name and the group of each."""
    for number, community in enumerate(map(community_of, settings.communities), 1):
        yield MODEL_V2C, f"community {number}", READ_WRITE if community.may_write else READ
    for user in map(user_of, settings.users):
        yield MODEL_USM, user.name, READ_WRITE if user.may_write else READ
