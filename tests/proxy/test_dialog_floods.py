"""What an end of a dialog may send by its token is counted like what any sender sends (RFC 3261 16.6 step 4)."""

from __future__ import annotations

import re

from appliance.catalogue.limit_settings import LimitSettings, RateLimitSettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.stack import Stack
from appliance.transport.flow import UDP, Flow
from tests.tables import new_table

SETTINGS = Settings(
    domains=("example.com",),
    listeners=(ListenerSettings(name="m", address="192.0.2.1", authenticate=True, peers=("192.0.2.101",)),),
    rate_limits=(RateLimitSettings(name="r", of="requests", per="source", rate_per_s=1, burst=5),),
    limits=LimitSettings(transactions_max=2000),
)
CALLER = Flow(UDP, 0, ("192.0.2.101", 5060))
CALLEE = Flow(UDP, 0, ("203.0.113.5", 5060))
ALICE = b"<sip:alice@example.com>"
BOB = b"<sip:x@203.0.113.5>"
NOW = 1000.0


def request(start: bytes, via: bytes, from_value: bytes, to_value: bytes, *more: bytes) -> bytes:
    method = start.partition(b" ")[0]
    lines = (
        start + b" SIP/2.0",
        b"Via: SIP/2.0/UDP " + via,
        b"From: " + from_value,
        b"To: " + to_value,
        b"Call-ID: call",
        b"CSeq: 1 " + method,
        b"Contact: <sip:alice@192.0.2.101>",
        *more,
    )
    return b"\r\n".join(lines) + b"\r\n\r\n"


def sent(stack: Stack) -> list[bytes]:
    """The first words of what goes to the caller's address."""
    out = stack.datagrams_to_send(NOW)
    return [one.data.partition(b" ")[0] for one in out if one.flow.remote == CALLER.remote]


def stack_with_call() -> tuple[Stack, bytes]:
    """A stack by which the caller, a peer, has called once; and the Route that the callee has."""
    stack = Stack(SETTINGS, 0, b"k" * 16, new_table(), NOW, 1.7e9)
    invite = request(b"INVITE sip:x@203.0.113.5", b"192.0.2.101;branch=z9hG4bKa", ALICE + b";tag=a", BOB)
    stack.receive_datagrams([(invite, CALLER)], NOW)
    found = re.search(rb"Record-Route: (.*)\r\n", stack.datagrams_to_send(NOW)[-1].data)
    assert found
    return stack, b"Route: " + found[1]


def from_callee(stack: Stack, method: bytes, route: bytes, count: int) -> list[bytes]:
    for number in range(count):
        via = b"203.0.113.5;branch=z9hG4bK%b%d" % (method, number)
        start = method + b" sip:alice@192.0.2.101"
        data = request(start, via, BOB + b";tag=b", ALICE + b";tag=a", route)
        stack.receive_datagrams([(data, CALLEE)], NOW)
    return sent(stack)


def test_the_end_that_was_called_is_held_to_the_limit_of_its_source() -> None:
    stack, route = stack_with_call()
    assert from_callee(stack, b"INVITE", route, 100) == [b"INVITE"] * 5
    assert stack.gauges()["transactions"] < 20


def test_it_may_end_its_call_beyond_the_limit() -> None:
    stack, route = stack_with_call()
    from_callee(stack, b"INFO", route, 6)
    assert from_callee(stack, b"BYE", route, 1) == [b"BYE"]
