"""The cluster process without its process: members, presence, take-overs and alarms, while etcd comes and goes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.catalogue.alarms import CLOCK_APART, ETCD_CERTIFICATE_EXPIRES, ETCD_DEGRADED, ETCD_UNAVAILABLE
from appliance.catalogue.cluster_status import ABSENT, PRESENT, UNKNOWN
from appliance.cluster.coordination.certificate_end import end_of_certificate
from appliance.cluster.coordination.cluster_records import ClusterRecord
from appliance.cluster.coordination.coordinator import Coordinator
from appliance.cluster.coordination.dict_store import DictKeys, DictStore
from appliance.cluster.coordination.key_store import Delete, Put
from appliance.cluster.coordination.keys import ClusterKeys
from appliance.cluster.coordination.membership_changes import Joined, remove_member
from appliance.cluster.coordination.versions_in_force import version_in
from appliance.messages.cluster_messages import TakeOver, TakeOverKey
from appliance.storage.cluster_file import EtcdAccess, cluster_path, read_cluster, write_cluster
from tests.certificate_authority import CertificateAuthority
from tests.cluster.coordination.members import NAME, NOW, URLS, all_in_force, created, file_of, joined

KEYS = ClusterKeys(NAME)
TURN_S = 0.5
DAY_S = 86400.0


class Cluster:
    """The members of a test, their state folders, etcd, and one time for all of them; clocks may be apart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = DictKeys()
        self.stores: dict[str, DictStore] = {}
        self.running: dict[str, Coordinator] = {}
        self.apart_s: dict[str, float] = {}
        self.administrator = DictStore(self.keys)

    def add(self, member: Joined) -> None:
        """A machine that has joined, and runs."""
        name = member.me.name
        state = self.folder / name
        state.mkdir(exist_ok=True)
        write_cluster(state, file_of(member))
        self.start(name)

    def start(self, name: str) -> None:
        """Start its cluster process."""
        known = read_cluster(self.folder / name)
        assert known is not None
        self.stores[name] = DictStore(self.keys)
        self.running[name] = Coordinator(
            self.stores[name],
            known,
            self.folder / name,
            "1.2",
            lambda: self.keys.now,
            lambda: NOW + self.keys.now + self.apart_s.get(name, 0.0),
        )

    def work(self, seconds: float = 2 * TURN_S) -> None:
        """All take turns for so long."""
        for _ in range(round(seconds / TURN_S)):
            for coordinator in self.running.values():
                if coordinator.is_member:
                    coordinator.work(0.0)
            self.keys.pass_time(TURN_S)

    def states(self, name: str) -> dict[str, str]:
        """How one member sees all."""
        return {member.name: member.state for member in self.running[name].report.status.members}

    def alarms(self, name: str) -> list[tuple[str, str]]:
        """Its alarms: name and subject."""
        return [(alarm.name, alarm.subject) for alarm in self.running[name].report.alarms]


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """Two nodes."""
    made = Cluster(tmp_path)
    made.add(created(made.administrator))
    made.add(joined(made.administrator, "b"))
    made.work()
    return made


def taken(epoch: int) -> TakeOver:
    return TakeOver(1, "v1", epoch, 2, 1, "a was not heard", 631, NOW + epoch)


def test_each_member_writes_its_file_when_the_members_change(cluster: Cluster) -> None:
    third = joined(cluster.administrator, "w", is_witness=True)
    cluster.work()
    for name in ("a", "b"):
        known = read_cluster(cluster.folder / name)
        assert known is not None
        assert known.membership == third.record.membership
        assert cluster.running[name].report.status.membership == 3
        assert known.member.name == name


@pytest.mark.parametrize(
    ("days_left", "sentence"),
    [(40, ""), (10, "{chain}, expires in 10 days."), (-2, "{chain}, has expired.")],
    ids=["valid", "ends soon", "has ended"],
)
def test_the_end_of_the_certificate_for_etcd_is_told(
    cluster: Cluster, tmp_path: Path, days_left: int, sentence: str
) -> None:
    chain, key = CertificateAuthority(tmp_path).issue("node", "IP:192.0.2.1", 3650, usage="clientAuth")
    known = read_cluster(cluster.folder / "a")
    assert known is not None
    write_cluster(cluster.folder / "a", replace(known, etcd=EtcdAccess(URLS, "", str(chain), str(key))))
    cluster.apart_s["a"] = end_of_certificate(chain.read_text()) - days_left * DAY_S - NOW
    cluster.start("a")
    cluster.work()
    told = [alarm.text for alarm in cluster.running["a"].report.alarms if alarm.name == ETCD_CERTIFICATE_EXPIRES]
    assert told == ([f"The certificate for etcd, {sentence.format(chain=chain)}"] if sentence else [])


def test_a_member_says_by_which_version_of_the_members_its_lease_process_goes(cluster: Cluster) -> None:
    """And what it has said outlives it."""
    cluster.running["b"].version_in_force = 2
    cluster.work()
    said = lambda: version_in(cluster.administrator.read(KEYS.prefix).entries.get(KEYS.version_in_force(2)))  # noqa: E731
    assert said() == 2
    # It starts anew, and does not know yet.
    cluster.running["b"].version_in_force = 0
    cluster.work()
    assert said() == 2
    cluster.running.pop("b").close()
    cluster.work(20.0)
    assert said() == 2


def test_who_is_removed_keeps_its_file_under_another_name_and_takes_no_part(cluster: Cluster) -> None:
    all_in_force(cluster.administrator)
    remove_member(cluster.administrator, NAME, "b")
    cluster.work()
    assert not cluster.running["b"].is_member and not cluster.running["b"].report.is_member
    assert read_cluster(cluster.folder / "b") is None
    assert cluster_path(cluster.folder / "b").with_name("cluster.removed").exists()
    assert read_cluster(cluster.folder / "a") is not None


def test_members_see_who_is_present(cluster: Cluster) -> None:
    assert cluster.states("a") == {"a": PRESENT, "b": PRESENT}
    status = cluster.running["a"].report.status
    assert [(member.is_self, member.version, member.since) for member in status.members] == [
        (True, "1.2", NOW),
        (False, "1.2", NOW),
    ]
    del cluster.running["b"]
    cluster.work(12.0)
    assert cluster.states("a") == {"a": PRESENT, "b": ABSENT}
    cluster.start("b")
    cluster.work()
    assert cluster.states("a") == {"a": PRESENT, "b": PRESENT}
    cluster.running.pop("b").close()
    cluster.work()
    assert cluster.states("a")["b"] == ABSENT


def test_without_etcd_presence_is_not_known_and_all_that_was_known_stays(cluster: Cluster) -> None:
    cluster.keys.is_available = False
    cluster.work(4.0)
    assert cluster.alarms("a") == []
    cluster.work(4.0)
    assert cluster.alarms("a") == [(ETCD_UNAVAILABLE, "etcd")]
    assert cluster.states("a") == {"a": UNKNOWN, "b": UNKNOWN}
    cluster.running["b"].note(taken(7))
    cluster.work(600.0)
    assert cluster.running["b"].report.status.unrecorded == 1
    assert read_cluster(cluster.folder / "a") == cluster.running["a"].known
    cluster.keys.is_available = True
    cluster.work()
    assert cluster.alarms("a") == []
    cluster.work(4.0)
    assert cluster.states("a") == {"a": PRESENT, "b": PRESENT}
    assert [row.epoch for row in cluster.running["a"].history.rows] == [7]
    assert cluster.running["b"].recorded() == [TakeOverKey(1, 7)]


def test_one_member_that_does_not_reach_etcd(cluster: Cluster) -> None:
    cluster.stores["b"].is_cut_off = True
    cluster.work(15.0)
    assert cluster.states("a") == {"a": PRESENT, "b": ABSENT}
    assert cluster.alarms("a") == [] and cluster.alarms("b") == [(ETCD_UNAVAILABLE, "etcd")]


def test_take_overs_are_recorded_in_order_and_epochs_go_to_the_file(cluster: Cluster) -> None:
    for epoch in (3, 4, 5, 5):
        cluster.running["b"].note(taken(epoch))
    cluster.work(5.0)
    assert [row.epoch for row in cluster.running["a"].history.rows] == [3, 4, 5]
    assert cluster.running["b"].report.status.unrecorded == 0
    for name in ("a", "b"):
        known = read_cluster(cluster.folder / name)
        assert known is not None and known.epochs == ((1, 5),)


def test_a_full_etcd_is_an_alarm_and_is_followed_still(cluster: Cluster) -> None:
    joined(cluster.administrator, "c")
    cluster.keys.is_full = True
    cluster.work(5.0)
    assert (ETCD_DEGRADED, "etcd") in cluster.alarms("a")
    assert cluster.running["a"].report.status.membership == 3
    cluster.keys.is_full = False
    cluster.work(5.0)
    assert cluster.alarms("a") == []


def test_a_clock_that_is_apart_is_an_alarm(cluster: Cluster) -> None:
    cluster.work(20.0)
    own, other = (member.clock_ms for member in cluster.running["a"].report.status.members)
    assert own == 0 and other is not None and -1000 * TURN_S <= other <= 0
    cluster.apart_s["b"] = 600.0
    cluster.work(20.0)
    assert cluster.alarms("a") == [(CLOCK_APART, "b")]
    (alarm,) = cluster.running["a"].report.alarms
    assert re.fullmatch(r"The clock of b is (599|600)\.. s ahead of that of this node\.", alarm.text)
    assert cluster.running["b"].report.status.members[0].clock_ms == pytest.approx(-600_000, abs=1000 * TURN_S)
    cluster.apart_s["b"] = 0.0
    cluster.work(20.0)
    assert cluster.alarms("a") == []


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        (KEYS.membership, b"nonsense", "The members of the cluster in etcd cannot be used"),
        (KEYS.membership, None, "etcd holds no cluster west any more"),
        (KEYS.cluster, ClusterRecord("00" * 32, NOW).to_octets(), "holds another cluster of the name"),
    ],
)
def test_what_cannot_be_of_this_cluster_changes_nothing(
    cluster: Cluster, key: str, value: bytes | None, sentence: str
) -> None:
    before = read_cluster(cluster.folder / "a")
    former = cluster.administrator.read(key).entries[key].value
    cluster.administrator.commit([], [Delete(key) if value is None else Put(key, value)])
    cluster.work()
    assert cluster.alarms("a") == [(ETCD_DEGRADED, "membership")]
    assert sentence in cluster.running["a"].report.alarms[0].text
    assert read_cluster(cluster.folder / "a") == before and cluster.running["a"].is_member
    cluster.administrator.commit([], [Put(key, former)])
    cluster.work()
    assert cluster.alarms("a") == []


def test_older_members_from_a_backup_of_etcd_are_not_taken(cluster: Cluster) -> None:
    older = cluster.administrator.read(KEYS.membership).entries[KEYS.membership].value
    joined(cluster.administrator, "c")
    cluster.work()
    cluster.administrator.commit([], [Put(KEYS.membership, older)])
    cluster.work()
    known = read_cluster(cluster.folder / "a")
    assert known is not None and known.membership.version == 3
    assert "etcd holds version 2 of the membership, and this node knows version 3" in (
        cluster.running["a"].report.alarms[0].text
    )


def test_a_file_that_cannot_be_written_is_tried_again(cluster: Cluster) -> None:
    path = cluster_path(cluster.folder / "a")
    obstacle = path.with_name("cluster.new")
    obstacle.mkdir()
    joined(cluster.administrator, "c")
    cluster.work()
    assert "cannot be written" in cluster.running["a"].report.alarms[0].text
    assert cluster.running["a"].report.status.membership == 2
    obstacle.rmdir()
    cluster.work()
    assert cluster.running["a"].report.status.membership == 3 and cluster.alarms("a") == []
