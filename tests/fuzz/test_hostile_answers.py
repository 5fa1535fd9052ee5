"""Hostile answers of databases, directories and DNS to calls in a whole stack.

No fault of ours, no line that is not one, no way to a gateway that the answer may not name, and an end.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.catalogue.lookup_settings import LookupSettings
from appliance.catalogue.settings import ListenerSettings
from appliance.catalogue.translation_settings import TranslationSettings
from appliance.routing.lookup_questions import (
    Answer,
    EnumAnswer,
    FindEnum,
    FindRoutes,
    FindSubscriber,
    LookupServers,
    Question,
    RoutesAnswer,
    SubscriberAnswer,
)
from appliance.routing.lookup_results import kept_text
from appliance.routing.route_csv import read_csv
from appliance.routing.route_tables import RouteTables
from appliance.stack import Stack
from appliance.transport.flow import UDP, Flow
from tests.dns_answers import dns_answer
from tests.effort import examples
from tests.fuzz.test_hostile_values import NOW, SETTINGS, expect_clean, message
from tests.tables import new_table

GATEWAY = "192.0.2.201"
ROWS = (
    "table,prefix,action,priority,translation",
    "default,+1,lookup own,1,rewritten",
    "default,+1,table default2,2",
    "default2,+1,lookup own",
    "default,+44,lookup published,1",
    "default,+44,reject 404 Gone,2",
    "default,+49,enum e164.example,1,rewritten",
    f"default,+7,sip:{GATEWAY}",
)
SERVER = ("http://127.0.0.1/{number}",)
CORE = replace(
    SETTINGS,
    listeners=(ListenerSettings(name="core", address="192.0.2.1", relay="any", authenticate=False, role="core"),),
    lookups=(
        LookupSettings("own", servers=SERVER, is_trusted=True, cached_max=0),
        LookupSettings("published", servers=SERVER, cached_max=0),
    ),
    translations=(
        TranslationSettings("rewritten", caller=("^(.*)$ \\1#*",), number=("^. 00",), headers_added=("X-A b",)),
    ),
)
PARTS = st.sampled_from(
    [
        *("sip:", "sips:", "tel:", "redirect ", "reject ", "403", "04000", "table default", "table default2"),
        *("table nowhere", "registrar", "lookup own", "enum a.example", "a@", "%0d%0a", "%00", f"b@{GATEWAY}", GATEWAY),
        *("127.0.0.1", f"c@[::ffff:{GATEWAY}]", "d@192.0.2.1", "e@name.example", ";maddr=", ";transport=tcp", ";lr"),
        *(":0", ":65536", "?X=y"),
        *("\r\n", "\n", "\0", "\ud800", "\x1b[2J", " ", "<", ">", ",", '"', "x" * 500),
    ]
)
TEXTS = st.lists(st.lists(PARTS, min_size=1, max_size=4).map("".join), max_size=4)
REGEXPS = TEXTS.map(lambda texts: [f"1\t1\tu\tE2U+sip\t!^.*$!{text}!" for text in texts])
# A lookup that names the table which asks it, again and again.
ANSWERS_MAX = 200


def answer_to(question: Question, texts: list[str], records: list[str]) -> Answer:
    if isinstance(question, FindRoutes):
        return RoutesAnswer(question.id, tuple(map(kept_text, texts)), False)
    if isinstance(question, FindEnum):
        return EnumAnswer(question.id, tuple(records), False, 10.0)
    if isinstance(question, FindSubscriber):
        return SubscriberAnswer(question.id, True, False)
    servers = "1 1 5060 a.example" if isinstance(question, LookupServers) else ""
    return dns_answer(question, [GATEWAY], servers=servers)


@settings(max_examples=examples(300), deadline=None)
@given(st.sampled_from([b"+1222", b"+44222", b"+49222"]), TEXTS, REGEXPS)
def test_calls(number: bytes, texts: list[str], records: list[str]) -> None:
    stack = Stack(CORE, 0, b"fuzz" * 4, new_table(), NOW, 1_700_000_000.0)
    stack.use_routes(RouteTables(memoryview(read_csv(ROWS).octets())))
    invite = message(b"INVITE sip:" + number + b"@example.com SIP/2.0", b"INVITE", (b"", b""), [])
    stack.receive_datagrams([(invite, Flow(UDP, 0, ("192.0.2.101", 5060)))], NOW)
    sent = expect_clean(stack)
    for _ in range(ANSWERS_MAX):
        questions = stack.questions_to_ask()
        if not questions:
            break
        stack.receive_answers([answer_to(question, texts, records) for question in questions], NOW)
        for outgoing in stack.datagrams_to_send(NOW):
            head = outgoing.data.partition(b"\r\n\r\n")[0].replace(b"\r\n", b"")
            assert b"\r" not in head and b"\n" not in head, outgoing.data
            # All names have the address of the gateway. Only what is trusted leads there.
            assert outgoing.flow.remote[0] != GATEWAY or number == b"+1222", outgoing.data
            assert not outgoing.flow.remote[0].startswith("127.")
            sent.append(outgoing.data)
    else:
        raise AssertionError("it is asked without end")
    expect_clean(stack)
    assert sent
