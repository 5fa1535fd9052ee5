"""The machines of the tests: one for each file, with the package on it, but for the first, which installs it.

Files need nothing of each other: pytest-xdist runs several at a time (`--dist loadfile`), each process in a network of
its own.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.processes import Processes, running
from tests.package.altered_packages import Altered
from tests.package.calls import CONFIGURATION, FILE
from tests.package.left_behind import end_left_behind
from tests.package.node import BASE, Node, Service, leave_network, make_base, make_layer

# The package that is tested; `make test-appliance` builds it and sets this.
VARIABLE = "SIGNALBOX_PACKAGE"
# They install many packages and take the longest: begun first, they end with the others.
LONGEST = ("test_3_system_upgrade.py", "test_4_upgrade.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not os.environ.get(VARIABLE):
        for item in items:
            if item.path.is_relative_to(Path(__file__).parent) and item.path.name != "test_left_behind.py":
                item.add_marker(pytest.mark.skip(reason=f"{VARIABLE} names no package: use `make test-appliance`"))
    else:
        items.sort(key=lambda item: item.path.name not in LONGEST)


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
def installed(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer of machines on which the package is installed, with CONFIGURATION, and anna is an operator."""

    def install(root: Path) -> None:
        shutil.copyfile(package, root / "root/signalbox.deb")
        for argv in (
            ["dpkg", "--install", "/root/signalbox.deb"],
            ["useradd", "--create-home", "--groups", "signalbox", "--shell", "/usr/bin/signalbox-shell", "anna"],
        ):
            subprocess.run(["chroot", str(root), *argv], check=True, stdout=subprocess.DEVNULL)
        (root / FILE.lstrip("/")).write_text(CONFIGURATION)

    make_base()
    folder = tmp_path_factory.getbasetemp()
    # All processes of a run share it.
    return make_layer((folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "installed", install)


@pytest.fixture(scope="module")
def machines() -> Iterator[Path]:
    """Where they have their roots: pytest itself could not remove what is mounted there (`--basetemp`)."""
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=BASE.parent))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def node(installed: Path, machines: Path) -> Iterator[Node]:
    """A machine that runs the appliance."""
    leave_network()
    machine = Node(machines, "one", layers=[installed])
    try:
        machine.boot()
        yield machine
    finally:
        machine.close()


@pytest.fixture(scope="module")
def service(node: Node) -> Service:
    return Service(node)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    with running(tmp_path) as started:
        yield started
