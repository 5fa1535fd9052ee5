"""The control socket itself: lines, rights, streams, bounds; and the audit log beside it."""

from __future__ import annotations

import asyncio
import gc
import json
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.catalogue.commands import COMMANDS
from appliance.catalogue.node_status import NodeStatus, WorkerStatus
from appliance.catalogue.operator_settings import OperatorSettings
from appliance.catalogue.redaction import without_secrets
from appliance.catalogue.settings import Settings
from appliance.management import control_socket
from appliance.management.appliance_client import ApplianceClient
from appliance.management.control_socket import ControlSocket
from appliance.management.errors import Refused
from appliance.management.requests import REQUESTS
from appliance.management.sessions import ADMIN, VIEW, new_session
from appliance.management.worker_link import WorkerLink
from appliance.messages.bus_messages import BusMessage, BusReply, BusRequest
from appliance.messages.supervisor_requests import (
    CommitConfiguration,
    Committed,
    DrainWorker,
    StatusReply,
    StatusRequest,
    WorkerChanged,
)
from appliance.messages.worker_requests import (
    CallRow,
    CallRows,
    DryRun,
    Hello,
    HelloReply,
    ListCalls,
    ListConnections,
    LookupNeeded,
    Route,
)
from appliance.storage.commits import CommitStore

TEXT = "hostname box\ndomain example.com\n"
STATUS = NodeStatus(
    hostname="box", commit=1, workers=[WorkerStatus(0, state="live")], counters={"calls-started": 7}
)
ROW = CallRow("call-1", "sip:alice@a", "sip:bob@b", "sip:bob@b", "udp 192.0.2.1:5060", "proceeding", "180")
REPLIES: dict[type[BusRequest[Any]], BusReply] = {
    Hello: HelloReply(),
    ListCalls: CallRows(1, [ROW]),
    DryRun: Route([], [], "It is dropped.", []),
    # As a worker of another version might.
    ListConnections: Route([], [], "", [LookupNeeded("host", "x", {})]),
}


class Bus:
    """A bus on which one worker answers requests."""

    def __init__(self) -> None:
        self.arrived: list[tuple[int, BusMessage]] = []
        self.is_deaf = False

    def receive(self) -> list[tuple[int, BusMessage]]:
        arrived, self.arrived = self.arrived, []
        return arrived

    def pending(self) -> bool:
        return False

    def connect(self, destinations: Any) -> None: ...
    def forget(self, number: int) -> None: ...

    def send(self, destination: int, messages: Any) -> bool:
        for asked in messages:
            if isinstance(asked, BusRequest) and not self.is_deaf:
                self.arrived.append((destination, replace(REPLIES[type(asked)], id=asked.id)))
        return True


class Supervised(ApplianceClient):
    """A desk whose supervisor answers from a list."""

    def __init__(self, state_dir: Path, bus: Bus | None = None) -> None:
        self.bus = bus or Bus()
        (state_dir / "log").mkdir()
        CommitStore(state_dir / "configuration").add(TEXT, "test", "first", 1.0)
        super().__init__(state_dir, Settings(hostname="box"), WorkerLink(self.bus, 0))
        self.ordered: list[BusRequest[Any]] = []

    async def ask(self, request: BusRequest[Any], timeout_s: float = 1.0) -> Any:
        if isinstance(request, StatusRequest):
            return StatusReply(STATUS)
        self.ordered.append(request)
        if isinstance(request, DrainWorker):
            raise Refused("There is no worker 9.", "type 0")
        if isinstance(request, CommitConfiguration):
            return Committed(2, [])
        return WorkerChanged(2, "draining", 0)


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, line: bytes) -> None:
        self.writer.write(line + b"\n")

    async def receive(self) -> dict[str, Any]:
        return dict(json.loads(await asyncio.wait_for(self.reader.readline(), 60.0)))

    async def do(self, number: int, do: str, /, **args: Any) -> dict[str, Any]:
        self.send(json.dumps({"id": number, "do": do, "args": args}).encode())
        return await self.receive()


def served(tmp_path: Path, talk: Callable[[Client, Supervised], Awaitable[None]]) -> None:
    """Run a control socket and talk to it."""

    async def run() -> None:
        desk = Supervised(tmp_path)
        await desk.sample()
        control = ControlSocket(tmp_path / "control.sock", desk)
        await control.open()
        client = Client(*await asyncio.open_unix_connection(tmp_path / "control.sock"))
        try:
            await talk(client, desk)
        finally:
            client.writer.close()
            await control.close()

    asyncio.run(run())


def test_hello_says_who_one_is(tmp_path: Path) -> None:
    async def talk(client: Client, desk: Supervised) -> None:
        result = (await client.do(1, "hello", language=1))["result"]
        assert (result["hostname"], result["right"], result["needs_login"]) == ("box", "view", False)
        assert result["user"] and result["language"] == 1

    served(tmp_path, talk)


def test_what_changes_something_needs_enable_and_is_noted(tmp_path: Path) -> None:
    async def talk(client: Client, desk: Supervised) -> None:
        assert (await client.do(1, "restart worker", number=0))["error"]["remedy"] == "type `enable` first"
        assert (await client.do(2, "enable", secret=""))["result"] == {"right": "admin"}
        assert "result" in await client.do(3, "restart worker", number=0)
        assert (await client.do(4, "drain worker", number=9))["error"]["message"] == "There is no worker 9."
        noted = [(entry["command"], entry["result"]) for entry in desk.audit.latest(10)]
        assert noted == [
            ("enable", "done"),
            ("restart worker number=0", "done: 2"),
            ("drain worker number=9", "refused: There is no worker 9."),
        ]

    served(tmp_path, talk)


def test_what_cannot_be_noted_is_not_done(tmp_path: Path) -> None:
    async def talk(client: Client, desk: Supervised) -> None:
        await client.do(1, "enable", secret="")
        shutil.rmtree(tmp_path / "log")
        assert "audit log" in (await client.do(2, "restart worker", number=0))["error"]["message"]
        assert desk.ordered == []

    served(tmp_path, talk)


def test_what_is_no_request_is_answered(tmp_path: Path) -> None:
    async def talk(client: Client, desk: Supervised) -> None:
        for line in (b"hello", b"[]", b'{"id": 1}', b'{"id": [1], "do": "hello"}', b'{"do": 5}', b"[" * 5000):
            client.send(line)
            assert (await client.receive())["error"]["message"] == "Malformed request."
        assert "Unknown request" in (await client.do(1, "dance"))["error"]["message"]
        assert "cannot be" in (await client.do(2, "show commits", limit="many"))["error"]["message"]
        assert "missing" in (await client.do(3, "show commit"))["error"]["message"]
        assert "result" in await client.do(4, "show version")

    served(tmp_path, talk)


def test_a_stream_ends_when_it_is_cancelled(tmp_path: Path) -> None:
    async def talk(client: Client, desk: Supervised) -> None:
        client.send(b'{"id": 7, "do": "terminal monitor"}')
        # Requests begin in their order: the other one waits for lines by now.
        await client.do(6, "show version")
        log = tmp_path / "log" / "signalbox.log"
        log.write_text("something happened\n")
        assert await client.receive() == {"id": 7, "event": {"line": "something happened"}}
        client.send(b'{"id": 8, "do": "cancel", "args": {"request": 7}}')
        answers = [await client.receive(), await client.receive()]
        assert sorted(answer["id"] for answer in answers) == [7, 8]
        assert all(answer["result"] == {"cancelled": True} for answer in answers)

    served(tmp_path, talk)


def test_a_client_that_leaves_during_a_stream_is_no_fault(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def talk(client: Client, desk: Supervised) -> None:
        for number in range(3):
            client.send(b'{"id": %d, "do": "terminal monitor"}' % number)
        client.send(b'{"id": 9, "do": "hello", "args": {"language": 1}}')
        await client.receive()
        client.writer.transport.abort()
        while list(desk.sessions):
            await asyncio.sleep(0)

    served(tmp_path, talk)
    gc.collect()
    assert not [record for record in caplog.records if record.name == "asyncio"]


def test_requests_under_way_are_bounded(tmp_path: Path) -> None:
    async def talk(client: Client, desk: Supervised) -> None:
        for number in range(control_socket.REQUESTS_MAX + 1):
            client.send(b'{"id": %d, "do": "terminal monitor"}' % number)
        assert (await client.receive())["error"]["message"] == "Too many concurrent requests."

    served(tmp_path, talk)


def test_a_line_that_never_ends_ends_the_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_socket, "LINE_LEN_MAX", 1000)

    async def talk(client: Client, desk: Supervised) -> None:
        client.writer.write(b"x" * 3000)
        assert "more than 1000" in (await client.receive())["error"]["message"]
        assert await client.reader.read() == b""

    served(tmp_path, talk)


def test_the_configuration_is_shown_compared_and_committed(tmp_path: Path) -> None:
    async def talk(client: Client, desk: Supervised) -> None:
        shown = (await client.do(1, "show running-config"))["result"]
        assert shown == {"text": TEXT, "commit": 1}
        assert "expires default" in (await client.do(2, "show running-config", all=True))["result"]["text"]
        changed = TEXT + "timers\n  t1 400\n!\n"
        assert (await client.do(3, "diff", text=changed))["result"]["diff"] == ["  timers", "+   t1 400"]
        check = (await client.do(4, "check", text=changed))["result"]
        effect = {"keyword": "timers t1", "effect": "immediately", "old": "500", "new": "400"}
        assert check == {"faults": [], "effects": [effect], "warnings": []}
        assert (await client.do(5, "check", text="colour blue\n"))["result"]["faults"][0]["line"] == 1
        await client.do(6, "enable", secret="")
        done = (await client.do(7, "commit", text=changed, base=1, comment="faster"))["result"]
        assert done == {"number": 2, "effects": [], "warnings": []}
        (order,) = desk.ordered
        assert order == CommitConfiguration(changed, 1, order.user, "faster")
        assert (await client.do(8, "commit", text="colour blue\n", base=1))["error"]["faults"][0]["line"] == 1

    served(tmp_path, talk)


def test_the_second_of_two_operators_gets_the_lines_and_rebases(tmp_path: Path) -> None:
    async def talk(client: Client, desk: Supervised) -> None:
        desk.store().add(TEXT.replace("box", "theirs"), "anna", "", 2.0)
        await client.do(1, "enable", secret="")
        mine = TEXT.replace("box", "mine") + "timers\n  t1 400\n!\n"
        error = (await client.do(2, "commit", text=mine, base=1))["error"]
        assert (error["head"], error["message"]) == (2, "Commit 2 by anna was made in the meantime.")
        assert error["conflicts"] == [{"line": "hostname", "theirs": "hostname theirs", "mine": "hostname mine"}]
        rebased = (await client.do(3, "rebase", text=mine, base=1))["result"]
        assert (rebased["base"], rebased["conflicts"]) == (2, error["conflicts"])
        assert "t1 400" in rebased["text"] and "hostname theirs" in rebased["text"]

    served(tmp_path, talk)


def test_commits_are_listed_with_what_they_changed(tmp_path: Path) -> None:
    async def talk(client: Client, desk: Supervised) -> None:
        desk.store().add(TEXT + "domain example.net\n", "anna", "one more", 2.0)
        first, second = (await client.do(1, "show commits"))["result"]["commits"]
        assert (first["number"], first["user"], first["comment"], first["added"], first["removed"]) == (
            2,
            "anna",
            "one more",
            1,
            0,
        )
        assert second["number"] == 1
        assert (await client.do(2, "show commit", number=2))["result"]["diff"] == ["+ domain example.net"]
        assert "There is no commit 9" in (await client.do(3, "show commit", number=9))["error"]["message"]

    served(tmp_path, talk)


def test_a_worker_that_does_not_answer_is_no_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk(client: Client, desk: Supervised) -> None:
        asking = asyncio.ensure_future(desk.workers.ask(0, ListCalls(), 60.0))
        while not asking.done():
            await asyncio.sleep(0.01)
            desk.workers.receive()
        assert (await asking).rows == [ROW]
        desk.bus.is_deaf = True
        with pytest.raises(Refused, match="did not answer"):
            await desk.workers.ask(0, ListCalls(), 0.05)
        with pytest.raises(Refused, match="does not exist or is down"):
            await desk.workers.ask(5, ListCalls(), 0.05)

    served(tmp_path, talk)


def test_a_reply_of_another_class_is_refused(tmp_path: Path) -> None:
    async def talk(client: Client, desk: Supervised) -> None:
        asking = asyncio.ensure_future(desk.workers.ask(0, ListConnections(), 60.0))
        while not asking.done():
            await asyncio.sleep(0)
            desk.workers.receive()
        with pytest.raises(Refused, match="answered with Route"):
            await asking

    served(tmp_path, talk)


def test_calls_are_shown_with_what_is_counted(tmp_path: Path) -> None:
    async def talk(client: Client, desk: Supervised) -> None:
        asking = asyncio.ensure_future(client.do(1, "show calls"))
        while not asking.done():
            await asyncio.sleep(0.01)
            desk.workers.receive()
        result = (await asking)["result"]
        assert (result["started"], result["answered"], result["failed"]) == (7, 0, 0)
        (row,) = result["rows"]
        assert (row["worker"], row["from"], row["call_id"], result["total"]) == (0, "sip:alice@a", "call-1", 1)

    served(tmp_path, talk)


def test_a_route_is_tried_at_a_listener_that_exists(tmp_path: Path) -> None:
    async def talk(client: Client, desk: Supervised) -> None:
        error = (await client.do(1, "test route", uri="sip:x@192.0.2.9", listener="nowhere"))["error"]
        assert (error["message"], error["remedy"]) == ("There is no listener `nowhere`.", "see `show listeners`")
        asking = asyncio.ensure_future(client.do(2, "test route", uri="sip:x@192.0.2.9", listener="local"))
        while not asking.done():
            await asyncio.sleep(0.01)
            desk.workers.receive()
        assert (await asking)["result"] == {"stages": [], "targets": [], "outcome": "It is dropped."}

    served(tmp_path, talk)


def test_every_request_that_acts_is_noted() -> None:
    for do, request in REQUESTS.items():
        assert request.is_noted == (request.right == ADMIN), do
        assert (
            request.is_noted
            or do.startswith("show ")
            or do
            in {
                "active",
                "check",
                "complete",
                "diff",
                "hash secret",
                "rebase",
                "resolve",
                "terminal monitor",
                "test route",
            }
        )


def test_every_command_of_the_shell_is_served_and_needs_no_more_than_it_declares() -> None:
    session_requests = {"hello", "login", "enable", "cancel"}
    for command in COMMANDS:
        if command.do and command.do not in session_requests:
            assert REQUESTS[command.do].right in (VIEW, command.right.value), command.do


def test_who_looks_only_cannot_act(tmp_path: Path) -> None:
    session = new_session(77, 0, "ben")
    assert not session.may("view")
    assert Settings(operators=(OperatorSettings(name="ben"),)).operators[0].role == "view"


def test_showing_and_completing_subscribers_makes_no_database(tmp_path: Path) -> None:
    async def talk(client: Client, desk: Supervised) -> None:
        answer = await client.do(1, "show subscribers")
        assert "does not exist" in answer["error"]["message"]
        assert (await client.do(2, "complete", what="subscriber", start=""))["result"]["words"] == []

    served(tmp_path, talk)
    assert not list(tmp_path.glob("subscribers*"))


def test_the_archive_has_no_secrets() -> None:
    text = f"  secret scrypt:16384:8:1:{'0a' * 16}:{'5b' * 32}\nsubscribers database postgresql://u:p@host/d\n"
    assert without_secrets(text) == "  secret <hidden>\nsubscribers database postgresql://u:<hidden>@host/d\n"


SECRETS = f"operator ann\n  secret scrypt:16384:8:1:{'0a' * 16}:{'5b' * 32}\nsubscribers database postgresql://u:p@h/d\n"


def test_what_is_compared_shows_secrets_to_administrators_only(tmp_path: Path) -> None:
    """An account that may only read has nothing to compare with: an empty candidate differs in every line."""

    async def talk(client: Client, desk: Supervised) -> None:
        desk.store().add(TEXT + SECRETS, "test", "second", 2.0)
        shown = [
            await client.do(1, "diff", text=TEXT),
            await client.do(2, "rebase", text=TEXT, base=1),
            await client.do(3, "check", text=TEXT),
        ]
        assert all("result" in answer for answer in shown)
        assert not any(secret in json.dumps(shown) for secret in ("scrypt:", "u:p@"))
        await client.do(4, "enable", secret="")
        assert "u:p@" in json.dumps(await client.do(5, "diff", text=TEXT))

    served(tmp_path, talk)


def test_every_request_is_in_the_document() -> None:
    page = (Path(__file__).parents[2] / "docs/control-socket.md").read_text()
    for do in [*REQUESTS, "hello", "login", "enable", "cancel"]:
        assert f"`{do}`" in page or f'"{do}"' in page, do
