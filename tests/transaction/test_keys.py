"""What a transaction is found by (RFC 3261 17.1.3, 17.2.3, 8.2.2.2)."""

from __future__ import annotations

import pytest

from appliance.sip.message import Request
from appliance.sip.names import VIA
from appliance.sip.writer import write
from appliance.transaction.keys import client_key, has_cookie, merged_key, server_key, to_tag_of
from tests.transaction.element import BOB, request, response


@pytest.mark.parametrize(
    ("branch", "is_unique"), [(b"z9hG4bKx", True), (b"z9hG4bK", False), (b"1", False), (b"", False)]
)
def test_the_cookie(branch: bytes, is_unique: bool) -> None:
    """8.1.1.7; the cookie and nothing after it is no identifier."""
    assert has_cookie(branch) == is_unique


def test_with_the_cookie_branch_sent_by_and_method_count() -> None:
    """17.2.3: and nothing else."""
    key = server_key(request(), b"INVITE")
    assert key == server_key(
        request(uri=b"sip:x@y.example", call_id=b"other", cseq=1, to=b"<sip:z@y.example>;tag=1"), b"INVITE"
    )
    assert key != server_key(request(branch=b"z9hG4bKother"), b"INVITE")
    assert key != server_key(request(sent_by=b"pc34.atlanta.example.com"), b"INVITE")
    assert key != server_key(request(), b"CANCEL")


def test_sent_by_is_compared_as_a_host_and_port() -> None:
    """18.1.1, 19.1.4: case of the host, and the default port, make no difference."""
    key = server_key(request(sent_by=b"host.example"), b"INVITE")
    assert key == server_key(request(sent_by=b"HOST.example:5060"), b"INVITE")
    assert key != server_key(request(sent_by=b"host.example:5061"), b"INVITE")


BRANCHES_OF_RFC_2543 = [b"", b"1", b"5.1"]


@pytest.mark.parametrize("branch", BRANCHES_OF_RFC_2543)
def test_without_the_cookie_everything_counts(branch: bytes) -> None:
    """17.2.3: Request-URI, To tag, From tag, Call-ID, CSeq, top Via."""
    key = server_key(request(branch=branch), b"INVITE")
    assert key == server_key(request(branch=branch), b"INVITE")
    differing: list[Request] = [
        request(branch=branch, uri=b"sip:carol@biloxi.example.com"),
        request(branch=branch, to=BOB + b";tag=1"),
        request(branch=branch, sender=b"<sip:alice@atlanta.example.com>;tag=2"),
        request(branch=branch, call_id=b"another"),
        request(branch=branch, cseq=314160),
        request(branch=branch, sent_by=b"pc34.atlanta.example.com"),
        request(branch=branch + b"9"),
        request(branch=b"z9hG4bK776asdhds"),
    ]
    assert key not in [server_key(other, b"INVITE") for other in differing]
    assert key != server_key(request(branch=branch), b"BYE")


def test_what_we_wrote_into_the_via_does_not_count() -> None:
    """18.2.1: `received` may be another when the INVITE comes again through another NAT binding."""
    plain, stamped = request(branch=b"1"), request(branch=b"1")
    stamped.replace_first_value(VIA, stamped.read_top_via().text + b";received=192.0.2.9")
    assert server_key(plain, b"INVITE") == server_key(stamped, b"INVITE")


def test_a_bare_cookie_counts_as_rfc_2543() -> None:
    """The parser refuses such a branch; an element that passes one on finds all of it compared."""
    bare = [request(call_id=call_id) for call_id in (b"one", b"two")]
    for message in bare:
        message.replace_first_value(VIA, b"SIP/2.0/UDP pc33.atlanta.example.com;branch=z9hG4bK")
    assert server_key(bare[0], b"INVITE") != server_key(bare[1], b"INVITE")


def test_keys_of_clients_and_servers_are_never_alike() -> None:
    """A failed Outgoing names one of either by its key."""
    assert client_key(b"z9hG4bKx", b"INVITE") != server_key(request(branch=b"z9hG4bKx"), b"INVITE")


def test_what_a_fork_leaves_alike() -> None:
    """8.2.2.2: From tag, Call-ID and CSeq, for requests outside a dialog."""
    key = merged_key(request())
    assert key == merged_key(request(branch=b"z9hG4bKother", uri=b"sip:x@y.example"))
    assert key != merged_key(request(cseq=1))
    assert key != merged_key(request(b"OPTIONS"))
    assert key != merged_key(request(sender=b"<sip:alice@atlanta.example.com>;tag=2"))
    assert merged_key(request(to=BOB + b";tag=1")) == b""


def test_the_to_tag_of_a_response_of_ours() -> None:
    """17.2.3: what an RFC 2543 peer's ACK is told by."""
    assert to_tag_of(write(response(request(), 486, b"x1"))) == b"x1"
    assert to_tag_of(write(response(request(), 486, b""))) == b""
    assert to_tag_of(b"garbage") == b""
