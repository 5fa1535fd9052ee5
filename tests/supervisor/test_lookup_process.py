"""The lookup server: wanted only where there is work for it, with an alarm for each table that cannot be read."""

from __future__ import annotations

from dataclasses import replace

from appliance.catalogue.alarms import ROUTE_SOURCE_FAILING
from appliance.catalogue.counters import ROUTE_TABLE_READS
from appliance.catalogue.route_table_settings import RouteTableSettings
from appliance.catalogue.settings import Settings
from appliance.ipc.launch import LookupServerLaunch
from appliance.messages.route_table_messages import LookupServerReport, TableReadRow
from appliance.supervisor.lookup_process import LookupProcess
from appliance.supervisor.processes import NodeProcess

TABLE = RouteTableSettings("carriers", servers=("sqlite:////tmp/r.db",), statement="select prefix, action from r")
WELL = TableReadRow("carriers", False, 2, 1.0, 1.0, 0.1, "", 1, 0, 1)


class Running(NodeProcess):
    """A process that runs."""

    def __init__(self) -> None:
        pass

    def waited_s(self) -> float:
        return 0.0


def test_it_is_wanted_as_long_as_a_table_is_read() -> None:
    process = LookupProcess(Settings(), LookupServerLaunch("", ""), lambda sentence: None)
    assert not process.is_wanted
    process.put_in_force(Settings(route_tables=(replace(TABLE, statement=""),)), "")
    assert not process.is_wanted
    process.put_in_force(Settings(route_tables=(TABLE,)), "")
    assert process.is_wanted


def test_a_table_that_cannot_be_read_has_an_alarm_until_it_is_read_again() -> None:
    process = LookupProcess(Settings(route_tables=(TABLE,)), LookupServerLaunch("", ""), lambda sentence: None)
    process.process = Running()
    counters = [0] * (ROUTE_TABLE_READS + 1)
    counters[ROUTE_TABLE_READS] = 3
    process.heard(LookupServerReport(counters, [replace(WELL, fault="It cannot be read: no.")]), 1.0)
    (condition,) = process.conditions()
    assert (condition.name, condition.subject) == (ROUTE_SOURCE_FAILING, "route-table carriers")
    assert condition.text == "Route table carriers stays as it was. It cannot be read: no."
    process.heard(LookupServerReport(counters, [WELL]), 2.0)
    assert list(process.conditions()) == []
    assert process.counters()[ROUTE_TABLE_READS] == 3
