"""`python -m benchmarks.restart_cost [BINDINGS]`: how long a phone that calls waits when a worker was killed, when all
processes were, and when the node was stopped in order; from the kill or the start to the first INVITE at the callee.

After a kill of all processes the table in memory is gone, and the persister reads it back from disk.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from appliance.storage.table_folder import folder_path
from benchmarks.machine import come_first, share_processors
from benchmarks.phones import register_phones
from benchmarks.processes import LOOPBACK, BenchmarkFailed, process_tree, running
from benchmarks.servers import Job, Signalbox
from benchmarks.user_agents import Caller

BINDINGS: Final = 1_000_000
RESEND_S: Final = 0.01
PATIENCE_S: Final = 120.0
SETTLE_S: Final = 2.0  # some passes of the persister
ROUNDS: Final = 3


class Phones:
    """A caller and a callee by UDP."""

    def __init__(self, bindings: int) -> None:
        self._caller, self._callee = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for end in (self._caller, self._callee):
            end.bind((LOOPBACK, 0))
            end.setblocking(False)
        self.contact_port = int(self._callee.getsockname()[1])
        self._requests = Caller(self._caller.getsockname()[1], bindings, f"r{os.getpid()}")
        self._number = 0

    def wait_for_call(self, port: int) -> None:
        """Call user after user until a call arrives. Raises BenchmarkFailed."""
        self._drop_waiting()
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            self._number += 1
            with suppress(OSError):
                self._caller.sendto(self._requests.request(self._number)[1], (LOOPBACK, port))
            if select.select([self._callee], [], [], RESEND_S)[0]:
                return
        raise BenchmarkFailed(f"no call arrived within {PATIENCE_S:g} s")

    def _drop_waiting(self) -> None:
        for end in (self._caller, self._callee):
            with suppress(OSError):
                while True:
                    end.recv(65535)


def after_worker(server: Signalbox, phones: Phones) -> float:
    """Seconds from the death of the only worker to the first call."""
    (worker,) = server.status()["workers"]
    began = time.monotonic()
    os.kill(worker["pid"], signal.SIGKILL)
    phones.wait_for_call(server.port)
    return time.monotonic() - began


def after_all(server: Signalbox, phones: Phones) -> float:
    """Seconds from the start of a node whose processes were all killed, and its memory lost, to the first call."""
    for pid in process_tree(server.process.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    server.end()
    shutil.rmtree(folder_path(server.state_folder))
    return _after_start(server, phones)


def after_stop(server: Signalbox, phones: Phones) -> float:
    """Seconds from the start of a node that was stopped in order to the first call."""
    server.end()
    return _after_start(server, phones)


def _after_start(server: Signalbox, phones: Phones) -> float:
    began = time.monotonic()
    server.start_again()
    phones.wait_for_call(server.port)
    return time.monotonic() - began


MEASURES: Final = (("a worker's death", after_worker), ("a stop", after_stop), ("a loss of memory", after_all))


def main(argv: list[str]) -> int:
    """Print the table."""
    bindings = int(argv[0]) if argv else BINDINGS
    cpus = share_processors()
    come_first(cpus.load)
    phones = Phones(bindings)
    with tempfile.TemporaryDirectory(prefix="signalbox-bench-") as folder, running(Path(folder)) as processes:
        server = Signalbox(processes, cpus.server, 1, Job(bindings=bindings))
        register_phones(server.port, phones.contact_port, bindings)
        print(f"{bindings:,} bindings: seconds to the first call after", flush=True)
        for what, measure in MEASURES:
            times = []
            for _ in range(ROUNDS):
                time.sleep(SETTLE_S)
                times.append(measure(server, phones))
            print(f"{what:20}" + "".join(f"{each:8.2f}" for each in times), flush=True)
        server.end()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
