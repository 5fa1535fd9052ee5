"""The flags and the time in a token of a dialog, and its seal (RFC 3261 16.6 step 4)."""

from __future__ import annotations

import pytest

from appliance.messages.sealing_keys import first_keys
from appliance.security.dialog_token import ANSWERED, AT_SOURCE, OF_PEER, RELAYS, TO_PEER, DialogTokens

TOKENS = DialogTokens(first_keys(bytes(32)))
ENDS = b"call\0to\0from"
# In 2026; the round of 25 bits ends in 2033.
MINUTE, ROUND = 29_900_000, 1 << 25


def token(flags: int = ANSWERED, until_min: int = MINUTE) -> bytes:
    return TOKENS.write(ENDS, b"sip:a@x\0sip:b@x", b"sip:b@192.0.2.7", b"192.0.2.7", until_min, flags)


@pytest.mark.parametrize("flags", [0, AT_SOURCE, RELAYS | TO_PEER, OF_PEER, OF_PEER | RELAYS | ANSWERED | AT_SOURCE])
def test_flags_and_time_come_back(flags: int) -> None:
    written = token(flags)
    assert TOKENS.flags_of(written) == flags
    assert TOKENS.until_of(written) == MINUTE and TOKENS.is_own(written, ENDS)


@pytest.mark.parametrize("until_min", [MINUTE, ROUND - 1, ROUND, ROUND + 3])
def test_a_token_is_good_to_the_end_of_its_minute(until_min: int) -> None:
    """Whichever round of the minutes it is."""
    written = token(OF_PEER, until_min)
    assert not TOKENS.is_over(written, until_min) and not TOKENS.is_over(written, until_min - 100_000)
    assert TOKENS.is_over(written, until_min + 1) and TOKENS.is_over(written, until_min + 5_000_000)
    assert TOKENS.flags_of(written) == OF_PEER


def test_no_digit_can_be_changed() -> None:
    written = token(ANSWERED | RELAYS)
    for place in range(len(written)):
        other = b"1" if written[place : place + 1] != b"1" else b"0"
        assert not TOKENS.is_own(written[:place] + other + written[place + 1 :], ENDS)
