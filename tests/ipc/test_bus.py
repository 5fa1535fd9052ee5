"""The bus with real sockets: batches in order, absent and slow peers, processes that come back."""

from __future__ import annotations

import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

from appliance.catalogue.node_status import NodeStatus
from appliance.clock import monotonic
from appliance.ipc.bus import (
    MESSAGES_PER_RECEIVE,
    OCTETS_PER_RECEIVE,
    Bus,
    BusUnavailable,
    ControlEndpoint,
    ask_supervisor,
)
from appliance.messages.bus_messages import BusMessage, Drain, HandedOverTaken, PeerStarted, SendFailed, Stop
from appliance.messages.supervisor_requests import StatusReply, StatusRequest
from appliance.transport.process_id import SUPERVISOR
from tests.access import is_open_to_all

PATIENCE_S = 120.0
# A process that takes so long to end would never end.
HANGS_S = 300.0


class Ends:
    """Opens ends of a bus in one folder and closes them all."""

    def __init__(self, runtime_dir: Path) -> None:
        self.runtime_dir = runtime_dir
        self._open: list[Bus] = []

    def open(self, number: int) -> Bus:
        end = Bus(self.runtime_dir, number)
        self._open.append(end)
        return end

    def close(self, end: Bus) -> None:
        self._open.remove(end)
        end.close()

    def close_all(self) -> None:
        for end in self._open:
            end.close()


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[Ends]:
    opened = Ends(tmp_path)
    yield opened
    opened.close_all()


def until(done: Callable[[], Any], what: str) -> None:
    """Try again, a little later each time, until it is done or patience ends."""
    end = monotonic() + PATIENCE_S
    while not done():
        assert monotonic() < end, f"{what}: not within {PATIENCE_S} s"
        select.select([], [], [], 0.005)


def send(sender: Bus, destination: int, messages: list[BusMessage]) -> None:
    until(lambda: sender.send(destination, messages), "sent")


def receive(receiver: Bus, count: int) -> list[tuple[int, BusMessage]]:
    """What arrives, without the announcements, as soon as there are `count` messages. Waits as a worker does."""
    arrived: list[tuple[int, BusMessage]] = []
    end = monotonic() + PATIENCE_S
    while len(arrived) < count:
        assert monotonic() < end, f"only {arrived} arrived"
        if not receiver.pending():
            select.select([receiver], [], [], 0.2)
        arrived += [item for item in receiver.receive() if not isinstance(item[1], PeerStarted)]
    return arrived


def test_a_batch_arrives_in_order_with_its_sender(ends: Ends) -> None:
    worker, supervisor = ends.open(3), ends.open(SUPERVISOR)
    send(worker, SUPERVISOR, [HandedOverTaken(number) for number in range(5)])
    assert receive(supervisor, 5) == [(3, HandedOverTaken(number)) for number in range(5)]


def test_the_first_batch_of_a_process_is_announced_once(ends: Ends) -> None:
    worker, sibling = ends.open(0), ends.open(1)
    for _ in range(2):
        send(worker, 1, [Stop()])
    arrived: list[tuple[int, BusMessage]] = []
    until(lambda: len(arrived.__iadd__(sibling.receive())) >= 3, "both batches")
    assert arrived == [(0, PeerStarted()), (0, Stop()), (0, Stop())]


def test_nothing_to_send_is_sent(ends: Ends) -> None:
    assert ends.open(0).send(1, [])


def test_an_absent_peer_refuses_and_is_counted_apart_from_one_that_is_behind(ends: Ends) -> None:
    worker = ends.open(0)
    assert not worker.send(1, [Stop(), Drain()])
    assert (worker.absent, worker.refused) == (2, 0)


def test_a_peer_that_has_ended_is_absent(ends: Ends) -> None:
    worker, sibling = ends.open(0), ends.open(1)
    send(worker, 1, [Stop()])
    ends.close(sibling)
    worker.forget(1)
    absent = worker.absent
    assert not worker.send(1, [Stop()])
    assert (worker.absent, worker.refused) == (absent + 1, 0)


def test_a_peer_that_does_not_read_refuses_in_the_end_and_nothing_waits(ends: Ends) -> None:
    worker, deaf = ends.open(0), ends.open(1)
    send(worker, 1, [Stop()])
    batch: list[BusMessage] = [SendFailed(bytes(10_000))]
    accepted, refused = 0, worker.refused
    while worker.send(1, batch):
        accepted += 1
        assert accepted < 5_000
    assert worker.refused == refused + 1
    assert len(receive(deaf, accepted + 1)) == accepted + 1


def test_a_bounded_receive_says_that_there_is_more(ends: Ends) -> None:
    """The descriptor tells of changes only, so `pending` must tell what was left."""
    worker, sibling = ends.open(0), ends.open(1)
    for _ in range(10):
        send(worker, 1, [Stop()])
    arrived: list[tuple[int, BusMessage]] = []

    def take_one() -> bool:
        """As an event loop does: by the descriptor, and by what `receive` left."""
        if sibling.pending() or select.select([sibling.fileno()], [], [], 0)[0]:
            arrived.extend(sibling.receive(batches_max=1))
        return len(arrived) == 11

    until(take_one, "all of them, one batch at a time")


def test_a_large_batch_is_received_in_portions(ends: Ends) -> None:
    """Each may cost much: a process shows that it lives between two portions."""
    worker, sibling = ends.open(0), ends.open(1)
    sent: list[BusMessage] = [HandedOverTaken(number) for number in range(3 * MESSAGES_PER_RECEIVE)]
    send(worker, 1, sent)
    arrived: list[tuple[int, BusMessage]] = []

    def take() -> bool:
        portion = sibling.receive()
        assert len(portion) <= MESSAGES_PER_RECEIVE
        arrived.extend(portion)
        assert not portion or len(arrived) > len(sent) or sibling.pending()
        return len(arrived) > len(sent)

    until(take, "all of it")
    assert [message for _, message in arrived][1:] == sent


def test_octets_bound_a_portion_as_well(ends: Ends) -> None:
    worker, sibling = ends.open(0), ends.open(1)
    for _ in range(8):
        send(worker, 1, [SendFailed(bytes(OCTETS_PER_RECEIVE // 2))])
    sizes: list[int] = []
    until(lambda: sizes.append(len(sibling.receive())) or sum(sizes) == 9, "all of them")  # type: ignore[func-returns-value]
    assert max(sizes) <= 3


def test_the_rest_of_a_batch_of_a_dead_process_is_dropped(ends: Ends) -> None:
    worker, sibling = ends.open(0), ends.open(1)
    send(worker, 1, [HandedOverTaken(number) for number in range(3 * MESSAGES_PER_RECEIVE)])
    until(lambda: sibling.receive(), "the first portion")
    sibling.forget(0)
    assert not sibling.pending() and sibling.receive() == []


def test_a_restarted_peer_is_reached_again_in_spite_of_its_old_socket_file(ends: Ends) -> None:
    worker, sibling = ends.open(0), ends.open(1)
    send(worker, 1, [Stop()])
    receive(sibling, 1)
    ends.close(sibling)
    killed = socket.socket(socket.AF_UNIX)
    killed.bind(str(ends.runtime_dir / "worker-1.sock"))
    killed.close()
    sibling = ends.open(1)
    arrived: list[BusMessage] = []

    def reached() -> bool:
        worker.send(1, [Drain()])
        arrived.extend(message for _, message in sibling.receive())
        return Drain() in arrived

    until(reached, "reached again")


def test_what_was_meant_for_the_predecessor_is_dropped_and_the_sender_learns_of_it(ends: Ends) -> None:
    worker, sibling = ends.open(0), ends.open(1)
    send(sibling, 0, [Stop()])
    receive(worker, 1)
    ends.close(sibling)
    sibling = ends.open(1)
    sibling.connect([0])

    def learned() -> bool:
        worker.send(1, [HandedOverTaken(500)])
        sibling.receive()
        return any(isinstance(message, PeerStarted) for _, message in worker.receive())

    until(learned, "the sender learned")
    assert sibling.stale >= 1
    sibling.receive()
    send(worker, 1, [HandedOverTaken(1)])
    arrived: list[BusMessage] = []
    until(lambda: arrived.__iadd__([m for _, m in sibling.receive()]), "after that")
    assert arrived[-1] == HandedOverTaken(1)


def test_what_a_dead_process_left_unread_is_dropped(ends: Ends) -> None:
    worker, supervisor = ends.open(0), ends.open(SUPERVISOR)
    send(worker, SUPERVISOR, [Stop()])
    supervisor.forget(0)
    until(lambda: supervisor.receive() == [] and supervisor.stale == 1, "dropped")
    ends.close(worker)
    again = ends.open(0)
    send(again, SUPERVISOR, [Drain()])
    assert receive(supervisor, 1) == [(0, Drain())]


@pytest.mark.parametrize("is_heard_before", [False, True])
def test_who_began_before_the_death_of_his_predecessor_was_told_is_heard_once_he_is_met(
    ends: Ends, is_heard_before: bool
) -> None:
    """A worker that was late with its messages hears of a death when the successor runs already."""
    late, former = ends.open(0), ends.open(1)
    send(former, 0, [Stop()])
    receive(late, 1)
    ends.close(former)
    successor = ends.open(1)
    if is_heard_before:
        send(successor, 0, [Stop()])
        receive(late, 1)
    late.forget(1)
    late.connect([1])
    send(successor, 0, [Drain()])
    arrived: list[tuple[int, BusMessage]] = []
    until(lambda: arrived.__iadd__(late.receive()), "the successor is heard")
    assert arrived == [(1, PeerStarted()), (1, Drain())]
    assert late.stale == 0
    # It is the one that is sent to from now on.
    send(late, 1, [Stop()])
    assert receive(successor, 1) == [(0, Stop())]


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x09" + bytes(18),
        struct.pack("!BhQQI", 1, 5, 1, 0, 50) + b"short",
        struct.pack("!BhQQI", 1, 5, 1, 0, 4) + b"junk",
    ],
)
def test_damaged_batches_are_counted_and_do_no_harm(ends: Ends, frame: bytes) -> None:
    worker = ends.open(0)
    context = zmq.Context()
    stranger = context.socket(zmq.PUSH)
    stranger.connect(f"ipc://{ends.runtime_dir}/worker-0.sock")
    stranger.send(frame)
    until(lambda: [m for _, m in worker.receive() if not isinstance(m, PeerStarted)] == [] and worker.damaged == 1, "x")
    stranger.close()
    context.term()


def test_a_message_of_another_version_is_skipped_and_counted(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    newer, worker = ends.open(1), ends.open(0)
    with monkeypatch.context() as changed:
        changed.setattr(Stop, "version", Stop.version + 1)
        changed.setattr(HandedOverTaken, "kind", 999)
        send(newer, 0, [Stop(), Drain(), HandedOverTaken(1)])
    assert receive(worker, 1) == [(1, Drain())]
    assert (worker.skipped, worker.damaged) == (2, 0)


def test_a_path_too_long_for_a_socket_is_one_sentence(tmp_path: Path) -> None:
    long_dir = tmp_path / ("x" * 120)
    long_dir.mkdir()
    with pytest.raises(BusUnavailable, match="shorter path"):
        Bus(long_dir, 0)


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BusUnavailable, match="Cannot make the local socket"):
        Bus(tmp_path / "nowhere", 0)


def test_the_supervisor_is_asked_and_answers(tmp_path: Path) -> None:
    door = ControlEndpoint(tmp_path)

    def answer_one() -> None:
        asked: list[tuple[bytes, BusMessage]] = []
        until(lambda: asked.__iadd__(door.receive()), "asked")
        door.reply(asked[0][0], StatusReply(NodeStatus("box")))

    answering = threading.Thread(target=answer_one)
    answering.start()
    assert ask_supervisor(tmp_path, StatusRequest(), timeout_s=PATIENCE_S) == StatusReply(NodeStatus("box"))
    answering.join()
    door.close()


def test_no_process_to_ask(tmp_path: Path) -> None:
    with pytest.raises(BusUnavailable, match="No appliance is running"):
        ask_supervisor(tmp_path, StatusRequest(), timeout_s=0.1)
    (tmp_path / "questions.sock").touch()
    with pytest.raises(BusUnavailable, match="no process listens"):
        ask_supervisor(tmp_path, StatusRequest(), timeout_s=0.1)


def test_a_supervisor_that_is_too_busy_to_answer(tmp_path: Path) -> None:
    door = ControlEndpoint(tmp_path)
    with pytest.raises(BusUnavailable, match="did not answer"):
        ask_supervisor(tmp_path, StatusRequest(), timeout_s=0.1)
    door.close()


ABANDONED = """
import sys
from pathlib import Path
from appliance.ipc.bus import Bus
from appliance.messages.bus_messages import Drain
here, there = Bus(Path(sys.argv[1]), 0), Bus(Path(sys.argv[1]), 1)
while not here.send(1, [Drain()]):
    pass
while here.send(1, [Drain()] * 1000):
    pass
del here
"""


def test_an_end_that_is_not_closed_keeps_no_process_from_ending(tmp_path: Path) -> None:
    """What it sent and no process reads goes with it."""
    subprocess.run([sys.executable, "-c", ABANDONED, str(tmp_path)], timeout=HANGS_S, check=True)


LEFT_IN_A_CYCLE = """
import gc, sys
from pathlib import Path
from appliance.ipc.bus import Bus, ControlEndpoint
folder = Path(sys.argv[1])
class Owner:
    def __init__(self, end):
        self.end, self.itself = end, self
gc.disable()
for make in (lambda: Bus(folder, 0), lambda: ControlEndpoint(folder)):
    owner = Owner(make())
    if isinstance(owner.end, Bus):
        owner.end.connect([1])
    del owner
    gc.collect()
"""


def test_an_end_that_is_left_in_a_cycle_does_not_stop_the_garbage_collector(tmp_path: Path) -> None:
    """A test that fails leaves one: its traceback, and so what the test has made, is in such a cycle."""
    subprocess.run([sys.executable, "-c", LEFT_IN_A_CYCLE, str(tmp_path)], timeout=HANGS_S, check=True)


STRANGER = """
import os, sys
os.setresuid(65534, 65534, 65534)
import zmq
context = zmq.Context()
sender = context.socket(zmq.PUSH)
sender.setsockopt(zmq.LINGER, 0)
sender.setsockopt(zmq.IMMEDIATE, 1)
sender.connect(f"ipc://{sys.argv[1]}")
print("connected" if sender.poll(500, zmq.POLLOUT) else "refused")
"""


def test_the_socket_is_its_users_alone(ends: Ends, tmp_path: Path) -> None:
    """Whatever the umask was."""
    ends.open(SUPERVISOR)
    door = ControlEndpoint(tmp_path)
    for name in ("supervisor.sock", "questions.sock"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    door.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.skipif(not is_open_to_all(sys.executable), reason="other users cannot reach this Python")
def test_another_user_is_not_let_in(ends: Ends) -> None:
    """Not even where the permissions of the folder and of the socket were opened to all users: `Stop` ends a worker."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o777)
        receiver = Bus(folder, 0)
        (folder / "worker-0.sock").chmod(0o666)
        argv = [sys.executable, "-c", STRANGER, str(folder / "worker-0.sock")]
        done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
        receiver.close()
    assert done.stdout == "refused\n"
