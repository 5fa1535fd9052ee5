"""The thread that forces files to the disk: what is asked for is forced, and who asks does not wake it each time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.storage.fsync_thread import FsyncThread

PAUSE_S = 30.0


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    with (tmp_path / "file").open("wb") as file:
        yield file.fileno()


def wait_for(fsync_thread: FsyncThread, number: int) -> None:
    deadline = time.monotonic() + 10
    while fsync_thread.completed < number:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def times_asleep(fsync_thread: FsyncThread) -> int:
    assert fsync_thread._thread is not None
    status = Path(f"/proc/self/task/{fsync_thread._thread.native_id}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("voluntary_ctxt_switches"))
    return int(line.split()[1])


def test_what_is_asked_for_is_forced(fd: int) -> None:
    fsync_thread = FsyncThread(0.0)
    for _ in range(100):
        wait_for(fsync_thread, fsync_thread.request(fd))
    fsync_thread.close()


def test_who_asks_during_the_interval_does_not_wake_the_thread(fd: int) -> None:
    fsync_thread = FsyncThread(PAUSE_S)
    wait_for(fsync_thread, fsync_thread.request(fd))
    before = times_asleep(fsync_thread)
    for _ in range(1000):
        last = fsync_thread.request(fd)
        time.sleep(0)
    # One more for the way to its pause, which may just have begun.
    assert times_asleep(fsync_thread) <= before + 2
    assert fsync_thread.completed < last
    fsync_thread.close()


def test_the_end_does_not_wait_for_the_interval(fd: int) -> None:
    fsync_thread = FsyncThread(PAUSE_S)
    wait_for(fsync_thread, fsync_thread.request(fd))
    last = fsync_thread.request(fd)
    begun = time.monotonic()
    fsync_thread.close()
    assert fsync_thread.completed == last
    assert time.monotonic() - begun < PAUSE_S / 2


def test_a_close_that_fails_is_a_fault_and_not_the_end_of_the_thread(fd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """close(2) may tell of what could not be written, too (NFS, FUSE, a quota)."""
    fsync_thread = FsyncThread(0.0)
    close = os.close

    def closed_badly(number: int) -> None:
        close(number)
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr("appliance.storage.fsync_thread.os.close", closed_badly)
        wait_for(fsync_thread, fsync_thread.request(fd))
    assert fsync_thread.fault == "Input/output error"
    wait_for(fsync_thread, fsync_thread.request(fd))
    fsync_thread.close()
