"""The settings of call routing: which calls go by which route tables, and how dialled numbers are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.catalogue.checked_settings import CheckedSettings
from appliance.catalogue.hop_uri import HopUri
from appliance.catalogue.peers import Network
from appliance.catalogue.phone_digits import Digits, PhoneContext
from appliance.catalogue.setting_declaration import LIVE, name_of_section, setting
from appliance.catalogue.value_types import Host, Integer, Name, Remark, Switch

# The table of a policy, or of a listener without a policy, that names none.
DEFAULT_TABLE: Final = "default"



# fmt: off
@dataclass(frozen=True, slots=True)
class RoutePolicySettings(CheckedSettings):
    """Routing of calls that arrive at listeners of the roles `core` and `redirect`."""

    name: str = name_of_section("policy", Name())
    description: str = setting("", "description", Remark(80), LIVE, "A description for operators.")
    listeners: tuple[str, ...] = setting(
        (), "listener", Name(), LIVE,
        "A listener whose calls this policy routes. Without this line, the policy is for listeners without another "
        "one.", is_many=True)
    sources: tuple[str, ...] = setting(
        (), "source", Network(), LIVE,
        "A source address or network. With this line, the policy is for requests from there only, before those without "
        "it; the first one that fits is used.", is_many=True)
    tables: tuple[str, ...] = setting(
        (), "table", Name(), LIVE,
        "A route table to search; the first one with a route for the number decides. By default, `default`.",
        is_many=True)
    international_prefix: str = setting(
        "", "international-prefix", Digits(8, is_optional=True), LIVE,
        "Digits dialled before a country code, such as 00.")
    national_prefix: str = setting(
        "", "national-prefix", Digits(8, is_optional=True), LIVE, "Digits dialled before a national number, such as 0.")
    country_code: str = setting(
        "", "country-code", Digits(3, is_optional=True), LIVE,
        "The country code of national numbers, without +.", "E.164")
    area_code: str = setting("", "area-code", Digits(8, is_optional=True), LIVE, "The area code of local numbers.")
    national_length: int = setting(
        0, "national-length", Integer(1, 15, "digits", "none"), LIVE,
        "The length of a national number that may be dialled without a prefix, such as 10 in North America.")
    local_length: int = setting(
        0, "local-length", Integer(1, 15, "digits", "none"), LIVE,
        "The minimum length of a local number that gets country code and area code. Shorter numbers, and all numbers "
        "without this setting, remain as dialled.")
    emergency: tuple[str, ...] = setting(
        (), "emergency", Digits(8), LIVE, "An emergency number. It remains as dialled.", is_many=True)
    contexts: tuple[str, ...] = setting(
        (), "context", PhoneContext(), LIVE,
        "A phone-context whose local numbers are read by this policy. Numbers with another context are not routed.",
        "RFC 3966 5.1.5", is_many=True)


@dataclass(frozen=True, slots=True)
class DomainRouteSettings(CheckedSettings):
    """Where requests for a domain that is served elsewhere go, in place of what DNS says of it."""

    name: str = name_of_section("domain.example", Host(is_bracketed=True))
    description: str = setting("", "description", Remark(80), LIVE, "A description for operators.")
    next_hops: tuple[str, ...] = setting(
        (), "next-hop", HopUri(), LIVE,
        "The next hop, with port and parameters; further ones are tried in order when one fails.",
        "RFC 3263 4.3", is_many=True)
    table: str = setting(
        "", "table", Name(is_optional=True), LIVE,
        "A route table for telephone numbers in this domain. Numbers without a route go to the next hops.")
    translation: str = setting(
        "", "translation", Name(is_optional=True), LIVE, "The translation of requests to these next hops.")
    subdomains: bool = setting(
        False, "subdomains", Switch(), LIVE, "Include domains below this one that have no route of their own.")
    aliases: tuple[str, ...] = setting(
        (), "alias", Host(is_bracketed=True), LIVE, "Another domain with the same route.", is_many=True)
# fmt: on
