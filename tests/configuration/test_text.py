"""Text to settings and back: every fault with its line and remedy, and a round trip for any settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.catalogue.cluster_values import AddressWithPrefix, Interface, ListenerAddress
from appliance.catalogue.condition_values import CallerPrefix, Customer, Token
from appliance.catalogue.errors import ConfigError
from appliance.catalogue.hop_uri import HopUri
from appliance.catalogue.lookup_settings import LookupSettings
from appliance.catalogue.lookup_values import RowsStatement
from appliance.catalogue.machine_values import InterfaceLine, LogHost
from appliance.catalogue.password_hash import SecretHash
from appliance.catalogue.peers import Network, Peer
from appliance.catalogue.phone_digits import Digits, PhoneContext
from appliance.catalogue.region_values import OwnedSection
from appliance.catalogue.registrar_settings import RegistrarSettings
from appliance.catalogue.setting_declaration import Setting, declared, sections
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.catalogue.snmp_status_codes import SnmpStatusThreshold
from appliance.catalogue.snmp_values import SnmpCommunity, SnmpListen, SnmpTarget, SnmpUser
from appliance.catalogue.time_window import TimeWindowText
from appliance.catalogue.translation_values import HeaderField, HeaderName, NumberRule, UriParameter, UriParameterName
from appliance.catalogue.value_types import (
    Address,
    Choice,
    Choices,
    DatabaseUrl,
    FilePath,
    Host,
    Integer,
    Name,
    NetworkOrDomain,
    Remark,
    Switch,
    Text,
    TimeZone,
)
from appliance.catalogue.web_origin import WebOrigin
from appliance.configuration.text import parse_configuration, write_configuration

REPOSITORY = Path(__file__).parents[2]

EXAMPLE = """\
! a small office
hostname box
workers 2
domain example.com
domain [2001:db8::1]
listener phones
  address 192.0.2.10
  transport udp
  peer 192.0.2.20
  peer 2001:DB8::20
!
listener trunk
  address 192.0.2.10
  port 5080
  no authenticate
  relay none
!
registrar
  expires minimum 30
  contacts 3
!
digest
  realm "Example Inc"
  algorithm md5
!
proxy
  no record-route
!
"""


def faults_of(text: str) -> list[tuple[int, str, str]]:
    """(line, problem, remedy) of every fault; [] for a text that is right."""
    try:
        parse_configuration(text)
    except ConfigError as error:
        return [(fault.line, fault.problem, fault.remedy) for fault in error.faults]
    return []


# -- what is right -----------------------------------------------------------------------------------


def test_an_example() -> None:
    config = parse_configuration(EXAMPLE)
    assert config.hostname == "box"
    assert config.workers == 2
    assert config.domains == ("example.com", "[2001:db8::1]")
    assert config.listeners == (
        ListenerSettings(
            "phones", "192.0.2.10", transports=(0,), peers=("192.0.2.20", "2001:db8::20")
        ),
        ListenerSettings("trunk", "192.0.2.10", 5080, authenticate=False, relay="none"),
    )
    assert config.registrar == RegistrarSettings(expires_min_s=30, contacts_max=3)
    assert (config.digest.realm, config.digest.algorithms) == ("Example Inc", ("md5",))
    assert not config.proxy.record_route


def test_an_empty_text_is_the_defaults() -> None:
    assert parse_configuration("") == parse_configuration("!\n\n") == Settings()


def test_words_may_be_shortened_and_in_any_case() -> None:
    assert parse_configuration("HOST box\nlis a\n tran udp\nregis\n exp def 100\n") == parse_configuration(
        "hostname box\nlistener a\n  transport udp\nregistrar\n  expires default 100\n"
    )


def test_no_gives_the_default_or_turns_off() -> None:
    assert parse_configuration("no hostname\nlistener local\n  no port\nproxy\n  no recurse\n") == Settings()


def test_the_demo_configuration_is_right() -> None:
    config = parse_configuration((REPOSITORY / "packaging/demo.conf").read_text())
    assert [listener.address for listener in config.listeners] == ["127.0.0.1", "::1"]
    assert all(listener.authenticate and listener.transports == (0, 1) for listener in config.listeners)
    assert set(config.domains) == {"signalbox.test", "localhost", "127.0.0.1", "[::1]"}


# -- what is wrong, line by line ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "problem", "remedy"),
    [
        ("domian a.com", 1, '"domian" is unknown', 'did you mean "domain"?'),
        ("hostname", 1, "`hostname`: a value is missing", "type NAME after it"),
        ("hostname a b", 1, '`hostname`: "b" is not expected here', "type one value: NAME"),
        ("hostname a\nhostname b", 2, "`hostname` is present twice, first on line 1", "delete one of them"),
        ("workers 65", 1, "`workers`: 65 is out of range", "type auto, or 1 to 64"),
        ("domain a.com\ndomain b.com\ndomain A.com", 3, "`domain a.com` is present twice", "delete one of them"),
        ("no domain", 1, "`no domain` has no effect", "delete the line `domain HOST`"),
        ("no hostname box", 1, "no value may follow", "type `no hostname` alone"),
        ("no", 1, '"no" is not complete', "type the setting"),
        ("no listener a", 1, "`no listener` has no effect", "delete the section"),
        ("port 5060", 1, '"port" is unknown', "it belongs in `listener NAME`, indented"),
        ("adress ::1", 1, '"adress" is unknown', 'did you mean "address"? it belongs in `listener NAME`'),
        ("listener a\n  hostname b", 2, '"hostname" is unknown', "remove the indentation"),
        ("listener a\n  expires default 5", 2, '"expires" is unknown', "it belongs in `registrar`"),
        ("hostname a\n  workers 2", 2, "`hostname` has no subsettings", "remove the indentation"),
        ("listener", 1, "`listener`: a value is missing", "type NAME after it"),
        ("listener a b", 1, '`listener`: "b" is not expected here', "type one value: NAME"),
        ("registrar a", 1, "section `registrar` takes no name", "type `registrar` alone"),
        ("registrar\nproxy\nregistrar", 3, "section `registrar` is present twice, first on line 1", "merge the two"),
        ("listener a\n!\nlistener a\n  port 5070", 3, "there are two listeners a", "rename one of them"),
        ("listener a\nlistener b", 2, "127.0.0.1 port 5060 udp and tcp is already used", "change the address"),
        ("listener a\nlistener b\n port 5060", 3, "127.0.0.1 port 5060 udp and tcp is already used", "change the"),
        ("registrar\n  contacts-allowed 10.0.0.1/8", 2, '"10.0.0.1/8" is not a network', "10.0.0.0/8 or"),
        ("listener a\n  address 0.0.0.0", 2, "0.0.0.0 would be in every Via", "add `advertise HOST`"),
        ("listener a\n  peer 10.0.0.1\n  peer 10.0.0.1", 3, "`peer 10.0.0.1` is present twice", "delete one"),
        ("listener a\n  transport tcp sctp", 2, '"sctp" is unknown', "type udp, tcp, tls, ws or wss"),
        ("registrar\n  expires", 2, '"expires" is not complete', "type minimum, default or maximum after it"),
        ("registrar\n  expires max 600", 2, "`expires default` 3600 is more than `expires maximum` 600", "lower"),
        ("supervision\n  hang 150", 2, "`hang` 150 is too short for a heartbeat every 200", "type `hang 400`"),
        ("timers\n  t1 5000", 2, "`t1` 5000 is more than `t2` 4000", "lower `t1` or raise `t2`"),
        ("proxy\n  record-route yes", 2, '`record-route`: "yes" is not expected here', "`no` before it"),
        ('tls\n  ciphers ""', 2, "`ciphers`: a value is missing", "type `no ciphers` for the default"),
        ('digest\n  realm "a', 2, "unmatched double quote", "begin and end the word with a quote"),
    ],
)
def test_a_fault_has_its_line_and_what_to_type(text: str, line: int, problem: str, remedy: str) -> None:
    found = faults_of(text)
    assert len(found) == 1, found
    assert found[0][0] == line
    assert problem in found[0][1]
    assert remedy in found[0][2]


def test_all_faults_are_said_at_once_and_by_line() -> None:
    found = faults_of(
        "workers many\n"
        "domian a.com\n"
        "listner phones\n"
        "  port none\n"
        "listener a\n"
        "  adress ::1\n"
        "  port 70000\n"
        "  authenticate\n"
        "registrar\n"
        "  expires minimum 90000\n"
        "  expires maximum 50\n"
    )
    assert [line for line, _, _ in found] == [1, 2, 3, 4, 6, 7, 10, 11]
    assert "`expires default` 3600 is more than" in found[-1][1]


def test_nothing_is_concluded_from_a_value_that_is_wrong() -> None:
    """A listener whose port was not understood is not said to share the port of another one."""
    text = "domain a..b\nlistener a\n  authenticate\nlistener b\n  port x\n"
    assert [line for line, _, _ in faults_of(text)] == [1, 5]


def test_an_error_reads_as_one_line_for_each_fault() -> None:
    with pytest.raises(ConfigError) as refusal:
        parse_configuration("workers 0\nport 1\n")
    assert str(refusal.value) == (
        "line 1: `workers`: 0 is out of range; type auto, or 1 to 64\n"
        'line 2: "port" is unknown; it belongs in `listener NAME`, indented'
    )


@given(st.text(max_size=300))
def test_any_text_is_settings_or_faults(text: str) -> None:
    faults_of(text)


@given(st.data())
def test_any_text_of_known_words_is_settings_or_faults(data: st.DataObject) -> None:
    words = sorted({word for line in EXAMPLE.splitlines() for word in line.split()} | {"no", "expires", "t1", "9"})
    line = st.builds(
        lambda indentation, typed: indentation + " ".join(typed),
        st.sampled_from(["", "  "]),
        st.lists(st.sampled_from(words), min_size=1, max_size=4),
    )
    faults_of("\n".join(data.draw(st.lists(line, max_size=8))))


# -- back to text ------------------------------------------------------------------------------------


def test_defaults_are_not_written() -> None:
    assert write_configuration(Settings()) == ""
    assert write_configuration(Settings(hostname="box")) == "hostname box\n"


def test_the_demo_configuration_fits_on_a_screen() -> None:
    """`show running-config` of a fresh node."""
    config = parse_configuration((REPOSITORY / "packaging/demo.conf").read_text())
    assert len(write_configuration(config).splitlines()) < 40


def test_what_is_written_is_what_an_operator_would_type() -> None:
    text = EXAMPLE.removeprefix("! a small office\n").replace("2001:DB8", "2001:db8")
    assert write_configuration(parse_configuration(EXAMPLE)) == text


def test_all_defaults_can_be_written_too() -> None:
    text = write_configuration(Settings(), with_defaults=True)
    assert parse_configuration(text) == Settings()
    for section in sections(Settings):
        if not section.default:
            continue
        assert f"\n{section.keyword}" in text
        for setting in declared(section.settings_class):
            assert setting.is_many or f" {setting.keyword}" in text


def values_of(setting: Setting) -> st.SearchStrategy[Any]:
    """Values of the setting, and some that are not."""
    kind = setting.kind
    hosts = st.sampled_from(["example.com", "a-b.test", "192.0.2.1", "2001:db8::1", "[2001:db8::1]"])
    strategies: dict[type[Any], st.SearchStrategy[Any]] = {
        Switch: st.booleans(),
        Address: st.ip_addresses().map(str),
        Host: hosts,
        NetworkOrDomain: st.sampled_from(["example.com", "10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32"]),
        Name: st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}", fullmatch=True),
        Text: st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
        SecretHash: st.sampled_from(["", f"scrypt:16384:8:1:{'0a' * 16}:{'5b' * 32}"]),
        TimeZone: st.sampled_from(["", "UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"]),
        Remark: st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
        Peer: st.sampled_from(["192.0.2.1", "192.0.2.0/24", "::1 port 5060", "2001:db8::/32 port 1 transport tcp"]),
        Network: st.sampled_from(["192.0.2.1", "10.0.0.0/8", "2001:db8::/32"]),
        HopUri: st.sampled_from(["sip:192.0.2.1:5070;transport=tcp", "sip:[2001:db8::1]", "sips:gw.example.com"]),
        Digits: st.from_regex(r"[0-9]{0,3}", fullmatch=True).filter(lambda text: text or not setting.is_many),
        PhoneContext: st.sampled_from(["example.com", "+1973", "+49-30"]),
        FilePath: st.sampled_from(["", "/etc/ssl/a b.pem", "/etc/key.pem"]),
        SnmpListen: st.sampled_from(["127.0.0.1 port 11161", "::1 port 161", "192.0.2.1 port 161"]),
        SnmpCommunity: st.sampled_from(["public", "far from 192.0.2.0/24 2001:db8::/32", "rw from ::1/128 read-write"]),
        SnmpUser: st.sampled_from([f"{name} sha1 key {'0a' * 20} {'0b' * 20}" for name in "abc"]),
        SnmpTarget: st.sampled_from(["noc 192.0.2.9 community public", "old ::1 port 1 community c inform retries 0"]),
        SnmpStatusThreshold: st.sampled_from(["INVITE 503 500 interval 60", "BYE 481 7 interval 300"]),
        InterfaceLine: st.sampled_from(["eth0 address 192.0.2.10/24", "eth1 address dhcp", "eth0 gateway 2001:db8::1"]),
        LogHost: st.sampled_from(["192.0.2.9", "::1 transport tcp port 7", "192.0.2.9 transport tls name log.test"]),
        AddressWithPrefix: st.sampled_from(["192.0.2.50/24", "2001:db8::50/64"]),
        Interface: st.sampled_from(["", "eth0", "bond0.7"]),
        ListenerAddress: st.sampled_from(["local 192.0.2.1", "phones 2001:db8::1"]),
        TimeWindowText: st.sampled_from(
            ["2026-01-05T08:00 18:00", "2026-01-05T22:00 06:00 FREQ=DAILY", "2026-12-24T00:00 2026-12-27T00:00"]
        ),
        CallerPrefix: st.sampled_from(["+4930", "0", "*"]),
        Customer: st.sampled_from(["example.com", "alice@example.com"]),
        Token: st.sampled_from(["INVITE", "G722"]).map(lambda word: kind.read([word])),
        OwnedSection: st.sampled_from(["route-policy east", "domain-route partner.example", "condition night"]),
        NumberRule: st.sampled_from([(r"^\+49(.*)$", r"0\1"), ("^00", "+"), ("#$", "")]).map(NumberRule().read),
        HeaderName: st.sampled_from(["P-Charging-Vector", "X-Route"]),
        HeaderField: st.sampled_from(["X-Route east", "Reason SIP ;cause=200"]),
        UriParameter: st.sampled_from(["user=phone", "tgrp=east", "isub"]),
        WebOrigin: st.sampled_from(["https://phone.example.com", "http://[::1]:8080", "http://localhost"]),
        UriParameterName: st.sampled_from(["user", "tgrp"]),
        RowsStatement: st.sampled_from(["", "select prefix, action from routes", "with r as (select 1) table r"]),
        DatabaseUrl: st.sampled_from(["", "sqlite:////tmp/a b.sqlite3", "postgresql://u:p@h/d"]),
    }
    if isinstance(kind, Integer):
        return st.integers(kind.least, kind.most) | (st.just(0) if kind.zero_word else st.nothing())
    if isinstance(kind, Choice):
        return st.sampled_from(kind.words)
    if isinstance(kind, Choices):
        return st.lists(st.sampled_from(kind.values), min_size=1, unique=True).map(tuple)
    value = strategies[type(kind)]
    return st.lists(value, max_size=3, unique=True).map(tuple) if setting.is_many else value


LOOKUPS = st.sampled_from(
    [
        {"servers": ("http://one.test/n/{number}", "https://two.test/n/{number}"), "secret_file": "/etc/secret"},
        {"servers": ("sqlite:////tmp/n.sqlite3",), "statement": "select uri from numbers where number = :number"},
        {"servers": ("ldap://d.test",), "base": "dc=test", "filter": "(tel={number})", "attributes": ("SIPURI",)},
        {"servers": ("whois++://w.test",), "query": "phone={number}", "attributes": ("uri", "sip")},
    ]
)


def objects_of(settings_class: type[Any], **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects of a settings class, each value drawn or left at its default; None where they contradict each other."""

    def make(values: dict[str, Any]) -> Any:
        try:
            return settings_class(**values)
        except ConfigError:
            return None

    own = {setting.attribute: values_of(setting) for setting in declared(settings_class)}
    return st.fixed_dictionaries({}, optional=own | more).map(make)


def test_a_stored_role_of_an_earlier_version_is_read() -> None:
    config = parse_configuration("operator ann\n  role look\n!\n")
    assert config.operators[0].role == "view"
    assert "role view" in write_configuration(config, with_defaults=True)


def one_of(settings_class: type[Any], name: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """One named section; what a lookup needs follows from its servers."""
    if settings_class is LookupSettings:
        return st.builds(lambda name, values: LookupSettings(name, **values), name, LOOKUPS)
    return objects_of(settings_class, name=name).filter(lambda found: found is not None)


def whole_settings() -> st.SearchStrategy[Settings]:
    """Valid settings of every kind."""
    inner: dict[str, st.SearchStrategy[Any]] = {}
    for section in sections(Settings):
        if section.name_kind is None:
            inner[section.attribute] = objects_of(section.settings_class).filter(lambda found: found is not None)
        else:
            name = values_of(Setting(("name",), section.name_kind, declared(Settings)[0].effect, "", "", ""))
            one = one_of(section.settings_class, name)
            inner[section.attribute] = st.lists(one, min_size=1, max_size=3).map(tuple)
    return objects_of(Settings, **inner).filter(lambda found: found is not None)


@settings(max_examples=200, deadline=None)
@given(whole_settings())
def test_what_is_written_is_read_back_the_same(config: Settings) -> None:
    assert parse_configuration(write_configuration(config)) == config
    assert parse_configuration(write_configuration(config, with_defaults=True)) == replace(config)
