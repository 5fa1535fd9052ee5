"""Whatever happens in whatever order: nothing raises, the bound holds, and in the end nothing is left.

RFC 3261 17: a transaction in TERMINATED is destroyed at once.
"""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.sip.message import Request
from appliance.transaction.machines import State
from appliance.transaction.table import TableFull
from appliance.transaction.transaction import ClientTransaction, ServerTransaction
from tests.transaction.element import BOB, TCP_FLOW, UDP_FLOW, Element, request, response

METHODS = [b"INVITE", b"OPTIONS", b"CANCEL", b"ACK"]
BRANCHES = [b"z9hG4bK1", b"z9hG4bK2", b"", b"old"]
TAGS = [b"", b";tag=b5qt9xl3"]
REQUESTS = [request(method, branch, to=BOB + tag) for method in METHODS for branch in BRANCHES for tag in TAGS]
STATUSES = [100, 180, 200, 302, 408, 486, 600]
LIMIT = 6

ACTS = st.tuples(
    st.sampled_from(["arrives", "is sent", "is answered", "answers", "fails", "is abandoned", "is given up", "waits"]),
    st.sampled_from(REQUESTS),
    st.sampled_from(STATUSES),
    st.floats(0.0, 40.0),
)


class AnyOrder(Element):
    """An element whose network and user do anything."""

    def __init__(self, is_reliable: bool) -> None:
        super().__init__(TCP_FLOW if is_reliable else UDP_FLOW, LIMIT)
        self.known: list[tuple[ServerTransaction, Request]] = []
        self.clients: list[ClientTransaction] = []

    def acts(self, act: str, message: Request, status: int, seconds: float) -> None:
        if act == "arrives":
            if not self.gets(message) and message.method != b"ACK":
                self._tries_to_serve(message)
        elif act == "is sent":
            if message.method != b"ACK":
                self._tries_to_send(message)
        elif act == "is answered":
            self.gets(response(message, status))
        elif act == "answers":
            for server, served in self.known:
                self.answers(server, status, served)
        elif act == "fails":
            for outgoing in self.sent[-3:]:
                self.loses(outgoing)
        elif act == "is abandoned":
            for server, _ in self.known[:1]:
                self.table.abandon(server, self.now)
        elif act == "is given up":
            for client in self.clients[:1]:
                self.table.give_up(client, self.now)
        else:
            self.waits_until(self.now + seconds)

    def _tries_to_serve(self, message: Request) -> None:
        try:
            self.known.append((self.serves(message), message))
        except TableFull:
            assert len(self.table) >= LIMIT

    def _tries_to_send(self, message: Request) -> None:
        with suppress(TableFull):
            self.clients.append(self.sends(message))

    def ends(self) -> bool:
        """The peers give up, and the user answers what it owes."""
        self.waits_until(self.now + 100.0)
        for server, served in self.known:
            self.answers(server, 500, served)
        for client in self.clients:
            if client.state == State.PROCEEDING:
                assert client.request is not None
                self.gets(response(client.request, 487))
        return self.ends_within(200.0)


@settings(max_examples=300, deadline=None)
@given(st.booleans(), st.lists(ACTS, max_size=60))
def test_any_order(is_reliable: bool, acts: list[tuple[str, Request, int, float]]) -> None:
    """No input raises; the table keeps its bound; each transaction ends by itself and leaves nothing behind."""
    element = AnyOrder(is_reliable)
    for act in acts:
        element.acts(*act)
        # A CANCEL may have room of its own, one for each INVITE that is here.
        assert len(element.table) <= 2 * LIMIT
        assert len(element.table.timers) <= 2 * len(element.table)
        every = [*element.table.clients.values(), *element.table.servers.values()]
        assert element.table.pending == sum(one.state < State.ACCEPTED for one in every)
    assert element.ends()
