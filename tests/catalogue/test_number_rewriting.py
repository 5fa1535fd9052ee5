"""Rewriting of numbers by regular expressions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.catalogue.number_rewriting import NumberRewriting, rewritten


@pytest.mark.parametrize(
    ("expression", "replacement", "number", "result"),
    [
        (r"^\+49(.*)$", r"0\1", b"+4930123456", b"030123456"),
        (r"^00", "+", b"004930123456", b"+4930123456"),
        (r"^\+(\d\d)(\d*)$", r"\2*\1", b"+4930123456", b"30123456*49"),
        (r"^(\+1)?(9\d\d)", r"\1#\2", b"9735551212", b"#9735551212"),
        (r"\d{2}$", "", b"+4930123456", b"+49301234"),
        (r"^\+1", "x", b"+4930123456", b"+4930123456"),
        (r"^.*$", "", b"+4930123456", b"+4930123456"),
        (r"\+49", r"\0-", b"+4930", b"+49-30"),
    ],
)
def test_what_matches_is_replaced(expression: str, replacement: str, number: bytes, result: bytes) -> None:
    assert rewritten(number, (NumberRewriting(expression, replacement),)) == result


def test_the_first_rule_that_matches_counts() -> None:
    rules = NumberRewriting("^1", "a"), NumberRewriting("^2", "b"), NumberRewriting("^.", "c")
    assert [rewritten(number, rules) for number in (b"11", b"21", b"31")] == [b"a1", b"b1", b"c1"]


@pytest.mark.parametrize(
    ("expression", "replacement", "words"),
    [
        ("(", "", "not a regular expression"),
        (r"(a)\1", "", "not a regular expression"),
        ("(?=a)", "", "not a regular expression"),
        ("", "1", "empty"),
        ("1" * 201, "1", "longer"),
        ("((a{100}){100}){100}", "1", "not a regular expression"),
        ("1", "a b", "not a replacement"),
        ("1", "a@b", "not a replacement"),
        ("1", "a;b", "not a replacement"),
        ("1", "%41", "not a replacement"),
        ("1", "\\", "not a replacement"),
        ("1", r"\1", "no group 1"),
    ],
)
def test_what_cannot_be_used_is_refused(expression: str, replacement: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        NumberRewriting(expression, replacement)


@pytest.mark.parametrize("expression", [r"(\d+)+$x", r"(\d*)*(\d*)*b", r"(1|11)*c", r"(.*)*,"])
def test_no_expression_takes_long(expression: str) -> None:
    """With a backtracking engine each of them takes more steps than there are atoms: it would never return."""
    assert NumberRewriting(expression, "").apply(b"1" * 32) is None


@given(st.text(alphabet="0123456789+*#", min_size=1, max_size=32), st.text(max_size=12), st.text(max_size=6))
def test_any_rule_is_refused_or_leaves_a_number(number: str, expression: str, replacement: str) -> None:
    try:
        rule = NumberRewriting(expression, replacement)
    except ValueError:
        return
    assert rewritten(number.encode(), (rule,))
