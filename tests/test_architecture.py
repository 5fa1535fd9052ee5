"""The floors of ARCHITECTURE.md, held against the code: imports go down, doors have one user, files stay small."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "appliance"
FILES = sorted(PACKAGE.glob("**/*.py"))

FLOORS = {
    "catalogue": 0,
    "sip": 1,
    "transport": 2,
    "transaction": 3,
    "location": 4,
    "state": 4,
    "routing": 5,
    "proxy": 6,
    "stack": 7,
    "bus": 8,
    "clock": 8,
    "commits": 8,
    "logbook": 8,
    "syslog": 8,
    "journal": 8,
    "journal_cleaning": 8,
    "journal_files": 8,
    "journal_segment": 8,
    "syncer": 8,
    "launch": 8,
    "descriptors": 8,
    "running": 8,
    "privileges": 8,
    "nonce_memory": 8,
    "recorder": 8,
    "resolver": 8,
    "subscriber": 8,
    "subscribers": 8,
    "workers": 9,
    "cluster": 9,
    "management": 9,
    "__main__": 10,
}
# Files of floor 8 that share one door: the first may use the others.
DOORS = {
    "bus": {"clock"},
    "logbook": {"clock", "syslog"},
    "journal": {"journal_cleaning", "journal_files", "journal_segment", "syncer"},
    "journal_cleaning": {"journal_files", "journal_segment"},
    "subscribers": {"subscriber"},
}

# Each package that is not ours is used by one file, so that it can be exchanged there.
IMPORTERS = {
    "zmq": "bus.py",
    "msgpack": "state/packing.py",
    "psutil": "cluster/processes.py",
    "sqlalchemy": "subscribers.py",
    "dns": "resolver.py",
    "uvloop": "workers/__main__.py",
}
# What only the doors and the processes may touch: clocks, sockets, files, threads, randomness.
WORLDLY = frozenset(
    {"asyncio", "concurrent", "fcntl", "io", "mmap", "multiprocessing", "os", "pathlib", "queue", "random", "secrets"}
    | {"select", "selectors", "shutil", "signal", "socket", "ssl", "subprocess", "sys", "tempfile", "threading"}
    | {"time", "uuid"}
)
SIP_ROOMS = ("appliance.sip", "appliance.transaction", "appliance.proxy", "appliance.stack")
CLI = sorted(ROOT.glob("cli/**/*.py"))
BESIDE = (*CLI, *sorted(ROOT.glob("demo/*.py")), *sorted(ROOT.glob("benchmarks/*.py")))
SMALL = [*FILES, *BESIDE, ROOT / "setup.py"]
LINES_MAX = 500
FUNCTION_LINES_MAX = 70


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file names in an import, those for type checkers included."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative imports hide the floor"
            module = node.module or ""
            if module == "appliance":
                yield from (f"appliance.{alias.name}" for alias in node.names)
            else:
                yield module


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_strictly_downwards(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return
    for module in imports_of(path):
        if not module.startswith("appliance."):
            continue
        other = module.split(".")[1]
        is_same_room = other == room
        is_within_door = other in DOORS.get(room, set())
        assert is_same_room or is_within_door or FLOORS[other] < FLOORS[room], f"{name_of(path)} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_foreign_package_has_one_importer(path: Path) -> None:
    for module in imports_of(path):
        package = module.split(".")[0]
        if package in IMPORTERS:
            assert name_of(path) == IMPORTERS[package], f"{name_of(path)} imports {package}"


@pytest.mark.parametrize("path", [path for path in FILES if FLOORS.get(room_of(path), 8) < 8], ids=name_of)
def test_no_clock_socket_file_thread_or_randomness_below_floor_8(path: Path) -> None:
    if name_of(path) == "catalogue/reference.py":
        # Writes the reference page; no process of the appliance runs it.
        return
    found = {module.split(".")[0] for module in imports_of(path)} & WORLDLY
    assert not found


def test_the_supervisor_knows_no_sip() -> None:
    for path in PACKAGE.glob("cluster/*.py"):
        for module in imports_of(path):
            assert not module.startswith(SIP_ROOMS)


# -- floor 10: the shell -----------------------------------------------------------------------------

# The files of the shell that touch the world; all others are pure.
CLI_DOORS = {
    "control.py": {"socket", "threading", "pathlib"},
    "inbox.py": {"threading"},
    "monitor.py": {"threading"},
    "reconnection.py": {"threading", "time"},
    "keyboard.py": {"os", "select", "sys"},
    "configuring.py": {"pathlib"},
    "files.py": {"os", "pathlib"},
    "secrecy.py": {"os"},
    "shell.py": {"sys"},
    "main.py": {"os", "sys", "pathlib"},
    "options.py": {"os", "pathlib"},
}


def name_in_cli(path: Path) -> str:
    return path.relative_to(ROOT / "cli").as_posix()


@pytest.mark.parametrize("path", CLI, ids=name_in_cli)
def test_the_shell_knows_the_appliance_by_the_catalogue_and_the_control_socket_alone(path: Path) -> None:
    for module in imports_of(path):
        if module.split(".")[0] == "appliance":
            # Where the socket is, when its folder is not named.
            is_finding = name_in_cli(path) == "main.py" and module == "appliance.running"
            assert is_finding or module.startswith("appliance.catalogue"), f"{path.name} imports {module}"
        if module.split(".")[0] == "prompt_toolkit":
            assert name_in_cli(path) == "shell.py"


@pytest.mark.parametrize("path", CLI, ids=name_in_cli)
def test_only_the_doors_of_the_shell_touch_the_world(path: Path) -> None:
    found = {module.split(".")[0] for module in imports_of(path)} & WORLDLY
    assert found <= CLI_DOORS.get(name_in_cli(path), set())


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name)
def test_files_and_functions_stay_small(path: Path) -> None:
    assert path.read_text(encoding="utf-8").count("\n") <= LINES_MAX
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < FUNCTION_LINES_MAX, f"{path.name}: {node.name}"


@pytest.mark.parametrize("path", [*FILES, *CLI], ids=lambda path: path.name)
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(tree_of(path))
