"""The operator's shell on a real appliance: all that is shown, and a configuration that changes while it runs."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable
from typing import Any

import pytest

from appliance.catalogue.command_declaration import Command, Right, result_schema
from appliance.catalogue.commands import COMMANDS
from cli.commands import is_request, run_command
from cli.control import Control
from cli.prompts import NonInteractive
from cli.session import Session
from tests.cli.conforming import deviations
from tests.cli.samples import lines_of
from tests.cli.screen import shell_on_screen
from tests.cli.shells import script
from tests.live.appliance import Appliance
from tests.live.phones import Phone, hang_up, talk
from tests.live.processes import wait_until

TRIAL_S = 60


@pytest.fixture
def appliance(start_appliance: Callable[..., Appliance]) -> Appliance:
    return start_appliance()


def typed(appliance: Appliance, *commands: str) -> list[str]:
    """The lines that a script of the shell shows; it may not fail."""
    done = appliance.command("cli", stdin="\n".join(commands) + "\n")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def refused(appliance: Appliance, *commands: str) -> str:
    """The mistake with which a script ends."""
    done = appliance.command("cli", stdin="\n".join(commands) + "\n")
    assert done.returncode == 1
    return done.stderr


def operator(appliance: Appliance) -> Session:
    """An operator in configuration mode."""
    session = Session(Control(appliance.state / "run" / "control.sock"), NonInteractive(), run_command)
    session.connect()
    assert script(session, "enable", "conf t").status == 0
    return session


def document(appliance: Appliance, command: str) -> Any:
    return json.loads("\n".join(typed(appliance, f"{command} | json")))


# What a node shows that is in no cluster.
SHOWN = [
    command
    for command in COMMANDS
    if is_request(command) and command.right is Right.VIEW and command.words[0] == "show"
    if "cluster" not in command.words
]


def test_everything_is_shown_as_the_catalogue_says(shared_appliance: Callable[..., Appliance]) -> None:
    appliance = shared_appliance("limits\n  routing counters 1000\n!")
    appliance.add_subscriber("shown", "wonderland")
    session = operator(appliance)
    wrong = {command.name: _deviations(session, command) for command in SHOWN}
    assert {name: found for name, found in wrong.items() if found} == {}


def _deviations(session: Session, command: Command) -> list[str]:
    line = next(lines_of(command))
    assert script(session, line).lines, f"{line} shows nothing"
    shown = json.loads(script(session, f"{line} | json").out)
    return list(deviations(shown, result_schema(command.result)))


def test_a_configuration_is_changed_while_it_runs(appliance: Appliance) -> None:
    before = document(appliance, "show version")["commit"]
    edits = ("workers 3", "timers c 200")
    lines = typed(appliance, "enable", "conf t", *edits, "commit comment more room", "end", "show run")
    assert f"Commit {before + 1} is now active." in lines
    assert "workers 3" in lines
    assert [row["number"] for row in document(appliance, "show workers")["workers"]] == [0, 1, 2]
    history = document(appliance, "show configuration history")["commits"]
    assert (history[0]["comment"], history[0]["added"], history[0]["removed"]) == ("more room", 2, 1)
    typed(appliance, "enable", f"rollback {before} confirm")
    assert "workers 2" in typed(appliance, "show run")


def test_faults_are_named_and_nothing_changes(appliance: Appliance) -> None:
    running = typed(appliance, "show run")
    mistake = refused(appliance, "enable", "conf t", "listener other address 0.0.0.0", "commit")
    assert "0.0.0.0 would be in every Via" in mistake and "^" not in mistake.splitlines()[0]
    assert typed(appliance, "show run") == running


def test_the_second_of_two_operators_is_refused_and_rebases(appliance: Appliance) -> None:
    one, other = operator(appliance), operator(appliance)
    script(one, "timers c 200")
    script(other, "timers c 300", "proxy targets 5")
    assert script(one, "commit").status == 0
    mistake = script(other, "commit").err
    assert "    theirs  c 200" in mistake and "    yours   c 300" in mistake
    assert script(other, "rebase", "show diff", "commit").status == 0
    assert {"  c 200", "  targets 5"} <= set(typed(appliance, "show run"))


def test_a_secret_is_committed_as_its_hash(appliance: Appliance) -> None:
    edits = ("operator ann", "role admin", "secret tiger")
    lines = typed(appliance, "enable", "conf t", *edits, "show candidate", "commit")
    secret = next(line for line in lines if "secret" in line)
    assert "tiger" not in secret and secret.split()[1].startswith("scrypt:")


def test_every_change_is_in_the_audit_log(appliance: Appliance) -> None:
    typed(appliance, "enable", "clear counters", "conf t", "timers c 200", "commit comment why")
    entries = document(appliance, "show audit")["entries"]
    noted = " ".join(entry["command"] for entry in entries)
    assert "clear counters" in noted and "commit" in noted
    assert all(entry["user"] for entry in entries)


def test_a_candidate_outlives_the_process_that_serves_it(appliance: Appliance) -> None:
    session = operator(appliance)
    assert script(session, "timers c 200", "show diff", "exit").status == 1
    assert session.candidate is not None
    management = next(row for row in document(appliance, "show processes")["processes"] if row["name"] == "management")
    os.kill(management["pid"], signal.SIGKILL)
    wait_until(lambda: not session.control.is_open, "the connection is lost")
    wait_until(lambda: appliance.command("cli", "-c", "show clock").returncode == 0, "an answer", pause_s=0.5)
    assert script(session, "commit").status == 0
    assert "  c 200" in typed(appliance, "show run")


def test_a_request_is_tried_without_sending_it(shared_appliance: Callable[..., Appliance]) -> None:
    appliance = shared_appliance()
    sent = appliance.counter("requests-sent")
    lines = typed(appliance, f"test route sip:alice@{appliance.domain} from bob@{appliance.domain}")
    stages = lines[lines.index("STAGES") + 2 : lines.index("TARGETS") - 1]
    assert [line.split()[0] for line in stages][:2] == ["validate", "loose_route"]
    assert "locate" in lines[-1]
    assert appliance.counter("requests-sent") == sent


def test_a_ping_is_answered_and_seen(shared_appliance: Callable[..., Appliance]) -> None:
    appliance = shared_appliance()
    shown: list[str] = []
    watching = threading.Thread(target=lambda: shown.extend(typed(appliance, "enable", "debug sip seconds 20 lines 8")))
    watching.start()
    uri = f"sip:{appliance.address}:{appliance.port}"
    while watching.is_alive():
        lines = typed(appliance, "enable", f"ping sip {uri} count 2 timeout 1")
        assert lines[-1].startswith("Success rate is 100 percent (2/2)")
    assert any("200 OK" in line for line in shown)
    assert re.match("[0-9]+ messages", shown[-1])


def test_calls_and_registrations_are_watched(shared_appliance: Callable[..., Appliance]) -> None:
    """Those of one user, from all workers, as they happen."""
    appliance = shared_appliance()
    shown: list[str] = []
    watching = threading.Thread(
        target=lambda: shown.extend(typed(appliance, "enable", "monitor events user Watched seconds 8"))
    )
    watching.start()
    with Phone(appliance, "caller") as caller, Phone(appliance, "watched") as callee:
        while watching.is_alive():
            # A process between two registrations: `registrar changes` is not reached.
            assert typed(appliance, "show clock")
            callee.register()
            for _ in range(10):
                hang_up(caller, callee, talk(caller, callee))
    lines = [line.split() for line in shown[1:-1]]
    assert {kind for _, _, kind, *_ in lines} >= {"call-started", "call-answered", "call-ended", "contact-refreshed"}
    assert {address for _, _, kind, address, *_ in lines if kind.startswith("contact-")} == {callee.aor[4:]}
    assert len({worker for _, worker, *_ in lines}) == appliance.workers
    assert re.match("[0-9]+ events shown", shown[-1])


def test_what_the_appliance_says_itself_is_no_answer_to_a_ping(shared_appliance: Callable[..., Appliance]) -> None:
    appliance = shared_appliance()
    lines = typed(appliance, "enable", f"ping sip sip:nobody@{appliance.domain} count 1 timeout 10")
    assert lines[-2:] == ["   1  no answer: this appliance says 404 Not Found", "Success rate is 0 percent (0/1)"]


def test_the_way_to_a_host_is_traced(appliance: Appliance) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hop:
        hop.bind((appliance.address, 0))
        hop.settimeout(30.0)

        def answer() -> None:
            for status in (b"483 Too Many Hops", b"200 OK"):
                data, source = hop.recvfrom(65536)
                kept = [line for line in data.split(b"\r\n") if line.startswith((b"Via", b"From", b"Call-ID", b"CSeq"))]
                to = next(line for line in data.split(b"\r\n") if line.startswith(b"To")) + b";tag=far"
                head = [b"SIP/2.0 " + status, *kept, to, b"Server: edge", b"Content-Length: 0", b"", b""]
                hop.sendto(b"\r\n".join(head), source)

        answering = threading.Thread(target=answer)
        answering.start()
        uri = f"sip:{appliance.address}:{hop.getsockname()[1]}"
        lines = typed(appliance, "enable", f"traceroute sip {uri} timeout 10")
        answering.join()
    assert [line.split()[:2] for line in lines[1:]] == [["1", "483"], ["2", "200"]]
    assert lines[1].endswith("edge")


def test_one_archive_for_support(appliance: Appliance) -> None:
    path = typed(appliance, "enable", "conf t", "enable secret tiger", "commit", "end", "show tech-support")[-1]
    with tarfile.open(path.split(" (")[0]) as archive:
        texts = {name: archive.extractfile(name).read() for name in archive.getnames()}  # type: ignore[union-attr]
    assert not any(b"scrypt:" in text for text in texts.values())
    assert any(b"enable secret" in text for text in texts.values())


def test_the_archive_for_support_is_fetched(appliance: Appliance) -> None:
    line = [sys.executable, "-m", "cli.main", "--state", str(appliance.state), "-c", "enable\ncopy tech-support"]
    done = subprocess.run(line, capture_output=True, timeout=60, check=True)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        assert "tech-support/status.json" in archive.getnames()


def test_live_names_complete(appliance: Appliance) -> None:
    appliance.add_subscriber("alice", "wonderland")
    session = operator(appliance)
    expected = [f"alice@{appliance.domain}"]
    wait_until(lambda: session.live_names("subscriber", "al") == expected, "the names are there")
    assert session.live_names("worker", "") == ["0", "1"]


@pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux (packaging/apt-test.txt)")
@pytest.mark.long
def test_a_commit_that_is_not_confirmed_is_reverted(appliance: Appliance) -> None:
    with shell_on_screen(appliance.state, prompt="live>") as screen:
        screen.enter("enable")
        screen.enter("conf t")
        screen.enter("timers c 200")
        screen.enter("commit confirmed 1")
        screen.until("reverts automatically in 1 minute...")
        screen.press("C-z")
        screen.until("live#")
        screen.enter("terminal monitor")
        screen.until("live#")
        screen.until("was not confirmed...", wait_s=TRIAL_S + 20)
        screen.enter("show configuration history")
        screen.until("reverted...")
