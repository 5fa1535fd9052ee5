"""The torture messages through the whole stack (RFC 4475): forwarded, refused with the right status, or dropped.

Our own messages (TABLE.tsv, column `outcome`), then those of the RFC itself where they are at hand. No request
is challenged, every sender may relay, and a fake resolver knows every host.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.catalogue.registrar_settings import RegistrarSettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.routing.lookup_questions import Answer, FindSubscriber, Question, SubscriberAnswer
from appliance.stack import Stack
from appliance.transport.flow import UDP, Flow
from tests.dns_answers import dns_answer
from tests.flows.wire import Message, read
from tests.fuzz.company import expect_no_fault
from tests.tables import new_table
from tests.torture.test_corpus import CORPUS

HERE = Path(__file__).parent
NEXT_HOP = "192.0.2.250"
SOURCE = Flow(UDP, 0, ("192.0.2.101", 5060))
# What a fault of syntax or of the proxy's rules is answered with.
FAULTS = frozenset((400, 416, 420, 482, 483, 500, 501, 503, 505, 513))
SETTLED_S = 600


@dataclass
class Outcome:
    """What came of a message: the final statuses of responses, and the requests that went on."""

    responses: list[Message]
    forwarded: list[Message]

    @property
    def statuses(self) -> list[int]:
        return [response.status for response in self.responses if response.status >= 200]


def run(data: bytes, *domains: str) -> Outcome:
    """Give a datagram to a fresh stack that serves `domains`."""
    listener = ListenerSettings(name="main", address="192.0.2.1", relay="any", authenticate=False)
    # RFC 4475 3.3.14 registers a contact in the registrar's own domain.
    registrar = RegistrarSettings(own_contacts=True)
    settings = Settings(domains=domains, listeners=(listener,), registrar=registrar)
    stack = Stack(settings, 0, b"torture" * 3, new_table(), 100.0, 1_700_000_000.0)
    stack.receive_datagrams([(data, SOURCE)], 100.0)
    sent = [outgoing.data for outgoing in stack.datagrams_to_send(100.0)]
    while questions := stack.questions_to_ask():
        stack.receive_answers([_answer(question) for question in questions], 100.0)
        sent.extend(outgoing.data for outgoing in stack.datagrams_to_send(100.0))
    messages = [read(data) for data in dict.fromkeys(sent)]
    _expect_end(stack)
    return Outcome(
        [message for message in messages if message.status], [message for message in messages if not message.status]
    )


def _answer(question: Question) -> Answer:
    if isinstance(question, FindSubscriber):
        return SubscriberAnswer(question.id, False, False)
    return dns_answer(question, [NEXT_HOP])


def _expect_end(stack: Stack) -> None:
    """Whatever the message was, nothing of it stays."""
    now = 100.0
    while now < 100.0 + SETTLED_S:
        now = max(now, stack.next_timer())
        stack.handle_timers(now)
        stack.datagrams_to_send(now)
    gauges = stack.gauges()
    assert (gauges["transactions"], gauges["waiting"]) == (0, 0)
    expect_no_fault(stack)


# -- our own messages ------------------------------------------------------------------------------------


def _rows() -> list[dict[str, str]]:
    with (HERE / "TABLE.tsv").open(newline="") as table:
        return list(csv.DictReader(table, delimiter="\t"))


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row["name"])
def test_each_message_of_ours_ends_as_the_table_says(row: dict[str, str]) -> None:
    data = (HERE / "messages" / f"{row['name']}.sip").read_bytes()
    outcome = run(data, "harbour.example")
    if row["outcome"] == "drop" or data.startswith(b"SIP/2.0"):
        # RFC 6026 7.3: a response to nothing is well-formed and dropped all the same.
        assert outcome == Outcome([], [])
    elif row["outcome"] == "accept":
        assert outcome.responses or outcome.forwarded
        assert not FAULTS.intersection(outcome.statuses)
    else:
        assert outcome.statuses == [int(row["outcome"])]
        assert not outcome.forwarded
        if row["reason"] != "-":
            assert outcome.responses[-1].reason == row["reason"]


# -- the messages of the RFC -------------------------------------------------------------------------------

# What becomes of each in a proxy that is responsible for none of the domains.
FORWARDED = [
    "wsinv", "intmeth", "esc01", "esc02", "lwsdisp", "longreq", "semiuri",
    "transports", "baddate", "invut", "sdp01", "inv2543", "regaut01",
]  # fmt: skip
REFUSED = {
    # A request to a loopback address, by a listener that is not on loopback.
    "mpart01": 500,
    "badinv01": 400, "clerr": 400, "ncl": 400, "scalar02": 400, "quotbal": 400, "ltgtruri": 400, "lwsruri": 400,
    "lwsstart": 400, "trws": 400, "escruri": 400, "badaspec": 400, "baddn": 400, "badvers": 505, "mismatch01": 400,
    "mismatch02": 501, "badbranch": 400, "insuf": 400, "unkscm": 416, "novelsc": 416, "bext01": 420, "multi01": 400,
    "mcl01": 400, "zeromf": 483,
}  # fmt: skip
DROPPED = ["unreason", "noreason", "scalarlg", "bigcode", "bcast"]
# Those that are about a registrar: the status, and the domain that it serves.
REGISTERED = {
    "escnull": (200, "example.com"),
    "dblreq": (200, "example.com"),
    "regbadct": (400, "example.com"),
    "unksm2": (400, "example.com"),
    "cparam01": (200, "example.com"),
    "cparam02": (200, "example.com"),
    "regescrt": (200, "example.com"),
    "regaut01": (200, "example.com"),
}

needs_corpus = pytest.mark.skipif(
    not CORPUS.is_dir(), reason=f"the RFC 4475 messages are not at {CORPUS}; SIP_CORPORA names another folder"
)


def _octets(name: str) -> bytes:
    return (CORPUS / f"{name}.dat").read_bytes()


@needs_corpus
def test_every_message_of_the_rfc_is_expected_somewhere() -> None:
    assert {path.stem for path in CORPUS.glob("*.dat")} == {*FORWARDED, *REFUSED, *DROPPED, *REGISTERED}


@needs_corpus
@pytest.mark.parametrize("name", FORWARDED)
def test_a_valid_request_is_forwarded(name: str) -> None:
    outcome = run(_octets(name), "harbour.example")
    assert len(outcome.forwarded) == 1
    assert outcome.statuses == []


@needs_corpus
@pytest.mark.parametrize("name", REFUSED)
def test_an_invalid_request_is_refused(name: str) -> None:
    outcome = run(_octets(name), "harbour.example")
    assert outcome.statuses == [REFUSED[name]]
    assert not outcome.forwarded


@needs_corpus
@pytest.mark.parametrize("name", DROPPED)
def test_a_stray_or_broken_response_is_dropped(name: str) -> None:
    assert run(_octets(name), "harbour.example") == Outcome([], [])


@needs_corpus
@pytest.mark.parametrize("name", REGISTERED)
def test_the_registrar_decides(name: str) -> None:
    status, domain = REGISTERED[name]
    outcome = run(_octets(name), domain)
    assert outcome.statuses == [status]
    assert not outcome.forwarded


@needs_corpus
def test_wsinv_counts_the_hops_down_and_keeps_what_it_does_not_know() -> None:
    """RFC 4475 3.1.1.1."""
    forwarded = run(_octets("wsinv"), "harbour.example").forwarded[0]
    assert forwarded.first("Max-Forwards") == "67"
    assert forwarded.first("UnknownHeaderWithUnusualValue") == ";;,,;;,;"


@needs_corpus
def test_longreq_keeps_all_vias() -> None:
    """RFC 4475 3.1.1.7."""
    assert len(run(_octets("longreq"), "harbour.example").forwarded[0].values("Via")) == 1 + 34


@needs_corpus
def test_esc02_is_no_registration() -> None:
    """RFC 4475 3.1.1.5: a method is a token, and no escape is undone in it."""
    outcome = run(_octets("esc02"), "example.com")
    assert 200 not in outcome.statuses


@needs_corpus
def test_escnull_keeps_both_contacts() -> None:
    """RFC 4475 3.1.1.4."""
    contacts = run(_octets("escnull"), "example.com").responses[-1].values("Contact")
    assert sorted(contact.partition(">")[0] for contact in contacts) == [
        "<sip:%00%00@host5.example.com",
        "<sip:%00@host5.example.com",
    ]


@needs_corpus
def test_contact_parameters_stay_on_their_side_of_the_bracket() -> None:
    """RFC 4475 3.3.12, 3.3.13."""
    outside = run(_octets("cparam01"), "example.com").responses[-1].first("Contact")
    assert "unknownparam" not in outside.partition(">")[0]
    inside = run(_octets("cparam02"), "example.com").responses[-1].first("Contact")
    assert "unknownparam" in inside.partition(">")[0]


@needs_corpus
def test_regescrt_gives_the_escaped_route_back() -> None:
    """RFC 4475 3.3.14."""
    assert "?Route=%3C" in run(_octets("regescrt"), "example.com").responses[-1].first("Contact")


@needs_corpus
def test_bext01_names_what_is_not_supported() -> None:
    """RFC 4475 3.3.5: the values of Proxy-Require, for a proxy."""
    unsupported = run(_octets("bext01"), "harbour.example").responses[-1].values("Unsupported")
    assert unsupported == ["noProxiesSupportThis", "norDoAnyProxiesSupportThis"]


@needs_corpus
def test_inv2543_gets_a_max_forwards() -> None:
    """RFC 4475 3.4.1."""
    assert run(_octets("inv2543"), "harbour.example").forwarded[0].first("Max-Forwards") == "70"


@needs_corpus
def test_dblreq_does_not_forward_the_request_in_its_tail() -> None:
    """RFC 4475 3.1.1.8."""
    assert not run(_octets("dblreq"), "example.com").forwarded
