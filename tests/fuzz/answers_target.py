"""What both fuzzers do with octets that are no SIP: each parser of what servers, managers, phones and other nodes send.

`consume_answer` raises when a parser raises anything but what it promises, or makes more of the octets than it may.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance.cluster.coordination.join_token import JoinToken, TokenUnusable
from appliance.lookups.http_lookup import results_in
from appliance.lookups.lookup_client import AnswerUnusable, ServerFailed
from appliance.lookups.whois_lookup import values_in
from appliance.management.snmp.message_header import MalformedDatagram, header_of
from appliance.messages.call_copies import read_copies, write_copies
from appliance.messages.codec import BusProtocolError, decode, decode_of_node, encode
from appliance.messages.sealing_keys import first_keys
from appliance.routing.enum_rules import uris_of
from appliance.routing.lookup_results import RESULT_LEN_MAX, RESULTS_MAX, FoundUri, kept_text, read_result
from appliance.routing.route_entry import REDIRECT, REJECT, RouteFault
from appliance.routing.server_records import NOWHERE, RECORDS_MAX, is_domain_name, parse_naptr, parse_srv
from appliance.security.flow_token import FlowTokens
from appliance.sip.uri import parse_uri
from appliance.transport.stun import binding_answer

TOKENS = FlowTokens(first_keys(bytes(16)))
NUMBER = b"+4930123456"
# RFC 5389 6, 7: an answer has a header, and one address or one error with four types.
STUN_ANSWER_LEN_MAX = 64


def consume_answer(data: bytes) -> None:
    """Everything below on the same octets."""
    for consume in (_lookup, _names, _stun, _tokens, _between_nodes):
        consume(data)
    _tolerate(lambda: header_of(data), MalformedDatagram)


def _tolerate(read: Callable[[], object], *allowed: type[Exception]) -> object:
    try:
        return read()
    except allowed:
        return None


def _lookup(data: bytes) -> None:
    found = [data.decode("latin-1"), data.decode("utf-8", "surrogateescape")]
    listed = _tolerate(lambda: results_in(data), AnswerUnusable)
    found += listed if isinstance(listed, list) else []
    lines = data.decode("latin-1").split("\n")
    values = _tolerate(lambda: values_in(lines, ("sip",)), AnswerUnusable, ServerFailed)
    assert not isinstance(values, list) or len(values) <= RESULTS_MAX
    found += values if isinstance(values, list) else []
    for text in found:
        kept = kept_text(text)
        assert len(kept) <= RESULT_LEN_MAX + 1
        assert kept.isprintable()
        _result(kept)


def _result(text: str) -> None:
    try:
        result = read_result(text, True)
    except RouteFault:
        return
    if isinstance(result, FoundUri):
        written = result.uri.text
    elif result.kind == REJECT:
        assert 400 <= result.status <= 699
        written = result.reason
    else:
        written = result.uri_for(NUMBER, b"").text if result.hop is not None else b""
        assert result.kind != REDIRECT or written
    # What goes into a message is one line.
    assert written.isascii()
    assert written.decode().isprintable()


def _names(data: bytes) -> None:
    texts = data.decode("latin-1").split("\n")
    for server in parse_srv(texts):
        assert server.target == NOWHERE or is_domain_name(server.target)
        assert 0 <= server.port <= 65535
    assert len(parse_srv(texts)) <= RECORDS_MAX
    for record in parse_naptr(texts):
        assert is_domain_name(record.name)
    for uri in uris_of(NUMBER, texts):
        assert parse_uri(uri.text).is_sip


def _stun(data: bytes) -> None:
    for address in ("192.0.2.1", "2001:db8::1", "fe80::1%eth0"):
        assert len(binding_answer(data, address, 5060)) <= STUN_ANSWER_LEN_MAX


def _tokens(data: bytes) -> None:
    assert TOKENS.read(data, b"") is None
    _tolerate(lambda: JoinToken.from_text(data.decode("latin-1")), TokenUnusable)
    _tolerate(lambda: JoinToken.from_text("sbx1." + data.decode("latin-1")), TokenUnusable)


def _between_nodes(data: bytes) -> None:
    for read in (decode, decode_of_node):
        message = _tolerate(lambda read=read: read(data), BusProtocolError)  # type: ignore[misc]
        assert message is None or encode(message)  # type: ignore[arg-type]
    copies = _tolerate(lambda: read_copies(data), ValueError)
    assert not isinstance(copies, list) or len(write_copies(copies)) <= len(data)
