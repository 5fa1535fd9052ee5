"""What tables and configuration say of each other: whatever is named is there, and nothing leads in a circle."""

from __future__ import annotations

from appliance.catalogue.condition_settings import ConditionSettings
from appliance.catalogue.region_settings import RegionSettings
from appliance.catalogue.routing_settings import DomainRouteSettings, RoutePolicySettings
from appliance.catalogue.settings import Settings
from appliance.catalogue.translation_settings import TranslationSettings
from appliance.routing.route_csv import read_csv
from appliance.routing.route_references import Configured, reference_faults
from appliance.routing.route_tables import RouteTables

HEAD = "table,prefix,action,priority,weight,strip,prepend,translation,condition"
SETTINGS = Settings(
    translations=(TranslationSettings("carrier"),),
    conditions=(ConditionSettings("night"),),
    route_policies=(RoutePolicySettings("main", tables=("default",)), RoutePolicySettings("east", tables=("east",))),
    regions=(RegionSettings("east", policy="east"),),
)


def faults(settings: Settings, *rows: str) -> list[str]:
    tables = RouteTables(memoryview(read_csv((HEAD, *rows)).octets()))
    found = reference_faults(tables.references, tables.names, Configured(settings))
    return [f"{fault.problem}; {fault.remedy}" for fault in found]


def test_what_is_there_is_right() -> None:
    rows = ("default,+1,region east", "east,any,sip:gw,,,,,carrier,night")
    assert faults(SETTINGS, *rows) == []


def test_names_that_nothing_has_are_told_with_what_to_type() -> None:
    rows = ("default,+1,lookup customers", "default,+2,sip:gw,,,,,other", "default,+3,sip:gw,,,,,,noon")
    rows += ("east,any,region west",)
    assert faults(SETTINGS, *rows) == [
        "rows of table default name lookup customers, which is not configured; "
        "add a section `lookup customers`, or import rows that name another",
        "rows of table default name translation other, which is not configured; "
        "add a section `translation other`, or import rows that name another",
        "rows of table default name condition noon, which is not configured; "
        "add a section `condition noon`, or import rows that name another",
        "rows of table east name region west, which is not configured; "
        "add a section `region west`, or import rows that name another",
    ]


def test_tables_of_policies_and_domains_are_there() -> None:
    settings = Settings(
        route_policies=(RoutePolicySettings("p", tables=("local",)),),
        domain_routes=(DomainRouteSettings("partner.example", table="partner"),),
    )
    assert faults(settings, "default,any,registrar") == [
        "route-policy p names table local, which is not there; add rows for table local",
        "domain-route partner.example names table partner, which is not there; add rows for table partner",
    ]


def test_a_circle_through_a_region_is_found() -> None:
    rows = ("default,+1,region east", "east,any,table rest", "rest,+1,table default")
    assert faults(SETTINGS, *rows) == ["table default leads back to itself by region east; remove one step"]


def test_many_tables_in_a_row_are_followed_once() -> None:
    rows = [f"default,{digit},table t0" for digit in range(10)]
    rows += [f"t{number},{digit},table t{number + 1}" for number in range(400) for digit in (1, 2)]
    assert faults(Settings(), *rows, "t400,any,registrar") == []
