"""What typed words mean: from words to a declared keyword, abbreviations included.

A keyword is one or more words. Each may be typed in any case and shortened as far as it stays
unique among the keywords that begin alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.catalogue.errors import alternatives, nearest

SHOWN_MAX = 12


@dataclass(frozen=True, slots=True)
class Meaning:
    """Words that were understood: the place of the keyword among the candidates, and how many words it took."""

    candidate: int
    word_count: int


@dataclass(frozen=True, slots=True)
class Misunderstanding:
    """Words that were not understood: `word` counts from 0; `guess` is what may have been meant, or None."""

    word: int
    problem: str
    remedy: str
    guess: str | None = None


def understand(typed: Sequence[str], keywords: Sequence[tuple[str, ...]]) -> Meaning | Misunderstanding:
    """Which of the keywords `typed` begins with. No keyword may be the beginning of another one."""
    left = list(range(len(keywords)))
    for place in range(max(len(keyword) for keyword in keywords)):
        names = list(dict.fromkeys(keywords[candidate][place] for candidate in left))
        if place == len(typed):
            return _incomplete(typed, names, place)
        matching = _matching(typed[place].lower(), names)
        if len(matching) != 1:
            return _unclear(typed[place], matching, names, place)
        left = [candidate for candidate in left if keywords[candidate][place] == matching[0]]
        if len(left) == 1 and len(keywords[left[0]]) == place + 1:
            return Meaning(left[0], place + 1)
    raise AssertionError("one keyword is the beginning of another one")


def _matching(word: str, names: Sequence[str]) -> list[str]:
    if word in names:
        return [word]
    return [name for name in names if word and name.startswith(word)]


def _incomplete(typed: Sequence[str], names: Sequence[str], place: int) -> Misunderstanding:
    so_far = " ".join(typed)
    return Misunderstanding(max(place - 1, 0), f'"{so_far}" is not complete', f"type {alternatives(names)} after it")


def _unclear(word: str, matching: Sequence[str], names: Sequence[str], place: int) -> Misunderstanding:
    if matching:
        return Misunderstanding(place, f'"{word}" is ambiguous: {alternatives(matching)}', "type more letters")
    guess = nearest(word, names)
    if guess:
        return Misunderstanding(place, f'"{word}" is unknown', f'did you mean "{guess}"?', guess)
    shown = list(names[:SHOWN_MAX]) + (["..."] if len(names) > SHOWN_MAX else [])
    return Misunderstanding(place, f'"{word}" is unknown', f"type one of: {', '.join(shown)}")
