"""Filters behind `|`: every row of a long table, no headings or footers, and output to a file."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from appliance.catalogue.counters import COUNTERS
from tests.cli.shells import new_session, script
from tests.cli.stand_in import CANNED, StandIn


def test_filters_of_a_script(stand_in: StandIn) -> None:
    ended = script(new_session(stand_in), "show logging | include ^line 1. of", "show logging | count")
    assert ended.lines == [*(f"line 1{digit} of the log" for digit in range(10)), "200 lines"]


def test_a_filter_sees_every_row_of_a_long_table_sorted(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    ended = script(session, "show registrations | include ^u", "show registrations | exclude nothing | count")
    addresses = [line.split()[0] for line in ended.lines[:-1]]
    assert len(addresses) == 2000 and addresses == sorted(addresses)
    assert ended.lines[-1] == "2000 lines"
    document = json.loads(script(session, "show registrations | json").out)
    assert (document["total"], len(document["rows"])) == (2000, 2000)
    assert json.loads(script(session, "show calls | json").out)["started"] == 400


def test_a_limit_is_kept_behind_a_filter(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    script(session, "show registrations limit 5 | count", "show logging 5 | count", "show logging | count")
    asked = [args for do, args in stand_in.seen if do.startswith("show ")]
    assert asked == [{"limit": 5}, {"lines": 5}, {"lines": 10000}]


def test_a_footer_is_no_row(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    assert script(session, "show registrations limit 2 | count").lines[0] == "2 lines"
    shown = script(session, "show counters | include left").lines
    assert not any("`all` shows" in line for line in shown)
    assert script(session, "show connections | include none").lines == []
    CANNED["show calls"]["silent_workers"] = [1]
    try:
        assert script(session, "show calls | include x").lines == ["Worker 1 did not answer; its entries are missing."]
    finally:
        del CANNED["show calls"]["silent_workers"]


def test_headings_are_not_counted(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    assert script(session, "show counters | count").lines == [f"{len(COUNTERS)} lines"]
    assert script(session, "show slots | count").lines == ["2 lines"]


def test_counters_that_are_0_are_seen_by_a_filter(stand_in: StandIn) -> None:
    zero = next(row["name"] for row in CANNED["show counters"]["counters"] if not row["value"])
    assert script(new_session(stand_in), f"show counters | include {zero}").lines


def test_lines_go_to_a_file(stand_in: StandIn, tmp_path: Path) -> None:
    path = tmp_path / "two words.txt"
    session = new_session(stand_in)
    ended = script(session, f'show logging | include "line 19." | redirect "{path}"')
    assert ended.lines == [f"11 lines written to {path}."]
    assert path.read_text().splitlines()[0] == "line 19 of the log"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "Cannot write " in script(session, f"show clock | redirect {tmp_path}/no/such").err
    assert "must be the last filter" in script(session, f"show clock | redirect {path} | count").err
