"""What both fuzzers do with octets: parse them, ask for everything, edit, write.

`consume` raises when something other than MalformedMessage comes out, or when a promise of the syntax floor is
broken: an unedited message is written as it came, and an edit keeps every other line.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance.sip.digest import parse_credentials
from appliance.sip.errors import MalformedMessage
from appliance.sip.header_lines import name_of
from appliance.sip.headers import (
    parse_auth,
    parse_contact,
    parse_delta_seconds,
    parse_name_addr,
    parse_q,
    split_list,
    unquote,
)
from appliance.sip.message import Message, Request
from appliance.sip.names import NAMES, ROUTE, VIA
from appliance.sip.parser import SyntaxLimits, find_call_id, parse
from appliance.sip.uri import canonical_aor, parse_uri
from appliance.sip.via import parse_via
from appliance.sip.writer import write, write_response

LIMITS = SyntaxLimits()
VALUE_PARSERS: tuple[Callable[[bytes], object], ...] = (
    parse_uri,
    parse_via,
    parse_name_addr,
    parse_contact,
    parse_q,
    parse_auth,
    parse_credentials,
    parse_delta_seconds,
    split_list,
    unquote,
)


def consume(data: bytes) -> None:
    """Everything below on the same octets."""
    consume_value(data[:300])
    call_id = find_call_id(data)
    try:
        message = parse(data, LIMITS)
    except MalformedMessage as fault:
        _check_fault(fault)
        return
    assert call_id == message.read_call_id()
    _check_identity(data, message)
    _ask_for_everything(message)
    _check_edits(message)
    if isinstance(message, Request):
        parse(write_response(message, 200, b"OK", to_tag=b"t"), LIMITS)


def consume_value(value: bytes) -> None:
    """Each parser of a single value."""
    for parser in VALUE_PARSERS:
        _tolerate(lambda parser=parser: parser(value))
    try:
        uri = parse_uri(value)
    except MalformedMessage:
        return
    assert uri.equals(uri)
    canonical = canonical_aor(uri)
    if uri.is_sip:
        assert canonical_aor(parse_uri(canonical)) == canonical
        assert parse_uri(uri.write()).equals(uri)
        parse_uri(uri.without_headers())


def _tolerate(read: Callable[[], object]) -> None:
    try:
        read()
    except MalformedMessage as fault:
        assert 400 <= fault.status < 700
        assert fault.reason.isascii()
        assert fault.reason.isprintable()


def _check_fault(fault: MalformedMessage) -> None:
    assert 400 <= fault.status < 600
    assert fault.reason.isascii()
    assert fault.reason.isprintable()
    if fault.message is not None:
        assert isinstance(fault.message, Request)
        assert fault.message.method != b"ACK"
        assert fault.message.count(VIA)
        write_response(fault.message, fault.status, fault.reason.encode(), to_tag=b"t")
        _ask_for_everything(fault.message)


def _check_identity(data: bytes, message: Message) -> None:
    written = write(message)
    head, _, rest = data.lstrip(b"\r\n").partition(b"\r\n")
    start, _, kept = written.partition(b"\r\n")
    assert start.upper() == head.upper() or head.upper().startswith(b"SIP/2.0 ")
    assert rest.startswith(kept)
    assert write(parse(written, LIMITS)) == written


def _ask_for_everything(message: Message) -> None:
    for read in (
        message.read_call_id,
        message.read_cseq_number,
        message.read_from,
        message.read_to,
        message.read_from_tag,
        message.read_to_tag,
        message.read_top_via,
        message.read_max_forwards,
        message.contacts,
    ):
        _tolerate(read)
    if isinstance(message, Request):
        _tolerate(message.read_uri)
    for number in range(len(NAMES)):
        _tolerate(lambda number=number: message.values(number))
        message.first(number)
    for line in message.lines:
        assert message.named(name_of(line))
    _tolerate(lambda: message.read_top_via().sent_by)


def _check_edits(message: Message) -> None:
    before = message.lines.copy()
    edited = message.copy()
    edited.prepend(VIA, b"SIP/2.0/UDP us.example;branch=z9hG4bKus")
    edited.append(ROUTE, b"<sip:us.example;lr>")
    assert edited.remove_first_value(VIA) == b"SIP/2.0/UDP us.example;branch=z9hG4bKus"
    edited.lines.pop()
    edited.ids.pop()
    assert edited.lines == before
    try:
        first = message.values(VIA)[0]
    except MalformedMessage:
        # The top one can be read, and one below it not: no more is asked of the element that forwards it.
        return
    assert edited.remove_first_value(VIA) == first
    edited.prepend(VIA, first)
    assert edited.values(VIA) == message.values(VIA)
    assert message.lines == before
    edited = message.copy()
    edited.replace_first_value(VIA, b"SIP/2.0/UDP us.example")
    assert edited.values(VIA) == [b"SIP/2.0/UDP us.example", *message.values(VIA)[1:]]
