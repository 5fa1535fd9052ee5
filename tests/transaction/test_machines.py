"""The four tables (RFC 3261 figures 5 to 8, RFC 6026 8.4 and 8.6, RFC 4320): every row, and every place without one.

The calls of the RFC are told in the four files beside this one; here each row is carried out by itself.
"""

from __future__ import annotations

from collections import deque

import pytest

from appliance.transaction.machines import (
    IGNORED,
    INPUT_COUNT,
    INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    STATE_BITS,
    STATE_MASK,
    Do,
    Input,
    State,
    Table,
    flatten,
)
from appliance.transaction.transaction import ClientTransaction, ServerTransaction
from tests.transaction.element import BOB, Element, request, response

MACHINES: dict[str, Table] = {
    "INVITE client": INVITE_CLIENT,
    "non-INVITE client": NON_INVITE_CLIENT,
    "INVITE server": INVITE_SERVER,
    "non-INVITE server": NON_INVITE_SERVER,
}
STATUSES = {Input.PROVISIONAL: 100, Input.SUCCESS: 200, Input.FAILURE: 486}
SENDS = Do.SEND_REQUEST | Do.SEND_ACK | Do.SEND_RESPONSE | Do.SEND_TRYING
TELLS = Do.PASS_RESPONSE | Do.PASS_ACK
ACK = request(b"ACK", to=BOB + b";tag=b5qt9xl3")


def states_of(table: Table) -> list[State]:
    return sorted({state for state, _ in table} - {State.INITIAL})


def rows(only: bool) -> list[object]:
    """(machine, state, input) of every row, or of every place without one."""
    return [
        pytest.param(name, state, what, id=f"{name}: {state.name} {what.name}")
        for name, table in MACHINES.items()
        for state in states_of(table)
        for what in Input
        if ((state, what) in table) == only
    ]


def way_to(table: Table, wanted: State) -> list[Input]:
    """The inputs by which a new transaction gets there soonest."""
    ways: deque[tuple[State, list[Input]]] = deque([(State.INITIAL, [])])
    seen = {State.INITIAL}
    while ways:
        state, way = ways.popleft()
        if state == wanted:
            return way
        for (start, what), (_, end) in table.items():
            if start == state and end not in seen:
                seen.add(end)
                ways.append((end, [*way, what]))
    raise AssertionError(f"no way to {wanted.name}")


class Bench:
    """One transaction in one state."""

    def __init__(self, name: str, state: State) -> None:
        self.table = MACHINES[name]
        self.element = Element()
        self.request = request(b"INVITE" if "non" not in name else b"OPTIONS")
        self.transaction: ClientTransaction | ServerTransaction = (
            self.element.sends(self.request) if "client" in name else self.element.serves(self.request)
        )
        for what in way_to(self.table, state)[1:]:
            self.does(what)
        assert self.transaction.state == state
        self.element.log.clear()
        self.element.heard.clear()

    def does(self, what: Input) -> None:
        status = STATUSES.get(what, 0)
        if isinstance(self.transaction, ClientTransaction):
            self.transaction.step(what, response(self.request, status) if status else None, 0.0)
        else:
            self.transaction.step(what, b"SIP/2.0 %d Reason\r\n\r\n" % status, ACK, 0.0)
        self.element.waits_until(-1.0)
        self.element._drain()

    def running(self) -> set[int]:
        """The tokens of all timers; they are taken out."""
        return {timer.token for timer in self.element.table.timers.due(1e9)}


@pytest.mark.parametrize(("name", "state", "what"), rows(True))
def test_a_row(name: str, state: State, what: Input) -> None:
    """The next state, what is sent, what the user is told, which timers run."""
    bench = Bench(name, state)
    element = bench.element
    do, next_state = bench.table[state, what]
    repeated = isinstance(bench.transaction, ServerTransaction) and not bench.transaction.last_response
    bench.does(what)
    assert bench.transaction.state == next_state
    sends = bool(do & SENDS) or (Do.SEND_AGAIN in do and not repeated)
    assert len(element.log) == sends
    told = [word for _, word in element.heard if word != "ended"]
    if isinstance(bench.transaction, ClientTransaction):
        assert len(told) == bool(do & (TELLS | Do.TELL_TIMEOUT | Do.TELL_TRANSPORT_ERROR))
    else:
        assert len(told) == (Do.PASS_ACK in do)
        assert bench.transaction.is_unacknowledged == (Do.TELL_TIMEOUT in do)
        assert bench.transaction.is_undelivered == (Do.TELL_TRANSPORT_ERROR in do)
    assert len(element.table) == (next_state != State.TERMINATED)
    running = bench.running()
    assert all((next_state, Input(token)) in bench.table for token in running)
    for deed in do:
        assert deed.name is not None
        if deed.name.startswith("START_"):
            assert Input["TIMER_" + deed.name.removeprefix("START_")] in running


@pytest.mark.parametrize(("name", "state", "what"), rows(False))
def test_what_has_no_row_is_ignored(name: str, state: State, what: Input) -> None:
    """Nothing is sent or told, no timer is touched, the state stays; it is counted."""
    bench = Bench(name, state)
    timers, ignored = len(bench.element.table.timers), bench.element.table.ignored_count
    bench.does(what)
    assert bench.transaction.state == state
    assert (bench.element.log, bench.element.heard) == ([], [])
    assert len(bench.element.table.timers) == timers
    assert bench.element.table.ignored_count == ignored + 1


@pytest.mark.parametrize("name", MACHINES)
def test_a_timer_runs_only_where_it_has_a_row(name: str) -> None:
    """And each state that a timer ends has that timer running: no state is left to chance."""
    table = MACHINES[name]
    for state in states_of(table):
        running = Bench(name, state).running()
        rows_here = {what for start, what in table if start == state and what.name.startswith("TIMER_")}
        assert running <= rows_here, state.name
        assert not rows_here or running, state.name


@pytest.mark.parametrize("name", MACHINES)
def test_every_state_is_reached_and_left(name: str) -> None:
    table = MACHINES[name]
    for state in [*states_of(table), State.TERMINATED]:
        way_to(table, state)
    for state in states_of(table):
        assert any(end != state for (start, _), (_, end) in table.items() if start == state)
    assert not any(start == State.TERMINATED for start, _ in table)


@pytest.mark.parametrize("name", MACHINES)
def test_the_flat_form_says_the_same(name: str) -> None:
    table = MACHINES[name]
    steps = flatten(table)
    for state in State:
        for what in Input:
            step = steps[state * INPUT_COUNT + what]
            row = table.get((state, what))
            assert step == IGNORED if row is None else (step >> STATE_BITS, step & STATE_MASK) == row
