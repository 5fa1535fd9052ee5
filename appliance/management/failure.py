"""How a command fails: with sentences for the operator.

Knows nothing of commands.
"""

from __future__ import annotations


class CommandFailed(Exception):
    """What was asked cannot be done. The message is one sentence, or one for each fault on lines of their own."""


def sentence_of(fault: Exception) -> str:
    """What an error from below says, as a sentence. A name at its beginning keeps its case: SIP names have one."""
    text = str(fault).removesuffix(".")
    first = text.partition(" ")[0]
    return f"{text[:1].upper() if first.isalpha() else text[:1]}{text[1:]}."
