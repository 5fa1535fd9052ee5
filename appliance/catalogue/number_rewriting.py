"""Rewriting of telephone numbers by regular expressions, in time that is linear in the length of the number (RE2).

    ^\\+49(.*)$     0\\1      +4930123456     ->  030123456
    ^00            +        004930123456    ->  +4930123456

What the expression matches first is replaced; the rest of the number stays. RE2 has neither back-references nor
look-around, so there is no expression that a long number keeps busy.
"""

from __future__ import annotations

import re
from typing import Final

import re2

EXPRESSION_LEN_MAX: Final = 200
REPLACEMENT_LEN_MAX: Final = 64
# Of one compiled expression, in octets; what needs more is refused when it is typed.
MEMORY_MAX: Final = 1 << 20
# What may stand in the user part of a URI as it is, without what would end a number there.
_REPLACEMENT: Final = re.compile(r"(?:[0-9A-Za-z+*#_.~-]|\\[0-9])*")
_PART: Final = re.compile(r"\\([0-9])|([^\\]+)")


class NumberRewriting:
    """One rule. Never changed."""

    __slots__ = ("_expression", "_parts", "text")

    def __init__(self, expression: str, replacement: str) -> None:
        """Raises ValueError with a sentence about what is wrong."""
        self.text = f"{expression} {replacement}".rstrip()
        self._expression = _compiled(expression)
        if len(replacement) > REPLACEMENT_LEN_MAX or not _REPLACEMENT.fullmatch(replacement):
            raise ValueError(f'"{replacement[:40]}" is not a replacement')
        # Octets, or the numbers of groups.
        self._parts: list[bytes | int] = [
            int(found[1]) if found[1] else found[2].encode() for found in _PART.finditer(replacement)
        ]
        missing = [part for part in self._parts if isinstance(part, int) and part > self._expression.groups]
        if missing:
            raise ValueError(f"the expression has no group {missing[0]}")

    def apply(self, number: bytes) -> bytes | None:
        """The number with the match replaced; None where the expression does not match."""
        match = self._expression.search(number)
        if match is None:
            return None
        middle = [part if isinstance(part, bytes) else match.group(part) or b"" for part in self._parts]
        return b"".join((number[: match.start()], *middle, number[match.end() :]))


def rewritten(number: bytes, rules: tuple[NumberRewriting, ...]) -> bytes:
    """The number by the first rule that matches; as it is where none does, or where nothing would be left."""
    for rule in rules:
        found = rule.apply(number)
        if found is not None:
            return found or number
    return number


def _compiled(expression: str) -> re2._Regexp:
    if not 0 < len(expression) <= EXPRESSION_LEN_MAX:
        raise ValueError(f"the expression is empty, or longer than {EXPRESSION_LEN_MAX} characters")
    options = re2.Options()
    options.max_mem = MEMORY_MAX
    options.log_errors = False
    try:
        return re2.compile(expression.encode(), options)
    except re2.error as fault:
        raise ValueError(f'"{expression[:40]}" is not a regular expression: {_reason(fault)}') from None


def _reason(fault: Exception) -> str:
    reason = fault.args[0] if fault.args else ""
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
