"""Messages of our own for every rule of RFC 4475, at parser level.

TABLE.tsv says what each file in messages/ must do: `syntax` is what `parse` does with it (parse, a status to
answer with, or drop: a fault without an answer), `outcome` what a whole appliance does that is responsible for
harbour.example and does not ask for credentials (accept: whatever a well-formed request gets, such as 404; a
status; drop), `reason` the reason phrase of the fault, "-" where there is none.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Message, Request, Response
from appliance.sip.names import CONTACT, ROUTE, VIA
from appliance.sip.parser import SyntaxLimits, find_call_id, parse
from appliance.sip.uri import canonical_aor
from appliance.sip.writer import write, write_response

HERE = Path(__file__).parent
LIMITS = SyntaxLimits()


def _rows() -> list[dict[str, str]]:
    with (HERE / "TABLE.tsv").open(newline="") as table:
        return list(csv.DictReader(table, delimiter="\t"))


def _octets(name: str) -> bytes:
    return (HERE / "messages" / f"{name}.sip").read_bytes()


def _request(name: str) -> Request:
    message = parse(_octets(name), LIMITS)
    assert isinstance(message, Request)
    return message


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row["name"])
def test_each_message_parses_or_fails_as_the_table_says(row: dict[str, str]) -> None:
    data = _octets(row["name"])
    try:
        message = parse(data, LIMITS)
    except MalformedMessage as fault:
        assert fault.reason == row["reason"]
        assert row["syntax"] == ("drop" if fault.message is None else str(fault.status))
    else:
        assert row["syntax"] == "parse"
        written = write(message)
        assert data.startswith(written)
        assert written == data or row["name"] == "octets_after_body"
        assert find_call_id(data) == message.read_call_id()


@pytest.mark.parametrize(
    "row", [row for row in _rows() if row["syntax"] in ("400", "501", "505")], ids=lambda row: row["name"]
)
def test_each_fault_can_be_answered_with_the_lines_of_the_request(row: dict[str, str]) -> None:
    """RFC 3261 8.2.6: a response copies Via, From, To, Call-ID and CSeq as they are."""
    data = _octets(row["name"])
    with pytest.raises(MalformedMessage) as caught:
        parse(data, LIMITS)
    partial = caught.value.message
    assert isinstance(partial, Request)
    answer = write_response(partial, caught.value.status, caught.value.reason.encode(), to_tag=b"ours")
    assert answer.startswith(b"SIP/2.0 %d %b\r\n" % (caught.value.status, row["reason"].encode()))
    for line in partial.lines_of(VIA):
        assert line in answer
    assert answer.count(b"\r\nCSeq: ") == min(data.count(b"\r\nCSeq: "), 1)


def test_the_table_covers_all_49_rules_and_every_file() -> None:
    rows = _rows()
    assert {path.stem for path in (HERE / "messages").glob("*.sip")} == {row["name"] for row in rows}
    ours = {row["section"] for row in rows}
    wanted = {f"3.1.1.{n}" for n in range(1, 14)} | {f"3.1.2.{n}" for n in range(1, 20)}
    wanted |= {f"3.3.{n}" for n in range(1, 16)} | {"3.2.1", "3.4.1"}
    assert len(wanted) == 49
    assert wanted <= ours


def test_folds_and_spaces_are_seen_through() -> None:
    request = _request("folds_and_spaces")
    assert (request.read_to_tag(), request.read_from_tag()) == (b"m-771", b"ot-fold")
    assert (request.read_max_forwards(), request.read_cseq_number(), request.read_cseq_method()) == (42, 12, b"INVITE")
    assert (request.read_top_via().transport, request.read_top_via().sent_by) == (b"UDP", b"198.51.100.7:5060")
    assert request.read_top_via().branch == b"notacookie"
    assert len(request.values(VIA)) == 3
    assert request.named(b"brand-new-field") == [b"a value that goes on"]
    assert request.named(b"Field-Of-Separators") == [b",;;,,;,"]
    assert request.values(ROUTE) == [b"<sip:relay.harbour.example;lr;odd=1;flag>"]
    contact = request.contacts()[0]
    assert (contact.display, contact.q) == (b'"A \\"quoted\\" word"', 250)
    assert contact.parameters[b"first"] == b"thing"


def test_odd_tokens_survive_in_every_octet() -> None:
    request = _request("odd_tokens")
    assert request.method == b"~wild.Method_9!%*`+'-"
    assert request.read_uri().user == b"9_odd.name~(or-so!he)&says'it+is$/all?right,/;;*"
    assert request.read_uri().password == b"&pa+ss=7,word!*wo$rd~x.(it's)"
    assert request.read_uri().host == b"harbour.example"
    assert b"\x00" in request.read_to().display


def test_user_parts_are_unescaped_once() -> None:
    request = _request("escapes_once")
    assert canonical_aor(request.read_uri()) == b"sip:sips%3Amara%40harbour.example@dock.example"
    assert canonical_aor(request.read_to().uri) == b"sip:mara@harbour.example"
    uri = request.contacts()[0].uri
    assert uri.has_lr
    assert uri.parameter(b"key") == b"val%61"


def test_escaped_nuls_cut_nothing_short() -> None:
    request = _request("escaped_nuls")
    assert canonical_aor(request.read_to().uri) == b"sip:nul-%00-nul@harbour.example"
    first, second = request.contacts()
    assert not first.uri.equals(second.uri)
    assert canonical_aor(first.uri) != canonical_aor(second.uri)


def test_percent_signs_in_tokens_are_no_escapes() -> None:
    request = _request("escapes_in_tokens")
    assert request.method == b"R%45GISTER"
    assert [contact.uri.user for contact in request.contacts()] == [b"a", b"c"]


def test_all_via_values_are_kept_in_order() -> None:
    assert len(_request("long_values").values(VIA)) == 37


def test_octets_behind_the_body_vanish() -> None:
    """RFC 3261 18.3."""
    request = _request("octets_after_body")
    assert request.body == b""
    assert b"INVITE" not in write(request)


def test_the_user_part_ends_at_the_at_sign() -> None:
    assert _request("semicolon_in_user").read_uri().user == b"mara;kind=m%40dock.example"


def test_binary_bodies_are_framed_by_length() -> None:
    request = _request("binary_body")
    assert request.body.endswith(b"\x00\x00--seam--\r\n")
    assert bytes(range(256)) in request.body


def test_bare_contact_with_headers_is_a_fault_of_the_contact() -> None:
    with pytest.raises(MalformedMessage, match="URI Needs Angle Brackets in Contact") as caught:
        _request("contact_headers_bare").contacts()
    assert caught.value.status == 400


def test_brackets_decide_whose_parameter_it_is() -> None:
    bare = _request("contact_parameter_bare").contacts()[0]
    assert b"mystery" in bare.parameters
    assert bare.uri.text == b"sip:+4940555@gate.dock.example"
    inside = _request("contact_parameter_in_uri").contacts()[0]
    assert b"mystery" in inside.uri.parameters
    assert not inside.parameters


def test_escaped_headers_stay_in_the_contact() -> None:
    """RFC 3261 19.1.5: they are kept, and left out of a Request-URI made from it."""
    uri = _request("contact_with_escaped_route").contacts()[0].uri
    assert uri.headers == b"Route=%3Csip:dock.example%3E"
    assert uri.without_headers() == b"sip:otto@198.51.100.7"


def test_unknown_schemes_are_left_to_others() -> None:
    assert _request("scheme_unknown").read_uri().scheme == b"bottlepost"
    assert not _request("scheme_known_not_ours").read_uri().is_sip
    assert _request("schemes_in_register").count(CONTACT) == 1


def test_rfc2543_requests_have_less() -> None:
    request = _request("rfc2543_style")
    assert (request.read_top_via().branch, request.read_from_tag(), request.read_max_forwards()) == (b"", b"", -1)
    assert request.body.startswith(b"v=0")


def test_responses_keep_their_reason() -> None:
    message: Message = parse(_octets("reason_empty"), LIMITS)
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (100, b"")
