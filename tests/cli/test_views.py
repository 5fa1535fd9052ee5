"""How results are drawn. Times are drawn in the zone of the operator, so the tests take what is drawn for them."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.catalogue import results
from appliance.catalogue.command_declaration import Command, Field, Shape, result_schema
from appliance.catalogue.commands import COMMANDS
from cli.commands import is_request
from cli.views.configuration import draw_conflicts, draw_faults
from cli.views.diagnostics import draw_arrow, draw_ladder, draw_ping, draw_traceroute, label_of
from cli.views.events import draw_events
from cli.views.registry import STREAM_VIEWS, VIEWS, draw, draw_stream
from cli.views.status import draw_counters, draw_rate_limits
from cli.views.tables import cell, columns, draw_result, duration, time_text
from tests.cli.conforming import deviations
from tests.cli.stand_in import CALLEE, CALLER, CANNED, COUNTED, EVENTS, MESSAGES

QUERY = [command for command in COMMANDS if is_request(command) and not command.is_stream]


def command_of(do: str) -> Command:
    return next(command for command in COMMANDS if command.do == do)


def test_a_ladder_fits_the_terminal() -> None:
    items = [("event", message) for message in MESSAGES]
    for width in (80, 100, 132):
        assert max(map(len, draw_ladder(items, {}, width))) <= width
    assert list(draw_ladder(items, {}, 200)) == list(draw_ladder(items, {}))


@pytest.mark.parametrize(
    "do", sorted({command.do for command in QUERY if command.result and command.result[0].name == "text"})
)
def test_the_sentence_of_an_appliance_is_shown(do: str) -> None:
    assert list(draw(command_of(do), {"text": "It is done.", "number": 7}, {})) == ["It is done."]


def test_every_view_is_of_a_command() -> None:
    assert VIEWS.keys() <= {command.do for command in COMMANDS}
    assert STREAM_VIEWS.keys() == {command.do for command in COMMANDS if command.is_stream}


@pytest.mark.parametrize("command", QUERY, ids=lambda command: command.name)
def test_a_result_without_anything_is_drawn(command: Command) -> None:
    empty: dict[str, Any] = {
        field.name: [] for field in command.result if field.shape in (Shape.ROWS, Shape.TEXTS)
    }
    assert all(isinstance(line, str) for line in draw(command, empty, {"number": 1, "uri": "sip:x"}))


@pytest.mark.parametrize("do", CANNED)
def test_a_result_shows_every_word_that_has_a_heading(do: str) -> None:
    command = command_of(do)
    text = "\n".join(draw(command, CANNED[do], {}))
    for field in command.result:
        for row in CANNED[do].get(field.name, ()) if field.shape is Shape.ROWS else ():
            for inner in (inner for inner in field.fields if inner.shape is Shape.TEXT and inner.heading):
                value = row.get(inner.name, "")
                if do != "show counters" or row["value"]:
                    assert value.lower() in text.lower()


@pytest.mark.parametrize("do", CANNED)
def test_the_stand_in_answers_as_the_catalogue_says(do: str) -> None:
    assert list(deviations(CANNED[do], result_schema(command_of(do).result))) == []


def test_a_table_has_headings_and_numbers_to_the_right() -> None:
    fields = (
        Field("rows", Shape.ROWS, "Rows.", fields=(
            Field("name", Shape.TEXT, "Name.", "name"),
            Field("value", Shape.INTEGER, "Value.", "value"),
            Field("hidden", Shape.TEXT, "Not shown."),
        )),
        Field("total", Shape.INTEGER, "All."),
        Field("shown", Shape.INTEGER, "Shown."),
    )  # fmt: skip
    rows = [{"name": "a", "value": 1, "hidden": "x"}, {"name": "longer", "value": 200}]
    assert list(draw_result(fields, {"rows": rows, "total": 2, "shown": 2})) == [
        "name    value",
        "a           1",
        "longer    200",
    ]
    assert list(draw_result(fields, {"rows": rows, "total": 9, "shown": 2}))[-1].startswith("2 of 9 entries shown")
    assert list(draw_result(fields, {"rows": []})) == ["No entries."]


@pytest.mark.parametrize(
    ("name", "heading", "value", "text"),
    [
        ("uptime_s", "up", 3700, "1h 1min"),
        ("rss", "memory MiB", 51 * 1024 * 1024, "51"),
        ("cpu_percent", "cpu %", 12.34, "12.3"),
        ("is_on", "on", True, "yes"),
        ("words", "words", ["a", "b"], "a, b"),
        ("words", "words", [], "-"),
        ("name", "name", None, "-"),
        ("name", "name", "", "-"),
        ("value", "value", 0, "0"),
        ("wall_time", "when", 1764000000.0, time_text(1764000000.0)),
    ],
)
def test_a_cell(name: str, heading: str, value: Any, text: str) -> None:
    assert cell(Field(name, Shape.ANY, "Help.", heading), value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59, "59s"), (60, "1min 0s"), (93784, "1d 2h"), (7 * 86400, "7d 0h")]
)
def test_a_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_no_columns() -> None:
    assert columns([]) == []


def test_counters_that_are_0_are_left_out_unless_all_are_wanted() -> None:
    result = {"counters": COUNTED}
    drawn = "\n".join(draw_counters(result, {}))
    assert "TRAFFIC" in drawn and "requests-sent" in drawn and "requests-received" not in drawn
    assert "requests-received" in "\n".join(draw_counters(result, {"all": True}))
    assert "TRAFFIC" not in "\n".join(draw_counters(result, {"group": "drops"}))
    nothing = [{"name": "x", "group": "drops", "value": 0}]
    assert list(draw_counters({"counters": nothing}, {})) == ["All counters are zero."]


def test_faults_stand_under_their_lines() -> None:
    faults = [
        {"line": 2, "column": 3, "problem": "`prot` is not known here", "remedy": 'did you mean "port"?'},
        {"line": 0, "column": 0, "problem": "there is no listener", "remedy": "add one"},
    ]
    assert list(draw_faults(faults, "listener a\n  prot 5060\n")) == [
        "     2    prot 5060",
        "          ^",
        '        `prot` is not known here; did you mean "port"?',
        "        there is no listener; add one.",
    ]


def test_conflicts_show_both_sides() -> None:
    conflict = {"line": "workers", "theirs": "workers 2", "mine": ""}
    assert list(draw_conflicts([conflict])) == ["  workers", "    theirs  workers 2", "    yours   (removed)"]


def test_a_call_is_a_ladder() -> None:
    items = [*(("event", message) for message in MESSAGES), ("result", {"shown": 5})]
    lines = list(draw_ladder(items, {}))
    assert lines[1] == "call abc@192.0.2.7"
    assert lines[2].split() == [CALLER, "appliance", "other", "peers"]
    assert lines[2].index("appliance") == lines[3].index("|", lines[3].index("|") + 1)
    arrows = [line.split(" ", 2)[2] for line in lines[3:-1]]
    assert arrows[0].startswith("|--- INVITE sip:bob@example.com --") and ">|" in arrows[0]
    assert arrows[1].startswith("|<") and "100 Trying" in arrows[1]
    assert arrows[2].startswith("|  ") and arrows[2].endswith(f">| udp {CALLEE}")
    assert arrows[3].startswith("|  ") and "|<" in arrows[3]
    assert len({arrow.rindex("|") for arrow in arrows}) == 1
    assert lines[-1] == "5 messages shown."


def test_a_ladder_says_what_it_has_missed() -> None:
    assert list(draw_ladder([("result", {"shown": 5, "missed": 7})], {}))[-1].startswith("5 messages shown, 7 not")


def test_a_ladder_with_full_messages() -> None:
    lines = list(draw_ladder([("event", MESSAGES[0])], {"full": True}))
    assert "    Call-ID: abc@192.0.2.7" in lines


def test_labels_and_arrows() -> None:
    assert label_of("INVITE sip:bob@example.com SIP/2.0") == "INVITE sip:bob@example.com"
    assert label_of("SIP/2.0 180 Ringing") == "180 Ringing"
    assert len(draw_arrow("x" * 100, True)) == len(draw_arrow("x", False))


def test_pings_are_summed_up() -> None:
    items: list[Any] = [
        ("event", {"n": 1, "status": 200, "reason": "OK", "ms": 1.25}),
        ("event", {"n": 2, "status": 0, "reason": "nothing came"}),
        ("result", {"sent": 2, "received": 1, "min_ms": 1.25, "avg_ms": 1.25, "max_ms": 1.25}),
    ]
    assert list(draw_ping(items, {"uri": "sip:x"}))[1:] == [
        "   1  200 OK  1.2 ms",
        "   2  no answer: nothing came",
        "Success rate is 50 percent (1/2), round-trip min/avg/max = 1.2/1.2/1.2 ms",
    ]
    unanswered: list[Any] = [("result", {"sent": 1, "received": 0})]
    assert list(draw_ping(unanswered, {"uri": "x"}))[-1] == "Success rate is 0 percent (0/1)"


def test_pings_that_were_stopped_are_summed_up_here() -> None:
    items: list[Any] = [("event", {"n": 1, "status": 200, "reason": "OK", "ms": 2.0}), ("result", {})]
    assert list(draw_ping(items, {"uri": "x"}))[-1].startswith("Success rate is 100 percent (1/1)")
    assert list(draw_ping([("result", {})], {"uri": "x"}))[-1] == "Success rate is 0 percent (0/0)"
    assert list(draw_ladder([("event", MESSAGES[0]), ("result", {})], {}))[-1] == "1 message shown."


def test_a_trace_has_a_line_for_each_hop() -> None:
    hops: list[Any] = [
        ("event", {"n": 1, "status": 483, "reason": "Too Many Hops", "ms": 1.5, "server": "edge"}),
        ("event", {"n": 2, "status": 0, "reason": "timed out", "ms": 0.0, "server": ""}),
    ]
    lines = list(draw_traceroute([*hops, ("result", {"hops": 2, "is_reached": False})], {"uri": "sip:x"}))
    assert lines[1:] == [
        "   1  483 Too Many Hops  1.5 ms  edge",
        "   2  no answer: timed out",
        "The destination was not reached within 2 hops.",
    ]


def test_calls_that_stand_are_counted_as_far_as_is_known() -> None:
    lines = list(draw(command_of("show calls"), CANNED["show calls"], {}))
    assert lines[-1] == "In setup: 0. Totals: started 400, answered 380, failed 12."


def test_an_acknowledged_alarm_says_who_has_seen_it() -> None:
    alarm = {**CANNED["show alarms"]["alarms"][0], "acknowledged_by": "ann"}
    lines = list(draw(command_of("show alarms"), {"alarms": [alarm]}, {}))
    assert lines[1] == "  acknowledged by ann"


def test_streams_have_views() -> None:
    assert results.PING_ANSWER
    assert list(draw_stream(command_of("terminal monitor"), [("event", {"line": "a"})], {})) == ["a"]


def test_a_rate_is_no_duration_and_who_is_limited_is_shown() -> None:
    limit = {
        "name": "flood", "of": "requests", "per": "source", "rate_per_s": 5, "burst": 2, "action": "drop",
        "passed": 9, "exceeded": 3, "hit": [{"key": "192.0.2.66", "exceeded": 3}],
    }  # fmt: skip
    lines = list(draw_rate_limits({"limits": [limit]}, {}))
    assert "5/s" in lines[1]
    assert [line.split() for line in lines[3:]] == [["rate-limit", "limited", "exceeded"], ["flood", "192.0.2.66", "3"]]


def test_events_are_lines() -> None:
    items = [*(("event", event) for event in EVENTS), ("result", {"shown": 7, "missed": 2})]
    lines = list(draw_events(items, {}))
    assert [line[len("12:00:00.000 ") :] for line in lines[1:-1]] == [
        "w0 call-started       alice@example.com -> bob@example.com  from udp 192.0.2.7:5060  call abc@192.0.2.7",
        "w0 call-answered      alice@example.com -> bob@example.com  200 by udp 192.0.2.9:5060  call abc@192.0.2.7",
        "w0 call-failed        alice@example.com -> bob@example.com  486 Busy Here  call abc@192.0.2.7",
        "w0 call-cancelled     alice@example.com -> bob@example.com  SIP;cause=200  call abc@192.0.2.7",
        "w0 call-ended         alice@example.com -> bob@example.com  from udp 192.0.2.7:5060  call abc@192.0.2.7",
        "w1 contact-refreshed  bob@example.com  sip:bob@192.0.2.9:5060  expires 3600 s  from 192.0.2.9:5060",
        "w1 contact-removed    bob@example.com  sip:bob@192.0.2.9:5060  by an operator",
    ]
    assert lines[-1] == "7 events shown, 2 not shown (too many per second)."
    assert list(draw_events([("event", EVENTS[0]), ("result", {})], {}))[-1] == "1 event shown."


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: str(event["event"]))
def test_the_stand_in_tells_events_as_the_catalogue_says(event: dict[str, Any]) -> None:
    assert list(deviations(event, result_schema(results.EVENT))) == []
