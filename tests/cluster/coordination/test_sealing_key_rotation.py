"""The rotation of the key that seals tokens: all nodes have a key before any of them seals with it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from appliance.catalogue.alarms import KEY_ROTATION_STALLED, Condition
from appliance.cluster.coordination.keys import ClusterKeys
from appliance.messages.sealing_keys import SealingKeys, first_keys
from appliance.messages.sealing_messages import RotationAsked, RotationEnded, SealingState
from appliance.storage.sealing_key_file import read_sealing_keys
from tests.cluster.coordination.members import KEY, NAME, created, joined
from tests.cluster.coordination.test_coordinator import Cluster

KEYS = ClusterKeys(NAME)


class Nodes(Cluster):
    """A cluster whose supervisors tell their workers at once, unless they are `held`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.workers: dict[str, SealingKeys] = {}
        self.held: set[str] = set()
        self.current: set[str] = set()
        """Those that had the keys which etcd holds once since their start (CoordinationProcess.has_current_keys)."""
        self.linked: dict[str, list[int]] = {}
        self.answers: list[RotationEnded] = []

    def turn(self) -> None:
        """All cluster processes take a turn, then all supervisors that are not held."""
        self.work(0.5)
        for name in self.running:
            self.supervise(name)

    def supervise(self, name: str) -> None:
        """What a supervisor does with a report."""
        coordinator, keys = self.running[name], self.keys_of(name)
        if name not in self.held and coordinator.report.sealing_step >= keys.step:
            keys = self.workers[name] = read_sealing_keys(self.folder / name, KEY)
        if name != "w" and 0 <= coordinator.report.sealing_step <= keys.step:
            self.current.add(name)
        coordinator.sealing.heard(SealingState(keys.step, self.linked.get(name, [])))
        self.answers += coordinator.sealing.ended()

    def settle(self, turns: int = 8) -> None:
        for _ in range(turns):
            self.turn()

    def keys_of(self, name: str) -> SealingKeys:
        """Those that the workers of a node go by."""
        return self.workers.setdefault(name, first_keys(KEY))

    def sealing(self) -> dict[str, int]:
        """The number of the key that each node seals with."""
        return {name: self.keys_of(name).in_use.number for name in self.running}

    def check(self) -> None:
        """No node that may own addresses seals with a key that another one cannot open."""
        serving = [name for name in self.running if name in self.current]
        for name in serving:
            own = self.keys_of(name).in_use
            for other in map(self.keys_of, serving):
                assert own in (other.in_use, other.other), f"{name} seals with {own.number}: {self.workers}"

    def rotate(self, name: str, is_forced: bool = False) -> None:
        self.running[name].sealing.ask(RotationAsked(1, is_forced))

    def waits_for(self, name: str) -> list[str]:
        return self.running[name].report.status.sealing_key_waits_for


@pytest.fixture
def nodes(tmp_path: Path) -> Nodes:
    """Three nodes and a witness."""
    made = Nodes(tmp_path)
    made.add(created(made.administrator))
    for name in ("b", "c"):
        made.add(joined(made.administrator, name))
    made.add(joined(made.administrator, "w", is_witness=True))
    # Until links are up.
    made.settle(70)
    return made


def test_a_key_seals_when_all_nodes_have_it(nodes: Nodes) -> None:
    nodes.held.add("c")
    nodes.rotate("a")
    nodes.settle()
    (answer,) = nodes.answers
    assert (answer.is_done, answer.sentence) == (
        True,
        "Key 1 is being distributed; it seals tokens as soon as all workers of all nodes have it.",
    )
    assert nodes.sealing() == {"a": 0, "b": 0, "c": 0, "w": 0}
    assert nodes.waits_for("a") == nodes.waits_for("b") == ["c"]
    nodes.held.clear()
    nodes.settle()
    assert nodes.sealing() == {"a": 1, "b": 1, "c": 1, "w": 0}
    status = nodes.running["b"].report.status
    assert (status.sealing_key, status.sealing_key_waits_for) == (1, [])
    assert status.sealing_key_since > 0
    assert [member.sealing_key for member in status.members] == [1, 1, 1, 0]


def test_a_witness_gets_no_key(nodes: Nodes) -> None:
    nodes.rotate("a")
    nodes.settle()
    assert not (nodes.folder / "w" / "sealing-keys").exists()


def test_a_node_that_died_is_not_waited_for_and_takes_the_key_at_its_return(nodes: Nodes) -> None:
    nodes.running.pop("c")
    nodes.settle(24)
    nodes.rotate("a")
    nodes.settle()
    assert nodes.sealing() == {"a": 1, "b": 1, "w": 0}
    nodes.start("c")
    nodes.settle()
    assert nodes.sealing()["c"] == 1
    assert nodes.running["c"].report.sealing_step == 2


def test_a_node_that_lost_etcd_and_is_linked_is_waited_for(nodes: Nodes) -> None:
    nodes.stores["c"].is_cut_off = True
    nodes.linked["a"] = nodes.linked["b"] = [3]
    nodes.settle(24)
    nodes.rotate("a")
    nodes.settle()
    assert nodes.sealing() == {"a": 0, "b": 0, "c": 0, "w": 0}
    assert nodes.waits_for("b") == ["c"]
    nodes.rotate("b", is_forced=True)
    nodes.settle()
    assert nodes.answers[-1].sentence == "Key 1 seals tokens from now on. c cannot open what it seals yet."
    assert nodes.sealing() == {"a": 1, "b": 1, "c": 0, "w": 0}


def test_it_goes_on_when_the_node_that_was_asked_dies(nodes: Nodes) -> None:
    nodes.held.add("b")
    nodes.rotate("a")
    nodes.settle()
    nodes.running.pop("a")
    nodes.settle(24)
    nodes.held.clear()
    nodes.settle()
    assert nodes.sealing() == {"b": 1, "c": 1, "w": 0}


def test_what_cannot_be_done_is_refused_with_what_to_type(nodes: Nodes) -> None:
    nodes.held.add("c")
    nodes.rotate("a")
    nodes.settle()
    nodes.rotate("b")
    nodes.settle()
    assert nodes.answers.pop() == RotationEnded(
        1,
        False,
        "Key 1 is being distributed already. These nodes have not got it yet: c.",
        "wait for them, or type `cluster rotate-key force` to go on without them",
    )
    nodes.keys.is_available = False
    nodes.rotate("b")
    nodes.settle()
    assert not nodes.answers.pop().is_done
    nodes.keys.is_available = True
    nodes.held.clear()
    nodes.settle()
    # What was refused is not done later.
    assert nodes.sealing()["b"] == 1


def test_an_order_to_go_on_begins_no_rotation(nodes: Nodes) -> None:
    """The last node took the key while the operator typed: without this, what key 0 has sealed would open no more."""
    nodes.rotate("a")
    nodes.settle()
    nodes.rotate("a", is_forced=True)
    nodes.settle()
    assert nodes.answers.pop() == RotationEnded(
        1, False, "No key is being distributed: key 1 seals tokens.", "type `cluster rotate-key` to have another key"
    )
    assert nodes.keys_of("a").step == 2


def stalled(nodes: Nodes, name: str) -> list[Condition]:
    return [each for each in nodes.running[name].report.alarms if each.name == KEY_ROTATION_STALLED]


def test_a_node_that_does_not_take_a_key_is_an_alarm_until_it_does(nodes: Nodes) -> None:
    nodes.held.add("c")
    nodes.rotate("a")
    nodes.settle(100)
    assert stalled(nodes, "a") == []
    nodes.settle(40)
    expected = Condition(KEY_ROTATION_STALLED, "c", "c has not taken the keys that seal tokens, step 1.")
    assert stalled(nodes, "a") == stalled(nodes, "b") == [expected]
    nodes.held.clear()
    nodes.settle()
    assert stalled(nodes, "a") == []


def test_a_rotation_begins_when_all_nodes_have_taken_the_one_before(nodes: Nodes) -> None:
    nodes.rotate("a")
    nodes.settle(4)
    nodes.held.add("c")
    nodes.settle()
    if nodes.keys_of("c").step < nodes.keys_of("a").step:
        nodes.rotate("a")
        nodes.settle()
        assert not nodes.answers[-1].is_done


def test_a_second_rotation_says_what_it_drops(nodes: Nodes) -> None:
    for _ in range(2):
        nodes.rotate("a")
        nodes.settle()
    assert nodes.answers[-1].sentence.endswith("What key 0 has sealed opens no more.")
    assert nodes.sealing() == {"a": 2, "b": 2, "c": 2, "w": 0}


def test_a_machine_that_joins_has_the_keys_before_it_starts(nodes: Nodes) -> None:
    nodes.rotate("a")
    nodes.settle()
    member = joined(nodes.administrator, "d")
    assert member.sealing == nodes.keys_of("a")


@pytest.mark.parametrize("seed", range(20))
def test_no_node_gets_a_token_that_it_cannot_open(nodes: Nodes, seed: int) -> None:
    """Rotations while nodes lose etcd, are slow, die and return: at each moment what one seals all others open."""
    chance = random.Random(seed)
    numbers = {"a": 1, "b": 2, "c": 3}
    for _ in range(60):
        name = chance.choice("abc")
        match chance.randrange(8):
            case 0 if name in nodes.running:
                nodes.rotate(name)
            case 1:
                nodes.held ^= {name}
            case 2:
                nodes.stores[name].is_cut_off ^= True
            case 3 if name in nodes.running and len(nodes.running) > 2:
                nodes.running.pop(name)
            case 4 if name not in nodes.running:
                nodes.workers[name] = read_sealing_keys(nodes.folder / name, KEY)
                nodes.current.discard(name)
                nodes.start(name)
        live = [numbers[each] for each in nodes.running if each in numbers]
        nodes.linked = dict.fromkeys("abc", live)
        nodes.turn()
        nodes.check()
    nodes.held.clear()
    for store in nodes.stores.values():
        store.is_cut_off = False
    nodes.settle(120)
    assert len({nodes.keys_of(name) for name in nodes.running if name != "w"}) == 1, f"seed {seed}"
