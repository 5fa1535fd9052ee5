"""What typed words mean: abbreviations, slips of the finger, and what may follow."""

from __future__ import annotations

import pytest

from appliance.catalogue.abbreviations import Meaning, Misunderstanding, understand

KEYWORDS = [
    ("hostname",),
    ("workers",),
    ("connections",),
    ("connection", "idle"),
    ("connection", "queue"),
    ("expires", "minimum"),
    ("expires", "maximum"),
]


@pytest.mark.parametrize(
    ("typed", "keyword", "word_count"),
    [
        ("hostname box", "hostname", 1),
        ("HOST box", "hostname", 1),
        ("w", "workers", 1),
        ("connections 5", "connections", 1),
        ("connection idle 5", "connection idle", 2),
        ("connection i 5", "connection idle", 2),
        ("e mi 5", "expires minimum", 2),
    ],
)
def test_words_may_be_shortened_while_they_are_unique(typed: str, keyword: str, word_count: int) -> None:
    meaning = understand(typed.split(), KEYWORDS)
    assert isinstance(meaning, Meaning)
    assert " ".join(KEYWORDS[meaning.candidate]) == keyword
    assert meaning.word_count == word_count


@pytest.mark.parametrize(
    ("typed", "word", "problem", "remedy", "guess"),
    [
        ("c 5", 0, '"c" is ambiguous: connections or connection', "type more letters", None),
        ("e m 5", 1, '"m" is ambiguous: minimum or maximum', "type more letters", None),
        ("wrokers 2", 0, '"wrokers" is unknown', 'did you mean "workers"?', "workers"),
        ("connection idel", 1, '"idel" is unknown', 'did you mean "idle"?', "idle"),
        ("xyz", 0, '"xyz" is unknown', "type one of: hostname, workers, connections, connection, expires", None),
        ("expires", 0, '"expires" is not complete', "type minimum or maximum after it", None),
        ("", 0, '"" is not complete', "type hostname, workers, connections, connection or expires after it", None),
    ],
)
def test_what_is_not_understood_is_explained(
    typed: str, word: int, problem: str, remedy: str, guess: str | None
) -> None:
    assert understand(typed.split(), KEYWORDS) == Misunderstanding(word, problem, remedy, guess)


def test_an_empty_word_means_nothing() -> None:
    assert isinstance(understand([""], KEYWORDS), Misunderstanding)
