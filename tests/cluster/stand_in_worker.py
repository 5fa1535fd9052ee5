"""A worker without SIP for tests of the supervisor: speaks the bus, and misbehaves when a file tells it to.

The files are in the state folder; N is the number of the worker:

crash-N       end with status 3 at once        never-ready-N   never get in sync
deaf-N        ignore Stop and SIGTERM          busy-N          say that transactions are left
"""

from __future__ import annotations

import select
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from appliance import clock
from appliance.bus import SUPERVISOR, Bus
from appliance.launch import WorkerLaunch
from appliance.state.messages import Heartbeat, SlotsChanged, Stop

HEARTBEAT_S = 0.03


def serve(launch: WorkerLaunch) -> int:
    state_dir = Path(launch.state_dir)

    def is_told_to(misbehave: str) -> bool:
        return (state_dir / f"{misbehave}-{launch.number}").exists()

    if is_told_to("crash"):
        return 3
    bus = Bus(state_dir / "run", launch.number)
    gauges = {"transactions": 0, "registrations": 7}
    turn = 0
    while True:
        turn += 1
        gauges["transactions"] = 4 if is_told_to("busy") else 0
        counters = [turn, launch.number]
        bus.send(SUPERVISOR, [Heartbeat(launch.number, counters, gauges, turn, not is_told_to("never-ready"))])
        next_beat = clock.monotonic() + HEARTBEAT_S
        while (left := next_beat - clock.monotonic()) > 0:
            select.select([bus], [], [], left)
            for _, message in bus.receive():
                if isinstance(message, SlotsChanged):
                    gauges["epoch"] = message.table.epoch
                    gauges["live"] = len(message.live)
                    gauges["own slots"] = message.table.count_of(launch.number)
                elif isinstance(message, Stop) and not is_told_to("deaf"):
                    bus.close()
                    return 0


if __name__ == "__main__":
    started_with = WorkerLaunch.from_stdin(sys.stdin.buffer)
    if (Path(started_with.state_dir) / f"deaf-{started_with.number}").exists():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(serve(started_with))
