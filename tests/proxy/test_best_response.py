"""Which final response goes up (RFC 3261 16.7 steps 6 and 7)."""

from __future__ import annotations

import pytest

from appliance.proxy.best_response import Final, challenges_of, choose_best, made_here
from appliance.sip.message import Response
from appliance.sip.names import PROXY_AUTHENTICATE, WWW_AUTHENTICATE
from appliance.sip.parser import SyntaxLimits, parse


def received(status: int, *lines: str) -> Final:
    head = "\r\n".join(
        [
            f"SIP/2.0 {status} Reason",
            "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
            "From: <sip:a@example.com>;tag=1",
            "To: <sip:b@example.com>;tag=2",
            "Call-ID: c",
            "CSeq: 1 INVITE",
            *lines,
            "",
            "",
        ]
    )
    response = parse(head.encode(), SyntaxLimits())
    assert isinstance(response, Response)
    return Final(status, b"Reason", response)


@pytest.mark.parametrize(
    ("statuses", "best"),
    [
        ([486, 603, 302], 603),
        ([604, 600], 604),
        ([500, 404, 302], 302),
        ([486, 404], 486),
        ([404, 401], 401),
        ([404, 407], 407),
        ([404, 415], 415),
        ([404, 420], 420),
        ([404, 484], 484),
        ([486, 404, 503], 486),
        ([500, 503], 500),
    ],
)
def test_the_order_of_preference(statuses: list[int], best: int) -> None:
    """RFC 3261 16.7 step 6: 6xx, then the lowest class, and in it what helps the caller to try again."""
    assert choose_best([received(status) for status in statuses]).status == best


def test_among_equals_what_was_received_is_better_than_what_was_made_here() -> None:
    assert choose_best([made_here(408), received(486)]).status == 486
    assert choose_best([received(486), made_here(408)]).status == 486


def test_a_503_speaks_of_one_hop_only() -> None:
    """RFC 3261 16.7 step 6."""
    best = choose_best([received(503)])
    assert (best.status, best.response) == (500, None)


def test_challenges_of_all_branches_are_merged() -> None:
    """RFC 3261 16.7 step 7."""
    first = received(407, 'Proxy-Authenticate: Digest realm="a"')
    second = received(401, 'WWW-Authenticate: Digest realm="b"', 'WWW-Authenticate: Digest realm="c"')
    busy = received(486, 'WWW-Authenticate: Digest realm="never"')
    best = choose_best([busy, first, second])
    assert best is first
    assert challenges_of([busy, first, second], best) == [
        (WWW_AUTHENTICATE, b'Digest realm="b"'),
        (WWW_AUTHENTICATE, b'Digest realm="c"'),
    ]


def test_only_a_challenge_carries_challenges() -> None:
    busy = received(486)
    assert challenges_of([busy, received(503, 'Proxy-Authenticate: Digest realm="a"')], busy) == []
    assert PROXY_AUTHENTICATE != WWW_AUTHENTICATE
