"""What an operator asked for and does not get: what is wrong, and what to type instead.

Knows nothing of requests.
"""

from __future__ import annotations

from typing import Any


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
