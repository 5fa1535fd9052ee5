"""Values only this appliance can make (RFC 3261 8.2.7, 16.6 step 8, 16.11; RFC 5393 4.2.1)."""

from __future__ import annotations

from appliance.security.keys import (
    BRANCH_LEN,
    COOKIE,
    Keys,
    loop_part_for,
    loop_part_of,
    period_of,
    upstream_key,
    upstream_of_via,
)
from appliance.sip.message import Request
from appliance.sip.parser import SyntaxLimits, parse
from appliance.sip.via import parse_via

PERIOD = period_of(1_700_000_000.0)
KEYS = Keys(b"0123456789abcdef")


def request(
    method: str = "INVITE",
    uri: str = "sip:bob@example.com",
    branch: str = "z9hG4bKa",
    to_tag: str = "",
    route: str = "",
) -> Request:
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP 192.0.2.9:5060{';branch=' + branch if branch else ''}",
        "From: <sip:alice@example.com>;tag=1",
        f"To: <sip:bob@example.com>{';tag=' + to_tag if to_tag else ''}",
        "Call-ID: call",
        f"CSeq: 7 {method}",
        *([f"Route: {route}"] if route else []),
        "",
        "",
    ]
    message = parse("\r\n".join(lines).encode(), SyntaxLimits())
    assert isinstance(message, Request)
    return message


def branch_of(message: Request, target: bytes = b"sip:bob@192.0.2.4") -> bytes:
    return KEYS.branch(upstream_key(message), target, loop_part_for(message, message.uri_text), PERIOD)


def to_tag_of(message: Request) -> bytes:
    return KEYS.to_tag(upstream_key(message), message.read_call_id())


def test_a_retransmission_that_another_worker_handles_makes_the_same_branch() -> None:
    assert branch_of(request()) == branch_of(request())
    assert branch_of(request()).startswith(COOKIE)
    assert len(branch_of(request())) == BRANCH_LEN


def test_another_transaction_or_target_makes_another_branch() -> None:
    """RFC 3261 16.6 step 8."""
    branches = {branch_of(request()), branch_of(request(branch="z9hG4bKb")), branch_of(request(), b"sip:bob@192.0.2.5")}
    assert len(branches) == 3


def test_cancel_and_ack_make_the_branch_of_their_invite() -> None:
    """RFC 3261 16.11: forwarded without state, they have to match at the next hop."""
    assert branch_of(request("CANCEL")) == branch_of(request("ACK", to_tag="b1")) == branch_of(request())


def test_only_a_branch_of_ours_for_that_via_is_ours() -> None:
    branch = branch_of(request())
    below = upstream_of_via(request().read_top_via())
    assert KEYS.is_own_branch(branch, below, PERIOD)
    assert not KEYS.is_own_branch(branch, upstream_of_via(request(branch="z9hG4bKb").read_top_via()), PERIOD)
    assert not KEYS.is_own_branch(branch[:-1] + (b"0" if branch[-1:] != b"0" else b"1"), below, PERIOD)
    assert not KEYS.is_own_branch(b"z9hG4bKsomebody", below, PERIOD)
    assert not Keys(b"another-appliance").is_own_branch(branch, below, PERIOD)


def test_the_seal_of_a_branch_ends_after_an_hour() -> None:
    """A captured response could else be replayed for ever."""
    branch, below = branch_of(request()), upstream_of_via(request().read_top_via())
    assert KEYS.is_own_branch(branch, below, PERIOD + 1)
    assert not KEYS.is_own_branch(branch, below, PERIOD + 2)
    assert not KEYS.is_own_branch(branch, below, PERIOD - 1)
    assert period_of(1_700_000_000.0 + 3600) == PERIOD + 2


def test_a_request_without_the_cookie_is_named_by_its_dialog() -> None:
    """RFC 3261 17.2.3."""
    assert upstream_key(request(branch="1")) == upstream_key(request(branch="1"))
    assert b"call" in upstream_key(request(branch=""))


def test_where_a_stream_comes_from_is_no_part_of_its_name() -> None:
    """RFC 3261 9.1, 17.2.3, 18.2.2: an ACK or a CANCEL may come by another connection, and write sent-by otherwise."""
    one, other = (
        parse_via(b"SIP/2.0/TCP 192.0.2.9%b;branch=z9hG4bKa;rport=%d;received=192.0.2.9" % (port, source))
        for port, source in ((b"", 40000), (b":5060", 40001))
    )
    assert upstream_of_via(one) == upstream_of_via(other)


def test_the_loop_part_covers_what_decides_the_way() -> None:
    """RFC 5393 4.2.1: a spiral differs in it, a loop does not."""
    parts = {
        loop_part_for(request(), b"sip:bob@example.com"),
        loop_part_for(request(), b"sip:bob@192.0.2.4"),
        loop_part_for(request(route="<sip:192.0.2.1;lr>"), b"sip:bob@example.com"),
    }
    assert len(parts) == 3
    assert loop_part_for(request(branch="z9hG4bKother"), b"x") == loop_part_for(request(), b"x")
    assert loop_part_of(branch_of(request())) == loop_part_for(request(), request().uri_text)
    assert loop_part_of(b"z9hG4bKsomebody") == b""


def test_the_to_tag_is_the_same_for_each_retransmission_and_its_ack() -> None:
    """RFC 3261 8.2.7."""
    assert to_tag_of(request()) == to_tag_of(request("ACK", to_tag="any")) == to_tag_of(request())
    assert to_tag_of(request()) != to_tag_of(request(branch="z9hG4bKb"))


def test_purposes_do_not_mix() -> None:
    """A tag that every receiver sees proves nothing elsewhere."""
    seen = {to_tag_of(request()), KEYS.fault_tag(request()), branch_of(request())[23:]}
    assert len(seen) == 3
