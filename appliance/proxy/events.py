"""What happens to calls and registrations, as records: for call records, SNMP, presence and live display.

Events are made only while there is a consumer (`ProxyEnvironment.events` is not None), and leave with the outputs of
the turn. They say what this proxy sees and no more:

- A call is an INVITE without To tag that was forwarded. What a stage refuses (403, 404, 407) is no call yet.
- A cancelled call has a second event: the final response that follows, mostly 487.
- A call ends by a BYE that the token of its dialog admits. A BYE that takes another path, or that no end sends, is not
  seen. No event has the duration: the answer may have passed another worker, and tokens do not carry its time. A
  consumer subtracts the time of CallAnswered, if it has it.
- A spiral (RFC 5393) has the events of each of its passages.
- Bindings that expire are found by the process that persists the table, and have no event here.

Addresses are URIs as they were sent, b"" where they cannot be read. `wall_time` is unix time by the machine's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from appliance.catalogue.counters import EVENTS_DROPPED
from appliance.transport.flow import Flow

EVENTS_PER_TURN_MAX: Final = 500


@dataclass(slots=True)
class CallEvent:
    """What all events of a call have: of its INVITE, or in CallEnded of its BYE.

    `from_uri`, `to_uri`: the addresses in From and To. `to_tag`: b"" where none is known. `identity`: the
    address-of-record that the sender has proved by digest, b"" for none. `source`: where the request came from.
    `request_uri`: as the stages left it.
    """

    wall_time: float
    call_id: bytes
    from_uri: bytes
    to_uri: bytes
    from_tag: bytes
    to_tag: bytes
    identity: bytes
    request_uri: bytes
    source: Flow


@dataclass(slots=True)
class CallStarted(CallEvent):
    """An INVITE was forwarded."""


@dataclass(slots=True)
class CallAnswered(CallEvent):
    """A 2xx, one for each dialog that the INVITE makes. `target`: the URI that was tried; `hop`: where it was sent."""

    status: int
    target: bytes
    hop: Flow | None


@dataclass(slots=True)
class CallFailed(CallEvent):
    """A final response of 300 or higher. `is_made_here`: it did not come from the other side."""

    status: int
    reason: bytes
    is_made_here: bool


@dataclass(slots=True)
class CallCancelled(CallEvent):
    """The caller sent CANCEL in time. `reasons`: its Reason values (RFC 3326)."""

    reasons: list[bytes]


@dataclass(slots=True)
class CallEnded(CallEvent):
    """A BYE was forwarded. Its sender is the caller where `from_tag` is that of CallStarted, else the callee."""


class ContactChange(IntEnum):
    """What became of a contact."""

    ADDED = 0
    REFRESHED = 1
    REMOVED = 2


@dataclass(slots=True)
class RegistrationChanged:
    """A contact of an address-of-record was added, refreshed or removed (RFC 3261 10.3 step 7).

    `instance`, `reg_id`: RFC 5627, RFC 5626; b"" and 0 for none. `call_id`, `cseq`: of the REGISTER that made the
    binding what it is. `source`: the address and port that it came from. `is_by_operator`: by no REGISTER.
    """

    wall_time: float
    aor: bytes
    contact: bytes
    change: ContactChange
    expires_s: int
    instance: bytes
    reg_id: int
    call_id: bytes
    cseq: int
    source: tuple[str, int] | None
    user_agent: bytes
    is_by_operator: bool


Event = CallEvent | RegistrationChanged


class EventQueue:
    """The events of one turn; those above EVENTS_PER_TURN_MAX are counted and dropped."""

    __slots__ = ("_counters", "_events")

    def __init__(self, counters: list[int]) -> None:
        self._counters = counters
        self._events: list[Event] = []

    def add(self, event: Event) -> None:
        """Have it leave with the outputs of the turn."""
        if len(self._events) < EVENTS_PER_TURN_MAX:
            self._events.append(event)
        else:
            self._counters[EVENTS_DROPPED] += 1

    def take(self) -> Sequence[Event]:
        """Those since the last call, in their order."""
        if not self._events:
            return ()
        events, self._events = self._events, []
        return events
