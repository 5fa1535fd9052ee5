"""Phones are told that their connection is gone: a segment from the address and port that they know."""

from __future__ import annotations

import socket
from collections.abc import Callable

from appliance.catalogue.counters import CONNECTIONS_PROBED, COUNTERS
from appliance.catalogue.settings import ListenerSettings
from appliance.transport.flow import TCP, Flow
from appliance.workers.connection_probes import PROBES_PER_STEP, ConnectionProbes

LOOPBACK = "127.0.0.1"


class Loop:
    """Calls nothing by itself; the counters of a worker."""

    def __init__(self) -> None:
        self.counters = [0] * len(COUNTERS)
        self.steps: list[Callable[[], None]] = []

    @property
    def probed(self) -> int:
        return self.counters[CONNECTIONS_PROBED]

    def call_later(self, seconds: float, step: Callable[[], None]) -> None:
        self.steps.append(step)

    def run_one(self) -> None:
        self.steps.pop(0)()


def phone() -> socket.socket:
    """One that would take a connection, so that what is sent to it can be seen."""
    return socket.create_server((LOOPBACK, 0))


def free_listener() -> ListenerSettings:
    with socket.create_server((LOOPBACK, 0)) as taken:
        return ListenerSettings(name="phones", address=LOOPBACK, port=taken.getsockname()[1], transports=(TCP,))


def test_the_segment_comes_from_the_listener_although_it_listens() -> None:
    loop, listener = Loop(), free_listener()
    with phone() as called, socket.create_server((LOOPBACK, listener.port), reuse_port=True):
        probes = ConnectionProbes(loop.counters, loop.call_later)
        probes.begin([Flow(TCP, 0, called.getsockname())], [listener])
        loop.run_one()
        called.settimeout(60.0)
        connection, source = called.accept()
        connection.close()
    assert source == (LOOPBACK, listener.port)
    assert loop.probed == 1
    assert loop.steps == []


def test_they_are_told_one_portion_after_the_other() -> None:
    loop, listener = Loop(), free_listener()
    probes = ConnectionProbes(loop.counters, loop.call_later)
    flows = [Flow(TCP, 0, (LOOPBACK, 9)) for _ in range(PROBES_PER_STEP + 1)]
    probes.begin(flows[:1], [listener])
    probes.begin(flows[1:], [listener])
    assert len(loop.steps) == 1
    loop.run_one()
    assert len(loop.steps) == 1
    loop.run_one()
    assert loop.steps == []


def test_an_address_that_goes_again_ends_it() -> None:
    loop, listener = Loop(), free_listener()
    probes = ConnectionProbes(loop.counters, loop.call_later)
    probes.begin([Flow(TCP, 0, (LOOPBACK, 9))], [listener])
    probes.stop(LOOPBACK)
    loop.run_one()
    assert loop.probed == 0
    assert loop.steps == []


def test_what_is_no_address_costs_itself_only() -> None:
    loop, listener = Loop(), free_listener()
    probes = ConnectionProbes(loop.counters, loop.call_later)
    with phone() as called:
        probes.begin([Flow(TCP, 0, ("no address", 9)), Flow(TCP, 0, called.getsockname())], [listener])
        loop.run_one()
    assert loop.probed == 1
