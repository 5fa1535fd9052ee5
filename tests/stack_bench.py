"""Stacks to test: one, or two workers of a node with the bus between them; their phones, and messages to give them."""

from __future__ import annotations

from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.location.dict_table import DictStore
from appliance.messages.bus_messages import (
    BusMessage,
    SlotsChanged,
)
from appliance.messages.codec import decode, encode
from appliance.messages.slots import SlotTable, deal, seed_of, slot_of
from appliance.stack import Stack
from appliance.transport.flow import UDP, Flow
from tests.flows.wire import Message, read
from tests.tables import new_table

KEY = b"0123456789abcdef"

NOW = 1000.0

SETTINGS = Settings(
    domains=("example.com",),
    listeners=(ListenerSettings(name="main", address="192.0.2.1", relay="any", authenticate=False),),
)

ALICE = Flow(UDP, 0, ("192.0.2.101", 5060))

BOB = Flow(UDP, 0, ("192.0.2.60", 5060))


def stack(worker: int = 0, settings: Settings = SETTINGS, store: DictStore | None = None) -> Stack:
    return Stack(settings, worker, KEY, new_table(store), NOW, 1_700_000_000.0)


def request(method: str, uri: str, call_id: str = "call-1", *lines: str) -> bytes:
    head = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bK{call_id}{method}",
        "Max-Forwards: 70",
        "From: <sip:alice@example.com>;tag=a",
        f"To: <{'sip:alice@example.com' if method == 'REGISTER' else uri}>",
        f"Call-ID: {call_id}",
        f"CSeq: 1 {method}",
        *lines,
        "Content-Length: 0",
        "",
        "",
    ]
    return "\r\n".join(head).encode()


def register(call_id: str = "reg", contact: str = "<sip:alice@192.0.2.101:5060>") -> bytes:
    return request("REGISTER", "sip:example.com", call_id, f"Contact: {contact}")


def sent(one: Stack) -> list[Message]:
    return [read(outgoing.data) for outgoing in one.datagrams_to_send(NOW)]


def call_id_of(worker: int, table: SlotTable) -> str:
    """A Call-ID that this worker owns."""
    words = (f"call-{number}" for number in range(10000))
    return next(word for word in words if table.owner_of(slot_of(word.encode(), seed_of(KEY))) == worker)


def sent_later(one: Stack) -> list[Message]:
    """What it sends by itself in the next second."""
    one.handle_timers(NOW + 1.0)
    return [read(outgoing.data) for outgoing in one.datagrams_to_send(NOW + 1.0)]


def answer_to(forwarded: Message, status: str) -> bytes:
    """A response of Bob's."""
    names = ("Via", "From", "To", "Call-ID", "CSeq")
    lines = [f"{name}: {value}" for name, value in forwarded.headers if name in names]
    return "\r\n".join([f"SIP/2.0 {status}", *lines, "", ""]).encode()


class Pair:
    """Two workers of one node and the bus between them, which is empty or not as the test says."""

    def __init__(self) -> None:
        self.table = deal([0, 1])
        self.store = DictStore()
        self.workers = [stack(0, store=self.store), stack(1, store=self.store)]
        for one in self.workers:
            one.receive_messages([(-1, SlotsChanged(self.table, [0, 1]))], NOW)
        self.pump()

    def pump(self) -> list[tuple[int, int, BusMessage]]:
        """Carry what is on the bus until it is empty; returns what was carried: sender, target, message."""
        carried = []
        while batch := [(s, t, m) for s, one in enumerate(self.workers) for t, m in one.messages_to_send(NOW)]:
            for sender, target, message in batch:
                self.workers[target].receive_messages([(sender, decode(encode(message)))], NOW)
            carried.extend(batch)
        return carried


def answer(invite: Message, status: int) -> bytes:
    """What the callee says to a forwarded INVITE."""
    names = ("Via", "Record-Route", "From", "To", "Call-ID", "CSeq")
    lines = [f"{name}: {value}" for name, value in invite.headers if name in names]
    return "\r\n".join([f"SIP/2.0 {status} Said", *lines, "Content-Length: 0", "", ""]).encode()
