"""Route tables as CSV: faults by line, all or nothing."""

from __future__ import annotations

import pytest

from appliance.routing.route_csv import read_csv, rows_of
from appliance.routing.route_rows import COLUMNS, RoutesRefused
from appliance.routing.route_tables import RouteTables

HEAD = "table,prefix,action,priority,weight,strip,prepend,translation,condition"


def _faults(*lines: str) -> list[str]:
    with pytest.raises(RoutesRefused) as refused:
        read_csv(lines)
    return refused.value.faults


def test_written_rows_are_what_was_read() -> None:
    lines = [HEAD, "a,+1,sip:gw1,2,1,0,,,", "a,+1,sip:gw2,1,5,1,00,,", "b,any,table a,0,1,0,,,"]
    lines += ["b,+1900,registrar,0,1,0,,,night", "b,+1901,sip:gw2,0,1,0,,to-carrier,"]
    tables = RouteTables(memoryview(read_csv(lines).octets()))
    written = [",".join(COLUMNS), *(",".join(row) for row in rows_of(tables))]
    assert written == lines
    assert len(tables) == 4


def test_columns_may_be_left_out_and_comments_are_skipped() -> None:
    lines = ["# routes", "prefix,table,action", "", '+1,a,"reject 480 Away, for now"']
    tables = RouteTables(memoryview(read_csv(lines).octets()))
    assert list(rows_of(tables)) == [("a", "+1", "reject 480 Away, for now", "0", "1", "0", "", "", "")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a,+1", "is not an action"),
        ("a,alice,sip:gw", "is not a prefix"),
        ("a b,+1,sip:gw", "is not the name of a table"),
        ("a,+1,sip:gw,x", "is not a priority"),
        ("a,+1,sip:gw,70000", "out of range"),
        ("a,+1,sip:gw,1,1,0,abc", "cannot be prepended"),
        ("a,+1,sip:gw,1,1,0,0,9,9,9", "there are 10 fields"),
        ("a,+1,sip:gw,1,1,0,0,a b", "is not the name of a translation"),
        ("a,+1,table b", "there is no table b"),
        ("a,+1,table a", "leads back to itself"),
        ('a,"+1', "not CSV"),
        ("a,+1,reject 404 caf\u00e9", "not plain text"),
    ],
)
def test_fault_has_its_line(line: str, words: str) -> None:
    (fault,) = _faults(HEAD, "z,+2,registrar", line)
    assert fault.startswith("Line 3: ")
    assert words in fault


def test_tables_in_a_circle_are_refused() -> None:
    faults = _faults(HEAD, "a,any,table b", "b,any,table c", "c,any,table a")
    assert faults[0] == "Line 2: table a leads back to itself by b; remove one step."


def test_empty_file_and_missing_columns_are_refused() -> None:
    assert "empty" in _faults()[0]
    assert "action is missing" in _faults("table,prefix")[0]
    assert "not a column" in _faults("table,prefix,action,colour")[0]


def test_faults_are_bounded() -> None:
    assert len(_faults(HEAD, *(1000 * ["a,+1,nonsense"]))) == 21
