"""`signalbox status`: the drawing of a report, and the question over the bus."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance.catalogue.counters import COUNTERS
from appliance.commands.status import ask_status, draw_status, draw_table, write_json
from appliance.ipc.bus import ControlEndpoint
from appliance.management.errors import CommandFailed
from appliance.messages.bus_messages import StatusRequest

MIB = 1024 * 1024
REPORT: dict[str, Any] = {
    "hostname": "box",
    "supervisor": {"pid": 100, "uptime_s": 93784.2, "sentence": "Worker 0 accepts calls; worker 1 is starting."},
    "workers": [
        {
            "number": 0, "pid": 101, "state": "live", "uptime_s": 93784.1, "restarts": 0, "slots": 256, "cpu_s": 1.5,
            "cpu_percent": 12.5, "rss": 51 * MIB, "transactions": 7, "registrations": 1000, "turn": 5, "silent_ms": 20,
            "last_ending": "", "gauges": {"nonces": 3},
        },
        {
            "number": 1, "pid": 0, "state": "starting", "uptime_s": 0.0, "restarts": 3, "slots": 0, "cpu_s": 0.0,
            "cpu_percent": 0.0, "rss": 0, "transactions": 0, "registrations": 0, "turn": 0, "silent_ms": 0,
            "last_ending": "killed by SIGSEGV", "gauges": {},
        },
    ],
    "slots": [[0, 255, 0]],
    "epoch": 4,
    "registrations": 1000,
    "transactions": 7,
    "counters": {counter.name: 0 for counter in COUNTERS}
    | {"requests-received": 12345, "responses-received": 7, "dropped-malformed": 9},
    "alarms": ["Worker 1 failed 3 times in a row."],
}  # fmt: skip


def test_the_report_is_drawn_in_sections() -> None:
    assert draw_status(REPORT) == (
        "Worker 0 accepts calls; worker 1 is starting.\n"
        "box: supervisor process 100, up 1 d 2 h.\n"
        "ALARM: Worker 1 failed 3 times in a row.\n"
        "\n"
        "WORKERS\n"
        "  worker  state     pid  uptime s  restarts  slots  transactions  registrations  cpu %  memory MiB"
        "  heartbeat ms  last exit\n"
        "       0  live      101   93784.1         0    256             7           1000   12.5          51"
        "            20\n"
        "       1  starting    0       0.0         3      0             0              0    0.0           0"
        "             0  killed by SIGSEGV\n"
        "\n"
        "SLOTS (table 4)\n"
        "  0-255  worker 0\n"
        "\n"
        "REGISTRATIONS 1000\n"
        "TRANSACTIONS 7\n"
        "\n"
        "COUNTERS: traffic\n"
        "  requests-received   12345  Requests received, retransmissions included.\n"
        "  responses-received      7  Responses received, retransmissions included.\n"
        "\n"
        "COUNTERS: drops\n"
        "  dropped-malformed  9  Malformed messages that cannot be answered."
    )


def test_counters_of_nothing_are_shown_on_request() -> None:
    drawn = draw_status(REPORT, is_all=True)
    for counter in COUNTERS:
        assert f"  {counter.name} " in drawn


def test_a_report_of_another_version_is_drawn_as_far_as_it_goes() -> None:
    assert draw_status({}) == "WORKERS\n  none"
    assert "  7" in draw_status({"workers": [{"number": 7}]})


def test_json_is_the_whole_report() -> None:
    assert json.loads(write_json(REPORT)) == REPORT


@pytest.mark.parametrize(
    ("heading", "rows", "lines"),
    [
        ([], [], ["none"]),
        (["a", "number"], [["x", "5"], ["long", "-10.5"]], ["a     number", "x          5", "long   -10.5"]),
        ([], [["a", ""], ["bb", "c"]], ["a", "bb  c"]),
    ],
)
def test_a_table_is_aligned(heading: list[str], rows: list[list[str]], lines: list[str]) -> None:
    assert draw_table(heading, rows) == lines


@contextmanager
def supervisor(runtime_dir: Path, report: dict[str, Any]) -> Iterator[list[object]]:
    """Somebody who answers at the question door; yields the questions that came."""
    runtime_dir.mkdir()
    asked: list[object] = []
    ready, done = threading.Event(), threading.Event()

    def answer() -> None:
        door = ControlEndpoint(runtime_dir)
        ready.set()
        while not done.wait(0.01):
            for asker, question in door.receive():
                asked.append(question)
                door.reply(asker, report)
        door.close()

    thread = threading.Thread(target=answer)
    thread.start()
    ready.wait(10)
    yield asked
    done.set()
    thread.join()


def test_the_supervisor_is_asked(tmp_path: Path) -> None:
    with supervisor(tmp_path / "run", REPORT) as asked:
        assert ask_status(tmp_path / "run") == REPORT
    assert asked == [StatusRequest()]


def test_no_appliance_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"^No appliance is running: .* does not exist\.$"):
        ask_status(tmp_path / "run")
