"""A call whose worker has died goes on with the same target set (RFC 3261 16.6, 16.7)."""

from __future__ import annotations

from dataclasses import replace

from appliance.catalogue.proxy_settings import ProxySettings
from appliance.location.address_entries import record_made
from appliance.location.binding import new_binding
from appliance.location.dict_table import DictStore
from appliance.stack import Stack
from appliance.transport.flow import Flow
from tests.flows.wire import Message, read
from tests.proxy.test_review_ways import ALICE, NOW, SETTINGS, WALL_TIME, request, response
from tests.tables import new_table

AOR = b"sip:bob@example.com"
RECURSING = replace(SETTINGS, proxy=ProxySettings(recurse_on_redirect=True))


def store_of(*phones: tuple[bytes, int], instance: bytes) -> DictStore:
    """The contacts of bob, with their q; or those of one instance, each by a flow of its own (RFC 5626)."""
    until = WALL_TIME + 3600
    kept = []
    for at, (uri, q) in enumerate(phones, 1):
        reg_id = at if instance else 0
        kept.append(
            new_binding(
                AOR, uri, uri, b"", q, until, until, b"reg", 1, (), instance, reg_id, None, None, b"", at, at
            )
        )
    store = DictStore()
    assert new_table(store).load([record_made(AOR, kept, 0)]) == 1
    return store


class MovingCall:
    """One call, the worker that has it at the moment, and what that has recorded of it."""

    def __init__(self, *phones: tuple[bytes, int], instance: bytes = b"") -> None:
        self.now = NOW
        self.store = store_of(*phones, instance=instance)
        self.worker = Stack(RECURSING, 0, b"0123456789abcdef", new_table(self.store), NOW, WALL_TIME)
        self.recorded: dict[bytes, bytes] = {}
        self.worker.receive_datagrams([(request("INVITE"), ALICE)], NOW)

    def requests(self) -> list[tuple[str, Message, Flow]]:
        """What is sent to phones: `METHOD user`."""
        self.recorded |= {key: snapshot for key, _, snapshot in self.worker.snapshots_to_keep()}
        sent = [(read(outgoing.data), outgoing.flow) for outgoing in self.worker.datagrams_to_send(self.now)]
        self.statuses = [message.status for message, _ in sent if not message.is_request]
        return [
            (f"{message.method} {message.start.split()[1].partition('@')[0][4:]}", message, flow)
            for message, flow in sent
            if message.is_request
        ]

    def names(self) -> list[str]:
        return [name for name, _, _ in self.requests() if not name.startswith("ACK")]

    def answer(self, message: Message, flow: Flow, status: str, *lines: str) -> None:
        data = response(message, status)
        for line in lines:
            data = data[:-2] + line.encode() + b"\r\n\r\n"
        self.worker.receive_datagrams([(data, flow)], self.now)

    def die(self) -> None:
        """Another worker adopts the call."""
        kept = [snapshot for snapshot in self.recorded.values() if snapshot]
        table, wall_time = new_table(self.store), WALL_TIME + self.now - NOW
        self.worker = Stack(RECURSING, 1, b"0123456789abcdef", table, self.now, wall_time)
        self.worker.adopt(kept, self.now)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.worker.handle_timers(self.now)


DESK, MAIL = (b"sip:desk@192.0.2.102", 1000), (b"sip:mail@192.0.2.103", 100)


def test_the_next_group_is_tried_with_the_whole_breadth() -> None:
    """RFC 5393 5.3.3.1."""
    call = MovingCall(DESK, MAIL)
    ((_, invite, flow),) = call.requests()
    call.die()
    call.answer(invite, flow, "486 Busy Here")
    (_, (name, second, _)) = call.requests()
    assert (name, second.first("Max-Breadth")) == ("INVITE mail", "60")


def test_a_group_that_rings_keeps_its_time() -> None:
    call = MovingCall(DESK, MAIL)
    ((_, invite, flow),) = call.requests()
    call.answer(invite, flow, "180 Ringing")
    assert call.requests() == []
    call.wait(15)
    call.die()
    call.wait(4.5)
    assert call.names() == []
    call.wait(1)
    assert call.names() == ["CANCEL desk"]
    call.die()
    # RFC 3261 17.1.2.2: whether the phone has got it is not known.
    assert call.names() == ["CANCEL desk"]
    call.answer(invite, flow, "487 Request Terminated")
    assert call.names() == ["INVITE mail"]


def test_a_group_whose_time_is_over_when_its_worker_dies_ends_at_once() -> None:
    call = MovingCall(DESK, MAIL)
    ((_, invite, flow),) = call.requests()
    call.answer(invite, flow, "180 Ringing")
    assert call.requests() == []
    call.now += 25
    call.die()
    call.wait(0.2)
    assert call.names() == ["CANCEL desk"]


def test_a_redirect_to_what_was_tried_leads_nowhere() -> None:
    """RFC 3261 16.7 step 4, RFC 5626 7: each URI once, whichever worker tried it, also where a spare came after."""
    call = MovingCall(MAIL, DESK, instance=b"<urn:uuid:1>")
    ((name, invite, flow),) = call.requests()
    assert name == "INVITE desk"
    call.answer(invite, flow, "430 Flow Failed")
    (_, (name, second, second_flow)) = call.requests()
    assert name == "INVITE mail"
    call.die()
    call.answer(second, second_flow, "302 Moved Temporarily", "Contact: <sip:desk@192.0.2.102>")
    assert call.names() == []
    assert call.statuses == [302]
