"""The call log: what a worker writes, the replicator reads once, in order, whatever ends in between (design 4)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from appliance.messages.call_copies import CallCopy
from appliance.storage.call_log import LOOKS, CallLog, CallLogReader, CallLogWriter


@pytest.fixture
def log() -> Iterator[CallLog]:
    made = CallLog(1)
    yield made
    made.close()


def writer(log: CallLog, worker: int = 0) -> CallLogWriter:
    return CallLogWriter(log.fd, log.ring_len, worker)


def reader(log: CallLog) -> CallLogReader:
    return CallLogReader(log.fd, log.ring_len)


def copy(number: int, size: int = 1000) -> CallCopy:
    return b"key %d" % number, b"call %d" % number, 1, (b"%d " % number).ljust(size, b".")


def test_what_is_written_is_read_once(log: CallLog) -> None:
    one, other, reading = writer(log, 0), writer(log, 1), reader(log)
    one.write([copy(1), copy(2)])
    other.write([copy(3)])
    assert reading.read() == [copy(1), copy(2), copy(3)]
    assert reading.read() == []
    one.write([copy(4, 0)])
    assert reading.read() == [copy(4, 0)]


def test_a_worker_that_starts_later_is_read_as_well(log: CallLog) -> None:
    reading = reader(log)
    assert reading.read() == []
    writer(log, 5).write([copy(1)])
    assert [read for _ in range(LOOKS) for read in reading.read()] == [copy(1)]


def test_records_cross_the_end_of_the_ring(log: CallLog) -> None:
    writing, reading = writer(log), reader(log)
    for number in range(3000):
        writing.write([copy(number, 1001)])
        assert reading.read() == [copy(number, 1001)]
    assert reading.missed == 0


def test_a_reader_that_is_overtaken_says_what_it_has_missed(log: CallLog) -> None:
    writing, reading = writer(log), reader(log)
    writing.write([copy(0)])
    assert reading.read() == [copy(0)]
    written = sum(writing.write([copy(number)]) - before for number, before in written_before(writing, 1200))
    assert reading.read() == []
    assert reading.missed == written
    writing.write([copy(1)])
    assert reading.read() == [copy(1)]


def written_before(writing: CallLogWriter, count: int) -> Iterator[tuple[int, int]]:
    for number in range(count):
        yield number, writing.write([])


def test_a_worker_goes_on_where_its_predecessor_ended(log: CallLog) -> None:
    reading = reader(log)
    writer(log).write([copy(1)])
    writer(log).write([copy(2)])
    assert reading.read() == [copy(1), copy(2)]


@pytest.mark.parametrize("count", [0, 1, 300, 700, 5000])
def test_a_new_replicator_reads_what_is_still_there(log: CallLog, count: int) -> None:
    """From the beginning of a record, and at least a quarter of the ring."""
    writing = writer(log)
    for number in range(count):
        writing.write([copy(number)])
    reading = reader(log)
    read = reading.read()
    assert reading.missed == 0
    assert read == [copy(number) for number in range(count - len(read), count)]
    assert len(read) >= min(count, 250)


def test_a_copy_that_is_too_long_is_refused_and_costs_no_other(log: CallLog) -> None:
    writing, reading = writer(log), reader(log)
    writing.write([copy(1), copy(2, 1_000_000), copy(3)])
    assert writing.refused == 1
    assert reading.read() == [copy(1), copy(3)]


DYING_WRITER = """
import sys
from appliance.storage.call_log import CallLogWriter
writing = CallLogWriter(int(sys.argv[1]), int(sys.argv[2]), 0)
number = 0
print("begun", flush=True)
while True:
    writing.write([(b"key %d" % (number + part), b"call", 1, b"s" * 3000) for part in range(8)])
    number += 8
"""


def test_of_a_writer_that_is_killed_there_are_whole_turns(log: CallLog) -> None:
    """Whenever it dies: each read has whole records, and what it ends with is the end of a turn."""
    for _ in range(5):
        process = subprocess.Popen(
            [sys.executable, "-c", DYING_WRITER, str(log.fd), str(log.ring_len)],
            pass_fds=(log.fd,),
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        while not (read := reader(log).read()):
            continue
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        read = reader(log).read()
        assert int(read[-1][0].split()[1]) % 8 == 7
        process.stdout.close()
