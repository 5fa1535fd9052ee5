"""The events of this worker's calls and registrations, for `monitor events`: bounded, and it ends by itself.

Without it the stack makes no events. So many a second are kept until they are sent; the rest is counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from appliance.catalogue.counters import EVENTS_DROPPED
from appliance.catalogue.transports import TRANSPORTS
from appliance.messages.worker_requests import EventRow
from appliance.proxy.events import (
    CallAnswered,
    CallCancelled,
    CallEnded,
    CallEvent,
    CallFailed,
    CallStarted,
    ContactChange,
    Event,
    RegistrationChanged,
)
from appliance.transport.flow import Flow

PER_SECOND_MAX: Final = 200
TEXT_LEN_MAX: Final = 256

CALL_EVENTS: Final[dict[type[CallEvent], str]] = {
    CallStarted: "call-started",
    CallAnswered: "call-answered",
    CallFailed: "call-failed",
    CallCancelled: "call-cancelled",
    CallEnded: "call-ended",
}
CONTACT_EVENTS: Final = {
    ContactChange.ADDED: "contact-added",
    ContactChange.REFRESHED: "contact-refreshed",
    ContactChange.REMOVED: "contact-removed",
}


class EventWatch:
    """`user`: USER@DOMAIN, or USER of any domain, in one of the addresses of an event; "" for all events. `until`:
    monotonic seconds. `counters`: those of the stack.
    """

    def __init__(self, user: str, until: float, counters: list[int]) -> None:
        self._user = user.removeprefix("sip:").removeprefix("sips:").lower()
        self._until = until
        self._counters = counters
        self._dropped_before = counters[EVENTS_DROPPED]
        self._second = 0
        self._left_in_second = PER_SECOND_MAX
        self._seen: list[EventRow] = []
        self._missed = 0

    @property
    def missed(self) -> int:
        """Events that were not kept, because there were too many; those that the stack dropped may be of others."""
        return self._missed + self._counters[EVENTS_DROPPED] - self._dropped_before

    def note_missed(self, count: int) -> None:
        """So many could not be sent."""
        self._missed += count

    def is_over(self, now: float) -> bool:
        """Is its time over?"""
        return now >= self._until

    def receive(self, events: Iterable[Event]) -> None:
        """The events of one turn."""
        for event in events:
            if self._matches(event):
                self._keep(event)

    def take(self) -> list[EventRow]:
        """What was kept since the last call."""
        seen, self._seen = self._seen, []
        return seen

    def _keep(self, event: Event) -> None:
        if int(event.wall_time) != self._second:
            self._second, self._left_in_second = int(event.wall_time), PER_SECOND_MAX
        if self._left_in_second <= 0:
            self._missed += 1
            return
        self._left_in_second -= 1
        self._seen.append(_contact_row(event) if isinstance(event, RegistrationChanged) else _call_row(event))

    def _matches(self, event: Event) -> bool:
        if not self._user:
            return True
        if isinstance(event, RegistrationChanged):
            return self._names(event.aor)
        addresses = (event.from_uri, event.to_uri, event.identity, event.request_uri)
        return any(self._names(address) for address in addresses)

    def _names(self, uri: bytes) -> bool:
        address = address_of(uri)
        return self._user in (address, address.partition("@")[0])


def address_of(uri: bytes) -> str:
    """USER@HOST of a SIP URI, in lower case and without password, port and parameters; the number of a tel URI."""
    text = _text(uri.partition(b";")[0].partition(b"?")[0]).partition(":")[2].lower()
    user, at, host = text.rpartition("@")
    if not at:
        return text
    host_only = host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0]
    return f"{user.partition(':')[0]}@{host_only}"


def _call_row(event: CallEvent) -> EventRow:
    row = EventRow(
        round(event.wall_time, 6),
        CALL_EVENTS[type(event)],
        _text(event.call_id),
        from_uri=_text(event.from_uri),
        to_uri=_text(event.to_uri),
        from_tag=_text(event.from_tag),
        to_tag=_text(event.to_tag),
        identity=_text(event.identity),
        request_uri=_text(event.request_uri),
        source=_way(event.source),
    )
    if isinstance(event, CallAnswered):
        row.status, row.target, row.hop = event.status, _text(event.target), _way(event.hop)
    elif isinstance(event, CallFailed):
        row.status, row.reason = event.status, _text(event.reason)
    elif isinstance(event, CallCancelled):
        row.reason = _text(b", ".join(event.reasons))
    return row


def _contact_row(event: RegistrationChanged) -> EventRow:
    return EventRow(
        round(event.wall_time, 6),
        CONTACT_EVENTS[event.change],
        _text(event.call_id),
        source="" if event.source is None else _host_port(event.source),
        address=_text(event.aor.partition(b":")[2]),
        contact=_text(event.contact),
        expires_s=event.expires_s,
        user_agent=_text(event.user_agent),
        is_by_operator=event.is_by_operator,
    )


def _way(flow: Flow | None) -> str:
    return "" if flow is None else f"{TRANSPORTS[flow.transport].name} {_host_port(flow.remote)}"


def _host_port(address: tuple[str, int]) -> str:
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    return f"{host}:{address[1]}"


def _text(octets: bytes) -> str:
    return octets[:TEXT_LEN_MAX].decode("utf-8", "replace")
