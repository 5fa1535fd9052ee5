"""The connection to the lease process: reports come whole, replies reach who asked, and it never waits."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.supervisor.lease_reader import ORDER_TIMEOUT_S, ORDERS_MAX, LeaseReader


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(str(tmp_path / "lease.sock"))
        listening.listen()
        yield listening


@pytest.fixture
def ends(listener: socket.socket) -> Iterator[tuple[LeaseReader, socket.socket]]:
    reader = LeaseReader(Path(listener.getsockname()))
    process, _ = listener.accept()
    with process:
        yield reader, process
    reader.close()


def say(process: socket.socket, document: object) -> None:
    process.send(json.dumps(document).encode())


def test_reports_and_replies_are_told_apart(ends: tuple[LeaseReader, socket.socket]) -> None:
    reader, process = ends
    assert reader.receive() == []
    replies: list[str] = []
    assert reader.order({"order": "drain", "on": True}, replies.append, 0.0)
    assert reader.order({"order": "switchover", "address": 1}, replies.append, 0.0)
    assert json.loads(process.recv(1000)) == {"order": "drain", "on": True}
    say(process, {"addresses": []})
    say(process, {"reply": ""})
    say(process, {"reply": "no"})
    assert reader.receive() == [{"addresses": []}]
    assert replies == ["", "no"]


def test_who_asked_is_told_when_the_process_ends(ends: tuple[LeaseReader, socket.socket]) -> None:
    reader, process = ends
    replies: list[str] = []
    reader.order({"order": "drain", "on": True}, replies.append, 0.0)
    process.close()
    assert reader.receive() == []
    assert not reader.is_open
    assert replies == ["The lease process did not answer; see `show cluster`."]
    assert not reader.order({"order": "drain", "on": True}, replies.append, 0.0)


def test_a_process_that_does_not_answer_is_given_up(ends: tuple[LeaseReader, socket.socket]) -> None:
    reader, _ = ends
    replies: list[str] = []
    reader.order({"order": "drain", "on": True}, replies.append, 0.0)
    reader.give_up_late(ORDER_TIMEOUT_S)
    assert reader.is_open
    reader.give_up_late(ORDER_TIMEOUT_S + 0.1)
    assert not reader.is_open and len(replies) == 1


def test_orders_that_wait_are_bounded(ends: tuple[LeaseReader, socket.socket]) -> None:
    reader, _ = ends
    sent = [reader.order({"order": "ready", "on": True}, lambda _: None, 0.0) for _ in range(ORDERS_MAX + 1)]
    assert sent == [True] * ORDERS_MAX + [False]


@pytest.mark.parametrize("octets", [b"{", b"[]", b"1"])
def test_what_is_no_report_costs_the_connection(ends: tuple[LeaseReader, socket.socket], octets: bytes) -> None:
    reader, process = ends
    process.send(octets)
    assert reader.receive() == []
    assert not reader.is_open


def test_no_lease_process_listens(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        LeaseReader(tmp_path / "lease.sock")
