"""Conditions: to which calls an entry of a route table applies (docs/routing.md).

Times cost one comparison a call: what a condition says of them is found once a minute, and the windows of a day once a
day. An entry without a condition is not concerned.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from appliance.catalogue.condition_settings import ConditionSettings
from appliance.catalogue.peers import Peers
from appliance.catalogue.time_window import TimeWindow
from appliance.routing.route_decision import RoutedCall
from appliance.routing.route_lookups import caller_number
from appliance.sip.offered_media import offered_media

MINUTE_S: Final = 60
Spans = list[tuple[datetime, datetime]]


class RouteCondition:
    """One condition of the configuration."""

    __slots__ = ("_callers", "_customers", "_media", "_methods", "_sources", "_times")

    def __init__(self, settings: ConditionSettings) -> None:
        self._times = _Times(settings) if settings.times or settings.exceptions else None
        self._sources = Peers(settings.sources) if settings.sources else None
        self._methods = frozenset(method.encode() for method in settings.methods)
        self._customers = frozenset(map(_identity_of, settings.customers))
        self._callers = tuple(caller.encode() for caller in settings.callers)
        self._media = frozenset(media.encode() for media in settings.media)

    def holds(self, call: RoutedCall) -> bool:
        """Does an entry with this condition apply to the call? What is cheap to know is looked at first."""
        return (
            (self._times is None or self._times.hold(call.date))
            and (not self._methods or call.request.method in self._methods)
            and (self._sources is None or self._sources.has_address(call.source))
            and (not self._customers or self._is_of_customer(call.identity))
            and (not self._callers or caller_number(call.request).startswith(self._callers))
            and (not self._media or not self._media.isdisjoint(offered_media(call.request)))
        )

    def _is_of_customer(self, identity: bytes) -> bool:
        return identity in self._customers or identity.rpartition(b"@")[2] in self._customers


class RouteConditions:
    """All of one configuration."""

    __slots__ = ("_by_name",)

    def __init__(self, settings: tuple[ConditionSettings, ...]) -> None:
        self._by_name: dict[str, RouteCondition] = {}
        for each in settings:
            # A zone that this machine does not know: a commit refuses it, but the machine may have had it then.
            with suppress(ZoneInfoNotFoundError):
                self._by_name[each.name] = RouteCondition(each)

    def find(self, name: str) -> RouteCondition | None:
        """The condition of a name."""
        return self._by_name.get(name)


class _Times:
    """The windows and exceptions of a condition."""

    __slots__ = ("_day", "_exceptions", "_holds", "_minute", "_spans", "_windows", "_zone")

    def __init__(self, settings: ConditionSettings) -> None:
        # None: what the process goes by, which is that of the configuration or of the machine.
        self._zone: tzinfo | None = ZoneInfo(settings.timezone) if settings.timezone else None
        self._windows = tuple(map(TimeWindow, settings.times))
        self._exceptions = tuple(map(TimeWindow, settings.exceptions))
        self._day: date | None = None
        self._spans: tuple[Spans, Spans] = [], []
        self._minute = -1
        self._holds = False

    def hold(self, moment: float) -> bool:
        """Is a moment of unix time in a window, and in no exception?"""
        minute = int(moment) // MINUTE_S
        if minute != self._minute:
            # All windows begin and end with a minute.
            self._holds = self._hold_at(datetime.fromtimestamp(minute * MINUTE_S, self._zone).replace(tzinfo=None))
            self._minute = minute
        return self._holds

    def _hold_at(self, local: datetime) -> bool:
        day = local.date()
        if day != self._day:
            self._spans = _spans_of(self._windows, day), _spans_of(self._exceptions, day)
            self._day = day
        inside, outside = self._spans
        return (not self._windows or _is_in(inside, local)) and not _is_in(outside, local)


def _identity_of(customer: str) -> bytes:
    """An address as it is proved, or a domain."""
    return (f"sip:{customer}" if "@" in customer else customer).encode()


def _spans_of(windows: tuple[TimeWindow, ...], day: date) -> Spans:
    return [span for window in windows for span in window.on(day)]


def _is_in(spans: Spans, local: datetime) -> bool:
    return any(begin <= local < end for begin, end in spans)
