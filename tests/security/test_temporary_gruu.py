"""Temporary GRUUs: what was issued is read again, and the URI says nothing (RFC 5627 3.1.2, 5.1, 5.4)."""

from __future__ import annotations

import pytest

from appliance.location.gruu import TEMPORARY, IssuedGruu
from appliance.messages.sealing_keys import first_keys
from appliance.security.temporary_gruu import USER_LEN_MAX, TemporaryGruus

KEYS = first_keys(b"0123456789abcdef")
GRUUS = TemporaryGruus(KEYS)
ISSUED = IssuedGruu(b"alice", (1 << 64) - 1, 0xFFFFFFFF, 17, 999_999_999)


@pytest.mark.parametrize("user", [b"a", b"alice", b"%C3%BC", b"x" * 35, b"x" * 36, b"x" * USER_LEN_MAX])
def test_what_was_issued_is_read_again(user: bytes) -> None:
    issued = ISSUED._replace(user=user)
    token = GRUUS.write(issued)
    assert GRUUS.read(token) == issued
    # RFC 3261 25.1: it stands in a user part without escapes.
    assert all(octet in b"-_." or chr(octet).isalnum() for octet in token)


def test_a_user_whose_name_is_too_long_gets_none() -> None:
    assert GRUUS.write(ISSUED._replace(user=b"x" * (USER_LEN_MAX + 1))) == b""


def test_two_of_one_device_have_nothing_in_common() -> None:
    """RFC 5627 5.1: it cannot be found out whether two were issued for the same address or instance."""
    tokens = [GRUUS.write(ISSUED._replace(version=version)).removeprefix(TEMPORARY) for version in range(50)]
    others = [GRUUS.write(IssuedGruu(b"bob", n, 1, 2, 0)).removeprefix(TEMPORARY) for n in range(50)]
    assert len(set(tokens)) == 50
    assert {len(token) for token in tokens + others} == {96}
    assert b"alice" not in b"".join(tokens)
    for place in range(1, 96):
        # No place has the same character in all, or tells one user from the other.
        assert len({token[place] for token in tokens}) > 10
        assert {token[place] for token in tokens} & {token[place] for token in others}


def test_no_character_can_be_changed() -> None:
    token = GRUUS.write(ISSUED)
    for place in range(len(TEMPORARY), len(token)):
        other = b"A" if token[place : place + 1] != b"A" else b"B"
        assert GRUUS.read(token[:place] + other + token[place + 1 :]) is None


@pytest.mark.parametrize("token", [b"", b"####", b"A" * 96, b"A" * 9999])
def test_what_was_not_made_here_is_none(token: bytes) -> None:
    assert GRUUS.read(TEMPORARY + token) is None
    assert GRUUS.read(token) is None


def test_another_key_opens_nothing_and_the_former_one_for_one_rotation() -> None:
    token = GRUUS.write(ISSUED)
    assert TemporaryGruus(first_keys(b"another key, 16.")).read(token) is None
    rotated = KEYS.with_next(b"1" * 32).with_next_in_use(0.0)
    assert TemporaryGruus(rotated).read(token) == ISSUED
    assert TemporaryGruus(rotated).write(ISSUED) != token
    twice = rotated.with_next(b"2" * 32).with_next_in_use(0.0)
    assert TemporaryGruus(twice).read(token) is None
