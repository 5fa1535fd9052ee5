"""Whole messages: start lines, mandatory header fields, bodies, bounds (RFC 3261 7, 8.1.1, 18.3)."""

from __future__ import annotations

import pytest

from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Request, Response
from appliance.sip.parser import SyntaxLimits, find_call_id, parse
from appliance.sip.writer import write

LIMITS = SyntaxLimits()
FIELDS = {
    b"Via": b"SIP/2.0/UDP desk.example;branch=z9hG4bKp1",
    b"From": b"<sip:otto@harbour.example>;tag=o1",
    b"To": b"<sip:mara@harbour.example>",
    b"Call-ID": b"parser@desk.example",
    b"CSeq": b"1 OPTIONS",
    b"Max-Forwards": b"70",
}


def _data(
    start: bytes = b"OPTIONS sip:mara@harbour.example SIP/2.0", body: bytes = b"", **fields: bytes | None
) -> bytes:
    changed = {name.replace("_", "-").encode(): value for name, value in fields.items()}
    lines = [name + b": " + value for name, value in {**FIELDS, **changed}.items() if value is not None]
    return b"\r\n".join([start, *lines]) + b"\r\n\r\n" + body


def _fault(data: bytes, limits: SyntaxLimits = LIMITS) -> MalformedMessage:
    with pytest.raises(MalformedMessage) as caught:
        parse(data, limits)
    return caught.value


def test_a_request() -> None:
    request = parse(_data(body=b"ahoy"), LIMITS)
    assert isinstance(request, Request)
    assert (request.method, request.uri_text, request.body) == (b"OPTIONS", b"sip:mara@harbour.example", b"ahoy")


def test_a_response() -> None:
    response = parse(_data(b"SIP/2.0 183 Session  Progress "), LIMITS)
    assert isinstance(response, Response)
    assert (response.status, response.reason) == (183, b"Session  Progress ")


def test_version_is_case_insensitive() -> None:
    """RFC 3261 7.1."""
    assert isinstance(parse(_data(b"sip/2.0 200 OK"), LIMITS), Response)
    assert isinstance(parse(_data(b"OPTIONS sip:mara@harbour.example Sip/2.0"), LIMITS), Request)


def test_empty_lines_before_the_start_line_are_skipped() -> None:
    """RFC 3261 7.5."""
    assert write(parse(b"\r\n\r\n" + _data(), LIMITS)) == _data()


@pytest.mark.parametrize(
    ("start", "status", "reason"),
    [
        (b"SIP/2.0 99 Low", 400, "Malformed Status Code"),
        (b"SIP/2.0 099 Low", 400, "Status Code Out of Range"),
        (b"SIP/2.0 700 High", 400, "Status Code Out of Range"),
        (b"SIP/2.0 2x0 OK", 400, "Malformed Status Code"),
        (b"SIP/2.0", 400, "Malformed Status Code"),
        (b"SIP/1.0 200 OK", 505, "Version Not Supported"),
        (b"SIP/ 200 OK", 400, "Malformed SIP Version"),
        (b"OPTIONS", 400, "Malformed Request Line"),
        (b"OPTIONS sip:a@b", 400, "Malformed Request Line"),
        (b" OPTIONS sip:a@b SIP/2.0", 400, "Extra Whitespace in Request Line"),
        (b"OPT/IONS sip:a@b SIP/2.0", 400, "Malformed Method"),
        (b"OPTIONS sip:a@b HTTP/1.1", 400, "Malformed SIP Version"),
        (b"OPTIONS sip:a@b SIP/2.x", 400, "Malformed SIP Version"),
        (b"OPTIONS sip:a@b SIP/2.1", 505, "Version Not Supported"),
        (b"OPTIONS mara SIP/2.0", 400, "URI Without Scheme"),
        (b"OPTIONS sip:a@b:x SIP/2.0", 400, "Malformed Port"),
    ],
)
def test_malformed_start_lines(start: bytes, status: int, reason: str) -> None:
    fault = _fault(_data(start))
    assert (fault.status, fault.reason) == (status, reason)
    assert fault.message is None or b"OPTIONS " in start


@pytest.mark.parametrize("name", ["Via", "From", "To", "Call_ID", "CSeq"])
def test_each_mandatory_header_field_is_missed(name: str) -> None:
    """RFC 3261 8.1.1."""
    fault = _fault(_data(**{name: None}))
    assert fault.reason == "Missing " + name.replace("_", "-")
    assert (fault.message is None) == (name == "Via")


@pytest.mark.parametrize("name", [b"From", b"t", b"i", b"CSEQ", b"Max-Forwards", b"l"])
def test_each_single_header_field_stands_once(name: bytes) -> None:
    data = _data(Content_Length=b"0").replace(b"\r\n\r\n", b"\r\n" + name + b": 1\r\n\r\n")
    assert _fault(data).reason.startswith("More Than One ")


def test_max_forwards_may_be_absent() -> None:
    """RFC 2543 has none."""
    assert parse(_data(Max_Forwards=None), LIMITS).read_max_forwards() == -1
    assert parse(_data(Max_Forwards=b"300"), LIMITS).read_max_forwards() == 255
    assert _fault(_data(Max_Forwards=b"many")).reason == "Malformed Max-Forwards"


def test_bodies_follow_content_length() -> None:
    """RFC 3261 18.3."""
    assert parse(_data(body=b"ahoy there", Content_Length=b"4"), LIMITS).body == b"ahoy"
    assert parse(_data(body=b"ahoy", Content_Length=b" 0004"), LIMITS).body == b"ahoy"
    assert _fault(_data(body=b"ahoy", Content_Length=b"5")).reason == "Body Shorter Than Content-Length"
    assert _fault(_data(body=b"ahoy", Content_Length=b"9" * 5000)).reason == "Body Shorter Than Content-Length"
    assert _fault(_data(Content_Length=b"")).reason == "Malformed Content-Length"
    assert _fault(_data(Content_Length=b"4, 4")).reason == "Malformed Content-Length"


def test_an_ack_is_never_answered() -> None:
    """RFC 3261 17.1.1.3."""
    fault = _fault(_data(b"ACK sip:mara@harbour.example SIP/2.0", Via=b"SIP", CSeq=b"1 ACK"))
    assert fault.message is None


def test_a_faulty_response_is_never_answered() -> None:
    assert _fault(_data(b"SIP/2.0 200 OK", Via=b"SIP")).message is None


def test_faults_keep_what_was_understood() -> None:
    fault = _fault(_data(To=b'"Mara <sip:mara@harbour.example>').replace(b"CSeq", b"junk line\r\nCSeq"))
    assert isinstance(fault.message, Request)
    assert fault.message.read_call_id() == b"parser@desk.example"
    assert fault.message.read_top_via().branch == b"z9hG4bKp1"


@pytest.mark.parametrize("value", [b"", b"a b", b"a\tb", b"a\x0cb", b"a\x00b", b"\xc3\xa4@desk"])
def test_malformed_call_ids(value: bytes) -> None:
    """RFC 3261 20.8: words of visible octets."""
    assert _fault(_data(Call_ID=value)).reason == "Malformed Call-ID"


def test_bounds() -> None:
    data = _data(body=b"x" * 100)
    assert _fault(data, SyntaxLimits(message_len_max=200)).status == 513
    assert isinstance(_fault(data, SyntaxLimits(message_len_max=200)).message, Request)
    assert _fault(data, SyntaxLimits(header_count_max=5)).reason == "Too Many Header Fields"
    assert _fault(data, SyntaxLimits(header_len_max=30)).reason == "Header Field Too Long"
    assert _fault(data, SyntaxLimits(uri_len_max=10)).status == 414
    parse(data, SyntaxLimits(header_count_max=6))


@pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\n\r\n", b"\x00", b"x", b"SIP/", b":", b"\r", b"\n\n"])
def test_next_to_nothing(data: bytes) -> None:
    assert _fault(data).message is None


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\n\r", b"x\r"])
@pytest.mark.parametrize("space", [b" ", b"\t"])
def test_a_fold_is_crlf_and_white_space_only(end: bytes, space: bytes) -> None:
    """RFC 3261 25.1: LWS = [*WSP CRLF] 1*WSP. A bare CR or LF would get into what is copied from the value."""
    data = _data(Proxy_Require=b"a" + end + space + b"b")
    fault = _fault(data)
    assert (fault.status, fault.reason) == (400, "Header Line Does Not End in CRLF")
    assert fault.message is not None and b"Proxy-Require" not in write(fault.message)
    with pytest.raises(MalformedMessage):
        parse(data.replace(b"OPTIONS sip:mara@harbour.example SIP/2.0", b"SIP/2.0 200 OK"), LIMITS)


def test_a_fold_after_the_start_line_is_no_header() -> None:
    data = _data().replace(b"SIP/2.0\r\nVia", b"SIP/2.0\r\n folded\r\nVia")
    assert _fault(data).reason == "Header Line Without Colon"


@pytest.mark.parametrize(
    ("head", "call_id"),
    [
        (b"Call-ID: one@two\r\n", b"one@two"),
        (b"Via: x\r\ncall-id :\tone@two \r\n", b"one@two"),
        (b"i:one@two\r\n", b"one@two"),
        (b"I: one@two\r\n", b"one@two"),
        (b"Call-ID:\r\n one@two\r\n", b"one@two"),
        (b"Contact: <sip:a@b>\r\nCSeq: 1 BYE\r\nCALL-ID: x\r\ni: y\r\n", b"x"),
        (b"Identity: x\r\n\r\nCall-ID: in.the.body\r\n", None),
        (b"Call-ID one\r\n", None),
        (b"Call-ID:", b""),
        (b"", None),
    ],
)
def test_the_quick_scan_for_call_id(head: bytes, call_id: bytes | None) -> None:
    assert find_call_id(b"BYE sip:a@b SIP/2.0\r\n" + head) == call_id
    assert find_call_id(b"\r\nBYE sip:a@b SIP/2.0\r\n" + head) == call_id
