"""sipServerRegUserTable and sipServerRegContactTable (RFC 4780): who is registered, and where; off by default (9)."""

from __future__ import annotations

from appliance.catalogue.mib_objects import Oid
from appliance.catalogue.snmp_settings import SnmpSettings
from appliance.location.binding import BindingChange, new_binding
from appliance.location.dict_table import DictStore, DictTable
from appliance.management.snmp.object_tree import JoinedTrees, Missing, ObjectTree, Value, Variable
from appliance.management.snmp.registered_users import LIST_AGE_MAX_S, RegisteredUsers
from appliance.management.snmp.registration_objects import CONTACT_ENTRY, USER_ENTRY, RegistrationObjects
from appliance.management.snmp.served_registrations import failures_by_user
from appliance.management.snmp.signalbox_objects import SERVER_INDEX, date_and_time
from appliance.messages.supervisor_requests import FailureRow

NOW = 1796000000.0
EXPIRY = date_and_time(NOW + 600)


class Node:
    """A registration table, and the users of it that are served."""

    def __init__(self, users_max: int = 100) -> None:
        self.table = DictTable(DictStore(), 10_000)
        self.now = 0.0
        self.users = RegisteredUsers(lambda: NOW + self.now)
        self.users.users_max = users_max
        self.objects = RegistrationObjects(self.users, lambda: 50.0 + self.now, lambda: NOW + self.now)
        self._version = 0

    def register(self, aor: bytes, *contacts: bytes, expires_s: float = 600.0, q: int = 1000) -> None:
        for uri in contacts:
            self._version += 1
            end = NOW + self.now + expires_s
            binding = new_binding(
                aor, uri, uri, b"", q, end, end, uri, 1, (), b"", 0, None, None, b"", self._version, self._version
            )
            self.table.apply(BindingChange(aor, (binding,)))
        self.table.commit()

    def asked(self, later_s: float = LIST_AGE_MAX_S) -> None:
        self.now += later_s
        self.users.begin(self.table, self.now)

    def walk(self) -> list[Variable]:
        found: list[Variable] = []
        following = self.objects.next_after((1,))
        while following is not None:
            found.append(following)
            following = self.objects.next_after(following[0])
        return found

    def column(self, entry: Oid, number: int) -> list[object]:
        start = (*entry, number)
        return [value.now for oid, value in self.walk() if oid[: len(start)] == start]


def test_a_user_is_served_with_its_contacts() -> None:
    node = Node()
    node.register(b"sip:bob@example.com", b"sip:bob@192.0.2.4", q=500)
    node.asked(0.0)
    assert node.column(USER_ENTRY, 2) == [b"sip:bob@example.com"]
    assert [node.column(CONTACT_ENTRY, column) for column in (2, 3, 5, 6)] == [
        [b""],
        [b"sip:bob@192.0.2.4"],
        [EXPIRY],
        [b"0.5"],
    ]


def test_a_walk_is_in_the_order_of_the_identifiers_and_each_is_found_again() -> None:
    node = Node()
    for user in (b"sip:bob@example.com", b"sip:alice@example.com", b"sip:carol@example.com"):
        node.register(user, user + b":1", user + b":2")
    node.asked()
    walked = node.walk()
    oids = [oid for oid, _ in walked]
    assert oids == sorted(oids) and len(oids) == 3 * 3 + 6 * 5
    for oid, value in walked:
        found = node.objects.get(oid)
        assert isinstance(found, Value) and found.now == value.now
    assert node.objects.get((*USER_ENTRY, 2, SERVER_INDEX, 9)) is Missing.INSTANCE
    assert node.objects.get((*USER_ENTRY, 9, SERVER_INDEX, 1)) is Missing.OBJECT


def test_a_user_keeps_its_number_when_others_come_and_go() -> None:
    node = Node()
    node.register(b"sip:bob@example.com", b"sip:bob@192.0.2.4")
    node.register(b"sip:carol@example.com", b"sip:carol@192.0.2.4", expires_s=5.0)
    node.asked()
    (bob,) = (oid for oid, value in node.walk() if value.now == b"sip:bob@example.com")
    node.register(b"sip:alice@example.com", b"sip:alice@192.0.2.4")
    node.asked()
    # Carol's contact has ended.
    assert sorted(node.column(USER_ENTRY, 2)) == [b"sip:alice@example.com", b"sip:bob@example.com"]  # type: ignore[type-var]
    found = node.objects.get(bob)
    assert isinstance(found, Value) and found.now == b"sip:bob@example.com"


def test_a_user_that_vanishes_in_a_walk_ends_nothing() -> None:
    node = Node()
    for user in (b"sip:a@example.com", b"sip:b@example.com", b"sip:c@example.com"):
        node.register(user, user + b":1", expires_s=5.0 if user.startswith(b"sip:b") else 600.0)
    node.asked(0.0)
    before = node.column(CONTACT_ENTRY, 3)
    node.asked(6.0)
    # The list is not renewed yet, but the contact is no more.
    assert len(before) == 3 and len(node.column(CONTACT_ENTRY, 3)) == 2


def test_users_beyond_the_limit_are_not_served() -> None:
    node = Node(users_max=2)
    for number in range(5):
        node.register(b"sip:%d@example.com" % number, b"sip:%d@192.0.2.4" % number)
    node.asked()
    assert len(node.column(USER_ENTRY, 2)) == 2


def test_without_the_setting_there_are_none() -> None:
    """RFC 4780 9"""
    assert not SnmpSettings().shows_users
    node = Node(users_max=0)
    node.register(b"sip:bob@example.com", b"sip:bob@192.0.2.4")
    node.asked()
    assert node.walk() == []


def test_wrong_passwords_of_a_user_are_counted() -> None:
    node = Node()
    node.register(b"sip:bob@example.com", b"sip:bob@192.0.2.4")
    node.asked()
    rows = [FailureRow("192.0.2.9", "bob@example.com", 2, 1.0, 0), FailureRow("(all)", "bob@example.com", 3, 1.0, 0)]
    node.objects.failures = failures_by_user(rows)
    assert node.column(USER_ENTRY, 3) == [3]


def test_trees_are_joined_in_the_order_of_their_identifiers() -> None:
    value = Value("Integer32", 1)
    joined = JoinedTrees(ObjectTree([((1, 1), value), ((1, 3), value)]), ObjectTree([((1, 2), value)]))
    found, following = [], joined.next_after(())
    while following is not None:
        found.append(following[0])
        following = joined.next_after(following[0])
    assert found == [(1, 1), (1, 2), (1, 3)]
    assert joined.get((1, 2)) is value and joined.get((1, 4)) is Missing.INSTANCE
    assert joined.get((9, 1, 1)) is Missing.OBJECT
