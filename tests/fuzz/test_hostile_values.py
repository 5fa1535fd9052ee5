"""Hostile octets in what validators, the registrar and answers copy: no fault of ours, and no line that is not one.

Values of Proxy-Require, Require, Unsupported, Min-Expires, Path, Contact, tags and the like are made of octets that
break lines, lists and quotes. A lenient peer takes a bare CR or LF for the end of a line (RFC 3261 25.1 knows CRLF
only), so no line that the stack sends may hold one.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.catalogue import counters
from appliance.catalogue.proxy_settings import ProxySettings
from appliance.catalogue.registrar_settings import RegistrarSettings
from appliance.catalogue.settings import Settings
from appliance.routing.lookup_questions import FindSubscriber, SubscriberAnswer
from appliance.stack import Stack
from appliance.transport.flow import UDP, Flow
from tests.dns_answers import dns_answer
from tests.effort import examples
from tests.fuzz.company import expect_no_fault
from tests.fuzz.test_stack_bytes import LIMITS, LISTENERS
from tests.tables import new_table

NOW = 1000.0
SETTINGS = Settings(
    domains=("example.com",),
    listeners=LISTENERS,
    limits=LIMITS,
    proxy=ProxySettings(recurse_on_redirect=True),
    registrar=RegistrarSettings(expires_min_s=60),
)
BREAKS = (b"\r", b"\n", b"\r\n", b"\r\n ", b"\r ", b"\n\t", b"\0", b"\x7f", b"\xff", b" ", b"\t")
SIGNS = (b",", b";", b"=", b'"', b"\\", b"<", b">", b"@", b"%0d%0a")
WORDS = (b"a", b"path", b"gruu", b"tag", b"60", b"sip:bob@192.0.2.7", b"<sip:192.0.2.7;lr>")
HOSTILE = st.lists(st.sampled_from(BREAKS + SIGNS + WORDS), max_size=6).map(b"".join)
NAMES = st.sampled_from(
    b"Proxy-Require Require Unsupported Supported Min-Expires Expires Path Contact Route Record-Route Max-Breadth "
    b"Timestamp Authorization Proxy-Authorization WWW-Authenticate Proxy-Authenticate Retry-After Reason Via Warning "
    b"X-Other".split()
)
LINES = st.lists(st.tuples(NAMES, HOSTILE), max_size=3)
METHODS = st.sampled_from([b"REGISTER", b"INVITE", b"OPTIONS", b"MESSAGE", b"CANCEL", b"SUBSCRIBE"])
FLOWS = st.sampled_from([Flow(UDP, 0, ("192.0.2.101", 5060)), Flow(UDP, 1, ("192.0.2.102", 5060))])


def message(start: bytes, method: bytes, tags: tuple[bytes, bytes], lines: list[tuple[bytes, bytes]]) -> bytes:
    head = [
        start,
        b"Via: SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bKhostile",
        b"From: <sip:bob@example.com>;tag=a" + tags[0],
        b"To: <sip:bob@example.com>" + tags[1],
        b"Call-ID: hostile",
        b"CSeq: 1 " + method,
        *(name + b": " + value for name, value in lines),
    ]
    return b"\r\n".join(head) + b"\r\n\r\n"


def expect_clean(stack: Stack) -> list[bytes]:
    """No fault has been counted, and each line that goes out ends in CRLF and holds no other CR or LF."""
    expect_no_fault(stack)
    assert stack.counters[counters.SOFTWARE_FAULTS] == 0
    sent = [outgoing.data for outgoing in stack.datagrams_to_send(NOW)]
    for data in sent:
        head = data.partition(b"\r\n\r\n")[0].replace(b"\r\n", b"")
        assert b"\r" not in head and b"\n" not in head, data
    return sent


def answer_questions(stack: Stack) -> None:
    for question in stack.questions_to_ask():
        if isinstance(question, FindSubscriber):
            stack.receive_answers([SubscriberAnswer(question.id, True, False)], NOW)
        else:
            stack.receive_answers([dns_answer(question, ["192.0.2.61"], ttl_s=10.0)], NOW)


@settings(max_examples=examples(400), deadline=None)
@given(METHODS, st.tuples(HOSTILE, HOSTILE), LINES, FLOWS)
def test_requests(method: bytes, tags: tuple[bytes, bytes], lines: list[tuple[bytes, bytes]], flow: Flow) -> None:
    stack = Stack(SETTINGS, 0, b"fuzz" * 4, new_table(), NOW, 1_700_000_000.0)
    uri = b"sip:example.com" if method in (b"REGISTER", b"OPTIONS") else b"sip:bob@example.com"
    stack.receive_datagrams([(message(method + b" " + uri + b" SIP/2.0", method, tags, lines), flow)], NOW)
    expect_clean(stack)
    answer_questions(stack)
    expect_clean(stack)


@settings(max_examples=examples(400), deadline=None)
@given(st.sampled_from([180, 200, 302, 401, 407, 420, 486, 503]), HOSTILE, LINES, HOSTILE)
def test_responses(status: int, tag: bytes, lines: list[tuple[bytes, bytes]], reason: bytes) -> None:
    """Of a callee: what it says is passed on, added to the best response, or followed."""
    stack = Stack(SETTINGS, 0, b"fuzz" * 4, new_table(), NOW, 1_700_000_000.0)
    flow = Flow(UDP, 0, ("192.0.2.60", 5060))
    invite = message(b"INVITE sip:bob@192.0.2.60 SIP/2.0", b"INVITE", (b"", b""), [])
    stack.receive_datagrams([(invite, Flow(UDP, 0, ("192.0.2.101", 5060)))], NOW)
    forwarded = expect_clean(stack)[-1].split(b"\r\n")
    kept = [line for line in forwarded if line.startswith((b"Via", b"From", b"Call-ID", b"CSeq"))]
    to = [line + b";tag=b" + tag for line in forwarded if line.startswith(b"To")]
    head = [b"SIP/2.0 %d %b" % (status, reason), *kept, *to, *(name + b": " + value for name, value in lines)]
    stack.receive_datagrams([(b"\r\n".join(head) + b"\r\n\r\n", flow)], NOW)
    answer_questions(stack)
    expect_clean(stack)
