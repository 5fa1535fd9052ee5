"""How a cluster is created, and its members come and go: by one member at a time, each by one transaction in etcd.

Then any majority before and any majority after a change have a member in common (cluster/leases/). The next change
waits until the last one is in force (versions_in_force.py), which the transaction has among its conditions. A change
whose outcome etcd did not say is looked up: who joins is known by the public key of its links.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from appliance.cluster.coordination.cluster_records import (
    ClusterRecord,
    MembershipRecord,
    MembershipRefused,
    RecordUnusable,
    first_membership,
)
from appliance.cluster.coordination.join_token import JoinToken, TokenRecord
from appliance.cluster.coordination.key_store import (
    ABSENT,
    WRITES_MAX,
    Delete,
    Entry,
    KeyStore,
    Put,
    StoreUnavailable,
    Unchanged,
    Write,
)
from appliance.cluster.coordination.keys import ClusterKeys
from appliance.cluster.coordination.versions_in_force import VersionsInForce, version_in
from appliance.messages.membership import NO_MEMBER, Member
from appliance.messages.sealing_keys import SealingKeys

# Others may change the members at the same time; then it is tried anew with what they have left.
ATTEMPTS_MAX: Final = 10
OLDEST_VERSION: Final = (3, 4)
CLOCK_DIFFERENCE_MAX_S: Final = 60.0
FORGOTTEN_MAX: Final = 50

Found = TypeVar("Found")


class ChangeRefused(Exception):
    """Nothing was changed; the message is a sentence for the operator."""


class LastChangeUnderWay(ChangeRefused):
    """Not all members that should go by the last change do: it may be tried again after some seconds."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What a machine knows that is a member now. `me`: itself, with its number; `sealing`: what seals tokens there."""

    me: Member
    cluster: ClusterRecord
    record: MembershipRecord
    sealing: SealingKeys | None = None


def _check_version(store: KeyStore, keys: ClusterKeys) -> None:
    """Is it an etcd that can be worked with? Raises ChangeRefused, StoreFault."""
    health = store.health(0)
    if health.fault:
        # The others of the list may answer.
        store.read(keys.cluster)
        return
    numbers = health.version.split(".")
    try:
        version = int(numbers[0]), int(numbers[1])
    except (ValueError, IndexError):
        version = 0, 0
    if not OLDEST_VERSION <= version < (4, 0):
        raise ChangeRefused(
            f"etcd at {health.url} has the version {health.version or 'unknown'}; Signalbox needs 3.4 or a later 3.x."
        )


def create_cluster(store: KeyStore, name: str, key: bytes, me: Member, wall_time: float) -> Joined:
    """A new cluster of one member. Raises ChangeRefused, StoreFault."""
    keys = ClusterKeys(name)
    _check_version(store, keys)
    cluster, record = ClusterRecord(key.hex(), wall_time), first_membership(me)
    conditions = [Unchanged(keys.cluster, ABSENT), Unchanged(keys.membership, ABSENT)]
    writes: list[Write] = [Put(keys.cluster, cluster.to_octets()), Put(keys.membership, record.to_octets())]
    if not _committed(store, conditions, writes, me) and not _is_member(store, keys, me):
        raise ChangeRefused(
            f"This etcd holds a cluster {name} already. Join it with a token (`signalbox cluster token` on a member), "
            "or choose another name."
        )
    return Joined(record.membership.members[0], cluster, record)


def create_token(store: KeyStore, name: str, token: JoinToken, lifetime_s: int, wall_time: float) -> None:
    """Have etcd know a token for so long. Raises ChangeRefused, StoreFault."""
    keys = ClusterKeys(name)
    _records(store, keys)
    lease = store.grant(lifetime_s)
    if not store.commit(
        [Unchanged(keys.token(token.hash_hex), ABSENT)],
        [Put(keys.token(token.hash_hex), TokenRecord(wall_time).to_octets(), lease)],
    ):
        raise ChangeRefused("The secret of the token exists already. Try again.")


def join_cluster(store: KeyStore, token: JoinToken, me: Member, wall_time: Callable[[], float]) -> Joined:
    """Become a member with the next number. Raises ChangeRefused, StoreFault."""
    keys = ClusterKeys(token.cluster)
    _check_version(store, keys)

    def attempt() -> Joined | None:
        cluster, entry, entries = _records(store, keys)
        sealing = _sealing_keys(store, keys)
        # An attempt whose outcome etcd did not say may have been carried out since.
        known = _changed(entry, lambda known: known)
        if (member := known.by_link_key(me.public_key)) is not None:
            return Joined(member, cluster, known, sealing)
        used = _valid_token(store, keys, token, wall_time())
        record = _changed(entry, lambda known: known.with_member(me))
        in_force = _conditions_of_change(entries, keys, known)
        writes: list[Write] = [
            Put(keys.membership, record.to_octets()),
            Put(used.key, replace(TokenRecord.from_octets(used.value), used_by=me.name).to_octets(), used.lease),
        ]
        conditions = [Unchanged(entry.key, entry.revision), Unchanged(used.key, used.revision), *in_force]
        is_done = _committed(store, conditions, writes, me)
        return Joined(record.membership.members[-1], cluster, record, sealing) if is_done else None

    return _repeated(attempt)


def remove_member(store: KeyStore, cluster_name: str, name: str, is_off: bool = False) -> MembershipRecord:
    """Take a member out, by its name. `is_off`: it does not run, and will not be started again as this member.

    Raises ChangeRefused, StoreFault.
    """
    keys = ClusterKeys(cluster_name)

    def attempt() -> MembershipRecord | None:
        _, entry, entries = _records(store, keys)
        record = _changed(entry, lambda known: known.without_member(name))
        if not record.membership.members:
            raise ChangeRefused(
                f"{name} is the last member of the cluster {cluster_name}. To end the cluster, stop the appliance "
                "there, then type `signalbox cluster leave`."
            )
        known = _changed(entry, lambda known: known)
        gone = next(number for number, each in known.names if each == name)
        conditions = [Unchanged(entry.key, entry.revision), *_conditions_of_change(entries, keys, known, gone, is_off)]
        writes: list[Write] = [Put(entry.key, record.to_octets()), *_forgotten(entries, keys, known)]
        if is_off:
            writes.append(Put(keys.version_in_force(gone), str(record.membership.version).encode()))
        return record if store.commit(conditions, writes) else None

    return _repeated(attempt)


def leave_cluster(store: KeyStore, name: str, me: Member) -> bool:
    """Take `me` out, which may have been removed already; True: it was the last one.

    Raises ChangeRefused, StoreFault.
    """
    if not _is_member(store, ClusterKeys(name), me):
        return False
    if end_cluster(store, name, me):
        return True
    remove_member(store, name, me.name, is_off=True)
    return False


def end_cluster(store: KeyStore, name: str, me: Member) -> bool:
    """Delete all that etcd holds of a cluster whose only member is `me`; False when it has others.

    Raises ChangeRefused, StoreFault.
    """
    keys = ClusterKeys(name)
    reading = store.read(keys.prefix)
    entry = reading.entries[keys.membership]
    members = _changed(entry, lambda known: known).membership.members
    if [member.public_key for member in members] != [me.public_key]:
        return False
    if not store.commit([Unchanged(entry.key, entry.revision)], [Delete(entry.key), Delete(keys.cluster)]):
        return False
    rest = sorted(set(reading.entries) - {keys.membership, keys.cluster})
    for begin in range(0, len(rest), WRITES_MAX):
        store.commit([], [Delete(key) for key in rest[begin : begin + WRITES_MAX]])
    return True


def _repeated(attempt: Callable[[], Found | None]) -> Found:
    for _ in range(ATTEMPTS_MAX):
        found = attempt()
        if found is not None:
            return found
    raise ChangeRefused("The members of the cluster are being changed by others at this moment. Try again.")


def _conditions_of_change(
    entries: Mapping[str, Entry],
    keys: ClusterKeys,
    record: MembershipRecord,
    gone: int = NO_MEMBER,
    is_off: bool = False,
) -> list[Unchanged]:
    """What has to stay as it is until the change is made. Raises LastChangeUnderWay."""
    numbers = dict(record.names).keys() | dict(record.former).keys()
    known = VersionsInForce(
        {number: version_in(entries.get(keys.version_in_force(number))) for number in numbers},
        frozenset(number for number in numbers if keys.presence(number) in entries),
    )
    names, former = dict(record.names), dict(record.former)
    if sentence := known.refusal(record.membership.version, names, former, gone, is_off):
        raise LastChangeUnderWay(sentence)
    looked_at = [key for number in sorted(numbers) for key in (keys.presence(number), keys.version_in_force(number))]
    return [Unchanged(key, entries[key].revision if key in entries else ABSENT) for key in looked_at]


def _forgotten(entries: Mapping[str, Entry], keys: ClusterKeys, record: MembershipRecord) -> Iterator[Delete]:
    """What members have said that were taken out before the last change."""
    counted = {keys.version_in_force(number) for number in dict(record.names).keys() | dict(record.former).keys()}
    said = sorted(key for key in entries if key.startswith(keys.versions_in_force))
    yield from (Delete(key) for key in said[:FORGOTTEN_MAX] if key not in counted)


def _records(store: KeyStore, keys: ClusterKeys) -> tuple[ClusterRecord, Entry, Mapping[str, Entry]]:
    """What the cluster is, the entry of its members, and all entries. Raises ChangeRefused, StoreFault."""
    entries = store.read(keys.prefix).entries
    if keys.cluster not in entries or keys.membership not in entries:
        raise ChangeRefused(f"This etcd holds no cluster {keys.name}.")
    try:
        return ClusterRecord.from_octets(entries[keys.cluster].value), entries[keys.membership], entries
    except RecordUnusable as fault:
        raise ChangeRefused(str(fault)) from None


def _sealing_keys(store: KeyStore, keys: ClusterKeys) -> SealingKeys | None:
    """What seals tokens; None for the key of the cluster. Raises ChangeRefused, StoreFault."""
    entry = store.read(keys.sealing).entries.get(keys.sealing)
    try:
        return None if entry is None else SealingKeys.from_text(entry.value)
    except ValueError as fault:
        raise ChangeRefused(f"The sealing keys of the cluster in etcd cannot be used: {fault}.") from None


def _changed(entry: Entry, change: Callable[[MembershipRecord], MembershipRecord]) -> MembershipRecord:
    try:
        return change(MembershipRecord.from_octets(entry.value))
    except (RecordUnusable, MembershipRefused) as fault:
        raise ChangeRefused(str(fault)) from None


def _valid_token(store: KeyStore, keys: ClusterKeys, token: JoinToken, wall_time: float) -> Entry:
    """The entry of a token that may be used, on a machine whose clock goes like that of its creator."""
    key = keys.token(token.hash_hex)
    entry = store.read(key).entries.get(key)
    if entry is None:
        raise ChangeRefused(
            f"The token is not valid for the cluster {keys.name}: it has expired, or is of another cluster of this "
            "name. Create one with `signalbox cluster token` on a member."
        )
    record = TokenRecord.from_octets(entry.value)
    if record.used_by:
        raise ChangeRefused(
            f"The token was used by {record.used_by}. A token is for one machine: create another one with `signalbox "
            "cluster token` on a member."
        )
    times = store.lease_times(entry.lease)
    if times is not None:
        # etcd counts seconds; so the clock of the machine that created the token is known without asking it.
        apart_s = wall_time - (record.created + times.granted_s - times.left_s)
        if abs(apart_s) > CLOCK_DIFFERENCE_MAX_S:
            raise ChangeRefused(
                f"The clock of this machine is {abs(apart_s):.0f} s {'ahead of' if apart_s > 0 else 'behind'} that of "
                "the member that created the token. Set the time (NTP) on both, then try again."
            )
    return entry


def _committed(store: KeyStore, conditions: list[Unchanged], writes: list[Write], me: Member) -> bool:
    """False: it was not done, or etcd did not say. Raises ChangeRefused when etcd does not answer afterwards either."""
    try:
        return store.commit(conditions, writes)
    except StoreUnavailable as fault:
        for _ in range(ATTEMPTS_MAX):
            with suppress(StoreUnavailable):
                store.read(conditions[0].key)
                return False
        raise ChangeRefused(
            f"{fault} Whether {me.name} has become a member is not known. When etcd answers again, see `show cluster` "
            f"on a member; if it lists {me.name}, type `signalbox cluster remove {me.name}` there. Then try again."
        ) from None


def _is_member(store: KeyStore, keys: ClusterKeys, me: Member) -> bool:
    """Is there a cluster with this member, known by the public key of its links?"""
    entry = store.read(keys.membership).entries.get(keys.membership)
    return entry is not None and _changed(entry, lambda known: known).by_link_key(me.public_key) is not None
