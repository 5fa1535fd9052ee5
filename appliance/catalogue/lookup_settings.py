"""The settings of lookups: what else than the route tables says where a number is (docs/routing.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from appliance.catalogue.checked_settings import CheckedSettings
from appliance.catalogue.lookup_values import AttributeName, LookupServer, LookupTemplate, SqlStatement
from appliance.catalogue.setting_declaration import LIVE, name_of_section, setting
from appliance.catalogue.value_types import Choice, FilePath, Integer, Name, Remark, Switch, Text

ON_FAILURE: Final = Choice(
    ("continue", "reject"),
    ("The next row or table decides; 503 if none does.", "The call is answered 503."),
)


# fmt: off
@dataclass(frozen=True, slots=True)
class LookupSettings(CheckedSettings):
    """A database or server that is asked where a number is."""

    name: str = name_of_section("lookup", Name())
    description: str = setting("", "description", Remark(80), LIVE, "A description for operators.")
    servers: tuple[str, ...] = setting(
        (), "server", LookupServer(), LIVE,
        "A server; further ones are asked when one does not answer. Its scheme says how it is asked. A server of HTTP "
        "without a placeholder gets a POST with the values as JSON.", is_many=True)
    statement: str = setting(
        "", "statement", SqlStatement(), LIVE,
        "The statement of SQL, in double quotes. The first column of each row is an action of a route table.")
    base: str = setting("", "base", Text(200), LIVE, "The entry of LDAP to search below.", "RFC 4511 4.5.1")
    filter: str = setting(
        "", "filter", LookupTemplate(), LIVE,
        "The filter of LDAP, such as (telephoneNumber={number}). Values are escaped.", "RFC 4515")
    query: str = setting(
        "", "query", LookupTemplate(), LIVE,
        "The search of whois++, such as phone={number}. Values are escaped.", "RFC 1835 2.2.2")
    attributes: tuple[str, ...] = setting(
        (), "attribute", AttributeName(), LIVE,
        "An attribute of LDAP or whois++ whose values are actions of a route table, such as SIPIdentitySIPURI (H.350).",
        "RFC 3944", is_many=True)
    user: str = setting("", "user", Text(200), LIVE, "The name to bind with (LDAP); by default, none.")
    secret_file: str = setting(
        "", "secret-file", FilePath(), LIVE,
        "A file whose first line is the password of `user` (LDAP), or the value of Authorization (HTTP).")
    authorities: str = setting(
        "", "certificate-authorities", FilePath(), LIVE,
        "A file with the certificates that prove the servers (https, ldaps); by default, those of the machine.")
    is_trusted: bool = setting(
        False, "trusted", Switch(), LIVE,
        "What is found counts as much as a row: it may name gateways, peers and other tables.")
    timeout_ms: int = setting(
        500, "timeout", Integer(50, 10000, "milliseconds"), LIVE, "The time for an answer, of all servers together.")
    concurrency: int = setting(
        8, "concurrency", Integer(1, 64), LIVE,
        "Concurrent queries of each worker; ten times as many may wait. More are not asked: they have failed.")
    cached_max: int = setting(
        10000, "cache entries", Integer(1, 1000000, zero_word="off"), LIVE,
        "Answers that each worker keeps; at the limit the oldest is deleted.")
    found_s: int = setting(
        60, "cache found", Integer(1, 86400, "seconds"), LIVE, "How long what was found is kept.")
    missing_s: int = setting(
        30, "cache missing", Integer(1, 86400, "seconds"), LIVE, "How long it is kept that nothing was found.")
    on_failure: str = setting(
        "continue", "on-failure", ON_FAILURE, LIVE, "What happens to a call when no server answers.")
# fmt: on
