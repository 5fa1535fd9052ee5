"""The text as a tree of statements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.configuration.syntax_tree import LINE_LEN_MAX, LINES_MAX, Statement, parse_statements, write_word

Tree = list[tuple[str, "Tree"]]


def tree(statements: list[Statement]) -> Tree:
    return [(" ".join(statement.texts), tree(statement.children)) for statement in statements]


def test_indented_lines_belong_to_the_line_above() -> None:
    statements, faults = parse_statements("a\nb 1\n  c\n  d\n!\ne\n")
    assert not faults
    assert tree(statements) == [("a", []), ("b 1", [("c", []), ("d", [])]), ("e", [])]
    assert [statement.line for statement in statements] == [1, 2, 6]


def test_a_section_in_a_section() -> None:
    statements, _ = parse_statements("a\n b\n  c\n d\n")
    assert tree(statements) == [("a", [("b", [("c", [])]), ("d", [])])]


def test_uneven_indentation_is_taken_as_it_looks() -> None:
    statements, _ = parse_statements("a\n    b\n  c\n")
    assert tree(statements) == [("a", [("b", []), ("c", [])])]


def test_tabs_line_ends_of_windows_and_a_byte_order_mark_do_no_harm() -> None:
    statements, faults = parse_statements("\ufeffa\tx  y\r\n\tb\r\n\r\n   \n")
    assert not faults
    assert tree(statements) == [("a x y", [("b", [])])]


def test_remarks_and_empty_lines_are_nothing() -> None:
    assert parse_statements("! a\n\n  ! b\n!\n") == ([], [])


def test_a_remark_begins_a_line_only() -> None:
    statements, _ = parse_statements("a !b\n")
    assert statements[0].texts == ("a", "!b")


def test_words_with_blanks_stand_in_quotes() -> None:
    statements, _ = parse_statements(r'realm "a \"b\" \\ c" d ""')
    assert statements[0].texts == ("realm", r'a "b" \ c', "d", "")
    assert [word.column for word in statements[0].words] == [1, 7, 22, 24]


@pytest.mark.parametrize("line", ['a "b', 'a b"', 'a "b"c', 'a b"c"', '"', 'a "b\\"', 'a "b""c"'])
def test_a_quote_without_a_partner_is_a_fault(line: str) -> None:
    statements, faults = parse_statements(f"ok\n{line}\n")
    assert tree(statements) == [("ok", [])]
    assert [(fault.line, fault.column) for fault in faults] == [(2, line.index('"') + 1)]
    assert "quote" in faults[0].problem and "quote" in faults[0].remedy


@pytest.mark.parametrize(
    ("text", "line", "problem", "remedy"),
    [
        ("  a\nb\n", 1, "not in a section", "remove the indentation"),
        ("a\nb\x00c\n", 2, r"invalid character ('\x00')", "delete it"),
        ("a\nb\u200bc\n", 2, r"invalid character ('\u200b')", "delete it"),
        ("a\n" + "b" * (LINE_LEN_MAX + 1), 2, "more than 1000 characters", "make it shorter"),
        ("".join(" " * depth + "a\n" for depth in range(9)), 9, "too deep", "reduce the indentation"),
        ("\n" * (LINES_MAX + 1), LINES_MAX + 1, "more than 100000 lines", "smaller file"),
    ],
)
def test_a_line_that_cannot_be_read(text: str, line: int, problem: str, remedy: str) -> None:
    _, faults = parse_statements(text)
    assert [fault.line for fault in faults] == [line]
    assert problem in faults[0].problem
    assert remedy in faults[0].remedy


@given(st.text(max_size=200))
def test_any_text_is_a_tree_and_faults(text: str) -> None:
    statements, _ = parse_statements(text)
    assert all(statement.words for statement in statements)


@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=10), min_size=1, max_size=5))
def test_written_words_are_read_back(words: list[str]) -> None:
    line = " ".join(["a", *(write_word(word) for word in words)])
    statements, faults = parse_statements(line)
    assert not faults
    assert statements[0].texts == ("a", *words)
