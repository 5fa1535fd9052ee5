"""The floors of ARCHITECTURE.md, held against the code: imports go down, doors have one user, files stay small."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "appliance"
FILES = sorted(PACKAGE.glob("**/*.py"))
COMPILED = [*sorted(PACKAGE.glob("**/*.pxd")), *sorted(PACKAGE.glob("**/*.pyx"))]
CIMPORT = re.compile(r"^(?:from|cimport|import)\s+([\w.]+)", re.MULTILINE)
OURS = {"appliance", "cli"}

FLOORS = {
    "catalogue": 0,
    "configuration": 1,
    "sip": 1,
    "manual": 2,
    "transport": 2,
    "transaction": 3,
    "location": 4,
    "messages": 4,
    "worker_group": 5,
    "routing": 5,
    "security": 5,
    "overload": 6,
    "proxy": 7,
    "inspection": 8,
    "stack": 9,
    "clock": 10,
    "descriptors": 10,
    "machine": 10,
    "privileges": 10,
    "service_manager": 10,
    "version": 10,
    "resolver": 10,
    "tls_contexts": 10,
    "ipc": 11,
    "own_machine": 11,
    "storage": 11,
    "lookups": 11,
    "process_start": 12,
    "workers": 13,
    "supervisor": 13,
    "management": 13,
    "persister": 13,
    "lookup_server": 13,
    "cluster": 13,
    "commands": 14,
    "__main__": 15,
}
DOORS_FLOOR = 10

# Each package that is not ours is used by one file or one folder, so that it can be exchanged there.
IMPORTERS = {
    "zmq": "ipc/",
    "lmdb": "storage/lmdb_environment.py",
    "msgpack": "messages/msgpack_codec.py",
    "psutil": "machine.py",
    # The subscribers of the appliance, and databases of others that lookups ask.
    "sqlalchemy": ("storage/subscriber_database.py", "lookups/"),
    "ldap3": "lookups/ldap_lookup.py",
    "httpx": "lookups/http_lookup.py",
    "websockets": "transport/web_socket.py",
    "dateutil": "catalogue/time_window.py",
    "dns": "resolver.py",
    "cryptography": "storage/",
    "uvloop": "workers/__main__.py",
    "re2": "catalogue/number_rewriting.py",
    "pysnmp": "management/snmp/engine.py",
    "etcd3": "cluster/coordination/store.py",
    "grpc": "cluster/coordination/store.py",
}
# What only the doors and the processes may touch: clocks, sockets, files, threads, randomness.
WORLDLY = frozenset(
    {"asyncio", "concurrent", "fcntl", "io", "mmap", "multiprocessing", "os", "pathlib", "queue", "random", "secrets"}
    | {"select", "selectors", "shutil", "signal", "socket", "ssl", "subprocess", "sys", "tempfile", "threading"}
    | {"ctypes", "http", "importlib", "logging", "time", "uuid"}
)
# They write pages of the reference; no process of the appliance runs them.
PAGE_WRITERS = frozenset({"manual/configuration_page.py", "manual/mib.py", "manual/reference.py"})
WORLDLY_CALLS = frozenset({"__import__", "breakpoint", "input", "open", "print"})
# The decisions of the cluster: pure, though they stand beside their doors. A simulation runs them.
CLUSTER_DECISIONS = frozenset(
    {"address_record", "address_views", "handover", "heartbeat", "heartbeat_codec", "lease_actions", "lease_machine"}
    | {"ownership", "peers", "promises", "sessions"}
)
BELOW_DECISIONS = ("appliance.messages.", "appliance.catalogue.")
COORDINATION_DECISIONS = frozenset(
    {"cluster_records", "dict_store", "etcd_health", "join_token", "key_store", "keys", "member_statuses"}
    | {"commit_orders", "commit_records", "commit_steps", "commits_view"}
    | {"membership_changes", "prefix_view", "presence", "take_over_records"}
)
SIP_ROOMS = ("sip", "transaction", "proxy", "inspection", "stack")
DECLARATIONS = ("appliance.catalogue", "appliance.configuration", "appliance.manual")
CLI = sorted(ROOT.glob("cli/**/*.py"))
BESIDE = (*CLI, *sorted(ROOT.glob("demo/*.py")), *sorted(ROOT.glob("benchmarks/*.py")))
SMALL = [*FILES, *BESIDE, ROOT / "setup.py"]
LINES_MAX = 500
FUNCTION_LINES_MAX = 70


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].split(".")[0]


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file names in an import, those for type checkers included."""
    return modules_in(tree_of(path))


def cimports_of(path: Path) -> list[str]:
    """Every module that a .pxd or .pyx file names in an import or a cimport."""
    return CIMPORT.findall(path.read_text(encoding="utf-8"))


def modules_in(tree: ast.Module) -> Iterator[str]:
    """Every module that is named in an import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the floor"
            module = node.module or ""
            if module == "appliance":
                yield from (f"appliance.{alias.name}" for alias in node.names)
            else:
                yield module


def worldly_parts(tree: ast.Module) -> set[str]:
    """What of a module touches the world: imports, and files opened without one."""
    imported = {module.split(".")[0] for module in modules_in(tree)} & WORLDLY
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    return imported | (called & WORLDLY_CALLS)


@pytest.mark.parametrize("path", [*FILES, *COMPILED], ids=name_of)
def test_imports_go_strictly_downwards(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return
    for module in imports_of(path) if path.suffix == ".py" else cimports_of(path):
        if not module.startswith("appliance."):
            continue
        other = module.split(".")[1]
        is_same_room = other == room
        assert is_same_room or FLOORS[other] < FLOORS[room], f"{name_of(path)} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_foreign_package_has_one_importer(path: Path) -> None:
    for module in imports_of(path):
        package = module.split(".")[0]
        if package in IMPORTERS:
            assert name_of(path).startswith(IMPORTERS[package]), f"{name_of(path)} imports {package}"


@pytest.mark.parametrize(
    "path", [path for path in FILES if FLOORS.get(room_of(path), 0) < DOORS_FLOOR], ids=name_of
)
def test_no_clock_socket_file_thread_or_randomness_below_the_doors(path: Path) -> None:
    assert bool(worldly_parts(tree_of(path))) == (name_of(path) in PAGE_WRITERS)


@pytest.mark.parametrize("name", sorted(CLUSTER_DECISIONS))
def test_the_decisions_of_the_cluster_are_pure(name: str) -> None:
    tree = tree_of(PACKAGE / "cluster" / "leases" / f"{name}.py")
    assert not worldly_parts(tree)
    ours = {module for module in modules_in(tree) if module.startswith("appliance")}
    decisions = {f"appliance.cluster.leases.{decision}" for decision in CLUSTER_DECISIONS}
    assert all(module in decisions or module.startswith(BELOW_DECISIONS) for module in ours)


@pytest.mark.parametrize("name", sorted(COORDINATION_DECISIONS))
def test_what_etcd_holds_is_decided_without_etcd(name: str) -> None:
    tree = tree_of(PACKAGE / "cluster" / "coordination" / f"{name}.py")
    assert not worldly_parts(tree)
    assert "appliance.cluster.coordination.store" not in set(modules_in(tree))


def files_in(room: str) -> list[Path]:
    """The modules of a folder, or of a file, of the package; at least one."""
    found = [path for path in FILES if room_of(path) == room]
    assert found, f"appliance/ has no {room}"
    return found


@pytest.mark.parametrize("path", [*files_in("supervisor"), *files_in("cluster")], ids=name_of)
def test_the_supervisor_and_the_cluster_import_no_sip(path: Path) -> None:
    assert all(files_in(room) for room in SIP_ROOMS)
    assert not [module for module in imports_of(path) if module.split(".")[1:2] in [[room] for room in SIP_ROOMS]]


# -- these checks themselves -------------------------------------------------------------------------


def test_each_folder_and_file_has_a_floor() -> None:
    assert FILES and {room_of(path) for path in FILES} - {"__init__"} <= set(FLOORS)


def test_each_package_that_is_not_ours_has_an_importer_that_is_named() -> None:
    found = {
        package
        for path in FILES
        for package in {module.split(".")[0] for module in imports_of(path)} - OURS
        if package not in sys.stdlib_module_names
    }
    assert found == set(IMPORTERS)


@pytest.mark.parametrize("text", ["import time", "from os import path", "def f():\n    import socket", "open('x')"])
def test_what_touches_the_world_is_found(text: str) -> None:
    assert worldly_parts(ast.parse(text))


# -- floor 10: the shell -----------------------------------------------------------------------------

# The files of the shell that touch the world; all others are pure.
CLI_DOORS = {
    "control.py": {"socket", "threading", "pathlib"},
    "background.py": {"threading", "time"},
    "keyboard.py": {"os", "select", "sys"},
    "configuration_commands.py": {"pathlib"},
    "files.py": {"os", "pathlib"},
    "secrets.py": {"os"},
    "shell.py": {"sys"},
    "system_commands.py": {"subprocess"},
    "time_zone.py": {"os", "time"},
    "main.py": {"os", "sys", "pathlib", "time"},
    "options.py": {"os", "pathlib"},
}


def name_in_cli(path: Path) -> str:
    return path.relative_to(ROOT / "cli").as_posix()


@pytest.mark.parametrize("path", CLI, ids=name_in_cli)
def test_the_shell_knows_the_appliance_by_declarations_and_the_control_socket_alone(path: Path) -> None:
    for module in imports_of(path):
        if module.split(".")[0] == "appliance":
            # Where the socket is, when its folder is not named.
            is_finding = name_in_cli(path) == "main.py" and module == "appliance.ipc.running_appliances"
            assert is_finding or module.startswith(DECLARATIONS), f"{path.name} imports {module}"
        if module.split(".")[0] == "prompt_toolkit":
            assert name_in_cli(path) == "shell.py"


@pytest.mark.parametrize("path", CLI, ids=name_in_cli)
def test_only_the_doors_of_the_shell_touch_the_world(path: Path) -> None:
    found = {module.split(".")[0] for module in imports_of(path)} & WORLDLY
    assert found == CLI_DOORS.get(name_in_cli(path), set())


def test_each_door_of_the_shell_is_a_file() -> None:
    assert set(CLI_DOORS) <= {name_in_cli(path) for path in CLI}


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name)
def test_files_and_functions_stay_small(path: Path) -> None:
    assert path.read_text(encoding="utf-8").count("\n") <= LINES_MAX
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < FUNCTION_LINES_MAX, f"{path.name}: {node.name}"


@pytest.mark.parametrize("path", [*FILES, *CLI], ids=lambda path: path.name)
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(tree_of(path))
