"""What a forked request needs is freed by counting references, whatever the answers (ARCHITECTURE: too much to do)."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from appliance.proxy.response_context import ResponseContext
from tests.proxy.test_review_ways import ALICE, NOW, binding, request, response, sent, stack
from tests.tables import table_with

PHONES = (b"sip:bob@192.0.2.111", b"sip:bob@192.0.2.112", b"sip:bob@192.0.2.113")
# After these seconds every timer has fired.
SETTLED_S = 600


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def contexts() -> int:
    return sum(isinstance(thing, ResponseContext) for thing in gc.get_objects())


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
@pytest.mark.parametrize(
    "answers",
    [
        ["200 OK", "200 OK", "200 OK"],
        ["200 OK", "486 Busy Here", "200 OK"],
        ["486 Busy Here", "486 Busy Here", "486 Busy Here"],
        ["603 Decline", "200 OK", ""],
        ["", "", ""],
    ],
)
def test_nothing_is_left_for_the_collector(method: str, answers: list[str], no_collector: None) -> None:
    """RFC 3261 16.7: all that belongs to a response context ends with it."""
    before, one = contexts(), stack(table_with(*(binding(uri) for uri in PHONES)))
    one.receive_datagrams([(request(method), ALICE)], NOW)
    forwarded = [(message, flow) for message, flow in sent(one) if message.is_request]
    assert len(forwarded) == len(answers)
    for (message, flow), status in zip(forwarded, answers, strict=True):
        if status:
            one.receive_datagrams([(response(message, status), flow)], NOW)
    for second in range(SETTLED_S):
        one.handle_timers(NOW + second)
        one.outputs(NOW + second)
    assert one.gauges()["transactions"] == 0
    assert contexts() == before
