"""The flight recorder: what is in it survives its writer, whole, and is given out once (design 4)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from appliance.catalogue.counters import CALLS_STARTED, COUNTERS
from appliance.storage.flight_recorder import Recorder, Recording

ALL = frozenset(range(256))
NONE = [0] * len(COUNTERS)


@pytest.fixture
def recording() -> Iterator[Recording]:
    made = Recording(1)
    yield made
    made.close()


def recorder(recording: Recording, worker: int = 0, bank: int = 0) -> Recorder:
    return Recorder(recording.fd, recording.bank_len, worker, bank)


def test_what_one_wrote_another_takes_once(recording: Recording) -> None:
    dead, heir = recorder(recording, 1), recorder(recording, 0)
    assert dead.keep([(b"a", 3, b"alpha"), (b"b", 200, b"beta")], NONE) == 0
    assert sorted(heir.take([(1, 0)], ALL)) == [b"alpha", b"beta"]
    assert heir.take([(1, 0)], ALL) == []


def test_each_heir_takes_the_calls_of_its_slots(recording: Recording) -> None:
    dead, one, other = recorder(recording, 2), recorder(recording, 0), recorder(recording, 1)
    dead.keep([(b"%d" % slot, slot, b"call %d" % slot) for slot in range(256)], NONE)
    assert one.take([(2, 0)], frozenset(range(128))) == [b"call %d" % slot for slot in range(128)]
    assert other.take([(2, 0)], frozenset(range(128, 256))) == [b"call %d" % slot for slot in range(128, 256)]


def test_the_last_snapshot_of_a_call_counts(recording: Recording) -> None:
    dead = recorder(recording, 1)
    dead.keep([(b"a", 3, b"rings")], NONE)
    dead.keep([(b"a", 3, b"is refused" * 200)], NONE)
    assert recorder(recording).take([(1, 0)], ALL) == [b"is refused" * 200]


def test_a_call_that_is_over_has_no_recording(recording: Recording) -> None:
    dead = recorder(recording, 1)
    dead.keep([(b"a", 3, b"rings"), (b"b", 4, b"rings too")], NONE)
    dead.keep([(b"a", 3, b""), (b"never kept", 5, b"")], NONE)
    assert len(dead) == 1
    assert recorder(recording).take([(1, 0)], ALL) == [b"rings too"]


def test_memory_is_used_again(recording: Recording) -> None:
    """1 MiB holds some hundred calls at a time, and as many one after the other as there are."""
    writer = recorder(recording)
    for number in range(20_000):
        assert writer.keep([(b"%d" % number, 0, bytes(100 + number % 3000))], NONE) == 0
        writer.keep([(b"%d" % number, 0, b"")], NONE)


def test_a_full_bank_refuses_and_keeps_what_it_has(recording: Recording) -> None:
    writer = recorder(recording, 1)
    refused = writer.keep([(b"%d" % number, 0, bytes(1000)) for number in range(2000)], NONE)
    assert 900 < refused < 1100
    # A call that has no room for its new snapshot keeps the old one.
    assert writer.keep([(b"0", 0, bytes(5000))], NONE) == 1
    taken = recorder(recording).take([(1, 0)], ALL)
    assert taken == [bytes(1000)] * (2000 - refused)


def test_a_bank_that_was_full_takes_snapshots_of_other_sizes_when_it_is_empty(recording: Recording) -> None:
    writer = recorder(recording)
    large = [(b"l%d" % n, 0, b"l" * 3000) for n in range(500)]
    small = [(b"s%d" % n, 0, b"s" * 300) for n in range(2500)]
    for filling, others in ((small, large), (large, small), (small, large)):
        assert writer.keep(filling, NONE) > 0
        writer.keep([(key, slot, b"") for key, slot, _ in filling], NONE)
        assert writer.keep(others[:200], NONE) == 0
        writer.keep([(key, slot, b"") for key, slot, _ in others[:200]], NONE)
    writer.keep(large[:3], NONE)
    assert recorder(recording, 1).take([(0, 0)], ALL) == [b"l" * 3000] * 3


def test_a_small_snapshot_finds_room_in_a_large_cell(recording: Recording) -> None:
    writer = recorder(recording)
    writer.keep([(b"%d" % n, 0, b"l" * 3000) for n in range(500)], NONE)
    writer.keep([(b"1", 0, b""), (b"2", 0, b"")], NONE)
    assert writer.keep([(b"small", 0, b"s")], NONE) == 0
    assert b"s" in recorder(recording, 1).take([(0, 0)], ALL)


def test_a_successor_writes_to_the_other_bank(recording: Recording) -> None:
    recorder(recording, 1, bank=0).keep([(b"a", 3, b"of the first")], NONE)
    successor = recorder(recording, 1, bank=1)
    successor.keep([(b"b", 3, b"of the second")], NONE)
    assert successor.take([(1, 0)], ALL) == [b"of the first"]
    assert recorder(recording).take([(1, 1)], ALL) == [b"of the second"]
    recorder(recording, 1, bank=1)
    assert recorder(recording).take([(1, 1)], ALL) == []


def test_counters_are_those_of_the_last_snapshot(recording: Recording) -> None:
    assert recording.counters_of(1, 0) == []
    counters = NONE.copy()
    counters[CALLS_STARTED] = 7
    recorder(recording, 1).keep([(b"a", 3, b"rings")], counters)
    assert recording.counters_of(1, 0) == counters


def test_a_sign_of_life_is_seen_at_once_and_ends_with_its_bank(recording: Recording) -> None:
    assert recording.signed_at(1, 0) == 0.0
    writer = recorder(recording, 1)
    writer.sign(12.25)
    assert (recording.signed_at(1, 0), recording.signed_at(1, 1)) == (12.25, 0.0)
    writer.sign(12.5)
    assert recording.signed_at(1, 0) == 12.5
    recorder(recording, 1)
    assert recording.signed_at(1, 0) == 0.0


def test_a_killed_process_leaves_whole_snapshots(recording: Recording) -> None:
    """SIGKILL while it writes as fast as it can: whatever is taken was written to its end."""
    program = (
        "import sys; from appliance.storage.flight_recorder import Recorder\n"
        "from appliance.catalogue.counters import COUNTERS\n"
        "writer = Recorder(int(sys.argv[1]), 1 << 20, 1, 0); none = [0] * len(COUNTERS)\n"
        "for number in range(10_000_000):\n"
        "    writer.keep([(b'%d' % (number % 50), number % 256, b'%d,' % (number % 10) * 900)], none)\n"
        "    if number == 1000: print('going', flush=True)\n"
    )
    argv = [sys.executable, "-c", program, str(recording.fd)]
    with subprocess.Popen(argv, pass_fds=(recording.fd,), stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == b"going\n"
        os.kill(writer.pid, signal.SIGKILL)
    taken = recorder(recording).take([(1, 0)], ALL)
    assert len(taken) >= 49
    assert all(snapshot == snapshot[:2] * 900 for snapshot in taken)


def test_a_killed_process_leaves_whole_turns(recording: Recording) -> None:
    """What was counted and what is recorded agree: no event is lost or counted twice (design 4)."""
    program = (
        "import sys; from appliance.storage.flight_recorder import Recorder\n"
        "from appliance.catalogue.counters import COUNTERS\n"
        "writer = Recorder(int(sys.argv[1]), 1 << 20, 1, 0)\n"
        "for number in range(10_000_000):\n"
        "    names = [b'%d' % (number % 7 + k) for k in range(40)]\n"
        "    writer.keep([(name, 1, b'%d' % number) for name in names], [number] * len(COUNTERS))\n"
        "    writer.keep([(name, 1, b'') for name in names[::2]], [number] * len(COUNTERS))\n"
        "    if number == 100: print('going', flush=True)\n"
    )
    argv = [sys.executable, "-c", program, str(recording.fd)]
    for _ in range(10):
        with subprocess.Popen(argv, pass_fds=(recording.fd,), stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None and writer.stdout.readline() == b"going\n"
            os.kill(writer.pid, signal.SIGKILL)
        (counted,) = set(recording.counters_of(1, 0))
        taken = [int(snapshot) for snapshot in recorder(recording).take([(1, 0)], ALL)]
        assert max(taken) == counted
        assert taken.count(counted) in (40, 20)
