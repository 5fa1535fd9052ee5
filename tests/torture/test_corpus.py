"""The 49 messages of RFC 4475 themselves, at parser level, where they are at hand.

They are looked for in `$SIP_CORPORA/rfc4475/dat`, then in `shared/corpora` beside the checkout.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.sip.errors import MalformedMessage
from appliance.sip.message import Request
from appliance.sip.parser import SyntaxLimits, find_call_id, parse
from appliance.sip.writer import write

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "corpora"
CORPUS = Path(os.environ.get("SIP_CORPORA") or BESIDE) / "rfc4475" / "dat"
LIMITS = SyntaxLimits()

REFUSED = {
    "badinv01": 400,
    "clerr": 400,
    "ncl": 400,
    "scalar02": 400,
    "quotbal": 400,
    "ltgtruri": 400,
    "lwsruri": 400,
    "lwsstart": 400,
    "trws": 400,
    "escruri": 400,
    "badaspec": 400,
    "baddn": 400,
    "badvers": 505,
    "mismatch01": 400,
    "mismatch02": 501,
    "badbranch": 400,
    "insuf": 400,
    "multi01": 400,
    "mcl01": 400,
}
DROPPED = ("scalarlg", "bigcode")
PARSED = [
    "wsinv",
    "intmeth",
    "esc01",
    "escnull",
    "esc02",
    "lwsdisp",
    "longreq",
    "dblreq",
    "semiuri",
    "transports",
    "mpart01",
    "unreason",
    "noreason",
    "baddate",
    "regbadct",
    "unkscm",
    "novelsc",
    "unksm2",
    "bext01",
    "invut",
    "regaut01",
    "bcast",
    "zeromf",
    "cparam01",
    "cparam02",
    "regescrt",
    "sdp01",
    "inv2543",
]

pytestmark = pytest.mark.skipif(
    not CORPUS.is_dir(), reason=f"the RFC 4475 messages are not at {CORPUS}; SIP_CORPORA names another folder"
)


def _octets(name: str) -> bytes:
    return (CORPUS / f"{name}.dat").read_bytes()


def test_every_message_of_the_rfc_is_expected_somewhere() -> None:
    assert len(REFUSED) + len(DROPPED) + len(PARSED) == 49
    assert {path.stem for path in CORPUS.glob("*.dat")} == {*REFUSED, *DROPPED, *PARSED}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_a_request_to_answer(name: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse(_octets(name), LIMITS)
    assert caught.value.status == REFUSED[name]
    assert isinstance(caught.value.message, Request)


@pytest.mark.parametrize("name", DROPPED)
def test_dropped_in_silence(name: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse(_octets(name), LIMITS)
    assert caught.value.message is None


@pytest.mark.parametrize("name", PARSED)
def test_parsed_and_written_back_in_every_octet(name: str) -> None:
    data = _octets(name)
    message = parse(data, LIMITS)
    written = write(message)
    assert written == data if name != "dblreq" else data.startswith(written)
    assert find_call_id(data) == message.read_call_id()


def test_regbadct_fails_where_contacts_are_asked_for() -> None:
    with pytest.raises(MalformedMessage, match="URI Needs Angle Brackets in Contact"):
        parse(_octets("regbadct"), LIMITS).contacts()


@pytest.mark.parametrize("name", [name for name in PARSED if name != "regbadct"])
def test_contacts_of_the_others_parse(name: str) -> None:
    parse(_octets(name), LIMITS).contacts()
