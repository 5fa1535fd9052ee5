"""Questions of the shell to its operator: a password, a yes or no."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cli.errors import NoOperator


class Asker(Protocol):
    """A way to ask the operator."""

    def ask(self, question: str, is_hidden: bool = False) -> str:
        """What the operator types; hidden for passwords. Raises Failed where no operator can answer."""


class NonInteractive:
    """A script, which cannot answer."""

    def ask(self, question: str, is_hidden: bool = False) -> str:
        wanted = question.strip(" :?").lower()
        raise NoOperator(f"No terminal to ask for the {wanted}.", "Run the shell on a terminal.")


def choose(asker: Asker, question: str, answers: Sequence[str]) -> str:
    """One of the answers, which may be shortened; anything else is asked again. Raises Failed."""
    while True:
        typed = asker.ask(f"{question} [{'/'.join(answers)}] ").strip().lower()
        found = [answer for answer in answers if typed and answer.startswith(typed)]
        if len(found) == 1:
            return found[0]
