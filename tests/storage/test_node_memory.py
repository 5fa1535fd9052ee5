"""The memory that outlives all processes of a node: used again whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress

import pytest

from appliance.catalogue.counters import COUNTERS
from appliance.storage.flight_recorder import Recorder
from appliance.storage.node_memory import CALLS, NONCES, START, NodeMemory

BANK_MIB = 1
NONCES_MAX = 1000
ALL = frozenset(range(256))


@pytest.fixture
def former() -> Iterator[NodeMemory]:
    """Of the start before, whose worker 1 was setting up a call when it ended."""
    memory = NodeMemory(BANK_MIB, NONCES_MAX, {})
    recorder = Recorder(memory.recording.fd, memory.recording.bank_len, 1, 1)
    recorder.keep([(b"a", 3, b"rings")], [0] * len(COUNTERS))
    recorder.sign(100.0)
    recorder.close()
    yield memory
    with suppress(OSError):
        memory.close()


def kept_of(memory: NodeMemory, **others: int) -> dict[str, int]:
    """What a service manager gives back: descriptors of its own."""
    return {name: os.dup(fd) for name, fd in (memory.descriptors | others).items()}


def used_again(kept: Mapping[str, int], bank_mib: int = BANK_MIB, nonces_max: int = NONCES_MAX) -> NodeMemory:
    return NodeMemory(bank_mib, nonces_max, kept)


def test_a_start_finds_the_calls_and_the_octets_of_the_one_before(former: NodeMemory) -> None:
    memory = used_again(kept_of(former))
    assert memory.is_former and memory.boot == former.boot
    assert memory.calls_since(90.0) == {1: 1}
    heir = Recorder(memory.recording.fd, memory.recording.bank_len, 0, 0)
    assert heir.take([(1, 1)], ALL) == [b"rings"]
    heir.close()
    memory.close()


def test_calls_that_are_too_old_are_not_continued(former: NodeMemory) -> None:
    memory = used_again(kept_of(former))
    assert memory.calls_since(100.1) == {}
    memory.close()


def test_the_first_start_has_none(former: NodeMemory) -> None:
    assert not former.is_former and former.calls_since(0.0) == {}


def test_each_first_start_has_other_octets(former: NodeMemory) -> None:
    other = used_again({})
    assert other.boot != former.boot
    other.close()


@pytest.mark.parametrize(("bank_mib", "nonces_max"), [(2, NONCES_MAX), (BANK_MIB, 100 * NONCES_MAX)])
def test_memory_of_other_sizes_is_let_go(former: NodeMemory, bank_mib: int, nonces_max: int) -> None:
    memory = used_again(kept_of(former), bank_mib, nonces_max)
    assert not memory.is_former and memory.boot != former.boot
    memory.close()


@pytest.mark.parametrize("missing", [START, CALLS, NONCES])
def test_a_part_alone_is_let_go(former: NodeMemory, missing: str) -> None:
    kept = kept_of(former)
    os.close(kept.pop(missing))
    memory = used_again(kept)
    assert not memory.is_former
    memory.close()


@pytest.mark.parametrize(
    "document", [b"", b"[]", b'{"format": 2, "boot": "00"}', b'{"format": 1, "boot": "00"}', b"\xff"]
)
def test_a_document_that_is_damaged_or_of_another_version_is_let_go(former: NodeMemory, document: bytes) -> None:
    kept = kept_of(former)
    os.ftruncate(kept[START], 0)
    os.pwrite(kept[START], document, 0)
    memory = used_again(kept)
    assert not memory.is_former
    memory.close()


def test_descriptors_that_are_not_ours_are_closed(former: NodeMemory) -> None:
    kept = kept_of(former, other=former.recording.fd)
    memory = used_again(kept)
    assert memory.is_former and not is_open(kept["other"])
    memory.close()


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True
