"""The non-INVITE client transaction: RFC 3261 17.1.2. Timers E, F and K."""

from __future__ import annotations

import pytest

from appliance.transaction.machines import State
from appliance.transport.flow import Flow
from tests.transaction.element import ALL_TIME, TCP_FLOW, UDP_FLOW, Element, request, response

OPTIONS = request(b"OPTIONS")
FLOWS = pytest.mark.parametrize("flow", [UDP_FLOW, TCP_FLOW], ids=["UDP", "TCP"])


def test_timer_e_doubles_up_to_t2_until_timer_f() -> None:
    """17.1.2.2: intervals of 500 ms, 1 s, 2 s, 4 s, 4 s, ...: eleven requests in all."""
    element = Element()
    element.sends(OPTIONS)
    element.waits_until(ALL_TIME)
    assert [at for at, _ in element.log] == [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert element.heard == [(32.0, "timed out")]
    assert element.ends_within(0.0)


def test_no_timer_e_on_a_reliable_transport_but_timer_f() -> None:
    """17.1.2.2."""
    element = Element(TCP_FLOW)
    element.sends(OPTIONS)
    element.waits_until(ALL_TIME)
    assert element.log == [(0.0, "OPTIONS")]
    assert element.heard == [(32.0, "timed out")]


def test_a_provisional_response_slows_timer_e_to_t2_from_its_next_expiry() -> None:
    """17.1.2.2: repetition goes on, for the final response may be lost; timer F goes on, too."""
    element = Element()
    client = element.sends(OPTIONS)
    element.waits_until(0.6)
    element.gets(response(OPTIONS, 100))
    element.gets(response(OPTIONS, 100))
    assert client.state == State.PROCEEDING
    element.waits_until(ALL_TIME)
    assert [at for at, _ in element.log] == [0.0, 0.5, 1.5, 5.5, 9.5, 13.5, 17.5, 21.5, 25.5, 29.5]
    assert element.heard == [(0.6, "100"), (0.6, "100"), (32.0, "timed out")]
    assert element.ends_within(0.0)


@pytest.mark.parametrize("after_100", [False, True], ids=["Trying", "Proceeding"])
@pytest.mark.parametrize("status", [200, 302, 404, 500, 603])
def test_a_final_response_goes_up_once(status: int, after_100: bool) -> None:
    """17.1.2.2: Completed absorbs what comes again."""
    element = Element()
    client = element.sends(OPTIONS)
    if after_100:
        element.gets(response(OPTIONS, 100))
    element.heard.clear()
    element.gets(response(OPTIONS, status))
    assert client.state == State.COMPLETED
    for late in (status, 100, 200, 500):
        assert element.gets(response(OPTIONS, late))
    assert element.heard == [(0.0, str(status))]
    element.waits_until(ALL_TIME)
    assert element.log == [(0.0, "OPTIONS")]


def test_timer_k_is_t4_on_udp() -> None:
    """17.1.2.2."""
    element = Element()
    element.sends(OPTIONS)
    element.gets(response(OPTIONS, 200))
    element.waits_until(4.9)
    assert len(element.table) == 1
    assert element.ends_within(0.1)


def test_timer_k_is_nothing_on_a_reliable_transport() -> None:
    """17.1.2.2."""
    element = Element(TCP_FLOW)
    element.sends(OPTIONS)
    element.gets(response(OPTIONS, 200))
    assert element.ends_within(0.0)


@FLOWS
@pytest.mark.parametrize("after_100", [False, True], ids=["Trying", "Proceeding"])
def test_transport_error(after_100: bool, flow: Flow) -> None:
    """17.1.4 and figure 6."""
    element = Element(flow)
    element.sends(OPTIONS)
    if after_100:
        element.gets(response(OPTIONS, 100))
    element.loses(element.sent[0])
    assert element.heard[-1] == (0.0, "transport failed")
    assert element.ends_within(0.0)


def test_a_transport_error_after_the_final_response_is_ignored() -> None:
    """Figure 6 has no such arrow from Completed."""
    element = Element()
    element.sends(OPTIONS)
    element.gets(response(OPTIONS, 200))
    element.loses(element.sent[0])
    assert element.heard == [(0.0, "200")]


def test_a_stray_response_matches_nothing() -> None:
    """RFC 6026 7.3, RFC 4320 4.2: late responses are not to be forwarded."""
    element = Element()
    element.sends(OPTIONS)
    element.waits_until(ALL_TIME)
    assert not element.gets(response(OPTIONS, 200))


def test_a_response_of_another_method_matches_nothing() -> None:
    """17.1.3: branch and CSeq method, both."""
    element = Element()
    element.sends(OPTIONS)
    assert not element.gets(response(request(b"INVITE"), 200))
    assert not element.gets(response(request(b"OPTIONS", b"z9hG4bKother"), 200))


def test_a_finished_transaction_keeps_nothing() -> None:
    element = Element()
    client = element.sends(OPTIONS)
    element.gets(response(OPTIONS, 200))
    assert (client.request, client.data, client.user) == (None, b"", None)
