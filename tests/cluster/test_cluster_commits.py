"""Commits of a cluster: in force on all nodes or on none, whatever is lost, late, killed or away."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.messages.bus_messages import Refusal
from appliance.messages.supervisor_requests import Committed, Confirmed
from appliance.storage.commits import SYSTEM
from tests.cluster.simulated_commits import SimulatedCluster, SimulatedNode, is_good

SEEDS = int(os.environ.get("SIGNALBOX_COMMIT_SEEDS", "40"))

TROUBLE = ("die", "restart", "etcd", "cut", "slow", "stall")
WHAT_HAPPENS = ("commit", "commit", "commit", "trial", "confirm", "hated", *TROUBLE)


@pytest.fixture
def cluster(tmp_path: Path) -> SimulatedCluster:
    """Three nodes that go by the first one's configuration."""
    made = SimulatedCluster(tmp_path)
    made.run(6.0)
    made.check_end()
    return made


def names(cluster: SimulatedCluster) -> list[str]:
    return [node.hostname for node in cluster.nodes]


def refused(cluster: SimulatedCluster, node: SimulatedNode, name: str) -> str:
    """The sentence; nothing has changed anywhere."""
    before = names(cluster)
    reply = cluster.until(node.commit(name), node)
    assert isinstance(reply, Refusal)
    cluster.run(3.0)
    assert names(cluster) == before
    cluster.check_end()
    return reply.sentence


def test_who_joins_takes_the_configuration_of_the_cluster_and_keeps_its_own_under_another_name(
    cluster: SimulatedCluster,
) -> None:
    assert names(cluster) == ["own-a"] * 3
    [aside] = cluster.nodes[1].folder.glob("configuration/set-aside-*")
    assert "hostname own-b\n" in aside.read_text()


def test_a_commit_on_any_node_is_in_force_on_all(cluster: SimulatedCluster) -> None:
    for number, node in enumerate(cluster.nodes, 2):
        reply = cluster.until(node.commit(f"by-{node.name}"), node)
        assert isinstance(reply, Committed) and reply.number == number
        cluster.run(2.0)
        assert names(cluster) == [f"by-{node.name}"] * 3
    cluster.check_end()


def test_one_node_that_cannot_take_it_is_named_and_nothing_changes(cluster: SimulatedCluster) -> None:
    sentence = refused(cluster, cluster.nodes[0], "hated-by-c")
    assert "c cannot take it" in sentence and "does not like it" in sentence


def test_one_node_that_is_late_is_named_and_nothing_changes(cluster: SimulatedCluster) -> None:
    first, second, _ = cluster.nodes
    with pytest.MonkeyPatch.context() as silent:
        silent.setattr(second.coordinator.commits, "heard", lambda state: None)
        reply = cluster.until(first.commit("slow"), first)
    assert isinstance(reply, Refusal) and "b did not answer within 13 s" in reply.sentence
    cluster.run(3.0)
    assert names(cluster) == ["own-a"] * 3
    cluster.check_end()


def test_of_two_commits_at_once_one_is_made_and_the_other_operator_is_told_of_it(cluster: SimulatedCluster) -> None:
    first, second, _ = cluster.nodes
    asked = first.commit("one"), second.commit("two")
    replies = cluster.until(asked[0], first), cluster.until(asked[1], second)
    assert sorted(map(is_good, replies)) == [False, True]
    cluster.run(3.0)
    assert len(set(names(cluster))) == 1
    cluster.check_end()


def test_a_node_that_was_away_takes_the_newer_commits_at_its_return(cluster: SimulatedCluster) -> None:
    first, away, _ = cluster.nodes
    away.die()
    cluster.run(12.0)
    for number in (2, 3):
        assert is_good(cluster.until(first.commit(f"number-{number}"), first))
        cluster.run(1.0)
    away.start()
    cluster.run(5.0)
    assert (away.in_force[0], away.hostname) == (3, "number-3")
    cluster.check_end()


def test_a_node_that_cannot_take_what_it_missed_has_an_alarm_and_takes_the_next_one(cluster: SimulatedCluster) -> None:
    first, away, _ = cluster.nodes
    away.die()
    cluster.run(12.0)
    assert is_good(cluster.until(first.commit("hated-by-b"), first))
    away.start()
    cluster.run(5.0)
    assert away.commits.cluster is not None
    [alarm] = away.commits.cluster.conditions()
    assert alarm.name == "configuration-differs" and "does not like it" in alarm.text
    reply = cluster.until(away.commit("here"), away)
    assert isinstance(reply, Refusal) and reply.remedy.startswith("commit on another node")
    assert is_good(cluster.until(first.commit("liked"), first))
    cluster.run(3.0)
    assert [*away.commits.cluster.conditions()] == []
    cluster.check_end()


def test_without_etcd_a_commit_is_refused_and_what_is_in_force_goes_on(cluster: SimulatedCluster) -> None:
    cluster.keys.is_available = False
    first = cluster.nodes[0]
    # The first one comes before this node knows.
    for name in ("early", "later"):
        reply = cluster.until(first.commit(name), first)
        assert isinstance(reply, Refusal) and "read-only" in reply.sentence
        cluster.run(2.0)
    cluster.keys.is_available = True
    cluster.run(3.0)
    cluster.check_end()
    assert is_good(cluster.until(first.commit("back"), first))


def test_a_commit_is_confirmed_on_another_node(cluster: SimulatedCluster) -> None:
    first, second, _ = cluster.nodes
    assert is_good(cluster.until(first.commit("trial", confirm_s=60.0), first))
    cluster.run(2.0)
    assert isinstance(cluster.until(second.confirm(), second), Confirmed)
    cluster.run(70.0)
    assert names(cluster) == ["trial"] * 3
    cluster.check_end()


@pytest.mark.parametrize("away", [(), (0,), (0, 1)])
def test_a_commit_that_is_not_confirmed_is_reverted_once_by_a_live_node(
    cluster: SimulatedCluster, away: tuple[int, ...]
) -> None:
    first = cluster.nodes[0]
    assert is_good(cluster.until(first.commit("trial", confirm_s=60.0), first))
    cluster.run(2.0)
    for place in away:
        cluster.nodes[place].die()
    cluster.run(65.0)
    for place in away:
        cluster.nodes[place].start()
    cluster.run(5.0)
    assert names(cluster) == ["own-a"] * 3
    head = cluster.nodes[2].store.head
    assert head is not None and (head.number, head.user) == (3, SYSTEM)
    cluster.check_end()


def test_a_member_that_sees_late_that_the_head_has_changed_does_not_replace_it(cluster: SimulatedCluster) -> None:
    """All have agreed to a rollback, which is not written; meanwhile another member reverts the trial."""
    first = cluster.nodes[0]
    assert is_good(cluster.until(first.commit("trial", confirm_s=20.0), first))
    cluster.run(5.0)
    asked = first.commit("late", is_back=True)
    cluster.until_votes(first)
    first.etcd.loses_writes, first.etcd.stalled_until = True, cluster.keys.now + 60.0
    cluster.run(17.0)
    assert cluster.nodes[1].hostname == "own-a"
    first.etcd.loses_writes = False
    cluster.run(20.0)
    first.etcd.stalled_until = 0.0
    cluster.run(5.0)
    assert isinstance(cluster.until(asked, first), Refusal)
    assert names(cluster) == ["own-a"] * 3
    cluster.check_end()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_all_or_none_whatever_happens(tmp_path: Path, seed: int) -> None:
    cluster = SimulatedCluster(tmp_path, seed)
    chance = cluster.chances.random
    cluster.run(3.0)
    cluster.chances.rage()
    for number in range(40):
        _something_happens(cluster, number)
        cluster.run(chance.choice((0.25, 1.0, 3.0, 10.0)))
    cluster.chances.calm()
    cluster.keys.is_available = True
    for node in cluster.nodes:
        node.etcd.is_cut_off, node.prepare_turns, node.etcd.stalled_until = False, 0, 0.0
        if not node.is_up:
            node.start()
    # A proposal that was left, what is prepared for it, and the trial of a commit have an end.
    cluster.run(90.0)
    # One that goes by the head: another one may be unable to take it.
    last = max(cluster.nodes, key=lambda node: node.in_force[0])
    assert is_good(cluster.until(last.commit("last", is_back=True), last))
    cluster.run(5.0)
    assert names(cluster) == ["last"] * 3
    cluster.check_end()


def _something_happens(cluster: SimulatedCluster, number: int) -> None:
    chance = cluster.chances.random
    node = chance.choice(cluster.nodes)
    what = chance.choice(WHAT_HAPPENS)
    if what in ("die", "restart") and node.is_up:
        node.start_cluster_process() if what == "restart" else node.die()
    elif not node.is_up:
        node.start()
    elif what == "commit":
        node.commit(f"n{number}", is_back=chance.random() < 0.3)
    elif what == "hated":
        node.commit(f"n{number}-hated-by-{chance.choice('abc')}")
    elif what == "trial":
        node.commit(f"n{number}", confirm_s=20.0)
    elif what == "confirm":
        node.confirm()
    elif what == "etcd":
        cluster.keys.is_available = not cluster.keys.is_available
    elif what == "cut":
        node.etcd.is_cut_off = not node.etcd.is_cut_off
    elif what == "stall":
        node.etcd.stalled_until = cluster.keys.now + chance.choice((2.0, 15.0, 40.0))
    elif what == "slow":
        node.prepare_turns = chance.choice((0, 2, 8, -1))
