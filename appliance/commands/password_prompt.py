"""A password from the terminal, or from standard input for scripts."""

from __future__ import annotations

import getpass
import sys
from typing import Final

from appliance.management.errors import CommandFailed

# In place of a secret on the command line.
ASKED: Final = "-"


def read_password(is_stdin: bool, of_what: str, option: str = "--password-stdin", word: str = "Password") -> str:
    """A password typed twice, or with `option` the first line of standard input. Raises CommandFailed."""
    if is_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    password = ask_password(f"{word} of {of_what}: ", option)
    if ask_password(f"Repeat the {word.lower()}: ", option) != password:
        raise CommandFailed(f"The {word.lower()}s do not match; nothing was changed.")
    return password


def read_token(text: str) -> str:
    """A token that is on the command line; ASKED: from the terminal, or the first line of standard input."""
    if text != ASKED:
        return text
    return ask_password("Token: ", ASKED) if sys.stdin.isatty() else sys.stdin.readline().strip()


def ask_password(prompt: str, option: str) -> str:
    """What is typed once, unseen. Raises CommandFailed."""
    if not sys.stdin.isatty():
        raise CommandFailed(f"There is no terminal to ask for the password: use {option}.")
    try:
        return getpass.getpass(prompt)
    except EOFError:
        raise CommandFailed("No password was given; nothing was changed.") from None
