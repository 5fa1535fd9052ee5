"""How a command fails: with sentences for the operator.

Knows nothing of commands.
"""

from __future__ import annotations


class CommandFailed(Exception):
    """What was asked cannot be done. The message is one sentence, or one for each fault on lines of their own."""
