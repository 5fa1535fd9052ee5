"""The lines of a lookup: what they may say, and what they need of each other."""

from __future__ import annotations

import pytest

from appliance.catalogue.errors import ConfigError
from appliance.catalogue.warnings import warnings_of
from appliance.configuration.text import parse_configuration, write_configuration

SQL = ("server postgresql://proxy@db.example/routing", 'statement "SELECT target FROM routes WHERE number = :number"')
LDAP = ("server ldaps://ldap.example", "base dc=example", "filter (telephoneNumber={number})", "attribute sip")
HTTP = ("server https://a.example/route?n={number}", "server https://b.example:8443/route?n={number}", "trusted")
WHOIS = ("server whois++://directory.example", "query phone={digits}", "attribute sip")


def configured(*lines: str) -> str:
    return "\n".join(("lookup a", *(f"  {line}" for line in lines)))


@pytest.mark.parametrize("lines", [SQL, LDAP, HTTP, WHOIS, ("server sqlite:////var/lib/r.db", SQL[1])])
def test_what_is_printed_is_read_again(lines: tuple[str, ...]) -> None:
    settings = parse_configuration(configured(*lines))
    assert len(settings.lookups) == 1
    assert parse_configuration(write_configuration(settings)) == settings


def test_a_lookup_without_a_server_is_warned_of() -> None:
    sentence = "Lookup a has no server, so it fails. Add a line `server URL`."
    assert sentence in warnings_of(parse_configuration(configured("timeout 100")))
    assert sentence not in warnings_of(parse_configuration(configured(*HTTP)))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("server ftp://a.example",), "not the URL of a server"),
        (("server http://{number}.example/",), "not the URL of a server"),
        (("server http://a.example/{nummer}",), "{nummer} is not known"),
        (("server ldap://a.example/dc=x",), "not the URL of a server"),
        (("server whois++://user@a.example",), "not the URL of a server"),
        (("server http://a.example:99999/",), "not the URL of a server"),
        ((SQL[0],), "sql needs `statement`"),
        ((*SQL, "server http://a.example/"), "different protocols"),
        ((*SQL, "base dc=x"), "`base` is not for sql"),
        ((SQL[0], 'statement "DELETE FROM routes WHERE number = :number"'), "does not read"),
        ((SQL[0], 'statement "SELECT 1"'), "does not read by a parameter"),
        ((SQL[0], 'statement "SELECT :user::text"'), ":user is not known"),
        ((*LDAP[:2], "filter (cn=x)", LDAP[3]), "the same for all calls"),
        ((*LDAP, "user cn=proxy"), "has no password"),
        ((*LDAP, "secret-file /etc/secret"), "secret-file"),
        ((*HTTP, "attribute sip"), "`attribute` is not for http"),
        ((*WHOIS[:2], "attribute 1x"), "is not an attribute"),
    ],
)
def test_faults_have_what_to_type(lines: tuple[str, ...], words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_configuration(configured(*lines))
    assert any(words in fault.problem for fault in refused.value.faults), refused.value.faults
    assert all(fault.remedy for fault in refused.value.faults)
