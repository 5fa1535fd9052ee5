"""Several stacks, any order of everything that can happen to them: no exception, no table beyond its limit, and
nothing left in the end (design 5).

Datagrams land anywhere, slots move with their calls, workers die and come back, the bus stalls and refuses, the world
answers or does not, connections come and go, settings change.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from appliance.catalogue.limit_settings import RateLimitSettings
from appliance.catalogue.overload_settings import OverloadSettings
from appliance.catalogue.proxy_settings import ProxySettings, TimerSettings
from appliance.catalogue.settings import Settings
from appliance.messages.bus_messages import BusRequest
from appliance.messages.supervisor_requests import ForgetSubscriber
from appliance.messages.worker_requests import (
    ClearRegistration,
    ListCalls,
    ListRateLimits,
    ListRegistrations,
    ListTransactions,
)
from appliance.routing.lookup_questions import Answer, FindSubscriber, Question, SubscriberAnswer
from appliance.transport.flow import UDP, Flow
from tests.dns_answers import dns_answer
from tests.effort import examples
from tests.flows.wire import read
from tests.fuzz.company import WorkerGroup
from tests.fuzz.test_stack_bytes import LIMITS, LISTENERS, damaged, expect_clean, requests

WORKERS = 3
LOW_LIMITS = replace(
    LIMITS,
    transactions_max=4,
    lookups_waiting_max=2,
    queries_waiting_max=2,
    bindings_max=2,
    nonces_max=1,
    hosts_cached_max=1,
    subscribers_cached_max=1,
    registration_wait_ms=1,
)
SETTINGS = Settings(
    domains=("example.com",),
    listeners=LISTENERS,
    limits=LIMITS,
    timers=TimerSettings(t1_ms=50, t2_ms=400, t4_ms=500, c_s=5),
    proxy=ProxySettings(targets_max=3),
)
VARIANTS = [
    SETTINGS,
    replace(SETTINGS, limits=LOW_LIMITS),
    replace(SETTINGS, proxy=ProxySettings(targets_max=3, fork="sequential", recurse_on_redirect=True)),
    replace(SETTINGS, proxy=ProxySettings(targets_max=3, fork="parallel", recurse_on_redirect=True)),
    replace(SETTINGS, rate_limits=(RateLimitSettings(name="few", rate_per_s=1, burst=2),)),
    replace(SETTINGS, overload=OverloadSettings(delay_target_ms=1, delay_limit_ms=2), domains=("example.org",)),
]
# Three targets one after another, each tried on the hops of a host, each until its CANCEL is given up.
SETTLED_S = 120.0

DATAGRAM_FLOWS = [
    Flow(UDP, 0, ("192.0.2.101", 5060)),
    Flow(UDP, 1, ("192.0.2.102", 5060)),
    Flow(UDP, 2, ("2001:db8::9", 5060)),
]
REMOTES = [("192.0.2.103", 40000), ("192.0.2.104", 40000), ("192.0.2.60", 5060)]
KEPT = (b"Via", b"From", b"To", b"Call-ID", b"CSeq")
PLACES = st.integers(0, 1000)


CALLED = ["bob@192.0.2.60", "bob@192.0.2.60;transport=tcp", "bob@gate.example.net", "carol@example.com"]
STATUSES = st.sampled_from([100, 180, 200, 302, 407, 486, 503, 600])
REQUESTS = st.sampled_from(
    [
        ListCalls(),
        ListTransactions(),
        ListRegistrations("carol@example.com"),
        ListRateLimits(),
        ClearRegistration("carol@example.com"),
    ]
)


@st.composite
def calls(draw: st.DrawFn) -> bytes:
    """INVITEs that get somewhere, so that there is something to be moved and adopted."""
    to = draw(st.sampled_from(CALLED))
    number = draw(st.integers(0, 20))
    return (
        f"INVITE sip:{to} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bKcall{number}\r\n"
        f"From: <sip:alice@example.com>;tag=a\r\nTo: <sip:{to.partition(';')[0]}>\r\nCall-ID: call-{number}\r\n"
        "CSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def registration(number: int) -> bytes:
    """A registration of carol with one of a few contacts."""
    return (
        f"REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bKr{number}\r\n"
        f"From: <sip:carol@example.com>;tag=a\r\nTo: <sip:carol@example.com>\r\nCall-ID: register-{number % 3}\r\n"
        f"CSeq: {number + 1} REGISTER\r\nMax-Forwards: 70\r\n"
        f"Contact: <sip:carol@192.0.2.{60 + number % 4}>;q=0.{number % 10}\r\nContent-Length: 0\r\n\r\n"
    ).encode()


class AnyMessageToAnyWorker(RuleBasedStateMachine):
    """Rules choose among the living by place."""

    @initialize()
    def start(self) -> None:
        self.company = WorkerGroup(SETTINGS, WORKERS, 1000.0, 1_700_000_000.0)
        self.is_lowered = False
        if self.company:
            self.company.deliver_all()

    def worker(self, place: int) -> int:
        living = sorted(self.company.stacks)
        return living[place % len(living)]

    # -- the wire ------------------------------------------------------------------------------------

    @rule(
        data=st.one_of(calls(), calls(), st.builds(registration, st.integers(0, 20)), requests(), damaged()),
        place=PLACES,
        flow=st.sampled_from(DATAGRAM_FLOWS),
    )
    def a_datagram_arrives(self, data: bytes, place: int, flow: Flow) -> None:
        self.company.receive(self.worker(place), data, flow)

    @rule(data=st.one_of(calls(), st.builds(registration, st.integers(0, 20)), requests()), place=PLACES)
    def a_connection_brings_a_message(self, data: bytes, place: int) -> None:
        worker = self.worker(place)
        for flow in self.company.connections[worker][:1]:
            self.company.receive(worker, data.replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP"), flow)

    @rule(place=PLACES, worker=PLACES, status=STATUSES, via=st.integers(0, 9))
    def a_peer_answers(self, place: int, worker: int, status: int, via: int) -> None:
        """Now and then with Vias that no element wrote."""
        asked = [out.data for _, out in self.company.sent if not out.data.startswith((b"SIP/2.0", b"ACK"))]
        if not asked:
            return
        head = asked[place % len(asked)].partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
        kept = [line for line in head if line.split(b":")[0].strip() in KEPT]
        vias = [line for line in kept if line.startswith(b"Via")]
        if via == 0:
            kept = [line for line in kept if line not in vias[1:]]
        elif via == 1 and len(vias) > 1:
            kept[kept.index(vias[1])] = b"Via: nonsense"
        extra = [b"Contact: <sip:carol@192.0.2.61>, <sip:dave@gate.example.net>;q=0.2", b"Content-Length: 0"]
        data = b"\r\n".join([b"SIP/2.0 %d X" % status, *kept, *extra, b"", b""])
        self.company.receive(self.worker(worker), data, DATAGRAM_FLOWS[0])

    @rule(place=PLACES, worker=PLACES, method=st.sampled_from([b"CANCEL", b"ACK"]))
    def the_caller_goes_on(self, place: int, worker: int, method: bytes) -> None:
        """A CANCEL of a call that was answered at all, or the ACK to its final response."""
        answers = [read(out.data) for _, out in self.company.sent if out.data.startswith(b"SIP/2.0")]
        answers = [answer for answer in answers if answer.first("CSeq").endswith("INVITE")]
        if not answers:
            return
        answer = answers[place % len(answers)]
        lines = [f"{name}: {answer.first(name)}" for name in ("Via", "From", "To", "Call-ID")]
        head = [f"{method.decode()} sip:bob@192.0.2.60 SIP/2.0", *lines, f"CSeq: {answer.cseq} {method.decode()}"]
        data = "\r\n".join([*head, "Max-Forwards: 70", "Content-Length: 0", "", ""]).encode("utf-8", "surrogateescape")
        self.company.receive(self.worker(worker), data, DATAGRAM_FLOWS[0])

    @rule(place=PLACES)
    def something_could_not_be_sent(self, place: int) -> None:
        sent = [(worker, out) for worker, out in self.company.sent if worker in self.company.stacks]
        if sent:
            self.company.fail(*sent[place % len(sent)])

    @rule(place=PLACES, remote=st.sampled_from(REMOTES))
    def a_connection_is_opened(self, place: int, remote: tuple[str, int]) -> None:
        self.company.open_connection(self.worker(place), 0, remote)

    @rule(place=PLACES)
    def a_connection_is_closed(self, place: int) -> None:
        worker = self.worker(place)
        if self.company.connections[worker]:
            self.company.close_connection(worker)

    # -- the world, operators and time ---------------------------------------------------------------

    @precondition(lambda self: self.company.questions)
    @rule(place=PLACES, found=st.booleans(), failed=st.booleans())
    def the_world_answers(self, place: int, found: bool, failed: bool) -> None:
        stack, question = self.company.questions.pop(place % len(self.company.questions))
        self.company.answer(stack, answer_to(question, found, failed))

    @rule(variant=st.sampled_from(VARIANTS))
    def the_settings_change(self, variant: Settings) -> None:
        self.is_lowered |= variant.limits is LOW_LIMITS
        self.company.reconfigure(variant)

    @rule(place=PLACES, delay_s=st.sampled_from([0.0, 0.01, 1.0]))
    def messages_had_to_wait(self, place: int, delay_s: float) -> None:
        self.company.stacks[self.worker(place)].note_delay(delay_s, self.company.now)

    @rule(place=PLACES, request=REQUESTS)
    def an_operator_asks(self, place: int, request: BusRequest[Any]) -> None:
        self.company.tell(self.worker(place), request)

    @rule(place=PLACES)
    def a_subscriber_changes(self, place: int) -> None:
        self.company.tell(self.worker(place), ForgetSubscriber(b"carol"))

    @rule(seconds=st.sampled_from([0.001, 0.05, 0.4, 4.0, 20.0]), is_bus_stuck=st.booleans())
    def time_passes(self, seconds: float, is_bus_stuck: bool) -> None:
        self.company.pass_time(seconds, is_bus_stuck)

    # -- workers and the bus -------------------------------------------------------------------------

    @rule(place=PLACES, count=st.integers(1, 5))
    def the_bus_delivers(self, place: int, count: int) -> None:
        waiting = self.company.waiting()
        if waiting:
            self.company.deliver(waiting[place % len(waiting)], count)

    @rule()
    def the_bus_delivers_all(self) -> None:
        self.company.deliver_all()

    @rule(place=PLACES, is_deaf=st.booleans())
    def a_queue_is_full(self, place: int, is_deaf: bool) -> None:
        (self.company.deaf.add if is_deaf else self.company.deaf.discard)(self.worker(place))

    @rule(order=st.permutations(range(WORKERS)), without=st.integers(0, WORKERS))
    def slots_move(self, order: list[int], without: int) -> None:
        """To all, or away from one, as when it is drained."""
        left = [worker for worker in order if worker != without and worker in self.company.stacks]
        self.company.deal_slots(left or list(self.company.stacks))

    @precondition(lambda self: len(self.company.stacks) > 1)
    @rule(place=PLACES)
    def a_worker_dies(self, place: int) -> None:
        self.company.kill(self.worker(place))

    @precondition(lambda self: len(self.company.stacks) < WORKERS)
    @rule()
    def a_worker_comes_back(self) -> None:
        self.company.revive(min(set(range(WORKERS)) - set(self.company.stacks)))

    # -- what has to be true -------------------------------------------------------------------------

    @invariant()
    def what_was_sent_can_be_read(self) -> None:
        for outgoing in self.company.fresh:
            expect_clean(outgoing.data)
        self.company.fresh.clear()

    @invariant()
    def the_tables_stay_within_their_limits(self) -> None:
        for stack in self.company.stacks.values():
            gauges = stack.gauges()
            # Room beyond the limit is for the CANCEL of what is there, one for each at most.
            assert gauges["transactions"] <= 2 * LIMITS.transactions_max
            assert gauges["lookups_waiting"] <= LIMITS.lookups_waiting_max
            assert gauges["registrations"] <= LIMITS.bindings_max + 10
            assert gauges["hosts"] <= LIMITS.hosts_cached_max
            assert gauges["subscribers"] <= LIMITS.subscribers_cached_max

    def teardown(self) -> None:
        if not hasattr(self, "company"):
            return
        self.company.deaf.clear()
        for _ in range(3):
            self.company.deliver_all()
            while self.company.questions:
                stack, question = self.company.questions.pop()
                self.company.answer(stack, answer_to(question, True, False))
            self.company.pass_time(SETTLED_S / 3)
        self.company.deal_slots(sorted(self.company.stacks))
        self.company.pass_time(SETTLED_S)
        self.what_was_sent_can_be_read()
        for stack in self.company.stacks.values():
            gauges = stack.gauges()
            assert (gauges["transactions"], gauges["waiting"], gauges["replies_held"]) == (0, 0, 0), gauges
        assert not any(self.company.recordings.values()), "a call that is over is still recorded"
        assert not any(self.company.orphans), "no worker continued a call of a dead worker"


def answer_to(question: Question, is_found: bool, has_failed: bool) -> Answer:
    if not isinstance(question, FindSubscriber):
        addresses = ("192.0.2.61", "2001:db8::61") if is_found else ()
        servers = "1 1 5060 gate.example.net" if is_found else ""
        return dns_answer(question, addresses, has_failed, 10.0, servers)
    ha1 = hashlib.md5(b"%b:%b:secret" % (question.username, question.realm)).hexdigest().encode()
    return SubscriberAnswer(question.id, is_found and not has_failed, has_failed, ha1)


TestAnyMessageToAnyWorker = AnyMessageToAnyWorker.TestCase
TestAnyMessageToAnyWorker.settings = settings(
    max_examples=examples(100),
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # To make a failure smaller takes longer than to read it.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
