"""Reading and editing messages: what is not edited keeps every octet (RFC 3261 7.3.1)."""

from __future__ import annotations

import pytest

from appliance.sip.errors import MalformedMessage
from appliance.sip.header_lines import name_of, value_of
from appliance.sip.message import Request, Response
from appliance.sip.names import (
    ALLOW,
    AUTHORIZATION,
    CALL_ID,
    CONTACT,
    CSEQ,
    DATE,
    FROM,
    MAX_FORWARDS,
    RECORD_ROUTE,
    ROUTE,
    SUPPORTED,
    TO,
    VIA,
)
from appliance.sip.parser import SyntaxLimits, parse
from appliance.sip.uri import Uri, parse_uri
from appliance.sip.writer import write

HEAD = (
    b"INVITE sip:mara@harbour.example SIP/2.0\r\n"
    b"v: SIP/2.0/UDP one.example;branch=z9hG4bK1 ,\r\n"
    b"  SIP/2.0/TCP two.example;branch=z9hG4bK2,SIP/2.0/UDP three.example\r\n"
    b"X-Odd :  a,  b\r\n"
    b"Via: SIP/2.0/UDP four.example\r\n"
    b"Max-Forwards: 070\r\n"
    b'From: "Otto, Q" <sip:otto@harbour.example>;tag=o1\r\n'
    b"to: <sip:mara@harbour.example>\r\n"
    b"i: call@desk\r\n"
    b"CSeq: 7 INVITE\r\n"
    b"x-odd: c\r\n"
    b'Route: <sip:r1.example;lr>, "R, 2" <sip:r2.example;lr>\r\n'
    b"Contact: <sip:otto@192.0.2.1>;q=0.5, sip:otto@192.0.2.2\r\n"
    b"Allow: INVITE, ACK,\r\n"
    b"Date: Tue, 03 Mar 2026 07:08:09 GMT\r\n"
    b'Authorization: Digest username="otto", realm="r"\r\n'
)


def _request(head: bytes = HEAD) -> Request:
    message = parse(head + b"\r\n", SyntaxLimits())
    assert isinstance(message, Request)
    return message


def test_values_are_found_under_any_spelling() -> None:
    request = _request()
    assert request.first(CALL_ID) == b"call@desk"
    assert request.read_call_id() == b"call@desk"
    assert request.count(VIA) == 2
    assert request.first(SUPPORTED) is None
    assert request.values(SUPPORTED) == []
    assert request.named(b"X-ODD") == [b"a,  b", b"c"]
    assert request.named(b"call-id") == [b"call@desk"]


def test_lists_are_split_and_single_values_are_not() -> None:
    """RFC 3261 7.3.1, 20.7, 20.17."""
    request = _request()
    assert request.values(VIA)[1:] == [
        b"SIP/2.0/TCP two.example;branch=z9hG4bK2",
        b"SIP/2.0/UDP three.example",
        b"SIP/2.0/UDP four.example",
    ]
    assert request.values(ROUTE) == [b"<sip:r1.example;lr>", b'"R, 2" <sip:r2.example;lr>']
    assert request.values(DATE) == [b"Tue, 03 Mar 2026 07:08:09 GMT"]
    assert request.values(AUTHORIZATION) == [b'Digest username="otto", realm="r"']
    assert request.values(ALLOW) == [b"INVITE", b"ACK"]


def test_what_every_request_has() -> None:
    request = _request()
    assert (request.read_cseq_number(), request.read_cseq_method(), request.read_max_forwards()) == (7, b"INVITE", 70)
    assert (request.read_from_tag(), request.read_to_tag()) == (b"o1", b"")
    assert (request.read_from().uri.user, request.read_to().uri.user) == (b"otto", b"mara")
    assert request.read_uri().user == b"mara"
    assert request.read_top_via().host == b"one.example"
    assert [(contact.uri.host, contact.q) for contact in request.contacts()] == [
        (b"192.0.2.1", 500),
        (b"192.0.2.2", 1000),
    ]


def test_an_empty_element_is_a_fault_in_routes_and_contacts() -> None:
    request = _request()
    request.replace(ROUTE, b"<sip:a>,,<sip:b>")
    with pytest.raises(MalformedMessage, match="Empty Value in Route"):
        request.values(ROUTE)


def test_star_stands_alone() -> None:
    """RFC 3261 20.10, 10.2.2."""
    request = _request()
    request.replace(CONTACT, b"*")
    assert [contact.is_star for contact in request.contacts()] == [True]
    request.append(CONTACT, b"<sip:a@b>")
    with pytest.raises(MalformedMessage, match="Star Among Other Contacts"):
        request.contacts()


def test_accessors_say_what_is_missing() -> None:
    request = Request(b"INVITE", b"sip:a@b")
    for read in ("read_call_id", "read_cseq_number", "read_from", "read_to_tag", "read_top_via"):
        with pytest.raises(MalformedMessage, match="Missing") as caught:
            getattr(request, read)()
        assert caught.value.status == 400
    assert request.read_max_forwards() == -1


def test_prepend_goes_before_the_first_of_its_kind() -> None:
    request = _request()
    request.prepend(VIA, b"SIP/2.0/UDP us.example;branch=z9hG4bKus")
    request.prepend(RECORD_ROUTE, b"<sip:us.example;lr>")
    lines = write(request).split(b"\r\n")
    assert lines[1] == b"Record-Route: <sip:us.example;lr>"
    assert lines[2] == b"Via: SIP/2.0/UDP us.example;branch=z9hG4bKus"
    assert request.read_top_via().branch == b"z9hG4bKus"
    assert HEAD.split(b"\r\n")[1:-1] == lines[3:-2]


def test_taking_out_values_one_by_one_keeps_the_rest_as_it_was() -> None:
    request = _request()
    assert request.remove_first_value(VIA) == b"SIP/2.0/UDP one.example;branch=z9hG4bK1"
    assert request.lines[0] == b"v: SIP/2.0/TCP two.example;branch=z9hG4bK2,SIP/2.0/UDP three.example\r\n"
    assert request.read_top_via().host == b"two.example"
    assert request.remove_first_value(VIA) == b"SIP/2.0/TCP two.example;branch=z9hG4bK2"
    assert request.remove_first_value(VIA) == b"SIP/2.0/UDP three.example"
    assert request.count(VIA) == 1
    assert request.remove_first_value(VIA) == b"SIP/2.0/UDP four.example"
    with pytest.raises(MalformedMessage, match="Missing Via"):
        request.remove_first_value(VIA)


def test_exchanging_the_first_value_keeps_the_rest_as_it_was() -> None:
    request = _request()
    request.replace_first_value(VIA, b"SIP/2.0/UDP one.example;received=192.0.2.7")
    assert request.lines[0] == (
        b"v: SIP/2.0/UDP one.example;received=192.0.2.7 ,\r\n"
        b"  SIP/2.0/TCP two.example;branch=z9hG4bK2,SIP/2.0/UDP three.example\r\n"
    )
    assert request.read_top_via().received == b"192.0.2.7"
    request.replace_first_value(CSEQ, b"8 INVITE")
    assert request.read_cseq_number() == 8


def test_replace_leaves_one() -> None:
    request = _request()
    request.replace(VIA, b"SIP/2.0/UDP only.example")
    request.replace(MAX_FORWARDS, b"69")
    request.replace(SUPPORTED, b"path")
    assert request.values(VIA) == [b"SIP/2.0/UDP only.example"]
    assert request.read_max_forwards() == 69
    assert request.lines[-1] == b"Supported: path\r\n"
    request.remove_all(ROUTE)
    assert request.count(ROUTE) == 0


def test_edits_forget_what_was_parsed() -> None:
    request = _request()
    request.replace(FROM, b"<sip:nils@dock.example>;tag=n")
    request.replace(TO, b"<sip:mara@dock.example>;tag=m")
    request.replace(CALL_ID, b"other")
    request.set_uri(parse_uri(b"sip:new@dock.example"))
    assert (request.read_from().uri.user, request.read_to_tag(), request.read_call_id()) == (b"nils", b"m", b"other")
    assert request.read_uri().user == b"new"


@pytest.mark.parametrize("octet", [*range(33), 127, 128, 255, *b'"<>'])
def test_no_uri_that_could_end_the_request_line_can_be_made(octet: int) -> None:
    """RFC 3261 7.1, 25.1: so a Request-URI from routes, DNS, contacts or look-ups is one word, whatever its source."""
    odd = bytes((octet,))
    texts = (b"sip:a%bb@h", b"sip:a@h%b", b"sip:a@h;x=%b", b"sip:a@h;%b", b"sip:a@h?x=%b", b"sip:a:%b@h")
    for text in (*texts, b"sip:h:50%b60", b"tel:+1%b", b"urn:%b", b"%b:a", b"%bsip:a@h", b"sip:a@h%b\r\nVia: x"):
        with pytest.raises(MalformedMessage):
            parse_uri(text.replace(b"%b", odd))
    for parts in (
        (b"sip", b"a" + odd, b"h"),
        (b"sip", b"a", b"h" + odd),
        (b"tel", b"+1" + odd, b""),
        (b"sip", b"a", b"h", 0, {b"x": odd}),
        (b"sip", b"a", b"h", 0, {}, odd),
        (b"sip", b"a", b"h", 0, {}, b"", odd),
        (b"sip", b"a", b"h", 0, {}, b"", None, b"sip:a@h" + odd),
    ):
        with pytest.raises(MalformedMessage):
            Uri(*parts)


def test_a_request_uri_has_no_headers_and_is_given_as_a_uri() -> None:
    """RFC 3261 19.1.5."""
    request = _request()
    request.set_uri(parse_uri(b"sip:new@dock.example;method=BYE;lr?Subject=x"))
    assert (request.uri_text, request.read_uri().text) == (b"sip:new@dock.example;lr", b"sip:new@dock.example;lr")
    with pytest.raises((AttributeError, TypeError)):
        request.set_uri(b"sip:new@dock.example SIP/2.0\r\n")  # type: ignore[arg-type]


def test_copies_are_independent_and_share_lines() -> None:
    request = _request()
    copy = request.copy()
    copy.prepend(VIA, b"SIP/2.0/UDP us.example")
    copy.set_uri(parse_uri(b"sip:else@dock.example"))
    assert type(copy) is Request
    assert write(request) == HEAD + b"\r\n"
    assert copy.lines[1] is request.lines[0]
    response = Response(200, b"OK")
    assert response.copy().status == 200


def test_our_own_values_hold_no_line_breaks() -> None:
    with pytest.raises(AssertionError):
        _request().append(SUPPORTED, b"path\r\nRoute: <sip:evil>")


def test_a_header_line_has_a_name_and_a_value() -> None:
    line = b"X-Fold \t:  one\r\n\t two  \r\n"
    assert (name_of(line), value_of(line)) == (b"X-Fold", b"one two")


def test_headers_in_a_request_uri_are_a_fault() -> None:
    """RFC 3261 19.1.1, RFC 4475 3.1.2.11."""
    with pytest.raises(MalformedMessage, match="Headers in Request-URI"):
        Request(b"INVITE", b"sip:a@b?x=y").read_uri()


def _with_cseq(value: bytes) -> Request:
    request = Request(b"INVITE", b"sip:a@b")
    request.insert(0, CSEQ, b"CSeq: " + value + b"\r\n")
    return request


@pytest.mark.parametrize(
    ("value", "sequence", "method"),
    [(b"0009 \r\n INVITE", 9, b"INVITE"), (b"\t4294967295 BYE  ", 2**32 - 1, b"BYE")],
)
def test_cseq(value: bytes, sequence: int, method: bytes) -> None:
    """RFC 3261 20.16; numbers up to 2**32-1 pass (RFC 4475 3.1.2.4)."""
    request = _with_cseq(value)
    assert (request.read_cseq_number(), request.read_cseq_method()) == (sequence, method)


@pytest.mark.parametrize(
    "value", [b"", b"1", b"INVITE", b"1INVITE", b"-1 INVITE", b"1 IN VITE", b"4294967296 BYE", b"1 a/b"]
)
def test_malformed_cseq(value: bytes) -> None:
    with pytest.raises(MalformedMessage):
        _with_cseq(value).read_cseq()
