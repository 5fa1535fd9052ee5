"""A worker over real loopback sockets and a real bus, with a stack that only answers OPTIONS."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest
import uvloop

from appliance import clock
from appliance.bus import SUPERVISOR, Bus
from appliance.catalogue import counters as catalogue
from appliance.catalogue.settings import JournalSettings, ListenerSettings, Settings, SupervisionSettings
from appliance.recorder import Recorder, Recording
from appliance.resolver import HostAddresses
from appliance.routing.questions import Answer, FindSubscriber, HostAnswer, LookupHost, Question, SubscriberAnswer
from appliance.sip.message import Request
from appliance.sip.parser import SyntaxLimits, parse
from appliance.sip.writer import write_response
from appliance.stack import Outputs, Stack
from appliance.state.messages import BusMessage, CallsMoved, Drain, HandedOver, Heartbeat, SendOn, SlotsChanged, Stop
from appliance.state.slots import deal
from appliance.transport.flow import TCP, UDP, Flow, Outgoing
from appliance.transport.via import response_flow, stamp_received

datagrams = pytest.importorskip("appliance.workers.datagrams", reason="the batch reader is not built")

from appliance.workers.datagram_doors import DatagramDoors  # noqa: E402 -- they need the batch reader
from appliance.workers.turn import AT_ONCE, LATE_S  # noqa: E402
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

    is_in_sync = True

    def __init__(self, journal: Journal) -> None:
        super().__init__(Settings(), 0, b"0123456789abcdef", 0.0, 0.0)
        self.outbox: list[Outgoing] = []
        self.messages: list[tuple[int, BusMessage]] = []
        self.questions: list[Question] = []
        self.records: list[bytes] = []
        self.heard: list[tuple[int, BusMessage]] = []
        self.answers: list[Answer] = []
        self.failures: list[Outgoing] = []
        self.timers: list[float] = []
        self.due = clock.monotonic() + 3600
        self.transactions = 0
        self.wall_time = 0.0
        self.adopted: list[bytes] = []
        self.delays: list[float] = []
        self.at_once = 0
        self.journal = journal

    def note_delay(self, delay_s: float, now: float) -> None:
        self.delays.append(delay_s)

    def receive_datagrams(self, batch: Sequence[tuple[bytes, Flow]], now: float) -> None:
        self.at_once = max(self.at_once, len(batch) + len(self.outbox))
        for data, flow in batch:
            assert b"crash" not in data, "a fault of ours"
            request = parse(data, SYNTAX)
            assert isinstance(request, Request)
            stamp_received(request, flow)
            if b"record" in data:
                self.records.append(data)
            self.outbox.append(Outgoing(write_response(request, 200, b"OK"), response_flow(request.top_via, flow)))

    def receive_messages(self, batch: Sequence[tuple[int, BusMessage]], now: float) -> None:
        self.heard += batch
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
        records, self.records = self.records, []
        messages, self.messages = self.messages, []
        questions, self.questions = self.questions, []
        self.journal.is_answer_sent = self.journal.is_answer_sent or bool(outgoings)
        return outgoings, records, [], messages, questions, self.due

    def adopt(self, snapshots: Sequence[bytes], now: float) -> None:
        self.adopted += snapshots

    def reconfigure(self, settings: Settings, now: float) -> None:
        pass

    def take_rate_demand(self) -> dict[str, dict[str, list[int]]]:
        return {}

    def receive_rate_shares(self, shares: dict[str, dict[str, float]]) -> None:
        pass

    def set_wall_time(self, wall_time: float, now: float) -> None:
        self.wall_time = wall_time

    def gauges(self) -> dict[str, int]:
        return {"transactions": self.transactions}

    def alarms(self) -> list[str]:
        return []

    def connections_changed(self, opened: Sequence[Flow], closed: Sequence[Flow]) -> None:
        pass


class Journal:
    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.is_answer_sent = False
        self.is_closed = False
        self.failed_count = 2
        self.upkept = 0

    def upkeep(self, now: float, wall_time: float) -> None:
        self.upkept += 1

    def reconfigure(self, settings: JournalSettings, workers: int) -> None:
        pass

    def append(self, records: list[bytes]) -> None:
        self.records += records

    def alarms(self) -> list[str]:
        return ["the disk is full"]

    def close(self) -> None:
        self.is_closed = True


class World:
    """DNS and the database of these tests."""

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
        self.journal = Journal()
        self.stack = EchoStack(self.journal)
        settings = Settings(
            listeners=(
                ListenerSettings(address="127.0.0.1", port=self.udp[0].getsockname()[1]),
                ListenerSettings(name="six", address="::1", port=self.udp[1].getsockname()[1]),
            ),
            supervision=SupervisionSettings(heartbeat_ms=20),
        )
        doors = DatagramDoors(
            {number: datagrams.DatagramSocket(door.fileno(), number, 1000) for number, door in enumerate(self.udp)}
        )
        world = World()
        self.recording = Recording(1)
        self.recorder = Recorder(self.recording.fd, self.recording.bank_len, 0, 0)
        self.worker = Worker(
            0, settings, SYNTAX, self.stack, self.bus, doors, world, world, self.journal, self.recorder
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

    async def order(self, message: BusMessage) -> None:
        while not self.supervisor.send(0, [message]):
            await asyncio.sleep(0.001)

    def close(self) -> None:
        self.supervisor.close()
        self.recording.close()
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


@pytest.fixture(params=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Play:
    """Runs a scenario beside a worker, stops it unless it has ended, and gives its exit code."""

    def run(scenario: Callable[[Bench], Coroutine[Any, Any, None]], is_placed: bool = True) -> int:
        async def whole() -> int:
            bench = Bench(tmp_path)
            running = asyncio.ensure_future(bench.worker.run(dict(enumerate(bench.tcp))))
            try:
                async with asyncio.timeout(10):
                    await asyncio.sleep(0)
                    if is_placed:
                        await bench.order(SlotsChanged(deal([0]), [0]))
                    await scenario(bench)
                    bench.worker.stop()
                    code = await running
                assert bench.journal.is_closed
                return code
            finally:
                running.cancel()
                await asyncio.wait((running,))
                bench.close()

        loop_factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(whole())

    return run


def test_calls_of_the_dead_are_adopted_by_the_owner_of_their_slots(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        with_slots = deal([0, 1])
        dead = Recorder(bench.recording.fd, bench.recording.bank_len, 1, 1)
        dead.keep([(b"ours", 0, b"first"), (b"another's", 255, b"second")], [0] * len(catalogue.COUNTERS))
        await bench.order(SlotsChanged(with_slots, [0], [1, 1]))
        await until(lambda: bench.stack.adopted)
        assert bench.stack.adopted == [b"first"]
        await bench.order(SlotsChanged(deal([0], 2), [0], [1, 1]))
        await until(lambda: len(bench.stack.adopted) > 1)
        assert bench.stack.adopted == [b"first", b"second"]

    assert play(scenario) == 0


def test_calls_that_the_bus_does_not_take_stay_here(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.stack.messages.append((7, CallsMoved([b"call"], 1)))
        await bench.order(Drain())
        await until(lambda: bench.stack.adopted)

    assert play(scenario) == 0


@pytest.mark.parametrize("pause_s", [0.0, 3 * LATE_S])
def test_the_first_of_many_datagrams_is_answered_before_the_last_is_read(play: Play, pause_s: float) -> None:
    """Unless the worker is late: then all are read at once."""

    async def scenario(bench: Bench) -> None:
        with bound(socket.SOCK_DGRAM, "127.0.0.1") as phone:
            for number in range(20):
                phone.sendto(options(str(number)), bench.udp[0].getsockname())
            time.sleep(pause_s)
            for _ in range(20):
                await asyncio.get_running_loop().sock_recv(phone, 4096)
        if pause_s:
            assert bench.stack.at_once > AT_ONCE
        else:
            # The machine may have had something else to do.
            assert bench.stack.at_once <= AT_ONCE or max(bench.stack.delays) >= LATE_S

    assert play(scenario) == 0


@pytest.mark.parametrize("listener", [0, 1])
def test_datagrams_are_answered(play: Play, listener: int) -> None:
    async def scenario(bench: Bench) -> None:
        loop = asyncio.get_running_loop()
        address = bench.udp[listener].getsockname()
        for _ in range(5):
            with bound(socket.SOCK_DGRAM, address[0]) as phone:
                for number in range(100):
                    phone.sendto(options(str(number)), address)
                answers = [await loop.sock_recv(phone, 4096) for _ in range(100)]
                assert all(answer.startswith(b"SIP/2.0 200 OK\r\n") for answer in answers)
        beat = await bench.heartbeat(lambda beat: beat.counters[catalogue.UDP_MESSAGES_SENT] == 500)
        assert beat.counters[catalogue.UDP_MESSAGES_RECEIVED] == 500

    assert play(scenario) == 0


def test_streams_are_answered(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        reader, writer = await asyncio.open_connection(*bench.tcp_address)
        writer.write(options(via="SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1") * 3)
        for _ in range(3):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"SIP/2.0 200 OK\r\n")
        await bench.heartbeat(lambda beat: beat.gauges["connections"] == 1)
        writer.close()

    assert play(scenario) == 0


def test_messages_of_siblings_reach_the_stack_and_their_answers_leave(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        with bound(socket.SOCK_DGRAM, "127.0.0.1") as phone:
            flow = Flow(UDP, 0, phone.getsockname())
            await bench.order(HandedOver(options("over"), flow))
            assert b"Call-ID: over" in await asyncio.get_running_loop().sock_recv(phone, 4096)

    assert play(scenario) == 0


def test_heartbeats_tell_how_the_worker_is(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.stack.transactions = 7
        bench.stack.counters[catalogue.CALLS_STARTED] = 3
        beat = await bench.heartbeat(lambda beat: beat.gauges["transactions"] == 7)
        assert (beat.worker, beat.in_sync, beat.alarms) == (0, True, ["state-store-failing the disk is full"])
        assert beat.counters[catalogue.CALLS_STARTED] == 3
        assert beat.counters[catalogue.JOURNAL_FAILED] == 2
        assert bench.journal.upkept
        assert beat.gauges["loop_lag_us"] >= 0
        later = await bench.heartbeat(lambda beat: True)
        assert later.turn >= beat.turn
        assert abs(bench.stack.wall_time - clock.wall_time()) < 5

    assert play(scenario) == 0


@pytest.mark.parametrize("siblings", [[], [1]])
def test_nothing_is_read_before_it_is_known_whose_it_is(play: Play, siblings: list[int]) -> None:
    """What waited in a dead worker's socket may be of calls that a sibling has by now."""

    async def scenario(bench: Bench) -> None:
        loop = asyncio.get_running_loop()
        _, stream = await asyncio.open_connection(*bench.tcp_address)
        stream.write(options("b", via="SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK2"))
        with bound(socket.SOCK_DGRAM, "127.0.0.1") as phone:
            phone.sendto(options(), bench.udp[0].getsockname())
            for _ in range(3):
                beat = await bench.heartbeat(lambda beat: True)
                assert not beat.counters[catalogue.UDP_MESSAGES_RECEIVED]
                assert not beat.counters[catalogue.TCP_MESSAGES_RECEIVED]
            table = SlotsChanged(deal([0, *siblings]), [0, *siblings])
            await bench.order(table)
            assert (await loop.sock_recv(phone, 4096)).startswith(b"SIP/2.0 200 ")
        await bench.heartbeat(lambda beat: beat.counters[catalogue.TCP_MESSAGES_RECEIVED] == 1)
        assert [type(message) for _, message in bench.stack.heard][-1] is SlotsChanged
        stream.close()

    assert play(scenario, is_placed=False) == 0


def test_a_worker_that_nobody_has_placed_can_be_stopped(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.order(Stop())
        await until(lambda: bench.journal.is_closed)

    assert play(scenario, is_placed=False) == 0


def test_stop_ends_the_worker(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.order(Stop())
        await until(lambda: bench.journal.is_closed)

    assert play(scenario) == 0


def test_a_drained_worker_ends_when_its_transactions_have(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.stack.transactions = 1
        await bench.order(Drain())
        await bench.heartbeat(lambda beat: True)
        await bench.heartbeat(lambda beat: True)
        assert not bench.journal.is_closed
        with pytest.raises(OSError):
            await asyncio.open_connection(*bench.tcp_address)
        bench.stack.transactions = 0
        await until(lambda: bench.journal.is_closed)

    assert play(scenario) == 0


@pytest.mark.parametrize("way", ["datagram", "stream", "bus"])
def test_a_fault_of_the_stack_ends_the_worker_with_a_traceback(
    play: Play, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(bench: Bench) -> None:
        if way == "datagram":
            with bound(socket.SOCK_DGRAM, "127.0.0.1") as phone:
                phone.sendto(options("crash"), bench.udp[0].getsockname())
                await until(lambda: bench.journal.is_closed)
        elif way == "stream":
            _, writer = await asyncio.open_connection(*bench.tcp_address)
            writer.write(options("crash"))
        else:
            await bench.order(HandedOver(options("crash"), Flow(UDP, 0, ("127.0.0.1", 9))))
        await until(lambda: bench.journal.is_closed)

    assert play(scenario) == 1
    assert "a fault of ours" in caplog.text


def test_questions_are_asked_and_answered(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.stack.questions = [LookupHost(1, b"example.com"), FindSubscriber(2, b"alice", b"example.com")]
        await until(lambda: len(bench.stack.answers) == 2)
        assert sorted(bench.stack.answers, key=lambda answer: answer.id) == [
            HostAnswer(1, ("192.0.2.1",), False, 60.0),
            SubscriberAnswer(2, False, False),
        ]

    async def with_timer(bench: Bench) -> None:
        bench.stack.due = clock.monotonic()
        await scenario(bench)

    assert play(with_timer) == 0


def test_the_stack_is_woken_when_it_wants_to_be(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        for _ in range(3):
            with bound(socket.SOCK_DGRAM, "127.0.0.1") as phone:
                bench.stack.timers.clear()
                due = bench.stack.due = clock.monotonic() + 0.02
                phone.sendto(options(), bench.udp[0].getsockname())
                await until(lambda: bench.stack.timers)
                assert bench.stack.timers[-1] >= due - 0.002

    assert play(scenario) == 0


def test_changes_are_stored(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        with bound(socket.SOCK_DGRAM, "127.0.0.1") as phone:
            phone.sendto(options("record"), bench.udp[0].getsockname())
            await asyncio.get_running_loop().sock_recv(phone, 4096)
        assert bench.journal.records == [options("record")]

    assert play(scenario) == 0


def test_what_cannot_be_sent_comes_back(play: Play) -> None:
    """RFC 3261 18.4: a bad address, a listener without a socket, a closed port, a sibling that is not there."""

    async def scenario(bench: Bench) -> None:
        with bound(socket.SOCK_DGRAM, "127.0.0.1") as gone:
            nobody = gone.getsockname()
        bad = [
            Outgoing(b"x", Flow(UDP, 0, ("example.com", 5060)), b"a"),
            Outgoing(b"x", Flow(UDP, 7, ("127.0.0.1", 5060)), b"b"),
            Outgoing(b"x", Flow(TCP, 0, nobody), b"c"),
            Outgoing(b"x", Flow(TCP, 0, ("127.0.0.1", 5060), 0, 12345), b"d"),
            Outgoing(options("e", "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKe"), Flow(UDP, 0, nobody), b"whatever"),
        ]
        on = Outgoing(b"x", Flow(TCP, 0, ("127.0.0.1", 5060), 3, 1), b"f")
        bench.stack.outbox = list(bad)
        bench.stack.messages = [(3, SendOn(on))]
        bench.stack.due = clock.monotonic()
        keys = {b"a", b"b", b"c", b"d", b"z9hG4bKe|OPTIONS", b"f"}
        await until(lambda: {failure.branch for failure in bench.stack.failures} == keys)
        with bound(socket.SOCK_DGRAM, "127.0.0.1") as phone:
            phone.sendto(options(), bench.udp[0].getsockname())
            await asyncio.get_running_loop().sock_recv(phone, 4096)

    assert play(scenario) == 0
