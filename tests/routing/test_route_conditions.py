"""Conditions of entries: when they apply, by the clock of their zone; and what decides where they do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from appliance.catalogue.condition_settings import ConditionSettings
from appliance.catalogue.settings import Settings
from appliance.routing.call_router import CallRouter
from appliance.routing.enum_cache import EnumCache
from appliance.routing.lookup_cache import LookupCache
from appliance.routing.route_conditions import RouteCondition, RouteConditions
from appliance.routing.route_csv import read_csv
from appliance.routing.route_decision import RoutedCall, RouteDecision
from appliance.routing.route_tables import RouteTables
from appliance.sip.message import Request
from appliance.sip.names import CALL_ID, CONTENT_TYPE, FROM, P_ASSERTED_IDENTITY

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = ConditionSettings("night", timezone="Europe/Berlin", times=("2026-01-01T22:00 06:00 FREQ=DAILY",))


def call(
    date: float = 0.0, source: str = "192.0.2.9", identity: bytes = b"", body: bytes = b"", caller: bytes = b"+4930123"
) -> RoutedCall:
    request = Request(b"INVITE", b"sip:+19005551212@example.com", body)
    request.append(CALL_ID, b"call")
    request.append(FROM, b"<sip:" + caller + b"@example.com>;tag=a")
    request.append(CONTENT_TYPE, b"application/sdp")
    return RoutedCall(request, source, 0.0, date, identity=identity)


def moment(text: str, fold: int = 0) -> float:
    """Unix time of a moment in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).timestamp()


@pytest.mark.parametrize(
    ("text", "fold", "expected"),
    [
        ("2026-06-01T21:59:59", 0, False),
        ("2026-06-01T22:00", 0, True),
        ("2026-06-02T05:59:59", 0, True),
        ("2026-06-02T06:00", 0, False),
        # The night in which the clocks go forward is an hour shorter, and ends at 6 all the same.
        ("2026-03-29T05:59", 0, True),
        ("2026-03-29T06:00", 0, False),
        # The night in which they go back: both hours from 2 to 3 are in it.
        ("2026-10-25T02:30", 0, True),
        ("2026-10-25T02:30", 1, True),
        ("2026-10-25T06:00", 0, False),
    ],
)
def test_a_window_goes_by_the_clock_of_its_zone(text: str, fold: int, expected: bool) -> None:
    assert RouteCondition(NIGHT).holds(call(moment(text, fold))) is expected


def test_an_exception_takes_away_and_alone_leaves_all_other_times() -> None:
    holidays = ConditionSettings(
        "open", timezone="Europe/Berlin", exceptions=("2026-12-24T00:00 2026-12-27T00:00 FREQ=YEARLY",)
    )
    condition = RouteCondition(holidays)
    days = ("2026-12-23T12:00", "2026-12-24T00:00", "2027-12-26T23:59", "2027-12-27T00:00")
    assert [condition.holds(call(moment(day))) for day in days] == [True, False, False, True]


def test_times_are_right_when_the_clock_is_set_back() -> None:
    condition = RouteCondition(NIGHT)
    days = ("2026-06-01T23:00", "2026-05-01T12:00", "2026-06-01T23:00")
    assert [condition.holds(call(moment(day))) for day in days] == [True, False, True]


@pytest.mark.parametrize(
    ("settings", "of_call", "expected"),
    [
        ({"sources": ("192.0.2.0/28",)}, {}, True),
        ({"sources": ("192.0.2.1",)}, {}, False),
        ({"methods": ("MESSAGE",)}, {}, False),
        ({"methods": ("MESSAGE", "INVITE")}, {}, True),
        ({"callers": ("+4930",)}, {}, True),
        ({"callers": ("+4989", "30")}, {}, False),
        ({"callers": ("+",)}, {"caller": b"anonymous"}, False),
        ({"customers": ("example.com",)}, {"identity": b"sip:alice@example.com"}, True),
        ({"customers": ("alice@example.com",)}, {"identity": b"sip:alice@example.com"}, True),
        ({"customers": ("alice@example.com",)}, {"identity": b"sip:bob@example.com"}, False),
        ({"customers": ("example.com",)}, {}, False),
        ({"media": ("g722",)}, {"body": b"m=audio 9 RTP/AVP 9\r\n"}, True),
        ({"media": ("video",)}, {"body": b"m=audio 9 RTP/AVP 9\r\n"}, False),
        ({"media": ("audio",), "methods": ("MESSAGE",)}, {"body": b"m=audio 9 RTP/AVP 9\r\n"}, False),
    ],
)
def test_every_kind_has_to_hold_and_of_a_kind_one(
    settings: dict[str, tuple[str, ...]], of_call: dict[str, bytes], expected: bool
) -> None:
    condition = RouteCondition(ConditionSettings("c", **settings))  # type: ignore[arg-type]
    assert condition.holds(call(**of_call)) is expected  # type: ignore[arg-type]


def test_the_callers_number_is_the_asserted_one() -> None:
    of_partner = call(caller=b"+1973")
    of_partner.request.append(P_ASSERTED_IDENTITY, b"<tel:+49-30-123>")
    assert RouteCondition(ConditionSettings("c", callers=("+4930",))).holds(of_partner)


def test_a_zone_that_the_machine_does_not_have_is_no_condition() -> None:
    assert RouteConditions((replace(NIGHT, timezone="Moon/Copernicus"),)).find("night") is None


# -- in tables ---------------------------------------------------------------------------------------

ROWS = (
    "table,prefix,action,priority,condition",
    "default,+1900,reject 403 At Night,1,night",
    "default,+1,sip:192.0.2.201,2",
    "default,+1,sip:192.0.2.202,1,night",
    "default,+2,sip:192.0.2.203,1,missing",
    "default,any,reject 404 None",
)


def decide(rows: tuple[str, ...], one: RoutedCall) -> RouteDecision:
    settings = Settings(conditions=(NIGHT,))
    router = CallRouter(settings, EnumCache(settings), LookupCache(settings))
    router.use(RouteTables(memoryview(read_csv(rows).octets())))
    decision = router.decide(one, router.policy_of("main", one.source))
    assert decision is not None
    return decision


def test_where_no_entry_of_a_prefix_applies_a_shorter_one_decides() -> None:
    assert decide(ROWS, call(moment("2026-06-01T23:00"))).status == 403
    by_day = decide(ROWS, call(moment("2026-06-01T12:00")))
    assert [target.uri.host for target in by_day.targets] == [b"192.0.2.201"]
    assert by_day.steps == [
        "+1900 in table default: reject 403 At Night is passed over, as condition night does not hold",
        "+1 in table default: sip:192.0.2.202 is passed over, as condition night does not hold",
        "+1 in table default: sip:192.0.2.201",
    ]


def test_an_entry_that_applies_is_tried_by_its_priority() -> None:
    rows = tuple(row for row in ROWS if "1900" not in row)
    at_night = decide(rows, call(moment("2026-06-01T23:00")))
    assert [target.uri.host for target in at_night.targets] == [b"192.0.2.202", b"192.0.2.201"]


def test_a_condition_that_is_not_configured_is_not_taken_for_one_that_holds() -> None:
    rows = (ROWS[0], "default,+1,sip:192.0.2.203,1,missing")
    decision = decide(rows, call())
    assert (decision.status, decision.reason) == (500, b"Condition Not Configured")
