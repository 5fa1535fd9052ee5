"""The terminal: single keys while a page waits, and how large it is."""

from __future__ import annotations

import os
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from select import select

# Places among the attributes of a terminal (termios.tcgetattr).
LOCAL_MODES = 3
CONTROL_KEYS = 6
NO_KEY = b"\0"
SUSPEND = b"\x1a"
# Keys such as the arrows send several octets, of which Escape is the first.
ESCAPE = b"\x1b"
ESCAPE_REST_S = 0.05
KEY_LEN_MAX = 8


class Keyboard:
    """Standard input, a key at a time."""

    def size(self) -> tuple[int, int]:
        """Columns and rows; 0 rows when unknown."""
        try:
            size = os.get_terminal_size(sys.stdin.fileno())
        except OSError:
            return 80, 0
        return size.columns, size.lines

    def key(self) -> str:
        """The next key; "" when there will be none. What was typed ahead stays in the input."""
        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        try:
            tty.setcbreak(descriptor, termios.TCSANOW)
            key = os.read(descriptor, 1)
            if key == ESCAPE and select([descriptor], [], [], ESCAPE_REST_S)[0]:
                os.read(descriptor, KEY_LEN_MAX)
            return key.decode("utf-8", "replace")
        finally:
            termios.tcsetattr(descriptor, termios.TCSANOW, before)

    def line(self, label: str) -> str:
        """A line typed behind a label."""
        return input(label)


@contextmanager
def keys_of_the_shell() -> Iterator[None]:
    """Ctrl-C is not written into what is shown, and Ctrl-Z is a key: it stops no shell, and waits for its prompt."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    quiet = list(before)
    quiet[LOCAL_MODES] &= ~termios.ECHOCTL
    quiet[CONTROL_KEYS] = list(before[CONTROL_KEYS])
    quiet[CONTROL_KEYS][termios.VSUSP] = NO_KEY
    termios.tcsetattr(descriptor, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextmanager
def keys_of_another_program() -> Iterator[None]:
    """The keys as a program that is no part of the shell expects them; without a terminal, nothing."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    usual = list(before)
    usual[LOCAL_MODES] |= termios.ECHOCTL
    usual[CONTROL_KEYS] = list(before[CONTROL_KEYS])
    usual[CONTROL_KEYS][termios.VSUSP] = SUSPEND
    termios.tcsetattr(descriptor, termios.TCSADRAIN, usual)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def write(text: str) -> None:
    """Show a text at once."""
    sys.stdout.write(text)
    sys.stdout.flush()
