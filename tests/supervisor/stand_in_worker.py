"""A worker without SIP for tests of the supervisor: speaks the bus, and misbehaves when a file tells it to.

The files are in the state folder; N is the number of the worker:

crash-N       end with status 3 at once        never-ready-N   never send a heartbeat
deaf-N        ignore Stop and SIGTERM          busy-N          say that transactions are left
refuse-N      refuse a new configuration       die-N           die while it is prepared
silent-N      never say that it is prepared    stuck-N         never take it in force
slow-N        say that it is prepared when the file has gone
late-N        start, and do nothing until the file has gone
clings-N      refuse it, and never say that its sockets are closed
mute-N        give signs of life, and no heartbeats
holds-N       begin to write to the registration table, and never end
finds-N       say once that the table is unsound

The gauge `config` is the checksum of the configuration that it goes by, `table` that of the table's directory.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
from pathlib import Path
from zlib import crc32

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from appliance import clock
from appliance.ipc.bus import Bus
from appliance.ipc.launch import WorkerLaunch
from appliance.ipc.launch_document import receive_document
from appliance.messages.bus_messages import (
    Abandon,
    Abandoned,
    Heartbeat,
    Prepared,
    SlotsChanged,
    Stop,
    TakeEffect,
    TookEffect,
)
from appliance.messages.table_messages import TableReplaced, TableUnsound
from appliance.storage.flight_recorder import Recorder
from appliance.storage.registrations import SharedTable
from appliance.transport.process_id import supervisor_of

HEARTBEAT_S = 0.03


def hold_lock(directory: str) -> None:
    table = SharedTable.attach(Path(directory), 1000)
    with table.store.environment.begin(write=True):
        threading.Event().wait()


def serve(launch: WorkerLaunch) -> int:
    state_dir = Path(launch.state_dir)

    def is_told_to(misbehave: str) -> bool:
        return (state_dir / f"{misbehave}-{launch.number}").exists()

    if is_told_to("crash"):
        return 3
    while is_told_to("late"):
        threading.Event().wait(0.01)
    bus = Bus(state_dir / "run", launch.process)
    supervisor = supervisor_of(launch.process)
    gauges = {"transactions": 0, "registrations": 7, "config": crc32(launch.config_text.encode())}
    gauges["table"] = crc32(launch.table_dir.encode())
    door = socket.socket(fileno=launch.door_fd)
    recorder = Recorder(launch.recording_fd, launch.bank_len, launch.number, launch.bank)
    prepared: dict[int, str] = {}
    held: list[int] = []
    to_say: list[Prepared] = []

    def prepare() -> None:
        document, fds = receive_document(door)
        if is_told_to("die"):
            sys.exit(4)
        fault = "it does not want to" if is_told_to("refuse") or is_told_to("clings") else ""
        prepared[document["revision"]] = document["config_text"]
        gauges["sockets"] = gauges.get("sockets", 0) + len(fds)
        held[:] = fds
        if not is_told_to("silent"):
            to_say.append(Prepared(document["revision"], fault))

    turn = 0
    while True:
        turn += 1
        if is_told_to("holds"):
            (state_dir / f"holds-{launch.number}").unlink()
            threading.Thread(target=hold_lock, args=[launch.table_dir], daemon=True).start()
        if is_told_to("finds"):
            (state_dir / f"finds-{launch.number}").unlink()
            bus.send(supervisor, [TableUnsound(launch.table_dir, "a page is missing")])
        gauges["transactions"] = 4 if is_told_to("busy") else 0
        counters = [turn, launch.number]
        recorder.sign(clock.monotonic())
        if not is_told_to("mute") and not is_told_to("never-ready"):
            bus.send(supervisor, [Heartbeat(launch.number, counters, gauges, turn)])
        next_beat = clock.monotonic() + HEARTBEAT_S
        while (left := next_beat - clock.monotonic()) > 0:
            readable, _, _ = select.select([bus, door], [], [], left)
            if door in readable:
                prepare()
            if to_say and not is_told_to("slow") and bus.send(supervisor, to_say):
                to_say.clear()
            for _, message in bus.receive():
                if isinstance(message, SlotsChanged):
                    gauges["epoch"] = message.table.epoch
                    gauges["live"] = len(message.live)
                    gauges["own slots"] = message.table.count_of(launch.process)
                elif isinstance(message, TakeEffect) and not is_told_to("stuck"):
                    gauges["config"] = crc32(prepared[message.revision].encode())
                    bus.send(supervisor, [TookEffect(message.revision)])
                elif isinstance(message, Abandon) and not is_told_to("clings"):
                    for fd in held:
                        os.close(fd)
                    held.clear()
                    bus.send(supervisor, [Abandoned(message.revision)])
                elif isinstance(message, TableReplaced):
                    gauges["table"] = crc32(message.directory.encode())
                elif isinstance(message, Stop) and not is_told_to("deaf"):
                    bus.close()
                    return 0


if __name__ == "__main__":
    started_with = WorkerLaunch.from_stdin(sys.stdin.buffer)
    if (Path(started_with.state_dir) / f"deaf-{started_with.number}").exists():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(serve(started_with))
