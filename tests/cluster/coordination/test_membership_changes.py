"""How a cluster is created, and how members come and go: each change is one transaction, and refusals say why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from appliance.cluster.coordination.cluster_records import MEMBERS_MAX, MembershipRecord
from appliance.cluster.coordination.dict_store import DictStore
from appliance.cluster.coordination.key_store import Put, StoreFull, StoreUnavailable, Unchanged, Write
from appliance.cluster.coordination.keys import ClusterKeys
from appliance.cluster.coordination.membership_changes import (
    ChangeRefused,
    LastChangeUnderWay,
    create_cluster,
    join_cluster,
    leave_cluster,
    remove_member,
)
from tests.cluster.coordination.members import KEY, NAME, NOW, all_in_force, created, joined, machine, token

KEYS = ClusterKeys(NAME)


def members(store: DictStore) -> list[tuple[int, str]]:
    """Numbers and names, as etcd holds them."""
    record = MembershipRecord.from_octets(store.read(KEYS.membership).entries[KEYS.membership].value)
    return [(member.number, member.name) for member in record.membership.members]


def test_members_join_one_after_the_other_and_numbers_are_never_used_again() -> None:
    store = DictStore()
    first = created(store)
    assert (first.me.number, first.record.membership.version, first.cluster.key_hex) == (1, 1, KEY.hex())
    joined(store, "b")
    third = joined(store, "w", is_witness=True)
    assert (third.me.number, third.me.is_witness, third.record.membership.version) == (3, True, 3)
    all_in_force(store)
    assert remove_member(store, NAME, "w").membership.version == 4
    assert joined(store, "c").me.number == 4
    assert members(store) == [(1, "a"), (2, "b"), (4, "c")]


def test_a_cluster_of_a_name_that_exists_is_not_created_again() -> None:
    store = DictStore()
    created(store)
    with pytest.raises(ChangeRefused, match=r"holds a cluster west already\. Join it with a token"):
        create_cluster(store, NAME, bytes(32), machine("b"), NOW)
    assert members(store) == [(1, "a")]
    assert create_cluster(store, "east", bytes(32), machine("b"), NOW).me.number == 1


def test_a_token_is_used_once() -> None:
    store = DictStore()
    created(store)
    one = token(store)
    join_cluster(store, one, machine("b"), lambda: NOW)
    all_in_force(store)
    with pytest.raises(ChangeRefused, match="The token was used by b"):
        join_cluster(store, one, machine("c"), lambda: NOW)
    assert members(store) == [(1, "a"), (2, "b")]


def test_a_token_ends_with_its_lifetime() -> None:
    store = DictStore()
    created(store)
    one = token(store, lifetime_s=600)
    store.keys.pass_time(601)
    with pytest.raises(ChangeRefused, match="not valid for the cluster west: it has expired"):
        join_cluster(store, one, machine("b"), lambda: NOW + 601)


def test_a_token_of_another_cluster_is_refused() -> None:
    store, other = DictStore(), DictStore()
    created(store)
    created(other)
    with pytest.raises(ChangeRefused, match="or is of another cluster of this name"):
        join_cluster(other, token(store), machine("b"), lambda: NOW)
    with pytest.raises(ChangeRefused, match="This etcd holds no cluster west"):
        join_cluster(DictStore(), token(store, b"another secret.."), machine("b"), lambda: NOW)


def test_two_members_of_one_name_or_one_address_are_refused() -> None:
    store = DictStore()
    created(store)
    one = token(store)
    with pytest.raises(ChangeRefused, match=r"has a member a already, at 192\.0\.2\.98\. Use --node NAME"):
        join_cluster(store, one, replace(machine("a", "192.0.2.200"), public_key="x" * 40), lambda: NOW)
    with pytest.raises(ChangeRefused, match=r"The member a has the address 192\.0\.2\.98 and a port"):
        join_cluster(store, one, machine("b", "192.0.2.98"), lambda: NOW)
    # A refusal does not use the token up.
    assert join_cluster(store, one, machine("b"), lambda: NOW).me.number == 2


@pytest.mark.parametrize("difference_s, word", [(3600.0, "3600 s ahead of"), (-3600.0, "3600 s behind")])
def test_a_machine_whose_clock_is_an_hour_apart_does_not_join(difference_s: float, word: str) -> None:
    store = DictStore()
    created(store)
    one = token(store)
    store.keys.pass_time(300)
    with pytest.raises(ChangeRefused, match=f"The clock of this machine is {word} that of the member"):
        join_cluster(store, one, machine("b"), lambda: NOW + 300 + difference_s)
    assert join_cluster(store, one, machine("b"), lambda: NOW + 301).me.number == 2


@pytest.mark.parametrize("version", ["3.3.25", "2.3.8", "4.0.0", "", "unknown"])
def test_etcd_of_another_version_is_refused(version: str) -> None:
    store = DictStore()
    store.keys.version = version
    with pytest.raises(ChangeRefused, match=r"Signalbox needs 3\.4 or a later 3\.x"):
        created(store)


def test_a_full_etcd_refuses_and_nothing_is_changed() -> None:
    store = DictStore()
    created(store)
    one = token(store)
    store.keys.is_full = True
    with pytest.raises(StoreFull, match="NOSPACE"):
        join_cluster(store, one, machine("b"), lambda: NOW)
    store.keys.is_full = False
    assert join_cluster(store, one, machine("b"), lambda: NOW).me.number == 2


def test_the_cluster_has_a_limit() -> None:
    store = DictStore()
    created(store)
    for number in range(2, MEMBERS_MAX + 1):
        joined(store, f"n{number}")
    with pytest.raises(ChangeRefused, match=f"has {MEMBERS_MAX} members, which is the maximum"):
        joined(store, "late")


def go_by(store: DictStore, version: int, *numbers: int, are_present: bool = True) -> None:
    """These members have said that they go by that version."""
    for number in numbers:
        store.commit([], [Put(KEYS.version_in_force(number), str(version).encode())])
        if are_present:
            store.commit([], [Put(KEYS.presence(number), b"{}")])


def test_the_members_do_not_change_again_while_one_that_runs_has_not_taken_the_last_change() -> None:
    store = DictStore()
    created(store)
    joined(store, "b")
    joined(store, "c")
    go_by(store, 3, 1, 3)
    go_by(store, 2, 2)
    late = "version 3, is not in force on b yet.*restart the appliance or the witness there"
    with pytest.raises(LastChangeUnderWay, match=late):
        join_cluster(store, token(store), machine("d"), lambda: NOW)
    with pytest.raises(LastChangeUnderWay, match=late):
        remove_member(store, NAME, "c")
    assert members(store) == [(1, "a"), (2, "b"), (3, "c")]
    # It does not hold up that it is taken out itself.
    remove_member(store, NAME, "b")
    assert members(store) == [(1, "a"), (3, "c")]


def test_a_member_that_is_dead_holds_up_no_change() -> None:
    store = DictStore()
    created(store)
    joined(store, "b")
    third = joined(store, "c")
    # c has never run, and b died before it heard of c.
    go_by(store, 3, 1)
    go_by(store, 2, 2, are_present=False)
    with pytest.raises(LastChangeUnderWay, match=r"b and c may still go by version 2.*remove NAME --off"):
        join_cluster(store, token(store), machine("d"), lambda: NOW)
    with pytest.raises(LastChangeUnderWay, match="b and c may still go by version 2"):
        remove_member(store, NAME, "b")
    # An operator knows that it is off: then a majority of the version before goes by this one.
    remove_member(store, NAME, "b", is_off=True)
    go_by(store, 4, 1)
    # a alone is no majority of a and c; but b, which is off, and a are one of all three.
    assert not leave_cluster(store, NAME, third.me)
    assert members(store) == [(1, "a")]
    go_by(store, 5, 1)
    assert joined(store, "e").me.number == 4


def test_a_member_that_returns_in_the_moment_of_the_change_is_looked_at() -> None:
    """The change is one transaction with what was looked at."""

    class Overtaken(DictStore):
        """b writes its presence before the first transaction of the membership."""

        has_returned = False

        def commit(self, conditions: Sequence[Unchanged], writes: Sequence[Write]) -> bool:
            if not self.has_returned:
                self.has_returned = True
                go_by(DictStore(self.keys), 2, 2)
            return super().commit(conditions, writes)

    store = DictStore()
    created(store)
    joined(store, "b")
    joined(store, "c")
    go_by(store, 3, 1, 3)
    store.commit([], [Put(KEYS.version_in_force(2), b"2")])
    with pytest.raises(LastChangeUnderWay, match="is not in force on b yet"):
        remove_member(Overtaken(store.keys), NAME, "c")
    assert members(store) == [(1, "a"), (2, "b"), (3, "c")]


def test_what_members_said_who_were_taken_out_is_forgotten() -> None:
    store = DictStore()
    created(store)
    for name in ("b", "c", "d"):
        joined(store, name)
    for name in ("d", "c", "b"):
        all_in_force(store)
        remove_member(store, NAME, name)
    said = [key for key in store.read(KEYS.prefix).entries if key.startswith(KEYS.versions_in_force)]
    assert said == [KEYS.version_in_force(number) for number in (1, 2, 3)]


class Interrupted(DictStore):
    """A store whose next transactions lose their answers; each is carried out at once, never, or late."""

    def __init__(self, store: DictStore, fates: Sequence[str]) -> None:
        super().__init__(store.keys)
        self._fates = list(fates)
        self._late: list[tuple[list[Unchanged], list[Write]]] = []

    def commit(self, conditions: Sequence[Unchanged], writes: Sequence[Write]) -> bool:
        fate = self._fates.pop(0) if self._fates else "answered"
        late, self._late = self._late, []
        for former in late:
            super().commit(*former)
        if fate == "answered":
            return super().commit(conditions, writes)
        if fate == "lost answer":
            super().commit(conditions, writes)
        elif fate == "late":
            self._late.append((list(conditions), list(writes)))
        raise StoreUnavailable("etcd does not answer.")


@pytest.mark.parametrize("fates", [["lost answer"], ["never"], ["late"], ["late", "late"], ["never", "lost answer"]])
def test_a_machine_joins_once_whatever_becomes_of_the_answer(fates: list[str]) -> None:
    store = DictStore()
    created(store)
    one = token(store)
    assert join_cluster(Interrupted(store, fates), one, machine("b"), lambda: NOW).me.number == 2
    assert members(store) == [(1, "a"), (2, "b")]


def test_a_cluster_is_created_although_the_answer_was_lost() -> None:
    store = DictStore()
    assert create_cluster(Interrupted(store, ["lost answer"]), NAME, KEY, machine("a"), NOW).me.number == 1


def test_what_cannot_be_known_is_said() -> None:
    class Away(Interrupted):
        """It does not answer after the transaction either."""

        def commit(self, conditions: Sequence[Unchanged], writes: Sequence[Write]) -> bool:
            self.is_cut_off = True
            return super().commit(conditions, writes)

    store = DictStore()
    created(store)
    with pytest.raises(ChangeRefused, match=r"Whether b has become a member is not known.*signalbox cluster remove b"):
        join_cluster(Away(store, []), token(store), machine("b"), lambda: NOW)


def test_the_last_member_ends_the_cluster_when_it_leaves() -> None:
    store = DictStore()
    first, second = created(store), joined(store, "b")
    store.commit([], [Put(f"{KEYS.take_overs}1/{number}", b"{}") for number in range(1, 301)])
    with pytest.raises(ChangeRefused, match=r"has no member x\. Its members are a, b"):
        remove_member(store, NAME, "x")
    all_in_force(store)
    assert not leave_cluster(store, NAME, first.me)
    with pytest.raises(ChangeRefused, match="b is the last member of the cluster west"):
        remove_member(store, NAME, "b")
    assert leave_cluster(store, NAME, second.me)
    assert not store.read(KEYS.prefix).entries


def test_who_was_removed_leaves_without_touching_another_of_its_name() -> None:
    store = DictStore()
    created(store)
    former = joined(store, "b")
    all_in_force(store)
    remove_member(store, NAME, "b")
    all_in_force(store)
    store.keys.pass_time(601)
    join_cluster(store, token(store), replace(machine("b"), public_key="y" * 40), lambda: NOW)
    assert not leave_cluster(store, NAME, former.me)
    assert members(store) == [(1, "a"), (3, "b")]
