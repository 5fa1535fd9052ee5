"""A worker under test: real loopback sockets and a real bus, with a stack that only answers OPTIONS."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from appliance import clock
from appliance.catalogue.cluster_settings import VirtualAddressSettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.ipc.bus import Bus
from appliance.messages.bus_messages import BusMessage, ConnectionsChanged, HandedOver, Heartbeat
from appliance.messages.call_copies import CallCopy
from appliance.proxy.events import Event
from appliance.proxy.outputs import Outputs
from appliance.resolver import HostAddresses
from appliance.routing.lookup_questions import Answer, Question
from appliance.sip.message import Request
from appliance.sip.parser import SyntaxLimits, parse
from appliance.sip.writer import write_response
from appliance.stack import Stack
from appliance.storage.call_log import CallLog, CallLogWriter
from appliance.storage.copied_calls import CopiedCalls, CopiedCallsReader
from appliance.storage.flight_recorder import Recorder, Recording
from appliance.transport.flow import Flow, Outgoing
from appliance.transport.via import response_flow, stamp_received
from tests.tables import new_table

datagrams = pytest.importorskip("appliance.workers.datagrams", reason="the batch reader is not built")

from appliance.transport.process_id import SUPERVISOR  # noqa: E402
from appliance.workers.datagram_sockets import DatagramSockets  # noqa: E402 -- they need the batch reader
from appliance.workers.worker import Worker  # noqa: E402

SYNTAX = SyntaxLimits(message_len_max=20000, header_count_max=50, header_len_max=1024, uri_len_max=512)


def options(call_id: str = "a", via: str = "SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK1") -> bytes:
    return (
        f"OPTIONS sip:bob@example.com SIP/2.0\r\nVia: {via}\r\nFrom: <sip:alice@example.com>;tag=1\r\n"
        f"To: <sip:bob@example.com>\r\nCall-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"
        f"Content-Length: 0\r\n\r\n"
    ).encode()


class EchoStack(Stack):
    """Answers every request with 200, and remembers what else it was told."""

    # In place of what the base has under this name.
    takeover: Any = None

    def __init__(self) -> None:
        super().__init__(Settings(), 0, b"0123456789abcdef", new_table(), 0.0, 0.0)
        self.outbox: list[Outgoing] = []
        self.messages: list[tuple[int, BusMessage]] = []
        self.questions: list[Question] = []
        self.heard: list[tuple[int, BusMessage]] = []
        self.answers: list[Answer] = []
        self.failures: list[Outgoing] = []
        self.timers: list[float] = []
        self.due = clock.monotonic() + 3600
        self.transactions = 0
        self.wall_time = 0.0
        self.adopted: list[bytes] = []
        self.copies: list[CallCopy] = []
        self.takeover = TakeOver()
        self.delays: list[float] = []
        self.untold: list[ConnectionsChanged] = []
        self.demand: dict[str, dict[str, list[int]]] = {}
        self.at_once = 0
        self.events: list[Event] = []
        self.wants_events = False
        self.batches: list[int] = []

    def note_delay(self, delay_s: float, now: float) -> None:
        self.delays.append(delay_s)

    def receive_datagrams(self, batch: Sequence[tuple[bytes, Flow]], now: float) -> None:
        self.at_once = max(self.at_once, len(batch) + len(self.outbox))
        for data, flow in batch:
            assert b"crash" not in data, "a fault of ours"
            if b"costs-one" in data:
                self.note_fault("a message", data, ValueError("a small fault"), now)
            self.is_sound = b"damages-tables" not in data
            request = parse(data, SYNTAX)
            assert isinstance(request, Request)
            stamp_received(request, flow)
            destination = response_flow(request.read_top_via(), flow)
            self.outbox.append(Outgoing(write_response(request, 200, b"OK"), destination))

    def receive_messages(self, batch: Sequence[tuple[int, BusMessage]], now: float) -> None:
        self.heard += batch
        self.batches.append(len(batch))
        self.receive_datagrams([(m.data, m.flow) for _, m in batch if isinstance(m, HandedOver)], now)

    def receive_answers(self, batch: Sequence[Answer], now: float) -> None:
        self.answers += batch

    def receive_failures(self, batch: Sequence[Outgoing], now: float) -> None:
        self.failures += batch

    def handle_timers(self, now: float) -> None:
        self.timers.append(now)
        self.due = now + 3600

    def outputs(self, now: float) -> Outputs:
        outgoings, self.outbox = self.outbox, []
        messages, self.messages = self.messages, []
        questions, self.questions = self.questions, []
        events, self.events = self.events, []
        copies, self.copies = self.copies, []
        return Outputs(outgoings, [], messages, questions, self.due, events, copies)

    def make_events(self, is_wanted: bool) -> None:
        self.wants_events = is_wanted

    def adopt(self, snapshots: Sequence[bytes], now: float) -> None:
        self.adopted += snapshots

    def reconfigure(self, settings: Settings, now: float) -> None:
        pass

    def take_rate_demand(self) -> dict[str, dict[str, list[int]]]:
        demand, self.demand = self.demand, {}
        return demand

    def receive_rate_shares(self, shares: dict[str, dict[str, float]]) -> None:
        pass

    def set_wall_time(self, wall_time: float, now: float, date: float | None = None) -> None:
        self.wall_time = wall_time

    def gauges(self) -> dict[str, int]:
        return {"transactions": self.transactions}

    def alarms(self, now: float) -> list[str]:
        return []

    def connections_untold(self, news: ConnectionsChanged, now: float) -> None:
        self.untold.append(news)

    def connections_changed(self, opened: Sequence[Flow], closed: Sequence[Flow]) -> None:
        pass


class TakeOver:
    """The stack's part in virtual addresses."""

    def __init__(self) -> None:
        self.numbers: tuple[int, ...] = ()
        self.news: list[tuple[str, int]] = []
        self.adopted: list[bytes] = []

    def use(self, numbers: tuple[int, ...]) -> None:
        self.numbers = numbers

    def owned(self, address: int, is_of_other: bool, now: float) -> None:
        self.news.append(("taken from another" if is_of_other else "back", address))

    def lost(self, address: int, now: float) -> None:
        self.news.append(("lost", address))

    def adopt(self, snapshots: Sequence[bytes], now: float) -> None:
        self.adopted += snapshots


class Table:
    """The registration table as a worker handles it."""

    def __init__(self) -> None:
        self.fault = ""
        self.directory = "here"
        self.is_closed = False

    def move_to(self, directory: str) -> None:
        if directory == "nowhere":
            raise OSError("the registration table in nowhere cannot be opened")
        self.directory, self.fault = directory, ""

    def close(self) -> None:
        self.is_closed = True


class World:
    """DNS and the database of these tests."""

    def set_timeout(self, timeout_s: float) -> None: ...

    async def lookup(self, host: str) -> HostAddresses:
        return HostAddresses(("192.0.2.1",), 60.0)

    def find(self, username: bytes, realm: bytes) -> None:
        return None


class Bench:
    """A worker with an IPv4 and an IPv6 listener, and a supervisor's end of its bus."""

    def __init__(self, runtime_dir: Path) -> None:
        self.udp = [bound(socket.SOCK_DGRAM, "127.0.0.1"), bound(socket.SOCK_DGRAM, "::1")]
        self.tcp = [bound(socket.SOCK_STREAM, "127.0.0.1"), bound(socket.SOCK_STREAM, "::1")]
        self.tcp_address = self.tcp[0].getsockname()
        self.supervisor = Bus(runtime_dir, SUPERVISOR)
        self.bus = Bus(runtime_dir, 0)
        self.table = Table()
        self.stack = EchoStack()
        settings = Settings(
            listeners=(
                ListenerSettings(address="127.0.0.1", port=self.udp[0].getsockname()[1]),
                ListenerSettings(name="six", address="::1", port=self.udp[1].getsockname()[1]),
                # Its sockets are not here.
                ListenerSettings(name="public", address="192.0.2.1"),
            ),
            supervision=SupervisionSettings(heartbeat_ms=20),
            virtual_addresses=(VirtualAddressSettings(name="public", addresses=("192.0.2.1/24",)),),
        )
        doors = DatagramSockets(
            {number: datagrams.DatagramSocket(door.fileno(), number, 1000) for number, door in enumerate(self.udp)}
        )
        world = World()
        self.recording = Recording(1)
        self.recorder = Recorder(self.recording.fd, self.recording.bank_len, 0, 0)
        self.call_log = CallLog(1)
        self.copied_calls = CopiedCalls(1)
        copied = self.copied_calls.recording
        self.worker = Worker(
            0,
            settings,
            SYNTAX,
            self.stack,
            self.bus,
            doors,
            world,
            world,
            self.table,
            self.recorder,
            call_log=CallLogWriter(self.call_log.fd, self.call_log.ring_len, 0),
            copied_calls=CopiedCallsReader(copied.fd, copied.bank_len),
        )
        self.heartbeats: list[Heartbeat] = []

    async def heartbeat(self, is_wanted: Callable[[Heartbeat], bool]) -> Heartbeat:
        """The first heartbeat from now on that fulfils the condition."""
        self.supervisor.receive()
        while True:
            for _, message in self.supervisor.receive():
                if isinstance(message, Heartbeat) and is_wanted(message):
                    return message
            await asyncio.sleep(0.001)

    async def order(self, *messages: BusMessage) -> None:
        while not self.supervisor.send(0, messages):
            await asyncio.sleep(0.001)

    def close(self) -> None:
        self.supervisor.close()
        self.recording.close()
        self.call_log.close()
        self.copied_calls.close()
        for endpoint in (*self.udp, *self.tcp):
            endpoint.close()


def bound(kind: int, address: str) -> socket.socket:
    endpoint = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    endpoint.bind((address, 0))
    if kind == socket.SOCK_STREAM:
        endpoint.listen()
    endpoint.setblocking(False)
    return endpoint


async def until(is_so: Callable[[], object]) -> None:
    while not is_so():
        await asyncio.sleep(0.001)


class Play(Protocol):
    def __call__(self, scenario: Callable[[Bench], Coroutine[Any, Any, None]], is_placed: bool = True) -> int: ...
