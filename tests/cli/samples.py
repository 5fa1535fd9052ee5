"""A line for every command and setting, made from its declaration, with values that its kinds take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from appliance.catalogue.cluster_values import ListenerAddress
from appliance.catalogue.command_declaration import Command
from appliance.catalogue.condition_values import CallerPrefix, Customer, Token
from appliance.catalogue.lookup_values import LookupServer, LookupTemplate, RowsStatement, SqlStatement
from appliance.catalogue.machine_values import InterfaceLine, LogHost
from appliance.catalogue.password_hash import hash_of
from appliance.catalogue.peers import Peer
from appliance.catalogue.region_values import OwnedSection
from appliance.catalogue.setting_declaration import Section, Setting, declared, sections
from appliance.catalogue.settings import Settings
from appliance.catalogue.snmp_status_codes import SnmpStatusThreshold
from appliance.catalogue.snmp_values import SnmpCommunity, SnmpLine, SnmpListen, SnmpTarget, SnmpUser
from appliance.catalogue.time_window import Moment, TimeWindowText
from appliance.catalogue.translation_values import HeaderField, NumberRule
from appliance.catalogue.value_types import Choice, Choices, DatabaseUrl, Integer, Kind, Switch

ALL_SETTINGS: list[tuple[Section | None, Setting]] = [
    *((None, setting) for setting in declared(Settings)),
    *((section, setting) for section in sections(Settings) for setting in declared(section.settings_class)),
]
HASH = hash_of("tiger", bytes(16))
SNMP_LINES: dict[type[SnmpLine], str] = {
    SnmpListen: "127.0.0.1 port 11161",
    SnmpCommunity: "public from 192.0.2.0/24",
    SnmpUser: f"monitor sha256 key {'0a' * 32} {'0b' * 32}",
    SnmpTarget: "noc 192.0.2.9 port 162 community public",
    SnmpStatusThreshold: "INVITE 503 200 interval 60",
}
ROUTING_LINES: dict[type[Any], str] = {
    NumberRule: "^0 +49",
    HeaderField: "X-Route east",
    LookupServer: "sqlite:///routes.db",
    SqlStatement: '"SELECT target FROM routes WHERE number = :number"',
    RowsStatement: '"SELECT prefix, action FROM routes"',
    LookupTemplate: "phone={number}",
    InterfaceLine: "eth0 address 192.0.2.10/24",
    LogHost: "192.0.2.9",
    TimeWindowText: "2026-01-05T08:00 18:00 FREQ=DAILY",
    Moment: "2026-01-05T08:00",
    CallerPrefix: "+4930",
    Customer: "alice@example.com",
    Token: "INVITE",
    OwnedSection: "route-policy east",
}
BY_PLACEHOLDER = {
    "HASH": HASH,
    "ADDRESS": "192.0.2.1",
    "HOST": "example.com",
    "NAME": "phones",
    "DIGITS": "0",
    "ADDRESS[/LENGTH]": "192.0.2.0/24",
    "sip:HOST[:PORT]": "sip:gw.example.com",
    "FILE": "/etc/signalbox/file.pem",
    "ADDRESS/LENGTH": "192.0.2.50/24",
    "https://HOST[:PORT]": "https://a.example",
}


def sample(kind: Kind) -> str:
    """Words that are a value of the kind."""
    if isinstance(kind, Switch):
        return ""
    if isinstance(kind, Integer):
        return str(kind.least)
    if isinstance(kind, Choice | Choices):
        return kind.words[0]
    if isinstance(kind, DatabaseUrl):
        return "sqlite:///subscribers.db"
    if isinstance(kind, Peer):
        return "192.0.2.0/24"
    if isinstance(kind, ListenerAddress):
        return "local 192.0.2.1"
    if isinstance(kind, SnmpLine):
        return SNMP_LINES[type(kind)]
    if type(kind) in ROUTING_LINES:
        return ROUTING_LINES[type(kind)]
    word = BY_PLACEHOLDER.get(kind.placeholder, "something")
    kind_accepts(kind, word)
    return word


def kind_accepts(kind: Kind, word: str) -> None:
    """Raises ValueFault when it does not."""
    kind.read([word])


def lines_of(command: Command) -> Iterator[str]:
    """The command with what it needs, and with everything it takes."""
    needed = [_given(parameter) for parameter in command.parameters if not parameter.is_optional]
    every = [_given(parameter) for parameter in command.parameters]
    for words in dict.fromkeys((tuple(needed), tuple(every))):
        yield " ".join([command.name, *words])


def _given(parameter: Any) -> str:
    return f"{parameter.keyword} {sample(parameter.kind)}".strip()


def setting_line(section: Section | None, setting: Setting) -> str:
    """The setting with a value, from the top."""
    header = [section.keyword, *(["phones"] if section.name_kind else [])] if section else []
    return " ".join([*header, *setting.words, sample(setting.kind)]).strip()


def shortest(word: str, others: Sequence[str]) -> str:
    """The fewest letters by which the word is known among the others."""
    for length in range(1, len(word)):
        if [other for other in others if other.startswith(word[:length])] == [word] or word[:length] in others:
            return word[:length] if word[:length] not in others else word
    return word
