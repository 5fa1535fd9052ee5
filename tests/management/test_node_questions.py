"""`node NAME|all`: what operators ask of other nodes, by the replicators and links of two nodes and a witness."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from appliance.catalogue.commands import COMMANDS, NODE_REQUESTS
from appliance.catalogue.node_status import NodeStatus
from appliance.catalogue.operator_settings import OperatorSettings
from appliance.catalogue.settings import Settings
from appliance.cluster.replication.link_user import NEVER
from appliance.cluster.replication.questions import QuestionReplication
from appliance.management import node_questions
from appliance.management.appliance_client import Call
from appliance.management.arguments import Arguments
from appliance.management.errors import Refused
from appliance.management.node_answers import answer_node, encoded
from appliance.management.node_questions import ANSWER_MAX, ANSWERED_OF_NODE_MAX, ARGUMENTS_MAX, ASKED_MAX
from appliance.management.requests import REQUESTS, obey
from appliance.management.sessions import VIEW, Session
from appliance.management.tasks.completion import complete
from appliance.messages.bus_messages import BusMessage, BusRequest
from appliance.messages.codec import decode, encode
from appliance.messages.membership import Member, Membership
from appliance.messages.node_questions import AskNode, NodeAnswer
from appliance.messages.supervisor_requests import StatusReply, StatusRequest
from appliance.storage.cluster_file import ClusterFile, EtcdAccess, write_cluster
from appliance.transport.process_id import REPLICATOR, worker_of
from tests.management.test_control_socket import Bus, Supervised

NOW = 1000.0
MEMBERS = (Member(1, "north"), Member(2, "south"), Member(3, "judge", is_witness=True))
ACCOUNT = OperatorSettings("anna", role="admin")


class NodeBus(Bus):
    """The bus of a node, with a replicator on it."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self._node = node

    def send(self, destination: int, messages: Any) -> bool:
        if worker_of(destination) != REPLICATOR:  # type: ignore[arg-type]
            return super().send(destination, messages)
        for message in messages:
            self._node.replicator.receive_from_management(decode(encode(message)), NOW)
        while self._node.replicator.tick(NOW) != NEVER:
            pass
        return True


class Node(Supervised):
    """A node whose supervisor says which one it is."""

    def __init__(self, number: int, network: Network, state_dir: Path) -> None:
        state_dir.mkdir(mode=0o700)
        super().__init__(state_dir, NodeBus(self))
        etcd = EtcdAccess(("http://192.0.2.9:2379",))
        write_cluster(state_dir, ClusterFile("test", number, "0" * 64, "s" * 40, Membership(1, MEMBERS), etcd))
        self.number = number
        self.network = network
        self.replicator = QuestionReplication(self, self._tell)
        self.nodes.answer = partial(answer_node, self)

    async def ask(self, request: BusRequest[Any], timeout_s: float = 1.0) -> Any:
        if isinstance(request, StatusRequest):
            return StatusReply(NodeStatus(hostname=f"box-{self.number}", commit=1))
        return await super().ask(request, timeout_s)

    def _tell(self, message: BusMessage) -> bool:
        self.nodes.receive(decode(encode(message)))
        return True

    # -- its links -----------------------------------------------------------------------------------

    @property
    def members(self) -> tuple[int, ...]:
        return (3 - self.number,)

    def is_up(self, member: int) -> bool:
        return not self.network.is_parted

    def send(self, member: int, messages: Sequence[BusMessage]) -> bool:
        if not self.is_up(member):
            return False
        for message in messages:
            if not self.network.skips(message):
                self.network.nodes[member].replicator.receive(self.number, decode(encode(message)), NOW)
        return True

    # -- its operators -------------------------------------------------------------------------------

    async def show(self, do: str, session: Session | None = None, **args: Any) -> dict[str, Any]:
        async def event(values: dict[str, Any]) -> None: ...

        return await obey(do, args, Call(self, session or at_home(), Arguments(args), event))


class Network:
    """Two nodes that are linked."""

    def __init__(self, folder: Path) -> None:
        self.is_parted = False
        self.skips: Callable[[BusMessage], bool] = lambda message: False
        self.nodes = {number: Node(number, self, folder / f"{number}") for number in (1, 2)}


def at_home() -> Session:
    return Session("root", VIEW, is_at_home=True, is_admin=True)


def run(tmp_path: Path, talk: Callable[[Network, Node, Node], Awaitable[None]]) -> None:
    async def both() -> None:
        network = Network(tmp_path)
        await talk(network, *network.nodes.values())

    asyncio.run(both())


def test_the_other_node_shows_what_it_would_show_to_its_own_operator(tmp_path: Path) -> None:
    async def talk(network: Network, north: Node, south: Node) -> None:
        shown = await north.show("show status", node="south")
        assert shown == {"nodes": {"south": await south.show("show status")}}
        assert shown["nodes"]["south"]["hostname"] == "box-2"

    run(tmp_path, talk)


def test_all_nodes_are_shown_in_their_order_without_the_witness(tmp_path: Path) -> None:
    async def talk(network: Network, north: Node, south: Node) -> None:
        nodes = (await south.show("show status", node="all"))["nodes"]
        assert [(name, shown["hostname"]) for name, shown in nodes.items()] == [("north", "box-1"), ("south", "box-2")]

    run(tmp_path, talk)


def test_a_node_without_a_link_is_named_and_the_others_are_shown(tmp_path: Path) -> None:
    async def talk(network: Network, north: Node, south: Node) -> None:
        network.is_parted = True
        nodes = (await north.show("show workers", node="all"))["nodes"]
        assert "workers" in nodes["north"]
        assert nodes["south"]["error"]["message"] == "The node is unreachable."

    run(tmp_path, talk)


def test_a_link_that_is_lost_ends_the_wait(tmp_path: Path) -> None:
    async def talk(network: Network, north: Node, south: Node) -> None:
        network.skips = lambda message: isinstance(message, AskNode)
        asked = asyncio.ensure_future(north.show("show workers", node="south"))
        while not north.nodes._asked:
            await asyncio.sleep(0)
        north.replicator.link_lost(2, NOW)
        assert (await asked)["nodes"]["south"]["error"]["message"] == "The node is unreachable."

    run(tmp_path, talk)


def test_an_older_node_that_skips_the_question_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_questions, "TIMEOUT_S", 0.05)

    async def talk(network: Network, north: Node, south: Node) -> None:
        network.skips = lambda message: isinstance(message, AskNode)
        error = (await north.show("show workers", node="south"))["nodes"]["south"]["error"]
        assert error["message"] == "The node did not answer within 0.05 s."
        assert "older version" in error["remedy"]

    run(tmp_path, talk)


def test_a_node_that_does_not_know_the_command_says_so(tmp_path: Path) -> None:
    async def talk(network: Network, north: Node, south: Node) -> None:
        answer = await north.nodes.ask(2, "show weather", {}, at_home())
        assert answer["error"]["message"] == "The node does not know `show weather` for other nodes."

    run(tmp_path, talk)


@pytest.mark.parametrize(("name", "said"), [("west", "There is no node `west`."), ("judge", "judge is a witness")])
def test_who_is_no_node_is_refused(tmp_path: Path, name: str, said: str) -> None:
    async def talk(network: Network, north: Node, south: Node) -> None:
        with pytest.raises(Refused, match=said):
            await north.show("show workers", node=name)

    run(tmp_path, talk)


def test_it_is_refused_by_an_appliance_without_a_cluster(tmp_path: Path) -> None:
    async def talk(network: Network, north: Node, south: Node) -> None:
        (north.state_dir / "cluster").unlink()
        with pytest.raises(Refused, match="in no cluster"):
            await north.show("show workers", node="all")

    run(tmp_path, talk)


def test_names_of_nodes_are_completed(tmp_path: Path) -> None:
    async def talk(network: Network, north: Node, south: Node) -> None:
        async def event(values: dict[str, Any]) -> None: ...

        async def words(what: str) -> Any:
            args = Arguments({"what": what, "start": ""})
            return (await complete(Call(north, at_home(), args, event)))["words"]

        assert await words("nodes") == ["all", "north", "south"]
        assert await words("node") == ["north", "south"]

    run(tmp_path, talk)


# -- rights ------------------------------------------------------------------------------------------


def test_only_commands_that_show_and_are_declared_can_be_asked() -> None:
    for do in NODE_REQUESTS:
        assert REQUESTS[do].right == VIEW and not REQUESTS[do].is_noted
    assert not {"show running-config", "show cluster", "show tech-support", "complete"} & NODE_REQUESTS
    for command in COMMANDS:
        assert command.is_of_node == any(each.name == "node" and each.keyword == "node" for each in command.parameters)


@pytest.mark.parametrize("do", ["restart worker", "commit", "show tech-support", "show running-config", "enable"])
def test_another_node_can_have_nothing_else_done(tmp_path: Path, do: str) -> None:
    async def talk(network: Network, north: Node, south: Node) -> None:
        answer = json.loads(await answer_node(south, AskNode(1, 1, do, "{}", "root", True)))
        assert "does not know" in answer["error"]["message"]
        assert south.ordered == []

    run(tmp_path, talk)


@pytest.mark.parametrize("arguments", ['{"node": "all"}', "[]", "{", "[" * 5000, json.dumps({"a": "x" * 9000})])
def test_a_question_is_not_passed_on_and_its_arguments_are_read_with_care(tmp_path: Path, arguments: str) -> None:
    async def talk(network: Network, north: Node, south: Node) -> None:
        answer = json.loads(await answer_node(south, AskNode(1, 1, "show workers", arguments, "root", True)))
        assert "cannot be read" in answer["error"]["message"]

    run(tmp_path, talk)


def test_an_operator_needs_an_account_at_the_other_node(tmp_path: Path) -> None:
    async def talk(network: Network, north: Node, south: Node) -> None:
        north.settings = Settings(hostname="box", operators=(ACCOUNT,))
        north.commit = south.commit = 1
        anna = Session("anna", VIEW, is_at_home=False, is_admin=True)
        error = (await north.show("show workers", anna, node="south"))["nodes"]["south"]["error"]
        assert error["message"] == "The account anna was removed."
        south.settings = north.settings
        assert "workers" in (await north.show("show workers", anna, node="south"))["nodes"]["south"]

    run(tmp_path, talk)


# -- bounds ------------------------------------------------------------------------------------------


def test_a_long_answer_is_cut_and_says_so() -> None:
    lines = [f"{number} {'x' * 100}" for number in range(40_000)]
    octets = encoded({"lines": lines})
    assert len(octets) <= ANSWER_MAX
    result = json.loads(octets)["result"]
    # The newest lines are kept.
    assert result["lines"][-1] == lines[-1]
    assert result["cut"] == f"The answer was longer than 1 MiB; {len(result['lines'])} entries are shown."
    assert "more than" in json.loads(encoded({"text": "x" * ANSWER_MAX}))["error"]["message"]


def test_an_answer_of_many_parts_is_put_together(tmp_path: Path) -> None:
    async def talk(network: Network, north: Node, south: Node) -> None:
        log = south.state_dir / "log" / "signalbox.log"
        log.write_text("".join(f"{number} {'x' * 90}\n" for number in range(5000)))
        nodes = (await north.show("show logging", node="south", lines=5000))["nodes"]
        assert nodes["south"] == await south.show("show logging", lines=5000)
        assert north.nodes._asked == {} and north.nodes.dropped == 0

    run(tmp_path, talk)


def test_questions_under_way_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_questions, "TIMEOUT_S", 0.05)

    async def talk(network: Network, north: Node, south: Node) -> None:
        network.skips = lambda message: True
        asking = [north.nodes.ask(2, "show workers", {}, at_home()) for _ in range(ASKED_MAX + 1)]
        refusals = await asyncio.gather(*asking, return_exceptions=True)
        assert [str(refusal) for refusal in refusals].count("Too many concurrent questions to other nodes.") == 1
        with pytest.raises(Refused, match="arguments"):
            await north.nodes.ask(2, "show workers", {"a": "x" * ARGUMENTS_MAX}, at_home())

    run(tmp_path, talk)


def test_a_node_that_asks_too_much_is_refused(tmp_path: Path) -> None:
    async def talk(network: Network, north: Node, south: Node) -> None:
        free = asyncio.Event()

        async def slowly(question: AskNode) -> bytes:
            await free.wait()
            return b'{"result": {}}'

        south.nodes.answer = slowly
        count = ANSWERED_OF_NODE_MAX + 1
        asking = [asyncio.ensure_future(north.nodes.ask(2, "show workers", {}, at_home())) for _ in range(count)]
        (first, *_), _ = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        assert first.result()["error"]["message"] == "The node answers too many questions of other nodes."
        free.set()
        assert [answer for answer in await asyncio.gather(*asking) if answer == {"result": {}}] == [
            {"result": {}}
        ] * ANSWERED_OF_NODE_MAX

    run(tmp_path, talk)


def test_what_nobody_waits_for_is_dropped_and_counted(tmp_path: Path) -> None:
    async def talk(network: Network, north: Node, south: Node) -> None:
        north.nodes.receive(NodeAnswer(2, 17, 0, b"{}", True))
        status = await north.read_status()
        assert status.counters["node-messages-dropped"] == 1

    run(tmp_path, talk)


def test_no_node_answers_for_another_one(tmp_path: Path) -> None:
    async def talk(network: Network, north: Node, south: Node) -> None:
        network.skips = lambda message: isinstance(message, AskNode)
        asked = asyncio.ensure_future(north.nodes.ask(2, "show workers", {}, at_home()))
        while not north.nodes._asked:
            await asyncio.sleep(0)
        (number,) = north.nodes._asked
        # Whatever it writes, its replicator's link says who it is.
        north.replicator.receive(4, NodeAnswer(2, number, 0, b'{"result": {}}', True), NOW)
        assert north.nodes.dropped == 1 and not asked.done()
        asked.cancel()

    run(tmp_path, talk)


@pytest.mark.parametrize("octets", [b"", b"[]", b"{}", b'{"result": 1}', b"[" * 5000, b"\xff"])
def test_what_is_no_answer_is_refused(tmp_path: Path, octets: bytes) -> None:
    async def talk(network: Network, north: Node, south: Node) -> None:
        async def wrongly(question: AskNode) -> bytes:
            return octets or b"\x00"

        south.nodes.answer = wrongly
        with pytest.raises(Refused, match="no answer"):
            await north.nodes.ask(2, "show workers", {}, at_home())

    run(tmp_path, talk)
