"""The start of a worker, and what is found out at its end, with real processes."""

from __future__ import annotations

import select
import sys
from pathlib import Path

from appliance.catalogue.counters import COUNTERS
from appliance.ipc.launch import WorkerLaunch
from appliance.storage.flight_recorder import Recorder, Recording
from appliance.supervisor.listening_sockets import ListeningSockets
from appliance.supervisor.worker_launcher import Launcher


def test_what_a_dead_worker_has_counted_is_not_counted_again_for_one_that_counted_nothing(tmp_path: Path) -> None:
    """Its bank is that of its predecessor but one, and it ends before it has emptied it."""
    recording = Recording(1)
    former = Recorder(recording.fd, recording.bank_len, 0, 0)
    former.sign(5.0)
    former.keep([], [7] * len(COUNTERS))
    former.close()
    assert recording.counters_of(0, 0) == [7] * len(COUNTERS)
    launch = WorkerLaunch(-1, (), (), "", str(tmp_path), "00" * 32)
    launcher = Launcher(launch, ListeningSockets([], 1, 1 << 20), recording, lambda _: [sys.executable, "-c", ""])
    process = launcher.start(0, 0, [])
    assert launcher.signed_at(0) == 0.0
    assert select.select([process], [], [], 20.0)[0] and process.ending()
    assert launcher.forget(0) == []
    launcher.close()
    recording.close()
