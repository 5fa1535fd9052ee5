"""Carries out a call flow on the pure stack with a virtual clock.

Whatever the stack sends waits in a queue until a line expects it; when the next thing is done to the
stack, the queue has to be empty. A line that is not fulfilled raises FlowFailed with the ladder so far.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from appliance.catalogue import counters as catalogue
from appliance.proxy.events import Event
from appliance.routing.lookup_questions import (
    Answer,
    EnumAnswer,
    FindEnum,
    FindRoutes,
    FindSubscriber,
    HostAnswer,
    LookupHost,
    LookupServers,
    Question,
    SubscriberAnswer,
)
from appliance.stack import Stack
from appliance.transport.flow import Flow, Outgoing
from appliance.transport.transport_table import is_stream
from tests.flows.expectations import Bindings, event_mismatch, fill, mismatch
from tests.flows.peers import Peer, apply_details
from tests.flows.script import Step, parse_script
from tests.flows.settings import DOMAIN, TRANSPORT_NUMBERS, settings_of, tables_of
from tests.flows.wire import Message, read
from tests.tables import new_table

STARTED_AT = 1000.0
WALL_TIME = 1_700_000_000.0
KEY = b"0123456789abcdef"
# After this everything that a call may leave behind is over: timer C, then timers B, H and L.
SETTLED_S = 600.0
HOST_TTL_S = 300.0
GIVEN = frozenset(("listener", "setting", "section", "route", "policy", "policy_of", "domain"))


class FlowFailed(AssertionError):
    """A line of a flow that did not come true."""


def run_flow(path: Path) -> None:
    """Carry a flow file out; raises FlowFailed."""
    steps = parse_script(path)
    givens = [step for step in steps if step.kind in GIVEN]
    has_domains = any(step.kind == "records" or step.words.get("kind", "").isupper() for step in steps)
    run = Run(path, givens, any(step.kind == "event" for step in steps), has_domains)
    for step in steps:
        if step.kind not in GIVEN:
            run.take(step)
    run.settle()


class Run:
    """One stack, its peers, its clock, and what it sent that no line has named yet."""

    def __init__(self, path: Path, givens: list[Step], has_events: bool, has_domains: bool) -> None:
        self._path = path
        self._settings = settings_of(givens)
        self._now = STARTED_AT
        self._stack = Stack(self._settings, 0, KEY, new_table(), STARTED_AT, WALL_TIME)
        self._stack.make_events(has_events)
        tables = tables_of(givens)
        if tables is not None:
            self._stack.use_routes(tables)
        self._peers: dict[str, Peer] = {}
        self._subscribers: dict[str, str] = {}
        self._hosts: dict[str, tuple[str, ...]] = {}
        # By type and name, as lines `dns` say. A flow that speaks of none is about a world without NAPTR and SRV.
        self._domains: dict[str, tuple[str, ...]] = {}
        self._has_domains = has_domains
        self._queue: list[tuple[Message, bytes, Outgoing]] = []
        self._questions: list[Question] = []
        self._events: list[Event] = []
        self._asked: list[Question] = []
        self._bound: Bindings = {}
        self._raw: dict[str, list[bytes]] = {}
        self._ladder: list[str] = []
        self._step: Step | None = None

    def take(self, step: Step) -> None:
        """Carry out one line. Messages sent on lines below each other cross: what they cause may follow."""
        crosses = step.kind == "send" and self._step is not None and self._step.kind == "send"
        self._step = step
        if step.kind not in ("expect", "ask", "event") and not crosses:
            self._expect_silence()
        getattr(self, "_" + step.kind)(step)

    def settle(self) -> None:
        """The end: nothing more came, and after long enough nothing is left of any call."""
        self._expect_silence()
        self._advance(SETTLED_S)
        self._queue.clear()
        self._questions.clear()
        self._events.clear()
        self._require_empty()

    # -- lines about the world -------------------------------------------------------------------------

    def _peer(self, step: Step) -> Peer:
        options, words = step.options, step.words
        peer = Peer(words["name"], words["address"], words["transport"].upper() or "UDP")
        peer.behind = options.get("behind", "")
        peer.user = options.get("as", "")
        peer.domain = options.get("of", DOMAIN)
        peer.listener = int(options.get("on", self._listener_for(peer)))
        peer.password = self._subscribers.get(peer.user or peer.name, peer.password)
        self._peers[peer.name] = peer
        self._raw[peer.name] = []
        return peer

    def _listener_for(self, peer: Peer) -> int:
        """The first listener of the peer's address family and transport."""
        transport = TRANSPORT_NUMBERS[peer.transport.lower()]
        for number, listener in enumerate(self._settings.listeners):
            if (":" in listener.address) == (peer.at[0] == "[") and transport in listener.transports:
                return number
        raise self._failure(f"no listener for {peer.name}")

    def _subscriber(self, step: Step) -> None:
        self._subscribers[step.words["name"]] = step.words["password"] or "secret"

    def _host(self, step: Step) -> None:
        self._hosts[step.words["host"]] = tuple(step.words["addresses"].split())

    def _records(self, step: Step) -> None:
        words = step.words
        self._domains[f"{words['type']} {words['domain']}"] = _record_texts(words["type"], words["records"].split())

    def _registered(self, step: Step) -> None:
        """A peer with a binding; how it came to be is told by the flows of registration."""
        peer = self._peer(step)
        # RFC 5630 5.2: a SIPS contact with SIPS alone.
        scheme = "sips" if any(line.startswith("Contact: <sips:") for line in step.details) else "sip"
        request = peer.request("REGISTER", f"{scheme}:{peer.domain}")
        if "q" in step.options:
            request.put("Contact", f"{peer.contact};q={step.options['q']}")
        apply_details(request, [self._filled(line) for line in step.details])
        status = self._register_quietly(peer, request)
        if status == 401:
            again = peer.again_with(request, "")
            peer.authorize(again, [])
            status = self._register_quietly(peer, again)
        if status != 200:
            raise self._failure(f"the registration was answered {status}")
        self._events.clear()

    def _register_quietly(self, peer: Peer, request: Message) -> int:
        self._deliver(peer, request.write())
        peer.sent.append(request)
        if len(self._queue) != 1:
            raise self._failure(f"{len(self._queue)} answers to the registration")
        answer = self._queue.pop()[0]
        peer.received.append(answer)
        return answer.status

    # -- lines of messages ---------------------------------------------------------------------------

    def _send(self, step: Step) -> None:
        peer = self._peers[step.words["name"]]
        data = self._sent_before(peer, step) if step.words["again"] else self._make(peer, step)
        self._note(f"{peer.name} -> proxy", read(data))
        if "lost" not in step.options:
            self._deliver(peer, data, step.options)

    def _make(self, peer: Peer, step: Step) -> bytes:
        options, what, rest = step.options, step.words["what"], self._filled(step.words["rest"])
        if what.isdigit():
            method, reason = _method_and_reason(rest)
            message = peer.respond(int(what), method, reason, options.get("tag", ""))
        elif "credentials" in options or "anew" in options:
            message = peer.again_with(peer.last_sent(what), rest)
        else:
            message = peer.request(what, rest, options.get("dialog", ""))
            if "target" in options:
                message.start = f"{what} {options['target']} SIP/2.0"
        apply_details(message, [self._filled(line) for line in step.details])
        if "credentials" in options:
            peer.authorize(message, options["credentials"].split())
        message.put("Content-Length", str(len(message.body)))
        peer.sent.append(message)
        return message.write()

    def _sent_before(self, peer: Peer, step: Step) -> bytes:
        what, (method, _) = step.words["what"], _method_and_reason(step.words["rest"])
        for message in reversed(peer.sent):
            if str(message.status or message.method) == what and method in ("", message.method):
                return message.write()
        raise self._failure(f"{peer.name} has not sent {what} before")

    def _expect(self, step: Step) -> None:
        peer = self._peers[step.words["name"]]
        message, data, outgoing = self._take_from_queue(peer, step)
        self._check(step, peer, message, data, outgoing)
        self._raw[peer.name].append(data)
        if "fails" in step.options:
            self._stack.receive_failures([outgoing], self._now)
            self._collect()
        elif "lost" not in step.options:
            peer.received.append(message)

    def _take_from_queue(self, peer: Peer, step: Step) -> tuple[Message, bytes, Outgoing]:
        what, (method, _) = step.words["what"], _method_and_reason(step.words["rest"])
        for position, (message, _, outgoing) in enumerate(self._queue):
            is_meant = str(message.status or message.method) == what and (
                not message.status or method in ("", message.method)
            )
            if is_meant and self._peer_at(outgoing) is peer and self._is_way(step, outgoing):
                return self._queue.pop(position)
        raise self._failure("this did not come" + self._waiting())

    @staticmethod
    def _is_way(step: Step, outgoing: Outgoing) -> bool:
        by = step.options.get("by")
        return by is None or TRANSPORT_NUMBERS[by] == outgoing.flow.transport

    def _check(self, step: Step, peer: Peer, message: Message, data: bytes, outgoing: Outgoing) -> None:
        is_repeated = data in self._raw[peer.name]
        if is_repeated != bool(step.words["again"]):
            raise self._failure("this came before" if is_repeated else "this is no repetition of octets sent before")
        rest = step.words["rest"]
        start = rest if message.is_request else _method_and_reason(rest)[1]
        fault = mismatch(message, start, step.details, self._bound)
        if fault:
            raise self._failure(f"{fault}\n\n{data.decode('utf-8', 'replace')}")

    # -- lines of time, questions, counters ----------------------------------------------------------

    def _after(self, step: Step) -> None:
        self._advance(float(step.words["seconds"]))
        self._ladder.append(f"{self._now - STARTED_AT:9.3f}  {step.text}")
        if "whatever" in step.options:
            self._queue.clear()
        if "repetitions" in step.options:
            self._queue = [entry for entry in self._queue if not self._is_repetition(entry)]
        if "nothing" in step.options:
            self._expect_silence()
            self._require_empty()

    def _is_repetition(self, entry: tuple[Message, bytes, Outgoing]) -> bool:
        peer = self._peer_at(entry[2])
        return peer is not None and entry[1] in self._raw[peer.name]

    def _advance(self, seconds: float) -> None:
        end = self._now + seconds
        while (due := self._stack.next_timer()) <= end:
            self._now = max(self._now, due)
            self._stack.handle_timers(self._now)
            self._collect()
        self._now = end

    def _ask(self, step: Step) -> None:
        kind, subject = step.words["kind"], step.words["subject"]
        wanted = f"{kind} {subject}" if kind.isupper() else subject
        for question in self._questions:
            if _subject(question) == wanted:
                self._questions.remove(question)
                self._asked.append(question)
                self._ladder.append(f"{self._now - STARTED_AT:9.3f}  {step.text}")
                return
        raise self._failure("this was not asked" + self._waiting())

    def _answer(self, step: Step) -> None:
        words = step.words["words"].split()
        assert self._asked, "an answer needs its question above"
        asked = self._asked.pop()
        if isinstance(asked, LookupHost):
            self._give(
                _host_answer(asked, () if words[0] in ("fails", "nothing") else tuple(words), words[0] == "fails")
            )
        elif isinstance(asked, LookupServers):
            texts = _record_texts(asked.record_type.decode(), words)
            self._give(asked.unknown() if words[0] == "fails" else asked.answer_of(texts, HOST_TTL_S))
        elif isinstance(asked, FindRoutes):
            results = [] if words[0] == "nothing" else [text.strip() for text in step.words["words"].split("|")]
            self._give(asked.unknown() if words[0] == "fails" else asked.answer_of(results))
        elif isinstance(asked, FindEnum):
            records = tuple(word.replace("|", "\t") for word in words if "|" in word)
            self._give(EnumAnswer(asked.id, records, words[0] == "fails", HOST_TTL_S))
        else:
            password = words[1] if len(words) > 1 else "secret"
            self._give(_subscriber_answer(asked, password if words[0] == "found" else None, words[0] == "fails"))

    def _counted(self, step: Step) -> None:
        number = self._stack.counters[getattr(catalogue, step.words["counter"])]
        if number != int(step.words["number"]):
            raise self._failure(f"the counter stands at {number}")

    def _event(self, step: Step) -> None:
        if not self._events:
            raise self._failure("there is no event")
        fault = event_mismatch(self._events.pop(0), step.words["name"], step.details, self._bound)
        if fault:
            raise self._failure(fault)

    # -- the stack -----------------------------------------------------------------------------------

    def _deliver(self, peer: Peer, data: bytes, options: dict[str, str] | None = None) -> None:
        transport = TRANSPORT_NUMBERS[(options or {}).get("by", peer.transport).lower()]
        source = (options or {}).get("from") or peer.behind or peer.at
        peer.known_at.add(source)
        host, port = _split_address(source)
        number = list(self._peers).index(peer.name) + 1
        flow = Flow(transport, peer.listener, (host, port), 0, number if is_stream(transport) else 0)
        if flow.is_stream:
            self._stack.connections_changed([flow], [])
        self._stack.receive_datagrams([(data, flow)], self._now)
        self._collect()

    def _collect(self) -> None:
        """Drain the stack's outputs; answer what the flow has declared."""
        faults = self._stack.faults_to_log()
        if faults:
            raise self._failure(f"software fault while processing {faults[0].doing}") from faults[0].error
        while True:
            outputs = self._stack.outputs(self._now)
            self._events += outputs.events
            for outgoing in outputs.outgoings:
                message = read(outgoing.data)
                self._queue.append((message, outgoing.data, outgoing))
                peer = self._peer_at(outgoing)
                self._note(f"proxy -> {peer.name if peer else outgoing.flow.remote}", message)
            if not outputs.questions:
                return
            for question in outputs.questions:
                self._answer_declared(question)

    def _answer_declared(self, question: Question) -> None:
        subject = _subject(question)
        if isinstance(question, LookupHost) and subject in self._hosts:
            self._stack.receive_answers([_host_answer(question, self._hosts[subject], False)], self._now)
        elif isinstance(question, LookupServers) and (not self._has_domains or subject in self._domains):
            answer = question.answer_of(self._domains.get(subject, ()), HOST_TTL_S)
            self._stack.receive_answers([answer], self._now)
        elif isinstance(question, FindSubscriber) and self._subscribers:
            password = self._subscribers.get(subject.partition("@")[0])
            self._stack.receive_answers([_subscriber_answer(question, password, False)], self._now)
        else:
            self._questions.append(question)

    def _give(self, answer: Answer) -> None:
        self._stack.receive_answers([answer], self._now)
        self._collect()

    def _peer_at(self, outgoing: Outgoing) -> Peer | None:
        for peer in self._peers.values():
            if outgoing.flow.remote in [_split_address(known) for known in (peer.at, *peer.known_at)]:
                return peer
        return None

    # -- failing well --------------------------------------------------------------------------------

    def _note(self, way: str, message: Message) -> None:
        start = message.start if message.is_request else f"{message.status} {message.reason} ({message.method})"
        self._ladder.append(f"{self._now - STARTED_AT:9.3f}  {way:20} {start.removesuffix(' SIP/2.0')}")

    def _waiting(self) -> str:
        starts = [
            f"proxy -> {outgoing.flow.remote} {data.decode('utf-8', 'replace')}" for _, data, outgoing in self._queue
        ]
        others = [str(other) for other in (*self._questions, *self._events)]
        return "".join(f"\n\n{text}" for text in ["; waiting:", *starts, *others]) if starts or others else ""

    def _expect_silence(self) -> None:
        if self._queue or self._questions or self._events:
            raise self._failure("before this line an unexpected message came" + self._waiting())

    def _require_empty(self) -> None:
        gauges = self._stack.gauges()
        left = {name: gauges[name] for name in ("transactions", "waiting", "replies_held") if gauges[name]}
        if left:
            raise self._failure(f"something is left: {left}")

    def _filled(self, text: str) -> str:
        return fill(text, self._bound)

    def _failure(self, reason: str) -> FlowFailed:
        where = f"{self._path.name}:{self._step.number}: {self._step.text}" if self._step else self._path.name
        return FlowFailed("\n".join([f"{where}\n  {reason}", "", "The ladder so far:", *self._ladder]))


def _method_and_reason(rest: str) -> tuple[str, str]:
    """What may follow a status: the method of its CSeq, in capitals, and the reason phrase."""
    first, _, other = rest.partition(" ")
    return (first, other) if first.isupper() and len(first) > 2 else ("", rest)


def _split_address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def _subject(question: Question) -> str:
    if isinstance(question, (FindEnum, FindRoutes, LookupServers)):
        return question.subject
    if isinstance(question, LookupHost):
        return question.host.decode()
    return f"{question.username.decode()}@{question.realm.decode()}"


def _record_texts(record_type: str, words: list[str]) -> tuple[str, ...]:
    """Records whose fields are separated by bars, as DNS has them; none in `nothing` and `fails`."""
    separator = "\t" if record_type == "NAPTR" else " "
    return tuple(word.replace("|", separator) for word in words if "|" in word)


def _host_answer(question: LookupHost, addresses: tuple[str, ...], failed: bool) -> Answer:
    return HostAnswer(question.id, addresses, failed, HOST_TTL_S)


def _subscriber_answer(question: FindSubscriber, password: str | None, failed: bool) -> Answer:
    if password is None:
        return SubscriberAnswer(question.id, False, failed)
    text = b"%s:%s:%s" % (question.username, question.realm, password.encode())
    md5, sha256 = (hashlib.new(name, text).hexdigest().encode() for name in ("md5", "sha256"))
    return SubscriberAnswer(question.id, True, failed, md5, sha256)
