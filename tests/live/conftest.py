"""Fixtures of the live tests: processes that end with the test, their logs shown when it fails."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.live.appliance import PATIENT, Appliance
from tests.live.control import Control
from tests.live.machine import SLOWNESS
from tests.live.processes import LOG_TAIL_LEN, Processes, running
from tests.live.verdicts import Verdicts


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """The programs of this test."""
    with running(tmp_path) as programs:
        yield programs


@pytest.fixture
def start_appliance(processes: Processes, request: pytest.FixtureRequest) -> Callable[..., Appliance]:
    """`start_appliance(settings, listener, workers)`: a running Signalbox."""
    common = "" if request.node.get_closest_marker("load") else PATIENT

    def start(settings: str = "", *arguments: Any, **named: Any) -> Appliance:
        appliance = Appliance(processes, common + settings, *arguments, **named)
        appliance.start()
        return appliance

    return start


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Appliances that tests share, of one process of pytest-xdist."""
    with running(tmp_path_factory.mktemp("shared")) as programs:
        yield Kept(programs)


@pytest.fixture
def shared_appliance(kept: Kept) -> Iterator[Callable[..., Appliance]]:
    """`shared_appliance(settings, listener)`: one that other tests use too, with no phone registered.

    To start one for each test would take half of the time of all of them.
    """
    yield kept.appliance
    kept.forget_all_phones()


class Kept:
    """Running appliances by what they were configured with."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._appliances: dict[tuple[str, ...], Appliance] = {}

    def appliance(self, settings: str = "", listener: Sequence[str] = ()) -> Appliance:
        """The one of this configuration, started if need be."""
        key = (settings, *listener)
        found = self._appliances.get(key)
        if found is None or not found.is_running:
            found = self._appliances[key] = Appliance(self._processes, PATIENT + settings, listener)
            found.start()
        return found

    def forget_all_phones(self) -> None:
        """A phone that registered in a test is not called in the next one."""
        for appliance in self._appliances.values():
            if appliance.is_running:
                control = Control(appliance.state)
                for address in {row["address"] for row in control.ask("show registrations")["rows"]}:
                    control.ask("clear registration", address=address.removeprefix("sip:"))
                control.close()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--verdicts FILE`: the figures of the load tests as a table, and in a file."""
    parser.addoption("--verdicts", type=Path, metavar="FILE", help="write the figures of the tests to FILE")


def pytest_configure(config: pytest.Config) -> None:
    """Collect figures where they are wanted: in the process that hears of all tests."""
    path = config.getoption("--verdicts")
    if path is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Verdicts(path))


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
    fixtures = getattr(item, "funcargs", {})
    # Nodes that several tests share have a folder of their own.
    folders = {fixtures.get("tmp_path"), getattr(fixtures.get("net"), "folder", None)} - {None}
    if report.when in ("setup", "call") and report.failed:
        for path in sorted(path for folder in folders for path in folder.glob("*.log")):
            text = path.read_text(encoding="utf-8", errors="replace")
            report.sections.append((f"the end of {path.name}", text[-LOG_TAIL_LEN:]))
    return report
