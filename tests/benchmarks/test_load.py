"""The load: who takes turns, what phones and callers send, and what counts as done."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.phones import register_requests, take_replies
from benchmarks.processes import BenchmarkFailed
from benchmarks.sipp import Load, Outcome, read_outcome, user_lines
from benchmarks.user_agents import Callee, Caller, Phone, read_message, value_of


def test_a_load_is_so_many_units() -> None:
    assert Load("register", 1500, 2.5, contact_port=1).units == 3750


def test_users_are_spread_over_all_bindings() -> None:
    names = [line.split(";")[0] for line in user_lines(1_000_000, 1)]

    assert (len(names), names[0], names[1], names[-1]) == (10_000, "u0", "u100", "u999900")


def test_users_come_from_so_many_addresses() -> None:
    lines = user_lines(1000, 200)

    assert len({line.split(";")[1] for line in lines}) == 200
    assert {line.split(";")[1] for line in user_lines(1000, 1)} == {"127.0.1.1"}


def test_the_outcome_is_the_last_line_of_the_statistics(tmp_path: Path) -> None:
    path = tmp_path / "statistics.csv"
    path.write_text("SuccessfulCall(C);FailedCall(C);Retransmissions(C);\n1;0;0;\n97;3;5;\n")

    assert read_outcome(path) == Outcome(completed=97, failed=3, retransmissions=5)


@pytest.mark.parametrize("text", [None, "", "SuccessfulCall(C);FailedCall(C);Retransmissions(C);\n"])
def test_no_statistics_are_a_failure(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "statistics.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(BenchmarkFailed):
        read_outcome(path)


def test_phones_register_one_contact_each() -> None:
    requests = list(register_requests(5071, 5072, users=3, transport="tcp"))

    contacts = [value_of(read_message(request)[1], b"contact") for request in requests]
    assert contacts == [b"<sip:u%d@127.0.0.1:5072;transport=TCP>" % number for number in range(3)]


def test_replies_are_cut_from_the_stream() -> None:
    ok = b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"

    assert take_replies(ok + ok + ok[:10]) == (2, ok[:10])
    assert take_replies(b"") == (0, b"")


def test_a_refused_registration_is_a_failure() -> None:
    with pytest.raises(BenchmarkFailed, match="503"):
        take_replies(b"SIP/2.0 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")


def test_a_call_of_our_own_client_goes_its_whole_way() -> None:
    caller, callee = Caller(5071, users=10, run="r"), Callee(5072)

    call_id, invite = caller.request(3)
    assert invite.startswith(b"INVITE sip:u3@")
    heard_id, (ringing, answer) = callee.receive(recorded(invite))
    assert heard_id == call_id
    assert caller.receive(ringing) == (call_id, 180, False, [])

    _, status, is_over, (ack, bye) = caller.receive(answer)
    assert (status, is_over) == (200, False)
    for request, method in ((ack, b"ACK"), (bye, b"BYE")):
        first, fields = read_message(request)
        assert first == method + b" sip:callee@127.0.0.1:5072 SIP/2.0"
        assert value_of(fields, b"route") == b"<sip:127.0.0.1:5060;lr>"
        assert value_of(fields, b"to").endswith(b";tag=callee")

    assert callee.receive(ack) == (call_id, [])
    _, (farewell,) = callee.receive(bye)
    assert caller.receive(farewell) == (call_id, 200, True, [])


def recorded(invite: bytes) -> bytes:
    """The INVITE as a proxy passes it on: with its Record-Route (RFC 3261 16.6 step 4)."""
    first, rest = invite.split(b"\r\n", 1)
    return first + b"\r\nRecord-Route: <sip:127.0.0.1:5060;lr>\r\n" + rest


def test_a_registration_is_over_with_its_answer() -> None:
    phone = Phone(5071, users=10, run="r", contact_port=5072)
    call_id, request = phone.request(12)

    assert b"To: <sip:u2@" in request
    assert phone.receive(b"SIP/2.0 200 OK\r\nCall-ID: " + call_id + b"\r\n\r\n") == (call_id, 200, True, [])
