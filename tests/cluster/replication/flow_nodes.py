"""Nodes with one worker each, whose replicators pass on what goes by connections of another node."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.cluster.replication.flows import FlowReplication
from appliance.location.dict_table import DictStore
from appliance.messages.bus_messages import BusMessage, PeerStarted
from appliance.messages.codec import decode, encode
from appliance.messages.node_start import NodeStart
from appliance.stack import Stack
from appliance.transport.flow import TCP, Flow
from appliance.transport.process_id import REPLICATOR, ProcessId, node_of, process_id
from tests.flows.wire import Message, read
from tests.stack_bench import KEY, NOW
from tests.tables import new_table

WALL_TIME = 1_700_000_000.0
PHONES = ListenerSettings(
    name="phones", address="192.0.2.1", relay="any", relay_private=True, authenticate=False
)
OTHER = ListenerSettings(name="other", address="192.0.2.2", relay="any", relay_private=True, authenticate=False)
SETTINGS = Settings(domains=("example.com",), listeners=(PHONES, OTHER))
# The same listeners at other places.
TURNED = Settings(domains=("example.com",), listeners=(OTHER, PHONES))


class Node:
    """A worker and a replicator."""

    def __init__(self, number: int, network: Network, settings: Settings) -> None:
        self.number = number
        self.network = network
        self.process = process_id(number, 0)
        self.is_bus_full = False
        self.is_link_full = False
        self._closed: set[int] = set()
        self.flows = FlowReplication(number, 1, self, self.tell)
        self.place = settings.listeners.index(PHONES)
        self.sent: list[tuple[Message, Flow]] = []
        self.begin(settings)

    def begin(self, settings: Settings) -> None:
        """A worker starts."""
        table = new_table(self.network.store)
        self.stack = Stack(settings, self.process, KEY, table, NOW, WALL_TIME, NodeStart(boot=b"%d" % self.number))
        self.stack.node_flows.connections.use_links(self.is_up)
        self.flows.receive_from_worker(self.process, PeerStarted())

    # -- its links, and its bus ----------------------------------------------------------------------

    @property
    def members(self) -> tuple[int, ...]:
        return tuple(number for number in self.network.nodes if number != self.number)

    def is_up(self, member: int) -> bool:
        return {self.number, member} not in self.network.parted

    def send(self, member: int, messages: Sequence[BusMessage]) -> bool:
        if not self.is_up(member) or self.is_link_full:
            return False
        for message in messages:
            self.network.nodes[member].flows.receive(self.number, decode(encode(message)), NOW)
        return True

    def tell(self, worker: ProcessId, messages: Sequence[BusMessage]) -> bool:
        if self.is_bus_full or worker != self.process:
            return False
        replicator = process_id(self.number, REPLICATOR)
        self.stack.receive_messages([(replicator, decode(encode(message))) for message in messages], NOW)
        return True

    # -- its worker ----------------------------------------------------------------------------------

    def connection(self, number: int, port: int = 40000) -> Flow:
        """A connection of a phone that has been opened to it."""
        flow = Flow(TCP, self.place, ("198.51.100.7", port), self.process, number)
        self.stack.connections_changed([flow], [])
        return flow

    def close(self, flow: Flow) -> None:
        """It is closed: what is sent by it fails."""
        self._closed.add(flow.connection)
        self.stack.connections_changed([], [flow])

    def receive(self, data: bytes, flow: Flow) -> list[Message]:
        """A message arrives; what this node sends for it."""
        self.stack.receive_datagrams([(data, flow)], NOW)
        return self.network.carry()[self.number]

    def take(self) -> bool:
        """What its worker wants to be done; False where that is nothing."""
        outputs = self.stack.outputs(NOW)
        assert self.stack.faults_to_log() == []
        failed = [outgoing for outgoing in outputs.outgoings if outgoing.flow.connection in self._closed]
        self.stack.receive_failures(failed, NOW)
        sent = [outgoing for outgoing in outputs.outgoings if outgoing not in failed]
        self.sent += [(read(outgoing.data), outgoing.flow) for outgoing in sent]
        for destination, message in outputs.messages:
            assert destination == process_id(self.number, REPLICATOR)
            self.flows.receive_from_worker(self.process, decode(encode(message)))
        self.flows.tick(NOW)
        return bool(outputs.outgoings or outputs.messages)


class Network:
    """Two nodes that are linked, with one registration table."""

    def __init__(self, second: Settings = SETTINGS) -> None:
        self.store = DictStore()
        self.parted: list[set[int]] = []
        self.nodes: dict[int, Node] = {}
        for number, settings in ((1, SETTINGS), (2, second)):
            self.nodes[number] = Node(number, self, settings)
        self.carry()

    def carry(self) -> dict[int, list[Message]]:
        """Until no node has anything to do; what each node has sent to the network."""
        # What one node passes to another is there in the next round.
        rounds = 0
        idle = 0
        while idle < 3:
            had_work = [node.take() for node in self.nodes.values()]
            idle = 0 if any(had_work) else idle + 1
            rounds += 1
            assert rounds < 50
        sent = {number: [message for message, _ in node.sent] for number, node in self.nodes.items()}
        self.flows = [flow for node in self.nodes.values() for _, flow in node.sent]
        for node in self.nodes.values():
            node.sent = []
        return sent

    def part(self) -> None:
        """The link is lost."""
        self.parted.append({1, 2})
        for node in self.nodes.values():
            node.flows.link_lost(3 - node.number, NOW)

    def join(self) -> None:
        """It is back."""
        self.parted.clear()
        for node in self.nodes.values():
            node.flows.link_up(3 - node.number, NOW)


def process_of(flow: Flow) -> int:
    """The node of the worker that holds a connection."""
    return node_of(flow.process)
