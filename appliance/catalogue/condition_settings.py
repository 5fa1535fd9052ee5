"""The settings of conditions: to which calls an entry of a route table applies (docs/routing.md)."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.catalogue.checked_settings import CheckedSettings
from appliance.catalogue.condition_values import MEDIA, METHOD, CallerPrefix, Customer
from appliance.catalogue.peers import Network
from appliance.catalogue.setting_declaration import LIVE, name_of_section, setting
from appliance.catalogue.time_window import TimeWindowText
from appliance.catalogue.value_types import Name, Remark, TimeZone


# fmt: off
@dataclass(frozen=True, slots=True)
class ConditionSettings(CheckedSettings):
    """A condition that rows of route tables name. Of several lines of one kind, one has to hold; of all kinds, each."""

    name: str = name_of_section("condition", Name())
    description: str = setting("", "description", Remark(80), LIVE, "A description for operators.")
    timezone: str = setting(
        "", "time-zone", TimeZone(), LIVE,
        "The time zone of the windows, such as Europe/Berlin; by default, that of `clock timezone`.")
    times: tuple[str, ...] = setting(
        (), "time", TimeWindowText(), LIVE,
        "A time window: its begin, its end, and the rule by which it comes again. Both ends are by the clock of the "
        "time zone, also on days when that is changed.", "RFC 5545 3.3.10", is_many=True)
    exceptions: tuple[str, ...] = setting(
        (), "except", TimeWindowText(), LIVE, "A time window in which the condition does not hold, such as a holiday.",
        "RFC 5545 3.8.5.1", is_many=True)
    callers: tuple[str, ...] = setting(
        (), "caller", CallerPrefix(), LIVE,
        "The beginning of the caller's number, by P-Asserted-Identity or From.", "RFC 3325", is_many=True)
    sources: tuple[str, ...] = setting(
        (), "source", Network(), LIVE, "A source address or network, such as that of a peer.", is_many=True)
    customers: tuple[str, ...] = setting(
        (), "customer", Customer(), LIVE,
        "The domain, or the address, that the sender has proved by digest authentication.", "RFC 3261 22",
        is_many=True)
    methods: tuple[str, ...] = setting(
        (), "method", METHOD, LIVE, "The method of the request.", "RFC 3261 7.1", is_many=True)
    media: tuple[str, ...] = setting(
        (), "media", MEDIA, LIVE,
        "A codec or a type of media that the request offers (SDP). A request without an offer has none.",
        "RFC 3264 5", is_many=True)
# fmt: on
