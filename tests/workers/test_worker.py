"""What a worker does with its sockets, its bus and its stack (see bench.py)."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from appliance import clock
from appliance.catalogue import counters as catalogue
from appliance.catalogue.limit_settings import RateLimitSettings
from appliance.ipc.bus import Bus
from appliance.messages.bus_messages import (
    BusMessage,
    CallsMoved,
    ConnectionsChanged,
    Drain,
    HandedOver,
    HandedOverTaken,
    RateDemand,
    SendByConnection,
    SlotsChanged,
    Stop,
)
from appliance.messages.slots import deal
from appliance.messages.table_messages import TableReplaced, TableUnsound
from appliance.routing.lookup_questions import FindSubscriber, HostAnswer, LookupHost, SubscriberAnswer
from appliance.storage.flight_recorder import Recorder
from appliance.supervisor.rate_allocation import RateAllocator
from appliance.transport.flow import TCP, UDP, Flow, Outgoing

datagrams = pytest.importorskip("appliance.workers.datagrams", reason="the batch reader is not built")

from appliance.transport.process_id import SUPERVISOR, ProcessId  # noqa: E402
from appliance.workers.handed_over import MESSAGES_PER_TURN  # noqa: E402
from appliance.workers.handover_windows import ACKNOWLEDGED_AT_ONCE, UNACKNOWLEDGED_MAX  # noqa: E402
from appliance.workers.turn import AT_ONCE, LATE_S  # noqa: E402
from appliance.workers.worker_reports import BEAT_S, DEMAND_REPORTS, SIGNS_PER_BEAT, signs_within  # noqa: E402
from tests.workers.bench import Bench, Play, bound, options, until  # noqa: E402


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


def test_calls_of_the_dead_come_before_what_siblings_hand_over(play: Play) -> None:
    """RFC 3261 16.10: a CANCEL that waited on the bus beside the news finds its call."""

    async def scenario(bench: Bench) -> None:
        dead = Recorder(bench.recording.fd, bench.recording.bank_len, 1, 1)
        dead.keep([(b"call", 0, b"call")], [0] * len(catalogue.COUNTERS))
        adopted_when_heard: list[int] = []
        receive = bench.stack.receive_datagrams

        def receive_datagrams(batch: Sequence[tuple[bytes, Flow]], now: float) -> None:
            adopted_when_heard.extend(len(bench.stack.adopted) for _ in batch)
            receive(batch, now)

        bench.stack.receive_datagrams = receive_datagrams  # type: ignore[method-assign]
        cancel = HandedOver(options("cancel"), Flow(UDP, 0, ("127.0.0.1", 9)))
        bench.supervisor.send(0, [cancel, SlotsChanged(deal([0], 2), [0], [1, 1])])
        await until(lambda: adopted_when_heard)
        assert adopted_when_heard == [1]

    assert play(scenario) == 0


def test_calls_that_the_bus_does_not_take_stay_here(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.stack.messages.append((7, CallsMoved([b"call"], 1)))
        await bench.order(Drain())
        await until(lambda: bench.stack.adopted)

    assert play(scenario) == 0


def test_news_of_connections_that_the_bus_does_not_take_come_back(play: Play) -> None:
    """A sibling that is just being met has no connection to the bus yet."""

    async def scenario(bench: Bench) -> None:
        news = ConnectionsChanged([Flow(TCP, 0, ("192.0.2.7", 40123), 0, 77)], [])
        bench.stack.messages.append((7, news))
        await bench.order(Drain())
        await until(lambda: bench.stack.untold)
        assert bench.stack.untold == [news]

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


def test_what_is_handed_over_waits_for_the_connection_to_a_sibling(play: Play, tmp_path: Path) -> None:
    """A worker that has just started owns slots before all of its siblings are connected to it."""

    async def scenario(bench: Bench) -> None:
        flow = Flow(TCP, 0, ("192.0.2.7", 40123), 0, 77)
        bench.stack.messages.append((7, HandedOver(b"first", flow)))
        await bench.order(SlotsChanged(deal([0]), [0]))
        await until(lambda: not bench.stack.messages)
        sibling = Bus(tmp_path, ProcessId(7))
        try:
            heard: list[BusMessage] = []
            while not any(isinstance(message, HandedOver) for message in heard):
                heard += [message for _, message in sibling.receive()]
                await asyncio.sleep(0.001)
            assert [message.data for message in heard if isinstance(message, HandedOver)] == [b"first"]
        finally:
            sibling.close()

    assert play(scenario) == 0


def test_what_siblings_hand_over_is_handled_in_portions(play: Play) -> None:
    """A sibling's flood: signs of life, timers and datagrams come between two portions, and the sibling is told."""

    async def scenario(bench: Bench) -> None:
        flow = Flow(TCP, 0, ("192.0.2.7", 40123), 3, 77)
        await bench.order(*[HandedOver(options(str(number)), flow) for number in range(1000)])
        taken = 0
        while taken < 1000 - ACKNOWLEDGED_AT_ONCE:
            taken += sum(m.count for _, m in bench.supervisor.receive() if isinstance(m, HandedOverTaken))
            await asyncio.sleep(0.001)
        assert max(bench.stack.batches) <= MESSAGES_PER_TURN
        assert max(bench.stack.delays) > 0.0

    assert play(scenario) == 0


def test_a_connection_is_not_read_while_a_sibling_has_too_much_of_it(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        reader, writer = await asyncio.open_connection(*bench.tcp_address)
        writer.write(options(via="SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1"))
        await reader.readuntil(b"\r\n\r\n")
        (connection,) = bench.worker._streams._connections.values()
        handed_over = HandedOver(options(), connection.flow)
        bench.stack.messages += [(SUPERVISOR, handed_over)] * (UNACKNOWLEDGED_MAX + 1)
        bench.worker._turn.flush()
        # What the supervisor is sent waits until it is connected.
        await until(lambda: connection.is_paused)
        writer.write(options(via="SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK2"))
        await bench.order(HandedOverTaken(UNACKNOWLEDGED_MAX))
        await reader.readuntil(b"\r\n\r\n")
        assert not connection.is_paused
        # One that says nothing more is dead.
        bench.stack.messages += [(SUPERVISOR, handed_over)] * UNACKNOWLEDGED_MAX
        bench.worker._turn.flush()
        assert connection.is_paused
        await until(lambda: not connection.is_paused)
        writer.close()

    assert play(scenario) == 0


def test_heartbeats_tell_how_the_worker_is(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.stack.transactions = 7
        bench.stack.counters[catalogue.CALLS_STARTED] = 3
        beat = await bench.heartbeat(lambda beat: beat.gauges["transactions"] == 7)
        assert (beat.worker, beat.alarms) == (0, [])
        assert beat.counters[catalogue.CALLS_STARTED] == 3
        assert beat.gauges["loop_lag_us"] >= 0
        later = await bench.heartbeat(lambda beat: True)
        assert later.turn >= beat.turn
        assert abs(bench.stack.wall_time - clock.wall_time()) < 5

    assert play(scenario) == 0


def test_signs_of_life_come_more_often_than_heartbeats(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.heartbeat(lambda beat: True)
        next_one = asyncio.ensure_future(bench.heartbeat(lambda beat: True))
        signs = set()
        while not next_one.done():
            signs.add(bench.recording.signed_at(0, 0))
            await asyncio.sleep(0.001)
        assert len(signs) >= SIGNS_PER_BEAT // 2

    assert play(scenario) == 0


def test_the_end_of_a_demand_is_told(play: Play) -> None:
    """Else what was once asked of this worker would keep its share of a rate limit from its siblings."""
    dealer = RateAllocator()
    limit = RateLimitSettings(name="a", rate_per_s=100)

    def share_of_sibling() -> float:
        dealer.told(1, {"a": {"k": [50, 0]}}, 0.0)
        return dealer.shares((limit,), [0, 1])[1]["a"]["k"]

    async def scenario(bench: Bench) -> None:
        bench.stack.demand = {"a": {"k": [1000, 900]}}
        reports: list[RateDemand] = []
        while len(reports) < DEMAND_REPORTS:
            reports += [m for _, m in bench.supervisor.receive() if isinstance(m, RateDemand)]
            await asyncio.sleep(0.001)
        dealer.told(0, reports[0].demand, 0.0)
        assert share_of_sibling() < 10
        for report in reports[1:]:
            dealer.told(0, report.demand, 0.0)
        assert share_of_sibling() > 97
        # It is not told for ever: a node at rest is left in peace.
        await bench.heartbeat(lambda beat: True)
        await bench.heartbeat(lambda beat: True)
        assert not [m for _, m in bench.supervisor.receive() if isinstance(m, RateDemand)]

    assert play(scenario) == 0


@pytest.mark.parametrize(("heartbeat_ms", "signs"), [(20, 50), (200, 5), (400, 2), (10_000, 1)])
def test_counters_are_told_once_a_second_however_rare_the_signs(heartbeat_ms: int, signs: int) -> None:
    assert signs_within(BEAT_S, heartbeat_ms / 1000) == signs


def test_a_damaged_table_is_told_with_every_heartbeat_until_there_is_another_one(play: Play) -> None:
    async def told(bench: Bench) -> TableUnsound:
        while True:
            for _, message in bench.supervisor.receive():
                if isinstance(message, TableUnsound):
                    return message
            await asyncio.sleep(0.001)

    async def scenario(bench: Bench) -> None:
        bench.table.fault = "page 7 holds what cannot be"
        assert await told(bench) == await told(bench) == TableUnsound("here", "page 7 holds what cannot be")
        await bench.order(TableReplaced("nowhere"))
        await until(lambda: "cannot be opened" in bench.table.fault)
        assert (await told(bench)).directory == "here"
        await bench.order(TableReplaced("there"))
        await until(lambda: bench.table.directory == "there")
        assert bench.table.fault == ""

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


def test_a_worker_without_a_place_can_be_stopped(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.order(Stop())
        await until(lambda: bench.table.is_closed)

    assert play(scenario, is_placed=False) == 0


def test_stop_ends_the_worker(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.order(Stop())
        await until(lambda: bench.table.is_closed)

    assert play(scenario) == 0


def test_a_drained_worker_ends_when_its_transactions_have(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.stack.transactions = 1
        await bench.order(Drain())
        await bench.heartbeat(lambda beat: True)
        await bench.heartbeat(lambda beat: True)
        assert not bench.table.is_closed
        with pytest.raises(OSError):
            await asyncio.open_connection(*bench.tcp_address)
        bench.stack.transactions = 0
        await until(lambda: bench.table.is_closed)

    assert play(scenario) == 0


@pytest.mark.parametrize("way", ["datagram", "stream", "bus"])
def test_a_fault_of_the_stack_ends_the_worker_with_a_traceback(
    play: Play, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(bench: Bench) -> None:
        if way == "datagram":
            with bound(socket.SOCK_DGRAM, "127.0.0.1") as phone:
                phone.sendto(options("crash"), bench.udp[0].getsockname())
                await until(lambda: bench.table.is_closed)
        elif way == "stream":
            _, writer = await asyncio.open_connection(*bench.tcp_address)
            writer.write(options("crash"))
        else:
            await bench.order(HandedOver(options("crash"), Flow(UDP, 0, ("127.0.0.1", 9))))
        await until(lambda: bench.table.is_closed)

    assert play(scenario) == 1
    assert "a fault of ours" in caplog.text


def test_a_fault_that_costs_one_message_is_logged_and_ends_nothing(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(bench: Bench) -> None:
        with bound(socket.SOCK_DGRAM, "127.0.0.1") as phone:
            phone.sendto(options("costs-one"), bench.udp[0].getsockname())
            answer = await asyncio.get_running_loop().sock_recv(phone, 4096)
            assert answer.startswith(b"SIP/2.0 200")
        await bench.order(Stop())

    assert play(scenario) == 0
    assert "software fault while processing a message, hash " in caplog.text
    assert "ValueError: a small fault" in caplog.text


def test_a_worker_ends_when_a_fault_has_damaged_its_tables(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(bench: Bench) -> None:
        with bound(socket.SOCK_DGRAM, "127.0.0.1") as phone:
            phone.sendto(options("damages-tables"), bench.udp[0].getsockname())
            await until(lambda: bench.table.is_closed)

    assert play(scenario) == 1
    assert "TablesUnsound" in caplog.text


def test_questions_are_asked_and_answered(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.stack.questions = [LookupHost(b"example.com", id=1), FindSubscriber(b"alice", b"example.com", id=2)]
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


def test_what_cannot_be_sent_comes_back(play: Play) -> None:
    """RFC 3261 18.4: a bad address, a listener without a socket, a closed port, a sibling that is not there."""

    async def scenario(bench: Bench) -> None:
        with bound(socket.SOCK_DGRAM, "127.0.0.1") as gone:
            closed_port = gone.getsockname()
        bad = [
            Outgoing(b"x", Flow(UDP, 0, ("example.com", 5060)), b"a"),
            Outgoing(b"x", Flow(UDP, 7, ("127.0.0.1", 5060)), b"b"),
            Outgoing(b"x", Flow(TCP, 0, closed_port), b"c"),
            Outgoing(b"x", Flow(TCP, 0, ("127.0.0.1", 5060), 0, 12345), b"d"),
            Outgoing(options("e", "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKe"), Flow(UDP, 0, closed_port), b"whatever"),
        ]
        on = Outgoing(b"x", Flow(TCP, 0, ("127.0.0.1", 5060), 3, 1), b"f")
        bench.stack.outbox = list(bad)
        bench.stack.messages = [(3, SendByConnection(on))]
        bench.stack.due = clock.monotonic()
        keys = {b"a", b"b", b"c", b"d", b"z9hG4bKe|OPTIONS", b"f"}
        await until(lambda: {failure.branch for failure in bench.stack.failures} == keys)
        with bound(socket.SOCK_DGRAM, "127.0.0.1") as phone:
            phone.sendto(options(), bench.udp[0].getsockname())
            await asyncio.get_running_loop().sock_recv(phone, 4096)

    assert play(scenario) == 0


def test_a_stop_with_open_connections_is_no_fault(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    """What connections say while they end is not passed on to a bus that is closed."""

    async def scenario(bench: Bench) -> None:
        phones = [await asyncio.open_connection(*bench.tcp[0].getsockname()[:2]) for _ in range(3)]
        for reader, writer in phones:
            writer.write(options("t", "SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK1"))
            await reader.read(1)
        bench.keep = phones  # type: ignore[attr-defined]

        def tell(opened: Sequence[Flow], closed: Sequence[Flow]) -> None:
            bench.stack.messages.append((7, ConnectionsChanged(list(opened), list(closed))))

        bench.stack.connections_changed = tell  # type: ignore[method-assign]

    assert play(scenario) == 0
    assert [record.getMessage() for record in caplog.records if record.levelname == "CRITICAL"] == []
