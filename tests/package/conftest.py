"""One machine for all tests, which go through the life of an installation in the order of the files."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.processes import Processes, running
from tests.package.altered_packages import Altered
from tests.package.left_behind import end_left_behind
from tests.package.node import Node, Service, leave_network, make_base

# The package that is tested; `make test-appliance` builds it and sets this.
VARIABLE = "SIGNALBOX_PACKAGE"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not os.environ.get(VARIABLE):
        for item in items:
            if item.path.is_relative_to(Path(__file__).parent) and item.path.name != "test_left_behind.py":
                item.add_marker(pytest.mark.skip(reason=f"{VARIABLE} names no package: use `make test-appliance`"))


@pytest.fixture(scope="session", autouse=True)
def machines_of_interrupted_runs() -> Iterator[None]:
    """None is left of earlier runs; and `kill` ends this one as Ctrl-C does, with its machines."""
    end_left_behind()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def package() -> Path:
    return Path(os.environ[VARIABLE]).resolve()


@pytest.fixture(scope="session")
def later_package(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same package under a later version: what an upgrade is to dpkg, systemd and the state folder."""
    altered = Altered(package, tmp_path_factory.mktemp("later"))
    altered.raise_version("later")
    return altered.pack("later.deb")


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    make_base()
    leave_network()
    machine = Node(tmp_path_factory.mktemp("machines"), "one")
    try:
        machine.boot()
        yield machine
    finally:
        machine.close()


@pytest.fixture(scope="session")
def service(node: Node) -> Service:
    return Service(node)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    with running(tmp_path) as started:
        yield started
