"""The one failure of this floor: a peer sent something that RFC 3261 does not allow.

RFC 3261 8.2, 16.3, 18.3.

The fault carries what a server needs for its response: a status, a reason phrase that says what was
wrong, and as much of the request as was understood. Requests that are not to be answered (ACK, a request
without Via, every response) carry no message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.sip.message import Message


class MalformedMessage(ValueError):
    """Wire text that breaks the grammar or a structural rule of SIP.

    `status` is the response code to refuse with, `reason` its reason phrase (ASCII, one line), `message` a
    Request whose Via, From, To, Call-ID and CSeq lines are good enough to copy into an answer, or None.
    """

    def __init__(self, status: int, reason: str, message: Message | None = None) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return f"{self.status} {self.reason}"
