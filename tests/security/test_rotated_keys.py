"""What is sealed before the keys are rotated opens after it, and not after the next rotation (RFC 3261 16.6 step 4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from appliance.messages.sealing_keys import SealingKeys, first_keys
from appliance.security.dialog_token import ANSWERED, RELAYS, DialogTokens
from appliance.security.flow_token import FlowTokens
from appliance.security.keys import Keys
from appliance.transport.flow import TCP, Flow
from appliance.transport.process_id import process_id

BASE = bytes(32)
FIRST = first_keys(BASE)
FIRST_WITH_NEXT = FIRST.with_next(b"1" * 32)
SECOND = FIRST_WITH_NEXT.with_next_in_use(1.0)
SECOND_WITH_NEXT = SECOND.with_next(b"2" * 32)
THIRD = SECOND_WITH_NEXT.with_next_in_use(2.0)

ENDS, PARTIES, WAY, HOP, UNTIL = b"call\0to\0from", b"sip:a@x\0sip:b@x", b"sip:b@192.0.2.7", b"192.0.2.7", 29_700_000
FLOW = Flow(TCP, 0, ("192.0.2.9", 40001), process_id(2, 1), 77)
BELOW, PERIOD = b"0|5060|192.0.2.9|z9hG4bK1|192.0.2.9", 980_000

Opens = Callable[[SealingKeys, SealingKeys], bool]


def opens_dialog(sealing: SealingKeys, opening: SealingKeys) -> bool:
    token = DialogTokens(sealing).write(ENDS, PARTIES, WAY, HOP, UNTIL, ANSWERED | RELAYS)
    tokens = DialogTokens(opening)
    assert tokens.flags_of(token) == ANSWERED | RELAYS
    assert tokens.until_of(token) == UNTIL
    if not tokens.is_own(token, ENDS):
        return False
    assert tokens.leads(token, WAY) and tokens.went_to(token, HOP) and tokens.is_between(token, PARTIES)
    assert not tokens.leads(token, HOP) and not tokens.went_to(token, WAY) and not tokens.is_own(token, WAY)
    return True


def opens_flow(sealing: SealingKeys, opening: SealingKeys) -> bool:
    found = FlowTokens(opening).read(FlowTokens(sealing).write(FLOW, 0xFEEDBEEF, b""), b"")
    assert found is None or found == (FLOW, 0xFEEDBEEF)
    return found is not None


def opens_branch(sealing: SealingKeys, opening: SealingKeys) -> bool:
    branch = Keys(BASE, sealing).branch(BELOW, b"sip:b@192.0.2.7", b"00000000", PERIOD)
    return Keys(BASE, opening).is_own_branch(branch, BELOW, PERIOD + 1)


EVERY_SEAL = {"dialog": opens_dialog, "flow": opens_flow, "branch": opens_branch}
every_seal = pytest.mark.parametrize("opens", EVERY_SEAL.values(), ids=EVERY_SEAL.keys())


@every_seal
def test_what_was_sealed_before_a_rotation_opens_until_the_next_one(opens: Opens) -> None:
    assert opens(FIRST, FIRST)
    assert opens(FIRST, FIRST_WITH_NEXT)
    assert opens(FIRST, SECOND)
    assert not opens(FIRST, SECOND_WITH_NEXT)
    assert not opens(FIRST, THIRD)


@every_seal
def test_a_node_opens_what_another_one_seals_that_is_a_step_ahead(opens: Opens) -> None:
    assert opens(FIRST_WITH_NEXT, FIRST)
    assert opens(SECOND, FIRST_WITH_NEXT)
    assert opens(SECOND_WITH_NEXT, SECOND)
    assert opens(THIRD, SECOND_WITH_NEXT)


@every_seal
def test_what_seals_with_a_key_that_is_not_known_does_not_open(opens: Opens) -> None:
    assert not opens(SECOND, FIRST)
    assert not opens(THIRD, SECOND)
    # Four rotations later the mark in a token is the same.
    fifth = THIRD.with_next(b"3" * 32).with_next_in_use(3.0).with_next(b"4" * 32).with_next_in_use(4.0)
    assert fifth.in_use.mark == FIRST.in_use.mark
    assert not opens(FIRST, fifth)


def test_the_key_that_a_token_names_cannot_be_changed() -> None:
    token = DialogTokens(FIRST).write(ENDS, PARTIES, WAY, HOP, UNTIL, ANSWERED)
    tokens = DialogTokens(SECOND)
    assert tokens.is_own(token, ENDS)
    for mark in range(1, 4):
        start = int(token[:8], 16) | mark << 26
        assert not tokens.is_own(b"%08x" % start + token[8:], ENDS)


def test_to_tags_do_not_change() -> None:
    assert Keys(BASE, THIRD).is_own_tag(Keys(BASE).to_tag(BELOW, b"call"), BELOW, b"call")
    assert Keys(BASE, THIRD).refusal_mark == Keys(BASE).refusal_mark
