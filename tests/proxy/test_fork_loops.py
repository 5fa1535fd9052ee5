"""What one request may become when addresses lead to each other here is small and bounded (RFC 5393 3, 4, 5).

The network brings what the stack sends to its own listeners back to it. Contacts that name the appliance are refused
unless `own-contacts` and `contacts-allowed` admit them; here they do, for that is where the bound matters.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from appliance.catalogue.authentication_settings import DigestSettings
from appliance.catalogue.proxy_settings import ProxySettings
from appliance.catalogue.registrar_settings import RegistrarSettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.location.address_entries import record_made
from appliance.location.binding import new_binding
from appliance.routing.lookup_questions import SubscriberAnswer
from appliance.stack import Stack
from appliance.transport.flow import UDP, Flow
from tests.flows.wire import read
from tests.tables import new_table

NOW = 1000.0
WALL_TIME = 1_700_000_000.0
KEY = b"0123456789abcdef"
OPEN = ListenerSettings(name="open", address="192.0.2.1", authenticate=False)
CLOSED = ListenerSettings(name="closed", address="192.0.2.2", authenticate=True)
SETTINGS = Settings(
    domains=("example.com",),
    listeners=(OPEN, CLOSED),
    digest=DigestSettings(realm="example.com"),
    registrar=RegistrarSettings(own_contacts=True, contacts_allowed=("192.0.2.0/24", "example.com")),
)
CALLER = ("192.0.2.101", 5060)
# 60 branches at a time, each of no more hops than there are addresses here.
SMALL = 200


def invite(user: str = "a", *lines: str) -> bytes:
    head = [
        f"INVITE sip:{user}@example.com SIP/2.0",
        f"Via: SIP/2.0/UDP {CALLER[0]}:{CALLER[1]};branch=z9hG4bKcaller",
        "Max-Forwards: 70",
        "From: <sip:caller@example.com>;tag=a",
        f"To: <sip:{user}@example.com>",
        "Call-ID: call-1",
        "CSeq: 1 INVITE",
        *lines,
        "Content-Length: 0",
        "",
        "",
    ]
    return "\r\n".join(head).encode()


def bindings(user: str, contacts: list[tuple[bytes, int]], path: tuple[bytes, ...] = ()) -> list[bytes]:
    """The bindings of a user as they are stored: contact and q of each."""
    aor, until = b"sip:%s@example.com" % user.encode(), WALL_TIME + 3600
    kept = [
        new_binding(aor, uri, uri, b"", q, until, until, b"reg", 1, path, b"", 0, None, None, b"", 1, 1 + number)
        for number, (uri, q) in enumerate(contacts)
    ]
    return [record_made(aor, kept, 0)]


def to(user: str, count: int = 7, q_step: int = 0, host: str = "192.0.2.1:5060") -> list[tuple[bytes, int]]:
    """Contacts at this appliance that differ in what decides nothing."""
    return [(f"sip:{user}@{host};n={number}".encode(), 1000 - number * q_step) for number in range(count)]


def forwarded(settings: Settings, records: list[bytes], request: bytes) -> tuple[int, Counter[int]]:
    """How many requests an INVITE becomes until all is over, and the final responses that the caller gets."""
    table = new_table()
    table.load(records)
    stack = Stack(settings, 0, KEY, table, NOW, WALL_TIME)
    own = {(listener.address, listener.port): number for number, listener in enumerate(settings.listeners)}
    waiting = [(request, Flow(UDP, 0, CALLER))]
    count, finals = 0, Counter[int]()
    while waiting and count < 20 * SMALL:
        stack.receive_datagrams(waiting, NOW)
        unknown = [SubscriberAnswer(question.id, False, False) for question in stack.questions_to_ask()]
        stack.receive_answers(unknown, NOW)
        waiting = []
        for outgoing in stack.datagrams_to_send(NOW):
            message = read(outgoing.data)
            count += message.is_request and message.method == "INVITE"
            if outgoing.flow.remote == CALLER and message.status >= 200:
                finals[message.status] += 1
            if outgoing.flow.remote in own:
                source = settings.listeners[outgoing.flow.listener]
                way = Flow(UDP, own[outgoing.flow.remote], (source.address, source.port))
                waiting.append((outgoing.data, way))
    return count, finals


def test_two_addresses_that_name_each_other() -> None:
    """Seven contacts each, with differing parameters: what decides the way is the address that they name."""
    count, finals = forwarded(SETTINGS, bindings("a", to("b")) + bindings("b", to("a")), invite())
    assert count <= 7 + 49
    assert list(finals) == [482] and finals.total() == 1


def test_one_address_that_names_itself() -> None:
    count, finals = forwarded(SETTINGS, bindings("a", to("a", 10)), invite())
    assert count <= 10 and list(finals) == [482]


@pytest.mark.parametrize("fork", ["by-q", "parallel", "sequential"])
def test_many_addresses_that_all_name_each_other(fork: str) -> None:
    """RFC 5393 3: the request visits no address twice on one way, and its breadth bounds the ways."""
    users = [chr(ord("a") + number) for number in range(10)]
    records = []
    for user in users:
        others = [other for other in users if other != user]
        contacts = [(f"sip:{other}@192.0.2.1:5060".encode(), 1000 - 10 * at) for at, other in enumerate(others)]
        records += bindings(user, contacts)
    settings = replace(SETTINGS, proxy=ProxySettings(fork=fork))
    count, finals = forwarded(settings, records, invite())
    assert count <= SMALL
    assert finals.total() == 1


def test_contacts_tried_in_turn_are_no_way_around_the_breadth() -> None:
    """Each spiral finds only what its branch was given, and 440 where that does not suffice."""
    records = bindings("a", to("b", 10, 10)) + bindings("b", to("c", 10, 10)) + bindings("c", to("d", 10, 10))
    count, finals = forwarded(SETTINGS, records + bindings("d", to("e", 10, 10)), invite())
    assert count <= SMALL
    assert list(finals) == [440]


@pytest.mark.parametrize("host", ["192.0.2.1:5060", "192.0.2.2:5060"])
def test_our_own_route_in_a_path(host: str) -> None:
    """RFC 3327 5.3: the Path of a binding becomes a Route, which comes off here; it must not hide where that leads."""
    path = (b"<sip:%s;lr;tk=0123456789abcdef;x=1>" % host.encode(),)
    there = bindings("a", [(b"sip:b@example.com;n=%d" % number, 1000) for number in range(7)], path)
    back = bindings("b", [(b"sip:a@example.com;n=%d" % number, 1000) for number in range(7)], path)
    for line in ((), ("Route: <sip:192.0.2.1:5060;lr;x=2>",)):
        count, finals = forwarded(SETTINGS, there + back, invite("a", *line))
        assert 7 <= count <= 7 + 49
        assert finals.total() == 1


def test_redirects_are_no_way_around_the_breadth() -> None:
    settings = replace(SETTINGS, proxy=ProxySettings(recurse_on_redirect=True))
    records = bindings("a", to("b", 10)) + bindings("b", to("c", 10)) + bindings("c", to("a", 10))
    count, finals = forwarded(settings, records, invite())
    assert count <= SMALL and finals.total() == 1
