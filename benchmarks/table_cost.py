"""`python -m benchmarks.table_cost`: processor time of the shared registration table for a change and a look-up, its
memory for a binding; with 1 and 8 processes that write at full speed, 1,000 and 1,000,000 addresses.

A refresh is what a REGISTER does to the table: the entries are read, the change is staged and committed.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from appliance.location.binding import BindingChange, new_binding
from appliance.storage.registrations import SharedTable

MEMORY: Final = Path("/dev/shm")
ADDRESSES: Final = (1_000, 1_000_000)
WRITERS: Final = (1, 8)
ROUNDS: Final = 40_000  # of all writers together
TURN: Final = 8  # changes of one commit, where there are several
PASS: Final = 2_000  # changes from one pass of the persister to the next
RETRY_S: Final = 0.001
WALL: Final = 1_700_000_000
SPREAD: Final = 7919  # a prime: neighbours in time are none in the table
MAKING: Final = 1  # the CSeq of the first record of an address


def change(number: int, cseq: int) -> BindingChange:
    """Registration `cseq` of a phone."""
    at, began = WALL + cseq, WALL * 1_000_000 << 8
    aor, uri = b"sip:user%07d@example.com" % number, b"sip:user%07d@192.0.2.4:5060" % number
    call_id, source = b"%016x@192.0.2.4" % number, ("192.0.2.4", 5060)
    ends = at + 3600.0
    version = (at * 1_000_000 << 8) + cseq
    binding = new_binding(
        aor, uri, uri, b"", 1000, ends, ends, call_id, cseq, (), b"", 0, None, source, b"Phone/1.0", began, version
    )
    return BindingChange(aor, (binding,))


def commit(table: SharedTable) -> None:
    """Write what is staged, waiting like a worker where another writes."""
    while not table.commit():
        time.sleep(RETRY_S)


def registered(table: SharedTable, changes: Sequence[BindingChange], turn: int) -> float:
    """Process these registrations, `turn` of them a commit; returns the processor time of each, in microseconds."""
    began = time.process_time()
    for index, each in enumerate(changes, 1):
        table.entries(each.aor)
        table.apply(each)
        if index % turn == 0:
            commit(table)
    commit(table)
    return (time.process_time() - began) / len(changes) * 1e6


def filled(table: SharedTable, count: int) -> float:
    """Register so many new phones, with a persister that follows; returns the processor time of each."""
    cost = 0.0
    for first in range(0, count, PASS):
        numbers = range(first, min(first + PASS, count))
        changes = [change(number * SPREAD % count, MAKING) for number in numbers]
        cost += registered(table, changes, 1) * len(changes)
        table.after_pass(table.last_seq, WALL, 0)
    return cost / count


def found(table: SharedTable, aors: Sequence[bytes]) -> float:
    """Look these addresses up; returns the processor time of each, in microseconds."""
    began = time.process_time()
    for aor in aors:
        table.find(aor, WALL)
    return (time.process_time() - began) / len(aors) * 1e6


def write(directory: Path, count: int, writer: int, writers: int, done: Connection) -> None:
    """One of the writers: refreshes and look-ups, begun when it is told; the costs are sent."""
    table = SharedTable.attach(directory, 2 * count)
    rounds, begun = ROUNDS // writers, 3 * ROUNDS * writers
    numbers = [(number * writers + writer) * SPREAD % count for number in range(rounds)]
    # Later than what came before, by this writer, another one, or a run with fewer of them.
    once = [change(number, begun + step * writers + writer) for step, number in enumerate(numbers)]
    again = [change(number, begun + (rounds + step) * writers + writer) for step, number in enumerate(numbers)]
    done.send(0.0)
    done.recv()
    refresh = registered(table, once, 1)
    turn = registered(table, again, TURN)
    done.send((refresh, turn, found(table, [each.aor for each in once])))
    table.close()


def costs(directory: Path, count: int, writers: int) -> list[float]:
    """Of a refresh alone in its commit, one of several in it, and a look-up: means over all writers."""
    context = multiprocessing.get_context("spawn")
    pipes = []
    for writer in range(writers):
        ours, theirs = context.Pipe()
        context.Process(target=write, args=(directory, count, writer, writers, theirs), daemon=True).start()
        pipes.append(ours)
    for pipe in pipes:
        pipe.recv()
    for pipe in pipes:
        pipe.send(None)
    each = [pipe.recv() for pipe in pipes]
    return [sum(figures) / writers for figures in zip(*each, strict=True)]


def rows(count: int) -> Iterator[str]:
    """The lines of the table for so many addresses."""
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="signalbox-cost-") as folder:
        table = SharedTable.create(Path(folder), 2 * count, 1)
        new = filled(table, count)
        octets = table.store.used() / count, table.store.size / count
        for writers in WRITERS:
            refresh, turn, look = costs(Path(folder), count, writers)
            yield f"{count:9,} {writers:7} {refresh:8.1f} {turn:11.1f} {look:6.1f}"
        yield f"{count:9,} addresses: new {new:.1f} us; {octets[0]:.0f} octets a binding, {octets[1]:.0f} allocated"
        table.close()


def main() -> int:
    """Print the table."""
    print("Processor time, us:\naddresses writers  refresh  8 a commit   find", flush=True)
    for count in ADDRESSES:
        for row in rows(count):
            print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
