"""Header names and compact forms (RFC 3261 7.3.3, 20), status phrases (21)."""

from __future__ import annotations

import pytest

from appliance.sip import names
from appliance.sip.names import CALL_ID, CONTACT, NAMES, OTHER, VIA, header_id
from appliance.sip.status import reason_phrase


def test_each_id_names_itself_in_any_case() -> None:
    for number, name in enumerate(NAMES[1:], 1):
        assert header_id(name) == header_id(name.swapcase()) == header_id(name + b" \t") == number
        assert getattr(names, name.decode().upper().replace("-", "_")) == number


def test_compact_forms() -> None:
    for letter, number in ((b"v", VIA), (b"I", CALL_ID), (b"m", CONTACT)):
        assert header_id(letter) == number
    assert header_id(b"z") == OTHER


@pytest.mark.parametrize("name", [b"", b" Via", b"Vi a", b"Via\x00", b"V\xc3\xa4", b"a:b"])
def test_what_is_no_token(name: bytes) -> None:
    assert header_id(name) == -1


def test_reason_phrases() -> None:
    assert reason_phrase(486) == b"Busy Here"
    assert reason_phrase(499) == b"Bad Request"
    assert reason_phrase(999) == b"Unknown"
