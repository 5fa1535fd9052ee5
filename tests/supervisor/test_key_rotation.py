"""The key that seals tokens on one node: all workers have it before any of them seals with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from appliance.messages.bus_messages import BusMessage, Refusal
from appliance.messages.sealing_keys import SealingKeys, first_keys
from appliance.messages.sealing_messages import RotateSealingKey, SealingKeysChanged
from appliance.messages.supervisor_requests import Done
from appliance.storage.sealing_key_file import read_sealing_keys
from appliance.supervisor.key_rotation import KeyRotation
from appliance.supervisor.sealing_key_rollout import SealingKeyRollout

KEY = bytes(32)


class Node:
    """Two workers that say what they have when `hear` is called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[tuple[int, SealingKeys]] = []
        self.log: list[str] = []
        self.starts_with = first_keys(KEY)
        self.rollout = SealingKeyRollout(first_keys(KEY), self._send, self._start_with)
        self.rotation = KeyRotation(self.rollout, folder, KEY, None, lambda asker, reply: None, self.log.append)
        for worker in (0, 1):
            self.rollout.started(worker)

    def _send(self, worker: int, messages: Sequence[BusMessage]) -> bool:
        for message in messages:
            assert isinstance(message, SealingKeysChanged)
            self.told.append((worker, message.keys))
        return True

    def _start_with(self, keys: SealingKeys) -> None:
        self.starts_with = keys

    def hear(self, *workers: int) -> None:
        """These workers get what was sent to them."""
        for worker, keys in self.told:
            if worker in workers:
                self.rollout.taken(worker, keys.step)
        self.told.clear()
        self.rotation.tend(0.0)

    def rotate(self, is_forced: bool = False) -> object:
        return self.rotation.execute(b"asker", RotateSealingKey(is_forced, "ann"), 0.0)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_a_key_seals_when_all_workers_have_it(node: Node) -> None:
    assert node.rotate() == Done("Key 1 seals tokens as soon as all workers have it.")
    node.hear(0)
    # The other one is told again.
    assert [worker for worker, _ in node.told] == [1]
    assert node.rollout.keys.in_use.number == 0
    node.hear(1)
    assert node.rollout.keys.in_use.number == 1
    assert node.starts_with == node.rollout.keys == read_sealing_keys(node.folder, KEY)
    node.hear(0, 1)
    assert node.rollout.step_taken == 2
    assert node.log == [
        "Key 1 seals tokens as soon as all workers have it. Ordered by ann.",
        "Key 1 seals tokens from now on.",
    ]


def test_a_worker_that_ends_is_not_waited_for_and_the_next_one_has_the_key(node: Node) -> None:
    node.rotate()
    node.hear(0)
    node.rollout.forget(1)
    node.rotation.tend(0.0)
    assert node.rollout.keys.in_use.number == 1
    node.rollout.started(1)
    node.hear(0)
    assert node.rollout.step_taken == 2


def test_one_rotation_at_a_time(node: Node) -> None:
    node.rotate()
    refusal = node.rotate()
    assert isinstance(refusal, Refusal)
    assert refusal.sentence == "Key 1 is being distributed already."


def test_there_is_no_node_to_go_on_without(node: Node) -> None:
    refusal = node.rotate(is_forced=True)
    assert refusal == Refusal("This node is in no cluster: there are no nodes to go on without.", "leave out `force`")
    assert node.rollout.keys == first_keys(KEY)


def test_a_second_rotation_says_what_it_drops(node: Node) -> None:
    node.rotate()
    node.hear(0, 1)
    node.hear(0, 1)
    assert node.rotate() == Done(
        "Key 2 seals tokens as soon as all workers have it. What key 0 has sealed opens no more."
    )


def test_a_rotation_that_cannot_be_kept_is_not_begun(node: Node) -> None:
    (node.folder / "sealing-keys.new").mkdir()
    refusal = node.rotate()
    assert isinstance(refusal, Refusal)
    assert "cannot be written" in refusal.sentence
    assert node.rollout.keys == first_keys(KEY)
