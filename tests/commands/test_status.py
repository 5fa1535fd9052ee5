"""`signalbox status`: the question over the bus, and JSON. tests/cli/test_node_status.py has the drawing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance.catalogue.node_status import NodeStatus, SlotRange, SupervisorStatus, WorkerStatus, read_status
from appliance.commands.status import ask_status, write_json
from appliance.ipc.bus import ControlEndpoint
from appliance.management.errors import CommandFailed
from appliance.messages.bus_messages import BusReply, Refusal
from appliance.messages.supervisor_requests import StatusReply, StatusRequest

STATUS = NodeStatus(
    "box",
    supervisor=SupervisorStatus(100, 93784.2, "Worker 0 accepts calls."),
    workers=[WorkerStatus(0, 101, "live", gauges={"nonces": 3})],
    slots=[SlotRange(0, 255, 0)],
    counters={"requests-received": 12345},
    alarms=["Worker 1 failed 3 times in a row."],
)


def test_json_is_the_whole_status() -> None:
    values = json.loads(write_json(STATUS))
    assert values["workers"][0]["gauges"] == {"nonces": 3}
    assert values["slots"] == [{"first": 0, "last": 255, "worker": 0}]
    assert read_status(values) == STATUS


@contextmanager
def supervisor(runtime_dir: Path, reply: BusReply) -> Iterator[list[object]]:
    """A supervisor that answers at the control endpoint; yields the questions that came."""
    runtime_dir.mkdir()
    asked: list[object] = []
    ready, done = threading.Event(), threading.Event()

    def answer() -> None:
        door = ControlEndpoint(runtime_dir)
        ready.set()
        while not done.wait(0.01):
            for asker, question in door.receive():
                asked.append(question)
                door.reply(asker, reply)
        door.close()

    thread = threading.Thread(target=answer)
    thread.start()
    ready.wait(60)
    yield asked
    done.set()
    thread.join()


def test_the_supervisor_is_asked(tmp_path: Path) -> None:
    with supervisor(tmp_path / "run", StatusReply(STATUS)) as asked:
        assert ask_status(tmp_path / "run") == STATUS
    assert asked == [StatusRequest()]


def test_no_appliance_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"^No appliance is running: .* does not exist\.$"):
        ask_status(tmp_path / "run")


def test_a_refusal_is_one_sentence(tmp_path: Path) -> None:
    with (
        supervisor(tmp_path / "run", Refusal("The running appliance has another version.")),
        pytest.raises(CommandFailed, match="another version"),
    ):
        ask_status(tmp_path / "run")
