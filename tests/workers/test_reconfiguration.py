"""A worker's part in a change: what comes to nothing leaves nothing open."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from appliance.catalogue.listener_ids import names_of
from appliance.configuration.text import parse_configuration
from appliance.ipc.launch_document import send_document
from appliance.messages.bus_messages import Abandon, Abandoned, Prepared, RolloutReport
from appliance.tls_contexts import TlsContexts
from appliance.transport.flow import TCP
from appliance.workers.handshakes import Handshakes
from appliance.workers.reconfiguration import WorkerReconfiguration
from tests.ports import free_port

TEXT = "listener main\n  port 5060\n!\n"
MORE = TEXT + "listener other\n  port 5070\n!\n"


class Untouched:
    """Where a worker's parts stand that must not be asked anything."""


@pytest.fixture
def doors() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def told() -> list[RolloutReport]:
    return []


class SupervisorLine:
    """The way to the supervisor; as long as it is not connected it takes nothing."""

    def __init__(self, told: list[RolloutReport]) -> None:
        self.told = told
        self.is_connected = True

    def send(self, report: RolloutReport) -> bool:
        if self.is_connected:
            self.told.append(report)
        return self.is_connected


@pytest.fixture
def line(told: list[RolloutReport]) -> SupervisorLine:
    return SupervisorLine(told)


@pytest.fixture
def worker(line: SupervisorLine) -> Iterator[WorkerReconfiguration]:
    parts: Any = Untouched()
    settings = parse_configuration(TEXT)
    parts.handshakes = Handshakes(TlsContexts(settings), settings.tls, [])
    worker = WorkerReconfiguration(settings, parts, parts, parts, parts, line.send, lambda settings: None)
    yield worker
    worker.close()


def pass_on(doors: tuple[socket.socket, socket.socket], revision: int, text: str) -> tuple[int, socket.socket]:
    """A document with one UDP socket; its port, and the end of it that the supervisor has."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.bind(("127.0.0.1", free_port()))
    names = names_of(parse_configuration(MORE).listeners)
    document = {"revision": revision, "config_text": text, "places": names, "sockets": [[1, TCP]]}
    send_document(doors[0], document, [opened.fileno()])
    return opened.getsockname()[1], opened


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def test_what_is_abandoned_is_closed_before_it_is_said(
    worker: WorkerReconfiguration, doors: tuple[socket.socket, socket.socket], told: list[RolloutReport]
) -> None:
    port, ours = pass_on(doors, 7, MORE)
    worker.read_door(doors[1])
    ours.close()
    assert told == [Prepared(7)] and not is_free(port)
    worker.abandon(Abandon(7))
    assert told[1:] == [Abandoned(7)] and is_free(port)


def test_what_is_prepared_before_the_supervisor_is_reached_is_told_once_it_is(
    worker: WorkerReconfiguration,
    doors: tuple[socket.socket, socket.socket],
    line: SupervisorLine,
    told: list[RolloutReport],
) -> None:
    """A worker that starts reads what lies at its door before the bus is connected."""
    line.is_connected = False
    _, ours = pass_on(doors, 7, MORE)
    ours.close()
    worker.read_door(doors[1])
    worker.tell_again()
    assert told == []
    line.is_connected = True
    worker.tell_again()
    worker.tell_again()
    assert told == [Prepared(7)]


def test_what_is_refused_is_closed_at_once(
    worker: WorkerReconfiguration, doors: tuple[socket.socket, socket.socket], told: list[RolloutReport]
) -> None:
    port, ours = pass_on(doors, 7, "listener main\n  port 99999\n!\n")
    ours.close()
    worker.read_door(doors[1])
    assert isinstance(told[0], Prepared) and "99999" in told[0].fault and is_free(port)


def test_what_was_abandoned_before_it_was_read_is_closed_unread(
    worker: WorkerReconfiguration, doors: tuple[socket.socket, socket.socket], told: list[RolloutReport]
) -> None:
    port, ours = pass_on(doors, 7, MORE)
    ours.close()
    worker.abandon(Abandon(7))
    worker.read_door(doors[1])
    assert told == [Abandoned(7)] and is_free(port)
