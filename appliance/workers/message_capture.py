"""Copies of this worker's messages, for `debug sip`: bounded, and it ends by itself.

Off, it is None in the worker and costs one comparison for each batch. On, it copies what matches, so many messages
a second and so many in all, until its time is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from appliance.catalogue.settings import ListenerSettings
from appliance.catalogue.transports import TRANSPORTS
from appliance.messages.worker_requests import CapturedMessage
from appliance.sip.parser import find_call_id
from appliance.transport.flow import Flow, Outgoing

PER_SECOND_MAX: Final = 200
DATA_LEN_MAX: Final = 8192


class MessageCapture:
    """`address` and `call_id` say which messages matter; "" for all. Times are monotonic seconds.

    `listeners`: asked for those in force, at their places.
    """

    def __init__(
        self,
        address: str,
        call_id: str,
        messages_max: int,
        until: float,
        listeners: Callable[[], tuple[ListenerSettings, ...]],
    ) -> None:
        self.until = until
        self._address = address.encode()
        self._call_id = call_id.encode()
        self._listeners = listeners
        self._left = messages_max
        self._second = 0
        self._left_in_second = PER_SECOND_MAX
        self._seen: list[CapturedMessage] = []
        self.missed = 0
        """Messages that matched and were not copied, because there were too many."""

    def is_over(self, now: float) -> bool:
        """Is its time over, or has it shown all that it may?"""
        return now >= self.until or self._left <= 0

    def received(self, batch: Iterable[tuple[bytes, Flow]], wall_time: float) -> None:
        """What came in."""
        for data, flow in batch:
            self._show("in", data, flow, wall_time)

    def sent(self, batch: Iterable[Outgoing], wall_time: float) -> None:
        """What goes out."""
        for outgoing in batch:
            self._show("out", outgoing.data, outgoing.flow, wall_time)

    def take(self) -> list[CapturedMessage]:
        """What was seen since the last call."""
        seen, self._seen = self._seen, []
        return seen

    def _show(self, direction: str, data: bytes, flow: Flow, wall_time: float) -> None:
        call_id = find_call_id(data) or b""
        if not self._matches(data, flow, call_id):
            return
        if int(wall_time) != self._second:
            self._second, self._left_in_second = int(wall_time), PER_SECOND_MAX
        if self._left <= 0 or self._left_in_second <= 0:
            self.missed += 1
            return
        self._left -= 1
        self._left_in_second -= 1
        listener = self._listeners()[flow.listener]
        self._seen.append(
            CapturedMessage(
                wall_time=round(wall_time, 6),
                direction=direction,
                transport=TRANSPORTS[flow.transport].name,
                local=f"{listener.address}:{listener.port}",
                remote=f"{flow.remote[0]}:{flow.remote[1]}",
                start_line=_text(data.partition(b"\r\n")[0]),
                call_id=_text(call_id),
                octets=len(data),
                data=_text(data[:DATA_LEN_MAX]),
            )
        )

    def _matches(self, data: bytes, flow: Flow, call_id: bytes) -> bool:
        if self._call_id and self._call_id != call_id:
            return False
        if not self._address or flow.remote[0].encode() == self._address:
            return True
        # An address of the caller or the callee stands in a header field.
        return self._address in data.partition(b"\r\n\r\n")[0]


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
