"""The keys that seal tokens: the steps of a rotation, and how they are written down."""

from __future__ import annotations

import pytest

from appliance.messages.sealing_keys import RotationRefused, SealingKeys, first_keys

FIRST, SECOND, THIRD = (bytes([number]) * 32 for number in range(3))


def test_a_key_is_distributed_before_it_seals() -> None:
    keys = first_keys(FIRST).with_next(SECOND)
    assert (keys.step, keys.in_use.key, keys.next and keys.next.key) == (1, FIRST, SECOND)
    keys = keys.with_next_in_use(17.5)
    assert (keys.step, keys.in_use.key, keys.next, keys.since) == (2, SECOND, None, 17.5)
    assert keys.other is not None and keys.other.key == FIRST


def test_a_second_rotation_drops_the_oldest_key() -> None:
    keys = first_keys(FIRST).with_next(SECOND).with_next_in_use(1.0).with_next(THIRD)
    assert keys.step == 3
    assert keys.other is not None
    assert [keys.in_use.key, keys.other.key] == [SECOND, THIRD]


def test_one_key_is_distributed_at_a_time() -> None:
    with pytest.raises(RotationRefused, match="Key 1 is being distributed already"):
        first_keys(FIRST).with_next(SECOND).with_next(THIRD)
    with pytest.raises(RotationRefused, match="No key is being distributed"):
        first_keys(FIRST).with_next_in_use(1.0)


def test_they_are_read_as_they_were_written() -> None:
    for keys in (first_keys(FIRST), first_keys(FIRST).with_next(SECOND).with_next_in_use(17.5)):
        assert SealingKeys.from_text(keys.to_text()) == keys


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "7", "{}", '{"format": 2}', '{"format": 1, "in_use": 7, "other": null, "since": 0}'),
        first_keys(b"short").to_text(),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        SealingKeys.from_text(text)
