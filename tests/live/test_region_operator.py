"""An operator of a region at a real shell: he replaces the tables of his region, and calls follow; no others change."""

from __future__ import annotations

import os
import pwd
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.access import is_open_to_all
from tests.live.appliance import SIGNALBOX, Appliance
from tests.live.control import Control
from tests.live.phones import Phone
from tests.live.processes import LOOPBACK, Processes, running, wait_until
from tests.live.test_routes import routes

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user"),
    pytest.mark.skipif(not is_open_to_all(sys.executable), reason="other users cannot reach this Python"),
]

# An account of the machine with the name of an operator is that operator.
USER = "nobody"
EAST, WEST = "+12125551212", "+14155551212"
HEAD = "table,prefix,action\n"
CORE = "default,+1212,region east\ndefault,+1415,region west\n"
REGION = """route-policy {0}
  table {0}
  table {0}-rates
!
region {0}
  policy {0}
  table {0}
  table {0}-rates
  owns route-policy {0}
!
route-table {0}-rates
  server sqlite:///{1}
  statement "SELECT prefix, action FROM rates"
  every 86400
!
"""
OTHERS = f"route-policy core\n  table default\n!\noperator {USER}\n  role admin\n  region east\n!\n"
SECRET = f"scrypt:16384:8:1:{'0a' * 16}:{'5b' * 32}"
OTHERS += f"operator ann\n  secret {SECRET}\n!\nsnmp\n  community orbit\n!\n"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One that others may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def appliance(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Appliance]:
    """A core with two regions; each has a table of a file, and one of a database."""
    database = sqlite3.connect(folder / "rates.db")
    database.executescript("CREATE TABLE rates (prefix, action); INSERT INTO rates VALUES ('+7', 'sip:192.0.2.7');")
    database.close()
    with running(tmp_path_factory.mktemp("regions")) as processes:
        yield started(processes, folder)


def started(processes: Processes, folder: Path) -> Appliance:
    regions = "".join(REGION.format(name, folder / "rates.db") for name in ("east", "west"))
    made = Appliance(processes, regions + OTHERS, listener=("role core", f"peer {LOOPBACK}"))
    made.state = folder / "state"
    made.start()
    # As the package has them: an operator may go to the control socket, and list nothing.
    for path in (made.state, made.state / "run"):
        path.chmod(0o711)
    wait_until(lambda: all(reads(made).values()), "both databases are read")
    return made


def reads(appliance: Appliance) -> dict[str, int]:
    """How often each table of a database was read."""
    with Control(appliance.state) as control:
        return {row["table"]: row["reads"] for row in control.ask("show route-sources")["tables"]}


class Operator:
    """Who types as an account of the machine that is not root."""

    def __init__(self, appliance: Appliance, folder: Path) -> None:
        self._state = str(appliance.state)
        self._folder = folder
        self._account = pwd.getpwnam(USER)

    def run(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(SIGNALBOX), *words, "--state", self._state],
            input=stdin, capture_output=True, text=True, timeout=120, check=False, cwd="/",
            user=self._account.pw_uid, group=self._account.pw_gid, extra_groups=(),
        )  # fmt: skip

    def type(self, *lines: str) -> str:
        """What the shell shows; no line may fail."""
        done = self.run("cli", stdin="\n".join(("enable", *lines)) + "\n")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *lines: str) -> str:
        """The sentence with which the last line is refused."""
        done = self.run("cli", stdin="\n".join(("enable", *lines)) + "\n")
        assert done.returncode == 1, done.stdout
        return done.stderr

    def file(self, rows: str) -> Path:
        path = self._folder / "rows.csv"
        path.write_text(HEAD + rows)
        return path


@pytest.fixture
def operator(appliance: Appliance, folder: Path) -> Operator:
    return Operator(appliance, folder)


def arrives(caller: Phone, gateway: Phone, number: str) -> bool:
    """Does a call to the number come to the gateway? Calls before it may be repeated there meanwhile."""
    call_id = caller.invite(number).get("Call-ID")
    try:
        while gateway.expect("INVITE", 1.0).get("Call-ID") != call_id:
            pass
    except AssertionError:
        return False
    return True


def test_rows_of_the_own_region_are_taken_and_calls_follow_them(appliance: Appliance, operator: Operator) -> None:
    with Phone(appliance, "alice") as alice, Phone(appliance, "first") as first, Phone(appliance, "second") as second:
        hops = [f"any,sip:{LOOPBACK}:{phone.port}\n" for phone in (first, second)]
        everything = operator.file(f"{CORE}east,{hops[0]}west,{hops[0]}")
        assert routes(appliance, "import", str(everything)).returncode == 0
        for number in (EAST, WEST):
            wait_until(lambda number=number: arrives(alice, first, number), "calls arrive at the first gateway")  # type: ignore[misc]
        shown = operator.type(f"import routes {operator.file(f'east,{hops[1]}')}")
        assert "is in force." in shown
        wait_until(lambda: arrives(alice, second, EAST), "calls to the region follow")
        wait_until(lambda: arrives(alice, first, WEST), "calls to the other region stay")


def test_rows_of_other_tables_are_refused_in_plain_words(appliance: Appliance, operator: Operator) -> None:
    gateway = "any,sip:192.0.2.1\n"
    assert routes(appliance, "import", str(operator.file(f"{CORE}east,{gateway}west,{gateway}"))).returncode == 0
    before = routes(appliance, "export").stdout
    for rows, words in (
        (f"west,{gateway}", "Table west does not belong to region east; leave its rows out."),
        (f"east,{gateway}west,{gateway}", "Table west does not belong to region east; leave its rows out."),
        ("default,any,reject 403\n", "Table default does not belong to region east; leave its rows out."),
        (f"new,{gateway}", "Table new does not belong to region east; leave its rows out."),
        ("east,any,region east\n", "leads back to itself"),
        (f"east-rates,{gateway}", "Table east-rates is read from a database"),
    ):
        assert words in operator.refused(f"import routes {operator.file(rows)}")
        assert routes(appliance, "export").stdout == before
    # Who looks sees all.
    assert "192.0.2.1" in operator.type("show route-table west")


def test_only_own_tables_are_read_anew(appliance: Appliance, operator: Operator) -> None:
    before = reads(appliance)
    operator.type("refresh route-table east-rates")
    wait_until(lambda: reads(appliance)["east-rates"] == before["east-rates"] + 1, "it is read now")
    for command in ("refresh route-table west-rates", "refresh route-table"):
        assert "Type a table of region east" in operator.refused(command)
    assert reads(appliance)["west-rates"] == before["west-rates"]


def test_a_commit_or_a_rollback_changes_the_own_sections_only(appliance: Appliance, operator: Operator) -> None:
    control = Control(appliance.state)
    first = control.ask("show running-config")["commit"]
    assert "is now active" in operator.type("conf t", "route-policy east", "country-code 1", "commit")
    words = "does not belong to region east. Nothing was changed."
    assert words in operator.refused("conf t", "route-policy west", "country-code 1", "commit")
    control.commit(control.ask("show running-config")["text"].replace("hostname live", "hostname core"))
    before = control.ask("show running-config")
    assert words in operator.refused(f"rollback {first} confirm")
    assert control.ask("show running-config") == before


def test_a_commit_keeps_the_secrets_that_are_not_shown(appliance: Appliance, operator: Operator) -> None:
    control = Control(appliance.state)
    shown = operator.type("show running-config")
    assert "secret <hidden>" in shown and "community <hidden>" in shown
    assert SECRET not in shown and "orbit" not in shown
    assert "is now active" in operator.type("conf t", "route-policy east", "country-code 49", "commit")
    text = control.ask("show running-config")["text"]
    assert SECRET in text and "community orbit" in text and "country-code 49" in text
    other = operator.refused("conf t", "operator ann", "no secret", "commit")
    assert "`operator ann secret <hidden>` does not belong to region east." in other


def test_the_versions_of_the_node_are_for_root(appliance: Appliance, operator: Operator) -> None:
    for hop in ("192.0.2.1", "192.0.2.2"):
        rows = operator.file(f"{CORE}east,any,sip:{hop}\nwest,any,sip:{hop}\n")
        assert routes(appliance, "import", str(rows)).returncode == 0
    before = routes(appliance, "export").stdout
    for words in (("rollback",), ("export",), ("list",), ("import", str(rows))):
        done = operator.run("routes", *words)
        assert (done.returncode, done.stdout) == (1, "")
        assert "Permission denied" in done.stderr and "Traceback" not in done.stderr
    assert routes(appliance, "export").stdout == before
