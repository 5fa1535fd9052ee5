"""Requests by method, responses by method and status code (RFC 4780)."""

from __future__ import annotations

import pytest

from appliance.sip.traffic_counts import METHODS, TrafficCounts


def response(cseq: bytes, status: bytes = b"200") -> bytes:
    return b"SIP/2.0 " + status + b" OK\r\nVia: SIP/2.0/UDP a\r\n" + cseq + b"\r\nContent-Length: 0\r\n\r\n"


def test_each_method_and_status_has_a_count_in_each_direction() -> None:
    counts = TrafficCounts()
    counts.request_received(b"INVITE")
    counts.request_received(b"INVITE")
    counts.response_received(b"INVITE", 486)
    assert not counts.sent(b"INVITE sip:b SIP/2.0\r\n\r\n")
    assert counts.sent(response(b"CSeq: 1 INVITE", b"180"))
    assert counts.by_name() == {
        "received INVITE": 2,
        "received INVITE 486": 1,
        "sent INVITE": 1,
        "sent INVITE 180": 1,
    }


def test_retransmissions_are_counted_on_their_own() -> None:
    """RFC 4780 sipCommonStatsRetryTable."""
    counts = TrafficCounts()
    counts.request_received_again(b"INVITE")
    counts.sent_again(b"INVITE sip:b SIP/2.0\r\n\r\n")
    counts.sent_again(response(b"CSeq: 1 INVITE", b"180"))
    counts.sent_again(response(b"CSeq: 1 INVITE", b"486"))
    assert counts.by_name() == {
        "received-again INVITE": 1,
        "sent-again INVITE": 1,
        "sent-again INVITE 180": 1,
        "sent-again INVITE 486": 1,
    }


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_known_in_what_is_sent(method: bytes) -> None:
    counts = TrafficCounts()
    counts.sent(method + b" sip:b SIP/2.0\r\n\r\n")
    counts.sent(response(b"CSeq: 4294967295 " + method))
    name = method.decode()
    assert counts.by_name() == {f"sent {name}": 1, f"sent {name} 200": 1}


@pytest.mark.parametrize("method", [b"PING", b"ALONGMETHODNAME", b"invite"])
def test_other_methods_are_counted_together(method: bytes) -> None:
    """A method is a case-sensitive token (RFC 3261 7.1); strangers may not make names of their own."""
    counts = TrafficCounts()
    counts.request_received(method)
    counts.sent(method + b" sip:b SIP/2.0\r\n\r\n")
    counts.sent(response(b"CSeq: 1 " + method))
    counts.sent(response(b"cseq : 1 INVITE"))
    assert counts.by_name() == {"received (other)": 1, "sent (other)": 1, "sent (other) 200": 2}


def test_what_ends_early_is_counted_too() -> None:
    """Messages that are sent are whole; but a look at one must not leave it."""
    counts = TrafficCounts()
    counts.sent(b"SIP/2.0 200 OK\r\nCSeq: 1 \r\n\r\n")
    counts.sent(b"")
    counts.sent(b"SIP/2.0 200 OK\r\nCSeq: 1")
    assert counts.by_name() == {"sent (other) 200": 2, "sent (other)": 1}
