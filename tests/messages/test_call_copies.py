"""Copies of calls as octets: what was written is read, anything else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.messages.call_copies import ADDRESS_MAX, CALL_ID_MAX, CallCopy, read_copies, write_copies

COPIES = st.lists(
    st.tuples(
        st.binary(min_size=1, max_size=40),
        st.binary(max_size=CALL_ID_MAX),
        st.integers(1, ADDRESS_MAX),
        st.binary(max_size=99),
    )
)


@given(COPIES)
def test_what_is_written_is_read(copies: list[CallCopy]) -> None:
    assert read_copies(write_copies(copies)) == copies


@given(COPIES, COPIES)
def test_octets_of_two_batches_are_those_of_one(one: list[CallCopy], other: list[CallCopy]) -> None:
    assert read_copies(write_copies(one) + write_copies(other)) == one + other


def test_a_long_call_id_is_cut() -> None:
    """Its first 31 octets name the slot."""
    ((_, call_id, _, _),) = read_copies(write_copies([(b"key", b"c" * 5000, 1, b"snapshot")]))
    assert call_id == b"c" * CALL_ID_MAX


def test_a_key_that_is_too_long_to_be_written_is_left_out() -> None:
    assert write_copies([(b"k" * 70_000, b"call", 1, b"snapshot")]) == b""


@given(st.binary(max_size=60))
def test_other_octets_are_read_as_something_or_refused(octets: bytes) -> None:
    try:
        read_copies(octets)
    except ValueError:
        return


@pytest.mark.parametrize("cut", range(1, 20))
def test_copies_that_end_too_early_are_refused(cut: int) -> None:
    octets = write_copies([(b"key", b"call", 1, b"snapshot")])
    with pytest.raises(ValueError, match=r"copy|copies"):
        read_copies(octets[:-cut])


def test_the_number_of_an_address_is_looked_at() -> None:
    with pytest.raises(ValueError, match="lengths"):
        read_copies(write_copies([(b"key", b"call", 0, b"snapshot")]))
