"""The terminal: single keys while a page waits, and how large it is.

Knows nothing of what is shown.
"""

from __future__ import annotations

import os
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

# The place of the local modes among the attributes of a terminal (termios.tcgetattr).
LOCAL_MODES = 3
KEY_LEN_MAX = 8


class Keyboard:
    """Standard input, a key at a time."""

    def size(self) -> tuple[int, int]:
        """Columns and rows; 0 rows when nobody knows."""
        try:
            size = os.get_terminal_size(sys.stdin.fileno())
        except OSError:
            return 80, 0
        return size.columns, size.lines

    def key(self) -> str:
        """The next key; "" when there will be none."""
        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        try:
            tty.setcbreak(descriptor)
            return os.read(descriptor, KEY_LEN_MAX).decode("utf-8", "replace")[:1]
        finally:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)

    def line(self, label: str) -> str:
        """A line typed behind a label."""
        return input(label)


@contextmanager
def unechoed_controls() -> Iterator[None]:
    """Ctrl-C is a key that says nothing: the terminal does not write `^C` into what is shown."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    quiet = list(before)
    quiet[LOCAL_MODES] &= ~termios.ECHOCTL
    termios.tcsetattr(descriptor, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def write(text: str) -> None:
    """Show a text at once."""
    sys.stdout.write(text)
    sys.stdout.flush()
