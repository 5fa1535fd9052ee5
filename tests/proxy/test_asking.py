"""A stage asks any question: what a new kind takes is its class, its declaration, and the door that answers it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from appliance.catalogue import counters
from appliance.catalogue.limit_settings import LimitSettings
from appliance.catalogue.settings import Settings
from appliance.messages.worker_requests import DryRun, LookupNeeded, LookupResult
from appliance.proxy.environment import ProxyEnvironment
from appliance.proxy.request_context import RequestContext
from appliance.proxy.roles import ROLES
from appliance.proxy.stage_chain import Role
from appliance.proxy.stage_results import CONTINUE, Ask, Reply, StageResult
from appliance.proxy.stages.locate import locate
from appliance.routing.lookup_questions import KINDS, Answer, LookupKind, Question
from appliance.sip.uri import parse_uri
from appliance.stack import Stack
from appliance.workers.lookups import Questions
from tests.proxy.test_call_transfer import slots_go
from tests.stack_bench import ALICE, BOB, NOW, SETTINGS, request, sent, stack
from tests.test_stack_operated import ask


@dataclass(frozen=True, slots=True)
class NumberAnswer:
    """Where a number leads."""

    id: int
    uri: bytes
    failed: bool = False


class Numbers:
    """What is remembered of numbers."""

    def __init__(self) -> None:
        self.known: dict[bytes, bytes] = {}

    def keep(self, question: FindNumber, answer: NumberAnswer, now: float) -> None:
        self.known[question.number] = answer.uri

    def reconfigure(self, settings: Settings) -> None: ...

    def __len__(self) -> int:
        return len(self.known)


@dataclass(frozen=True, slots=True)
class FindNumber(Question):
    """Where does a number lead?"""

    number: bytes

    kind: ClassVar[LookupKind[Numbers]] = LookupKind(
        name="number",
        door="the directory",
        waiting_max="queries_waiting_max",
        waiting_gauge="numbers_waiting",
        full_counter=counters.QUERIES_FULL,
        running_max="queries_max",
        timeout_ms="query_timeout_ms",
        failed_counter=counters.STORE_FAILED,
        new_cache=lambda settings: Numbers(),
        cached_gauge="numbers",
    )

    @property
    def subject(self) -> str:
        return self.number.decode()

    def unknown(self) -> NumberAnswer:
        return NumberAnswer(self.id, b"", True)

    def answer_of(self, found: list[str]) -> NumberAnswer:
        return NumberAnswer(self.id, found[0].encode())


def translate(context: RequestContext, node: ProxyEnvironment, now: float) -> StageResult:
    """Stage: a number becomes the URI that the directory has for it."""
    number = context.request.read_uri().user or b""
    if not number.isdigit():
        return CONTINUE
    uri = node.pending_lookups.cache_of(FindNumber.kind).known.get(number, b"")
    answer = context.answer
    if isinstance(answer, NumberAnswer):
        if answer.failed:
            return Reply(503)
        uri = answer.uri
    if not uri:
        return Ask(FindNumber(number))
    context.request.set_uri(parse_uri(uri))
    return CONTINUE


@pytest.fixture(autouse=True)
def translating(monkeypatch: pytest.MonkeyPatch) -> None:
    """The role of the tests translates before it locates."""
    stages = ROLES["user"].stages
    at = stages.index(locate)
    monkeypatch.setitem(ROLES, "user", Role((*stages[:at], translate, *stages[at:])))


def call(number: str = "4711", call_id: str = "call-1") -> bytes:
    return request("INVITE", f"sip:{number}@example.com", call_id)


def forwarded(one: Stack) -> list[str]:
    """The Request-URIs of what was forwarded."""
    return [message.start.split()[1] for message in sent(one) if message.is_request]


def test_the_request_waits_and_goes_on_with_the_answer_which_is_kept() -> None:
    one = stack()
    one.receive_datagrams([(call(), ALICE), (call(), ALICE)], NOW)
    assert (sent(one), one.counters[counters.RETRANSMISSIONS_RECEIVED]) == ([], 1)
    (question,) = one.questions_to_ask()
    assert question == FindNumber(b"4711")
    assert (one.gauges()["numbers_waiting"], one.gauges()["waiting"], one.gauges()["queries_waiting"]) == (1, 1, 0)
    one.receive_answers([NumberAnswer(question.id, b"sip:bob@192.0.2.60")], NOW)
    assert forwarded(one) == ["sip:bob@192.0.2.60"]
    assert (one.gauges()["numbers_waiting"], one.gauges()["numbers"]) == (0, 1)
    one.receive_datagrams([(call(call_id="call-2"), BOB)], NOW)
    assert (forwarded(one), one.questions_to_ask()) == (["sip:bob@192.0.2.60"], [])


def test_a_kind_has_its_bound_its_counters_and_what_failed_means() -> None:
    one = stack(settings=replace(SETTINGS, limits=LimitSettings(queries_waiting_max=1)))
    one.receive_datagrams([(call(), ALICE), (call("4712", "call-2"), ALICE)], NOW)
    assert [message.status for message in sent(one)] == [503]
    assert one.counters[counters.QUERIES_FULL] == 1
    (question,) = one.questions_to_ask()
    one.receive_answers([question.unknown()], NOW)
    assert [message.status for message in sent(one) if message.status != 100] == [503]
    assert (one.counters[counters.STORE_FAILED], one.gauges()["numbers"]) == (1, 0)


def test_what_waits_moves_and_asks_again() -> None:
    old, new = stack(0), stack(1)
    old.receive_datagrams([(call(), ALICE)], NOW)
    slots_go(new, 1, 2)
    moved = slots_go(old, 1, 2)
    assert moved is not None
    new.receive_messages([(0, moved)], NOW)
    (question,) = new.questions_to_ask()
    new.receive_answers([NumberAnswer(question.id, b"sip:bob@192.0.2.60")], NOW)
    assert forwarded(new) == ["sip:bob@192.0.2.60"]


def test_a_rehearsal_asks_it_and_goes_on_with_what_is_known() -> None:
    one = stack()
    asked = ask(one, DryRun("sip:4711@example.com"))
    assert asked.outcome == "It waits at `translate`: the directory would be asked for 4711."
    assert asked.lookups == [LookupNeeded("number", "4711", {"number": "4711"})]
    known = [LookupResult("number", "4711", ["sip:bob@192.0.2.60"])]
    answered = ask(one, DryRun("sip:4711@example.com", known=known))
    assert answered.targets[0].uri == "sip:bob@192.0.2.60"
    failed = ask(one, DryRun("sip:4711@example.com", known=[LookupResult("number", "4711", None)]))
    assert failed.outcome == "`translate` answers 503 Service Unavailable, because the directory does not answer."
    assert (one.gauges()["numbers"], one.questions_to_ask()) == (0, [])


def test_a_worker_needs_its_door() -> None:
    class Directory:
        timeout_s = 0.0

        def set_timeout(self, timeout_s: float) -> None:
            self.timeout_s = timeout_s

        async def answer(self, question: FindNumber) -> NumberAnswer:
            if question.number == b"0":
                raise OSError
            return NumberAnswer(question.id, b"sip:bob@192.0.2.60")

        def close(self) -> None: ...

    async def scenario() -> None:
        answers: list[Answer] = []
        door = Directory()
        questions = Questions({FindNumber: door}, LimitSettings(query_timeout_ms=70), answers.extend)
        questions.ask([FindNumber(b"4711", id=1), FindNumber(b"0", id=2)])
        while len(answers) < 2:
            await asyncio.sleep(0)
        assert answers == [NumberAnswer(1, b"sip:bob@192.0.2.60"), NumberAnswer(2, b"", True)]
        assert door.timeout_s == 0.07
        questions.close()

    asyncio.run(asyncio.wait_for(scenario(), 60))


def test_each_declaration_names_limits_that_exist() -> None:
    limits = LimitSettings()
    for kind in KINDS:
        assert all(getattr(limits, name) > 0 for name in (kind.waiting_max, kind.running_max, kind.timeout_ms))
