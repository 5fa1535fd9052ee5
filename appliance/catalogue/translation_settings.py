"""The settings of translations: what changes in a request on its way to a next hop (docs/routing.md)."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.catalogue.checked_settings import CheckedSettings
from appliance.catalogue.setting_declaration import LIVE, name_of_section, setting
from appliance.catalogue.translation_values import HeaderField, HeaderName, NumberRule, UriParameter, UriParameterName
from appliance.catalogue.value_types import Host, Name, Remark


# fmt: off
@dataclass(frozen=True, slots=True)
class TranslationSettings(CheckedSettings):
    """Changes to numbers and header fields, for rows of route tables that name this translation."""

    name: str = name_of_section("translation", Name())
    description: str = setting("", "description", Remark(80), LIVE, "A description for operators.")
    number: tuple[str, ...] = setting(
        (), "number", NumberRule(), LIVE,
        "A rule for the called number, after `strip` and `prepend`. Of several, the first one that matches is used.",
        "RFC 3261 16.5", is_many=True)
    caller: tuple[str, ...] = setting(
        (), "caller", NumberRule(), LIVE,
        "A rule for the caller's number in From, P-Asserted-Identity and Remote-Party-ID. Of several, the first one "
        "that matches is used. Responses have the caller's own From.", "RFC 4916", is_many=True)
    host: str = setting(
        "", "host", Host(is_bracketed=True, is_optional=True), LIVE,
        "The host of the Request-URI; the request still goes to the next hop of the row, by a Route.",
        "RFC 3261 16.6 step 7")
    caller_host: str = setting(
        "", "caller-host", Host(is_bracketed=True, is_optional=True), LIVE,
        "The host in From, P-Asserted-Identity and Remote-Party-ID, unless the caller is anonymous.",
        "RFC 3323 4.1.1.3")
    parameters_added: tuple[str, ...] = setting(
        (), "parameter add", UriParameter(), LIVE,
        "A parameter of the Request-URI, in place of one of that name.", "RFC 3261 19.1.1", is_many=True)
    parameters_removed: tuple[str, ...] = setting(
        (), "parameter remove", UriParameterName(), LIVE, "A parameter that the Request-URI does not keep.",
        is_many=True)
    headers_removed: tuple[str, ...] = setting(
        (), "header remove", HeaderName(), LIVE, "A header field that the request does not keep.", is_many=True)
    headers_added: tuple[str, ...] = setting(
        (), "header add", HeaderField(), LIVE, "A header field that the request gets.", is_many=True)
# fmt: on
