"""Users, access and targets as SNMP shows them (RFC 3413 to 3415): as configured, and without any secret."""

from __future__ import annotations

from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.snmp_settings import SnmpSettings
from appliance.catalogue.snmp_values import SnmpUser, target_of, user_of
from appliance.management.snmp.access_objects import ACCESS_ENTRY, GROUP_ENTRY, VIEW_ENTRY, access_variables
from appliance.management.snmp.object_tree import ObjectTree, Value, Variable
from appliance.management.snmp.system_objects import SYS_LOCATION
from appliance.management.snmp.target_objects import ADDRESS_ENTRY, NOTIFY_ENTRY, PARAMETERS_ENTRY, target_variables
from appliance.management.snmp.user_objects import USER_ENTRY, user_variables

ENGINE_ID = bytes.fromhex("80007ed905aabbccdd")
USER = SnmpUser().read(["monitor", "sha256", "password", "authpassword", "privpassword"])
SETTINGS = SnmpSettings(
    communities=("openly", "hidden from 192.0.2.0/24 read-write"),
    users=(USER,),
    targets=(
        "noc 192.0.2.9 port 162 user monitor inform timeout 5 retries 2",
        "old 2001:db8::8 port 10162 community hidden",
    ),
)
NOC, OLD, MONITOR = (tuple(name.encode()) for name in ("noc", "old", "monitor"))


def variables() -> list[Variable]:
    return [
        *target_variables([target_of(value) for value in SETTINGS.targets]),
        *user_variables([user_of(value) for value in SETTINGS.users], ENGINE_ID),
        *access_variables(SETTINGS),
    ]


def served(*oid: int) -> int | bytes | str | Oid:
    found = ObjectTree(variables()).get(oid)
    assert isinstance(found, Value), found
    return found.now


def test_a_target_has_its_address_its_times_and_its_kind() -> None:
    """RFC 3413 4: TAddress (RFC 3419), hundredths of a second; snmpNotifyType trap(1), inform(2)."""
    assert [served(*ADDRESS_ENTRY, column, *NOC) for column in (3, 4, 5)] == [bytes([192, 0, 2, 9, 0, 162]), 500, 2]
    assert len(served(*ADDRESS_ENTRY, 3, *OLD)) == 18  # type: ignore[arg-type]
    assert (served(*NOTIFY_ENTRY, 3, *NOC), served(*NOTIFY_ENTRY, 3, *OLD)) == (2, 1)


def test_the_parameters_of_a_target_name_its_user_but_not_its_community() -> None:
    assert [served(*PARAMETERS_ENTRY, column, *NOC) for column in (2, 3, 4, 5)] == [3, 3, b"monitor", 3]
    assert [served(*PARAMETERS_ENTRY, column, *OLD) for column in (2, 3, 4, 5)] == [1, 2, b"(community)", 1]


def test_a_user_has_its_protocols_and_no_key() -> None:
    """RFC 3414 5: what changes a key reads as empty."""
    index = (len(ENGINE_ID), *ENGINE_ID, len(MONITOR), *MONITOR)
    assert served(*USER_ENTRY, 5, *index) == (1, 3, 6, 1, 6, 3, 10, 1, 1, 5)
    assert served(*USER_ENTRY, 8, *index) == (1, 3, 6, 1, 6, 3, 10, 1, 2, 4)
    assert [served(*USER_ENTRY, column, *index) for column in (6, 7, 9, 10)] == [b""] * 4


def test_groups_have_views() -> None:
    """RFC 3415 4: who may write sees the view of what is writable."""
    user, second = (3, 7, *MONITOR), (2, 11, *b"community 2")
    assert (served(*GROUP_ENTRY, 3, *user), served(*GROUP_ENTRY, 3, *second)) == (b"read", b"read-write")
    by_community = (10, *b"read-write", 0, 2, 1)
    assert [served(*ACCESS_ENTRY, column, *by_community) for column in (5, 6)] == [b"all", b"writable"]
    assert served(*ACCESS_ENTRY, 6, 4, *b"read", 0, 3, 3) == b""
    assert served(*VIEW_ENTRY, 4, 8, *b"writable", len(SYS_LOCATION), *SYS_LOCATION) == 1


def test_no_secret_is_served() -> None:
    user = user_of(USER)
    secrets = [b"openly", b"hidden", bytes.fromhex(user.authentication_key), bytes.fromhex(user.privacy_key)]
    for oid, found in variables():
        octets = found.now if isinstance(found.now, bytes) else b""
        index = bytes(number for number in oid if number < 256)
        assert not [secret for secret in secrets if secret in octets or secret in index], oid
