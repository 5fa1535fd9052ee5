"""Long lines of help and of failures on a narrow terminal."""

from __future__ import annotations

from cli.wrapping import wrapped


def test_a_line_of_help_is_broken_at_words_below_its_text() -> None:
    line = "  <1-65535>  The port of the listener. It is open as soon as it is committed."
    assert list(wrapped([line, "  <cr>  Execute."], 40)) == [
        "  <1-65535>  The port of the listener.",
        "             It is open as soon as it is",
        "             committed.",
        "  <cr>  Execute.",
    ]


def test_a_failure_is_broken_at_words_behind_its_mark() -> None:
    line = "% The role of anna is `view`. Log in as an administrator."
    assert list(wrapped([line], 40)) == ["% The role of anna is `view`. Log in as", "  an administrator."]
    assert list(wrapped([line], 0)) == [line]


def test_a_word_that_is_too_long_is_left_whole() -> None:
    assert list(wrapped(["% " + "x" * 50], 20))[-1].strip() == "x" * 50
