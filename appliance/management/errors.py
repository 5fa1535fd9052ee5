"""How a request or a command fails, in sentences for the operator: what is wrong, and what to type instead."""

from __future__ import annotations

from typing import Any, Final


class Refused(Exception):
    """`remedy` completes the message; `more` are further fields of the answer, such as `faults` or `conflicts`."""

    def __init__(self, message: str, remedy: str = "", **more: Any) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.more = more

    def as_error(self) -> dict[str, Any]:
        """The `error` of an answer."""
        return {"message": self.message, "remedy": self.remedy, **self.more}


# sysexits.h, EX_CONFIG: to try again is of no use before an operator has changed something.
UNUSABLE: Final = 78


class CommandFailed(Exception):
    """What was asked cannot be done. The message is one sentence, or one for each fault on lines of their own.

    `status`: the exit status of the command.
    """

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def sentence_of(fault: Exception) -> str:
    """The text of an error from below, as a sentence. A name at its beginning keeps its case: SIP names have one."""
    text = str(fault).removesuffix(".")
    first = text.partition(" ")[0]
    return f"{text[:1].upper() if first.isalpha() else text[:1]}{text[1:]}."
