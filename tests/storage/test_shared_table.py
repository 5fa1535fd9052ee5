"""The registration table in shared memory when something is wrong: a process that was stopped in it, no room, readers
that were killed, octets that changed (cluster notes 5).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from appliance.location.table_store import TableUnsound
from appliance.storage.lmdb_environment import WriteLock
from appliance.storage.registration_check import faults_of
from appliance.storage.registrations import SharedTable
from appliance.storage.shared_store import MIB, SharedStore, StoreUnusable
from tests.location.bindings import BOB, WALL, binding, change, uris
from tests.storage.registration_processes import LIMIT, answer, hold, read, working

SOON_S = 60.0
ALICE = b"sip:alice@atlanta.example.com"


def fill(table: SharedTable) -> int:
    """Register new addresses until one is refused; returns how many there is room for."""
    number = 0
    while True:
        changed = table.apply(change(binding(aor=b"sip:%d@h" % number, uri=b"sip:%d@192.0.2.4" % number)))
        assert table.commit()
        if table.is_refused(changed):
            return number
        number += 1


def committed_soon(table: SharedTable) -> bool:
    until = time.monotonic() + SOON_S
    while time.monotonic() < until:
        if table.commit():
            return True
    return False


# -- a process that was stopped while it held the lock


def test_a_stopped_holder_delays_no_process_and_is_known_by_its_thread(tmp_path: Path) -> None:
    table = SharedTable.create(tmp_path, LIMIT, 1)
    table.apply(change(binding()))
    assert table.commit()
    lock = WriteLock(tmp_path)
    with working(hold, tmp_path) as (holder, _):
        assert holder.pid is not None
        os.kill(holder.pid, signal.SIGSTOP)
        number = table.apply(change(binding(aor=ALICE)))
        begun = time.monotonic()
        assert not table.commit()
        assert time.monotonic() - begun < 2.0
        assert table.committed() < number
        assert uris(table.find(BOB, WALL)) == [b"sip:bob@192.0.2.4"]
        assert uris(table.find(ALICE, WALL)) == [b"sip:bob@192.0.2.4"]
        assert lock.holder() == holder.pid
        os.kill(holder.pid, signal.SIGKILL)
        assert committed_soon(table)
    assert lock.holder() == 0
    assert table.committed() == number
    assert faults_of(table) == []
    lock.close()
    table.close()


def test_a_table_is_not_opened_behind_a_holder_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SharedTable.create(tmp_path, LIMIT, 1).close()
    monkeypatch.setattr("appliance.storage.shared_store.OPENING_MAX_S", 0.05)
    with working(hold, tmp_path) as (holder, _), pytest.raises(
        StoreUnusable, match=f"thread {holder.pid} holds"
    ) as refused:
        SharedTable.attach(tmp_path, LIMIT)
    # What could not be opened is not left open: LMDB opens an environment once in a process.
    assert refused.value
    SharedTable.attach(tmp_path, LIMIT).close()


# -- no room


def test_a_full_file_refuses_what_is_new_and_goes_on_with_the_rest(tmp_path: Path) -> None:
    table = SharedTable.create(tmp_path, LIMIT, 1, size=MIB)
    table.size_max = MIB
    count = fill(table)
    assert len(table) == count > 1000
    refreshed = binding(b"sip:0@192.0.2.4", b"sip:0@h", WALL + 1, cseq=2, series=table.entries(b"sip:0@h")[0].series)
    table.apply(change(refreshed))
    assert table.commit()
    assert table.find(b"sip:0@h", WALL)[0].cseq in (1, 2)
    assert table.expire(WALL + 3602, LIMIT) == count
    assert len(table) == 0
    table.apply(change(binding(at=WALL + 4000)))
    assert table.commit()
    assert len(table) == 1
    assert faults_of(table) == []
    table.close()


def test_the_file_grows_live_when_the_limit_is_raised_and_other_processes_follow(tmp_path: Path) -> None:
    table = SharedTable.create(tmp_path, LIMIT, 1, size=MIB)
    with working(answer, tmp_path) as (_, reader), working(answer, tmp_path) as (_, writer):
        table.size_max = MIB
        fill(table)
        table.size_max = 0
        for number in range(20_000):
            table.apply(change(binding(aor=b"sip:more-%d@h" % number)))
            assert number % 4000 or table.commit()
        assert table.commit()
        assert table.store.size > 4 * MIB
        reader.send((b"sip:more-19999@h", False))
        writer.send((ALICE, True))
        assert reader.poll(SOON_S) and reader.recv() == 1
        assert writer.poll(SOON_S) and writer.recv() == 1
    assert len(table.find(ALICE, WALL)) == 1
    assert faults_of(table) == []
    table.close()


def test_the_file_grows_before_it_is_full(tmp_path: Path) -> None:
    table = SharedTable.create(tmp_path, LIMIT, 1, size=MIB)
    while table.store.used() < 0.8 * table.store.size:
        table.apply(change(binding(aor=b"sip:%d@h" % table.last_seq)))
        assert table.commit()
    assert table.store.size == MIB
    assert table.after_pass(0, WALL, 1) == 0
    assert table.store.size > MIB
    table.close()


FULL_DISK = """
import sys
from pathlib import Path
from appliance.storage.registration_check import faults_of
from appliance.storage.registrations import SharedTable
from appliance.storage.shared_store import MIB
from tests.location.bindings import WALL
from tests.storage.test_shared_table import fill
table = SharedTable.create(Path(sys.argv[1]) / "table", 100_000, 1, size=MIB)
count = fill(table)
assert count > 1000 and len(table) == count
assert table.expire(WALL + 3602, 100_000) == count
assert faults_of(table) == []
print("refused after", count)
"""


def in_small_memory(directory: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run Python code with a file system of 4 MiB in `directory`."""
    mounted = 'mount -t tmpfs -o size=4m tmpfs "$0" && exec "$@"'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mounted, str(directory)]
    return subprocess.run(
        [*command, sys.executable, "-c", script, str(directory)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_full_file_system_refuses_and_kills_no_process(tmp_path: Path) -> None:
    if in_small_memory(tmp_path, "").returncode != 0:
        pytest.skip("this user may not mount a file system of its own")
    done = in_small_memory(tmp_path, FULL_DISK)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("refused after")


def test_no_memory_for_a_new_table_is_said_plainly(tmp_path: Path) -> None:
    if in_small_memory(tmp_path, "").returncode != 0:
        pytest.skip("this user may not mount a file system of its own")
    script = FULL_DISK.replace("size=MIB", "size=8 * MIB")
    done = in_small_memory(tmp_path, script)
    assert "cannot be opened: [Errno 28] No space left on device" in done.stderr


# -- readers, and what is damaged


def test_readers_that_were_killed_are_let_go(tmp_path: Path) -> None:
    table = SharedTable.create(tmp_path, LIMIT, 1)
    with working(read, tmp_path) as (reader, _):
        assert reader.pid is not None
        os.kill(reader.pid, signal.SIGKILL)
        reader.join()
    assert table.reader_check() == 1
    assert table.reader_check() == 0
    table.close()


def changed_octets(directory: Path, old: bytes, new: bytes) -> None:
    path = directory / "data.mdb"
    octets = path.read_bytes()
    assert old in octets and len(old) == len(new)
    path.write_bytes(octets.replace(old, new))


def made(directory: Path, count: int = 1) -> None:
    table = SharedTable.create(directory, LIMIT, 1)
    for number in range(count):
        table.apply(change(binding(aor=BOB + b"%d" % number)))
    assert table.commit()
    table.close()


def test_a_record_that_cannot_be_read_is_found_and_raises(tmp_path: Path) -> None:
    made(tmp_path)
    changed_octets(tmp_path, b"\x02\x1b\x00\x01\x00", b"\x07\x1b\x00\x01\x00")
    table = SharedTable.attach(tmp_path, LIMIT)
    assert any("cannot be read" in fault for fault in faults_of(table))
    for look in (lambda: table.find(BOB + b"0", WALL), lambda: table.expire(WALL + 3601, 10)):
        with pytest.raises(TableUnsound):
            look()
    table.close()


def test_what_does_not_fit_together_is_found(tmp_path: Path) -> None:
    made(tmp_path, 3)
    table = SharedTable.attach(tmp_path, LIMIT)
    store: SharedStore = table.store
    with store.environment.begin(write=True) as transaction:
        transaction.delete(BOB + b"0", db=store.registrations)
        transaction.delete(b"\x00" * 7 + b"\x02", db=store.changes)
    faults = faults_of(table)
    assert "2 addresses have 3 entries in the expiry index" in faults
    assert "2 bindings and 0 tombstones are counted as 3 and 0" in faults
    assert "change 3 comes after 1 in the log" in faults
    table.close()


def test_a_file_that_is_none_of_ours_is_not_opened(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "data.mdb").write_bytes(bytes(MIB))
    with pytest.raises(StoreUnusable, match="cannot be opened"):
        SharedTable.attach(tmp_path, LIMIT)
    with pytest.raises(StoreUnusable, match="cannot be opened"):
        SharedTable.attach(tmp_path / "nothing", LIMIT)


def test_a_table_is_not_made_where_there_is_one(tmp_path: Path) -> None:
    made(tmp_path)
    with pytest.raises(StoreUnusable, match="there is one already"):
        SharedTable.create(tmp_path, LIMIT, 2)
    table = SharedTable.attach(tmp_path, LIMIT)
    assert len(table) == 1
    table.close()


def test_a_table_outlives_the_processes_that_used_it(tmp_path: Path) -> None:
    table = SharedTable.create(tmp_path, LIMIT, 7)
    table.apply(change(binding()))
    assert table.commit()
    table.close()
    again = SharedTable.attach(tmp_path, LIMIT)
    assert again.generation == 7
    assert uris(again.find(BOB, WALL)) == [b"sip:bob@192.0.2.4"]
    again.close()
