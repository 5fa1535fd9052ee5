"""SET of sysContact, sysName and sysLocation: a commit with a line in the audit log (RFC 3416 4.2.5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from appliance.configuration.text import parse_configuration
from appliance.ipc.bus import BusUnavailable
from appliance.management.snmp.engine import CommitRefused, CommitUnknown, NotWritable, WrongValue
from appliance.management.snmp.system_objects import SYS_CONTACT, SYS_LOCATION, SYS_NAME, SYS_UP_TIME
from appliance.management.snmp.writing import SystemWriter
from appliance.storage.commits import CommitStore


class Node:
    """A node with one commit, whose supervisor answers as the test says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "log").mkdir()
        CommitStore(folder / "configuration").add("hostname live\n", "root", "", 0.0)
        self.fault: Exception | None = None
        self.asked: list[Any] = []
        self.writer = SystemWriter(folder, self._answer)

    def _answer(self, request: Any) -> None:
        self.asked.append(request)
        if self.fault is not None:
            raise self.fault

    def audit(self) -> str:
        return (self.folder / "log" / "audit.log").read_text()


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_the_change_is_a_commit_of_the_configuration_in_force(node: Node) -> None:
    node.writer.write("snmp monitor", [(SYS_LOCATION, b"Cellar"), (SYS_NAME, b"box")])
    (commit,) = node.asked
    settings = parse_configuration(commit.text)
    assert (settings.snmp.location, settings.hostname, commit.base) == ("Cellar", "box", 1)
    assert commit.user == "snmp monitor" and "done" in node.audit() and "sysLocation" in node.audit()


def test_a_refusal_is_told_and_noted(node: Node) -> None:
    node.fault = CommitRefused("another commit waits to be confirmed")
    with pytest.raises(CommitRefused):
        node.writer.write("snmp monitor", [(SYS_CONTACT, b"Alice")])
    assert "refused: another commit" in node.audit()


def test_without_an_answer_it_is_not_known_whether_it_is_in_force(node: Node) -> None:
    node.fault = BusUnavailable("The supervisor did not answer within 10 s.")
    with pytest.raises(CommitUnknown):
        node.writer.write("snmp monitor", [(SYS_CONTACT, b"Alice")])
    assert "not known: The supervisor" in node.audit() and "refused" not in node.audit()


def test_nothing_else_is_writable(node: Node) -> None:
    with pytest.raises(NotWritable):
        node.writer.write("snmp monitor", [(SYS_CONTACT, b"Alice"), (SYS_UP_TIME, b"0")])
    with pytest.raises(WrongValue):
        node.writer.write("snmp monitor", [(SYS_NAME, b"two words")])
    assert not node.asked
