"""One machine for all tests, which go through the life of an installation in the order of the files."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.processes import Processes, running
from tests.package.left_behind import end_left_behind
from tests.package.node import Node, Service, leave_network, make_base

# The package that is tested; `make test-appliance` builds it and sets this.
VARIABLE = "SIGNALBOX_PACKAGE"
LATER = "+later"


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
    folder = tmp_path_factory.mktemp("later")
    subprocess.run(["dpkg-deb", "--raw-extract", str(package), str(folder / "tree")], check=True)
    control = folder / "tree/DEBIAN/control"
    version = next(line.split()[1] for line in control.read_text().splitlines() if line.startswith("Version:"))
    control.write_text(control.read_text().replace(f"Version: {version}", f"Version: {version}{LATER}"))
    for metadata in (folder / "tree/usr/lib/signalbox").glob("lib/*/site-packages/signalbox-*.dist-info/METADATA"):
        metadata.write_text(metadata.read_text().replace(f"Version: {version}\n", f"Version: {version}.later\n"))
    made = folder / "later.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", str(folder / "tree"), str(made)], check=True)
    shutil.rmtree(folder / "tree")
    return made


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
