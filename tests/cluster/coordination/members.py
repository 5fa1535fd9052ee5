"""Members of clusters in tests, each with a public key that is like no other."""

from __future__ import annotations

from appliance.cluster.coordination.cluster_records import MembershipRecord
from appliance.cluster.coordination.dict_store import DictStore
from appliance.cluster.coordination.join_token import JoinToken
from appliance.cluster.coordination.key_store import Put
from appliance.cluster.coordination.keys import ClusterKeys
from appliance.cluster.coordination.membership_changes import Joined, create_cluster, create_token, join_cluster
from appliance.messages.membership import NO_MEMBER, Member
from appliance.storage.cluster_file import ClusterFile, EtcdAccess

NAME = "west"
KEY = bytes(range(32))
NOW = 1_800_000_000.0
URLS = ("http://etcd-1:2379",)


def machine(name: str, host: str = "", is_witness: bool = False) -> Member:
    """One that may join."""
    place = sum(map(ord, name)) % 250 + 1
    return Member(NO_MEMBER, name, host or f"192.0.2.{place}", 7560, is_witness, 7561, name.ljust(40, "."))


def created(store: DictStore, name: str = "a") -> Joined:
    """A cluster of one node."""
    return create_cluster(store, NAME, KEY, machine(name), NOW)


def token(store: DictStore, secret: bytes = bytes(16), lifetime_s: int = 600) -> JoinToken:
    """A token that is valid now."""
    made = JoinToken(NAME, URLS, secret)
    create_token(store, NAME, made, lifetime_s, NOW)
    return made


def all_in_force(store: DictStore) -> None:
    """Each member goes by the last change of the members, and has said so."""
    keys = ClusterKeys(NAME)
    membership = MembershipRecord.from_octets(store.read(keys.membership).entries[keys.membership].value).membership
    said = str(membership.version).encode()
    store.commit([], [Put(keys.version_in_force(number), said) for number in membership.numbers])


def joined(store: DictStore, name: str, is_witness: bool = False) -> Joined:
    """One member more, when the others go by the last change."""
    all_in_force(store)
    own = token(store, name.encode().ljust(16, b"."))
    return join_cluster(store, own, machine(name, is_witness=is_witness), lambda: NOW)


def file_of(joined: Joined) -> ClusterFile:
    """What the member has in its state folder."""
    return ClusterFile(NAME, joined.me.number, KEY.hex(), "s" * 40, joined.record.membership, EtcdAccess(URLS))
