"""Fixtures of the live tests: processes that end with the test, their logs shown when it fails."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from tests.live.appliance import PATIENT, Appliance
from tests.live.processes import LOG_TAIL_LEN, Processes, running

# Who is not in a hurry leaves the processors to those tests that load them.
NICENESS = 10


@pytest.fixture
def processes(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Processes]:
    """The programs of this test."""
    is_measured = request.node.get_closest_marker("load") or request.node.get_closest_marker("alone")
    with running(tmp_path, 0 if is_measured else NICENESS) as programs:
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What loads the machine is begun first, in two lanes of pytest-xdist; what waits for long, next."""
    lanes = cycle(("one lane", "the other lane"))
    for item in items:
        if item.get_closest_marker("load"):
            item.add_marker(pytest.mark.xdist_group(next(lanes)))
    items.sort(key=lambda item: (not item.get_closest_marker("load"), not item.get_closest_marker("long")))


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
