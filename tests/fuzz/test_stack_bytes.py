"""Any octets at any time, and any order of good ones: the stack stays clean.

No exception leaves it, what it sends can be read, its tables stay within their limits, and when it is left alone
for long enough nothing is left (design 5).
"""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from appliance.catalogue.limit_settings import LimitSettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.messages.bus_messages import SlotsChanged
from appliance.messages.slots import deal
from appliance.routing.lookup_questions import FindSubscriber, Question, SubscriberAnswer
from appliance.sip.parser import SyntaxLimits, parse
from appliance.stack import Stack
from appliance.transport.flow import TCP, UDP, Flow, Outgoing
from tests.dns_answers import dns_answer
from tests.effort import examples
from tests.flows.wire import read
from tests.fuzz.company import expect_no_fault
from tests.tables import new_table

LIMITS = LimitSettings(
    transactions_max=40,
    lookups_waiting_max=20,
    queries_waiting_max=20,
    bindings_max=20,
    nonces_max=10,
    hosts_cached_max=10,
    subscribers_cached_max=10,
)
LISTENERS = (
    ListenerSettings(name="open", address="192.0.2.1", relay="any", authenticate=False),
    ListenerSettings(name="guarded", address="192.0.2.2"),
    ListenerSettings(name="six", address="2001:db8::1", transports=(UDP,), authenticate=False),
)
SETTINGS = Settings(domains=("example.com",), listeners=LISTENERS)
SETTLED_S = 1000.0

METHODS = ["INVITE", "ACK", "CANCEL", "BYE", "REGISTER", "OPTIONS", "MESSAGE", "invite", "X%41"]
URIS = [
    "sip:bob@example.com",
    "sip:192.0.2.1",
    "sip:bob@192.0.2.60;transport=tcp",
    "sip:bob@gate.example.net",
    "sip:bob@[2001:db8::60]",
    "sips:bob@example.com",
    "tel:+15550100",
    "sip:example.com;gr",
    "sip:%00@example.com",
    "mailto:x",
    "sip:",
]
VIAS = [
    "SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bK1",
    "SIP/2.0/TCP client.example.net;branch=z9hG4bK2;rport",
    "SIP/2.0/UDP 192.0.2.101",
    "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK00112233445566778899aabbccddeeff",
    "SIP/2.0/UDP [2001:db8::9];branch=z9hG4bK3;maddr=name.example.net;ttl=1",
    "SIP / 2.0 / SCTP x ; branch = z9hG4bK4",
]
LINES = [
    "Route: <sip:192.0.2.1;lr>",
    "Route: <sip:192.0.2.1;lr>, <sip:192.0.2.60>",
    "Route: <sip:192.0.2.1;lr;tk=00;pair>, <sip:192.0.2.2:5060;lr;pair>",
    "Route: <mailto:x>",
    "Record-Route: <sip:192.0.2.60;lr>",
    "Contact: <sip:bob@192.0.2.102>;expires=100;q=0.5",
    "Contact: *",
    "Contact: <tel:1>, <sip:x@y>;q=7",
    "Expires: 0",
    "Expires: many",
    "Max-Forwards: 0",
    "Max-Forwards: 256",
    "Proxy-Require: x",
    "Path: <sip:192.0.2.50;lr>",
    "Supported: gruu, path",
    'Authorization: Digest username="bob", realm="example.com", nonce="0", uri="sip:x", response="0", nc=00000001',
    "Proxy-Authorization: Digest",
    "Proxy-Authorization: Basic x",
    "Content-Length: 5",
    "Via: SIP/2.0/UDP 192.0.2.200;branch=z9hG4bKbelow",
    "Timestamp: 1",
]
FLOWS = [
    Flow(UDP, 0, ("192.0.2.101", 5060)),
    Flow(UDP, 1, ("192.0.2.102", 5060)),
    Flow(UDP, 2, ("2001:db8::9", 5060)),
    Flow(TCP, 0, ("192.0.2.103", 40000), 0, 5),
    Flow(TCP, 0, ("192.0.2.104", 40000), 1, 6),
]


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Requests that are nearly right."""
    method = draw(st.sampled_from(METHODS))
    tag = draw(st.sampled_from(["", ";tag=x", ";tag=y"]))
    head = [
        f"{method} {draw(st.sampled_from(URIS))} SIP/2.0",
        f"Via: {draw(st.sampled_from(VIAS))}",
        f"From: <{draw(st.sampled_from(URIS))}>;tag=a",
        f"To: <{draw(st.sampled_from(URIS))}>{tag}",
        f"Call-ID: {draw(st.sampled_from(['one', 'two', 'three']))}",
        f"CSeq: {draw(st.sampled_from(['1', '2', '4294967295']))} {method}",
        *draw(st.lists(st.sampled_from(LINES), max_size=4)),
    ]
    return ("\r\n".join(head) + "\r\n\r\n").encode()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Requests with something broken in the middle."""
    data = draw(requests())
    place = draw(st.integers(0, len(data)))
    return data[:place] + draw(st.binary(max_size=6)) + data[place + draw(st.integers(0, 20)) :]


def expect_clean(data: bytes) -> None:
    """What goes on can be parsed; a refusal shows its sender what was wrong with the request, and may be as wrong."""
    if not data.startswith(b"SIP/2.0 "):
        parse(data, SyntaxLimits())
    assert read(data).method if not data.startswith(b"SIP/2.0 ") else 100 <= read(data).status < 700


class AnyOrder(RuleBasedStateMachine):
    """Octets, answers, failures and time in any order."""

    @initialize()
    def start(self) -> None:
        self.now = 1000.0
        self.stack = Stack(
            Settings(domains=("example.com",), listeners=LISTENERS, limits=LIMITS),
            0,
            b"fuzz" * 4,
            new_table(),
            self.now,
            1_700_000_000.0,
        )
        self.sent: list[Outgoing] = []
        self.questions: list[Question] = []

    def collect(self) -> None:
        """Take what the stack hands out; every message of it has to be one."""
        expect_no_fault(self.stack)
        for outgoing in self.stack.datagrams_to_send(self.now):
            expect_clean(outgoing.data)
            self.sent.append(outgoing)
        self.questions.extend(self.stack.questions_to_ask())
        self.stack.messages_to_send(self.now)
        del self.sent[:-200]

    @rule(data=st.one_of(requests(), requests(), damaged(), st.binary(max_size=100)), flow=st.sampled_from(FLOWS))
    def something_arrives(self, data: bytes, flow: Flow) -> None:
        self.stack.receive_datagrams([(data, flow)], self.now)
        self.collect()

    @rule(
        place=st.integers(0, 200),
        status=st.sampled_from([100, 180, 200, 302, 401, 407, 486, 503, 600, 699]),
        flow=st.sampled_from(FLOWS),
    )
    def a_peer_answers(self, place: int, status: int, flow: Flow) -> None:
        asked = [outgoing for outgoing in self.sent if not outgoing.data.startswith((b"SIP/2.0", b"ACK"))]
        if asked:
            head = asked[place % len(asked)].data.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
            kept = [
                line for line in head if line.split(b":")[0].strip() in (b"Via", b"From", b"To", b"Call-ID", b"CSeq")
            ]
            extra = [b"Contact: <sip:carol@192.0.2.60>, <sip:dave@gate.example.net>;q=0.2", b"Content-Length: 0"]
            self.something_answers(b"\r\n".join([b"SIP/2.0 %d X" % status, *kept, *extra, b"", b""]), flow)

    def something_answers(self, data: bytes, flow: Flow) -> None:
        self.stack.receive_datagrams([(data, flow)], self.now)
        self.collect()

    @rule(place=st.integers(0, 200))
    def something_could_not_be_sent(self, place: int) -> None:
        if self.sent:
            self.stack.receive_failures([self.sent[place % len(self.sent)]], self.now)
            self.collect()

    @rule(found=st.booleans(), failed=st.booleans())
    def the_world_answers(self, found: bool, failed: bool) -> None:
        if self.questions:
            question = self.questions.pop(0)
            if isinstance(question, FindSubscriber):
                self.stack.receive_answers([SubscriberAnswer(question.id, found and not failed, failed)], self.now)
            else:
                addresses = ("192.0.2.61", "2001:db8::61") if found else ()
                servers = "1 1 5060 gate.example.net" if found else ""
                self.stack.receive_answers([dns_answer(question, addresses, failed, 10.0, servers)], self.now)
            self.collect()

    @rule(seconds=st.sampled_from([0.001, 0.5, 4.0, 33.0, 200.0]))
    def time_passes(self, seconds: float) -> None:
        end = self.now + seconds
        while self.stack.next_timer() <= end:
            self.now = max(self.now, self.stack.next_timer())
            self.stack.handle_timers(self.now)
            self.collect()
        self.now = end

    @rule(live=st.sampled_from([[0], [0, 1], [0, 1, 2]]), epoch=st.integers(1, 9))
    def the_workers_change(self, live: list[int], epoch: int) -> None:
        self.stack.receive_messages([(-1, SlotsChanged(deal(live, epoch), live))], self.now)
        self.collect()

    @invariant()
    def the_tables_stay_within_their_limits(self) -> None:
        if not hasattr(self, "stack"):
            return
        gauges = self.stack.gauges()
        # Room beyond the limit is for the CANCEL of what is there, one for each at most.
        assert gauges["transactions"] <= 2 * LIMITS.transactions_max
        assert gauges["lookups_waiting"] <= LIMITS.lookups_waiting_max
        assert gauges["registrations"] <= LIMITS.bindings_max + 10
        assert gauges["hosts"] <= LIMITS.hosts_cached_max
        assert gauges["subscribers"] <= LIMITS.subscribers_cached_max

    def teardown(self) -> None:
        if not hasattr(self, "stack"):
            return
        while self.questions:
            self.the_world_answers(True, False)
        self.time_passes(SETTLED_S)
        while self.questions:
            self.the_world_answers(True, True)
        self.time_passes(SETTLED_S)
        gauges = self.stack.gauges()
        assert (gauges["transactions"], gauges["waiting"], gauges["replies_held"]) == (0, 0, 0), gauges


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=examples(60),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
)


@settings(max_examples=examples(300), deadline=None)
@given(st.binary(max_size=600), st.sampled_from(FLOWS))
def test_any_octets(data: bytes, flow: Flow) -> None:
    stack = Stack(SETTINGS, 0, b"fuzz" * 4, new_table(), 1.0, 1_700_000_000.0)
    stack.receive_datagrams([(data, flow)], 1.0)
    expect_no_fault(stack)
    for outgoing in stack.datagrams_to_send(1.0):
        expect_clean(outgoing.data)


@settings(max_examples=examples(300), deadline=None)
@given(st.one_of(requests(), damaged()), st.sampled_from(FLOWS))
def test_any_request(data: bytes, flow: Flow) -> None:
    stack = Stack(SETTINGS, 0, b"fuzz" * 4, new_table(), 1.0, 1_700_000_000.0)
    stack.receive_datagrams([(data, flow)], 1.0)
    expect_no_fault(stack)
    for outgoing in stack.datagrams_to_send(1.0):
        expect_clean(outgoing.data)
