"""Processes that work on a shared registration table, for tests: writers, a holder of the lock, one that is asked."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from struct import Struct
from typing import Any, Final

from appliance.storage.registrations import SharedTable
from tests.location.bindings import WALL, binding, change

LIMIT: Final = 100_000
OWN: Final = 40  # addresses of each writer
SHARED: Final = 10  # addresses that all of them change
STEP: Final = Struct("<q")
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.storage.registration_processes"])


def own_address(writer: int, step: int) -> bytes:
    return b"sip:%d-%d@h" % (writer, step % OWN)


def shared_address(step: int) -> bytes:
    return b"sip:shared-%d@h" % (step % SHARED)


def step_of(noted: Path) -> int:
    """The last step that a writer knows to be committed."""
    octets = noted.read_bytes() if noted.exists() else b""
    return int(STEP.unpack(octets)[0]) if octets else 0


def write(directory: Path, writer: int, noted: Path, sent: Connection) -> None:
    """Change an own and a shared address in each commit, for ever, and note the step in a file once it is committed."""
    table = SharedTable.attach(directory, LIMIT)
    chance = random.Random(writer)
    fd = os.open(noted, os.O_RDWR | os.O_CREAT, 0o600)
    sent.send(os.getpid())
    for step in count(step_of(noted) + 1):
        at = WALL + step
        uri = b"sip:%d@192.0.2.4;x=%b" % (writer, b"x" * chance.randrange(200))
        own = binding(uri, own_address(writer, step), at, cseq=step, series=writer, instance=b"i", reg_id=1)
        shared = binding(b"sip:%d@198.51.100.1" % writer, shared_address(step), at, cseq=step, series=writer)
        table.apply(change(own))
        table.apply(change(shared))
        while not table.commit():
            os.sched_yield()
        os.pwrite(fd, STEP.pack(step), 0)


def hold(directory: Path, sent: Connection) -> None:
    """Begin a write transaction, say so, and stay in it."""
    table = SharedTable.attach(directory, LIMIT)
    assert table._begin()
    sent.send(os.getpid())
    signal.pause()


def read(directory: Path, sent: Connection) -> None:
    """Begin a read transaction, say so, and stay in it."""
    table = SharedTable.attach(directory, LIMIT)
    reading = table.store.environment.begin()
    sent.send(reading.id())
    signal.pause()


def answer(directory: Path, asked: Connection) -> None:
    """Register and look up addresses as told: (address, False) looks up, (address, True) registers."""
    table = SharedTable.attach(directory, LIMIT)
    asked.send(os.getpid())
    while True:
        aor, is_registration = asked.recv()
        if is_registration:
            table.apply(change(binding(aor=aor)))
            assert table.commit()
        asked.send(len(table.find(aor, WALL)))


def start(work: Callable[..., None], *arguments: Any) -> tuple[BaseProcess, Connection]:
    """Begin a process, and wait until it says that it is there."""
    ours, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=work, args=(*arguments, theirs), daemon=True)
    process.start()
    theirs.close()
    assert ours.poll(300)
    ours.recv()
    return process, ours


def kill(process: BaseProcess) -> None:
    process.kill()
    process.join()


@contextmanager
def working(work: Callable[..., None], *arguments: Any) -> Iterator[tuple[BaseProcess, Connection]]:
    process, pipe = start(work, *arguments)
    try:
        yield process, pipe
    finally:
        kill(process)
        pipe.close()
