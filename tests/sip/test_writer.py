"""Responses made from requests (RFC 3261 8.2.6)."""

from __future__ import annotations

from appliance.sip.message import Request, Response
from appliance.sip.parser import SyntaxLimits, parse
from appliance.sip.writer import write, write_response

HEAD = (
    b"INVITE sip:mara@harbour.example SIP/2.0\r\n"
    b"To : sip:mara@harbour.example\r\n"
    b"Via: SIP/2.0/UDP one.example;branch=z9hG4bK1,\r\n SIP/2.0/UDP two.example\r\n"
    b"Timestamp: 54.2\r\n"
    b"f: <sip:otto@harbour.example>;tag=o1\r\n"
    b"Via: SIP/2.0/TCP three.example\r\n"
    b"Call-ID: writer@desk\r\n"
    b"Require: path\r\n"
    b"CSeq:  5   INVITE\r\n\r\n"
)


def _request(data: bytes = HEAD) -> Request:
    request = parse(data, SyntaxLimits())
    assert isinstance(request, Request)
    return request


def test_a_response_copies_lines_as_they_are() -> None:
    assert write_response(_request(), 200, b"OK", [b"Contact: <sip:mara@192.0.2.4>\r\n"], b"m1", b"ahoy") == (
        b"SIP/2.0 200 OK\r\n"
        b"To : sip:mara@harbour.example;tag=m1\r\n"
        b"Via: SIP/2.0/UDP one.example;branch=z9hG4bK1,\r\n SIP/2.0/UDP two.example\r\n"
        b"f: <sip:otto@harbour.example>;tag=o1\r\n"
        b"Via: SIP/2.0/TCP three.example\r\n"
        b"Call-ID: writer@desk\r\n"
        b"CSeq:  5   INVITE\r\n"
        b"Contact: <sip:mara@192.0.2.4>\r\n"
        b"Content-Length: 4\r\n\r\nahoy"
    )


def test_only_100_echoes_timestamp() -> None:
    """RFC 3261 8.2.6.1."""
    assert b"Timestamp: 54.2\r\n" in write_response(_request(), 100, b"Trying")
    assert b"Timestamp" not in write_response(_request(), 180, b"Ringing")


def test_a_tag_that_is_there_stays() -> None:
    """RFC 3261 8.2.6.2."""
    request = _request(HEAD.replace(b"sip:mara@harbour.example\r\nVia", b"<sip:mara@harbour.example>;tag=x\r\nVia"))
    assert b"tag=m1" not in write_response(request, 200, b"OK", to_tag=b"m1")


def test_a_request_understood_in_part_gets_what_there_is() -> None:
    answer = write_response(Request(b"INVITE", b"sip:a@b"), 400, b"Missing From", to_tag=b"t")
    assert answer == b"SIP/2.0 400 Missing From\r\nContent-Length: 0\r\n\r\n"


def test_a_response_is_read_as_it_was_written() -> None:
    data = write_response(_request(), 302, b"Moved", [b"m: <sip:mara@dock.example>\r\n"], b"m1")
    response = parse(data, SyntaxLimits())
    assert isinstance(response, Response)
    assert (response.status, response.read_to_tag(), response.read_cseq_method()) == (302, b"m1", b"INVITE")
    assert response.contacts()[0].uri.host == b"dock.example"
    assert write(response) == data
