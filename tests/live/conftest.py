"""Fixtures of the live tests: processes that end with the test, their logs shown when it fails."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.appliance import PATIENT, Appliance
from tests.live.machine import SLOWNESS
from tests.live.processes import LOG_TAIL_LEN, Processes, running


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """The programs of this test."""
    with running(tmp_path) as programs:
        yield programs


@pytest.fixture
def start_appliance(processes: Processes, request: pytest.FixtureRequest) -> Callable[..., Appliance]:
    """`start_appliance(settings, listener, workers)`: a running Signalbox."""
    common = "" if request.node.get_closest_marker("alone") else PATIENT

    def start(settings: str = "", *arguments: Any, **named: Any) -> Appliance:
        appliance = Appliance(processes, common + settings, *arguments, **named)
        appliance.start()
        return appliance

    return start


def pytest_report_header() -> str:
    """What the rates of load tests were divided by."""
    return f"machine: {SLOWNESS:.1f} times slower than load tests would have it" if SLOWNESS > 1 else "machine: fast"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for long is begun first."""
    items.sort(key=lambda item: not item.get_closest_marker("long"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails shows the ends of its programs' logs."""
    report = yield
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if report.when in ("setup", "call") and report.failed and folder is not None:
        for path in sorted(folder.glob("*.log")):
            text = path.read_text(encoding="utf-8", errors="replace")
            report.sections.append((f"the end of {path.name}", text[-LOG_TAIL_LEN:]))
    return report
