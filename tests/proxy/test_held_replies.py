"""Replies to REGISTER that wait for the registration table (RFC 3261 10.3 step 8, 21.5.4)."""

from __future__ import annotations

from appliance.catalogue.counters import COUNTERS, REGISTRATIONS_LATE, REGISTRATIONS_UNSTORED
from appliance.catalogue.settings import Settings
from appliance.location.binding import BindingChange
from appliance.location.dict_table import DictStore, DictTable
from appliance.proxy import held_replies
from appliance.proxy.held_replies import HeldReplies
from appliance.sip.message import Request
from appliance.sip.parser import UNBOUNDED, parse
from appliance.transaction.table import Transactions
from appliance.transport.flow import UDP, Flow
from tests.location.bindings import WALL, binding

FLOW = Flow(UDP, 0, ("192.0.2.1", 5060))
REGISTER = (
    b"REGISTER sip:biloxi.example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\nMax-Forwards: 70\r\n"
    b"From: <sip:bob@biloxi.example.com>;tag=1\r\nTo: <sip:bob@biloxi.example.com>\r\nCall-ID: c\r\n"
    b"CSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n"
)


class Held:
    """Replies, the table that they wait for, and what was sent of them."""

    def __init__(self) -> None:
        self.counters = [0] * len(COUNTERS)
        self.transactions = Transactions(Settings().timers, 100, self.counters)
        self.store = DictStore()
        self.table = DictTable(self.store, 1000)
        self.replies = HeldReplies(self.transactions, self.table, self.counters, 0.5)
        request = parse(REGISTER, UNBOUNDED)
        assert isinstance(request, Request)
        self.request = request

    def hold(self, data: bytes, now: float) -> None:
        """A reply that waits for a change of its own."""
        entry = binding(aor=b"sip:%b@biloxi.example.com" % data, at=WALL + now)
        after = self.table.apply(BindingChange(entry.aor, (entry,)))
        self.replies.hold(after, self.request, b"tag", None, FLOW, 200, data, now)

    def released(self, now: float) -> list[bytes]:
        """The first line of what is sent, or all of what was to be said."""
        self.replies.release(now)
        sent, self.transactions.outbox = self.transactions.outbox, []
        return [outgoing.data.partition(b"\r\n")[0] for outgoing in sent]


def test_a_reply_waits_for_its_change() -> None:
    held = Held()
    held.hold(b"one", 10.0)
    assert held.released(10.2) == []
    assert held.table.commit()
    held.hold(b"two", 10.3)
    assert held.released(10.3) == [b"one"]
    assert held.table.commit()
    assert held.released(10.3) == [b"two"]
    assert len(held.replies) == 0


def test_the_wait_is_bounded_and_what_was_not_written_is_refused() -> None:
    held = Held()
    held.store.is_locked = True
    held.hold(b"one", 10.0)
    assert not held.table.commit()
    assert held.released(10.4) == []
    assert held.released(10.5) == [b"SIP/2.0 503 Service Unavailable"]
    assert held.counters[REGISTRATIONS_LATE] == 1


def test_what_the_store_has_no_room_for_is_refused() -> None:
    held = Held()
    held.hold(b"one", 10.0)
    held.store.is_full = True
    assert held.table.commit()
    assert held.released(10.0) == [b"SIP/2.0 503 Service Unavailable"]
    assert held.counters[REGISTRATIONS_UNSTORED] == 1
    assert 10.0 < held.replies.full_until < 100.0


def test_no_more_replies_wait_than_may() -> None:
    held = Held()
    held.hold(b"first", 10.0)
    for _ in range(held_replies.HELD_MAX):
        held.replies.hold(1, held.request, b"tag", None, FLOW, 200, b"more", 10.0)
    assert len(held.replies) == held_replies.HELD_MAX
    assert held.released(10.0) == [b"SIP/2.0 503 Service Unavailable"]
    assert held.counters[REGISTRATIONS_LATE] == 1
