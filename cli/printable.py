"""What may go to a terminal: messages, logs and names hold what strangers have sent, and none of it may steer it."""

from __future__ import annotations


def seen(line: str) -> str:
    """The line with its control characters named in place of sent."""
    if line.isprintable():
        return line
    letters = line.expandtabs()
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in letters)
