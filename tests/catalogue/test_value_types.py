"""Kinds of value: what is typed, what comes out, what is refused with which advice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.catalogue.errors import ValueFault
from appliance.catalogue.phone_digits import Digits, PhoneContext
from appliance.catalogue.value_types import (
    Address,
    Choice,
    Choices,
    DatabaseUrl,
    Host,
    Integer,
    Kind,
    Name,
    Switch,
    Text,
)

SECONDS = Integer(10, 3600, "seconds")
AUTO = Integer(1, 64, zero_word="auto")
FORK = Choice(("by-q", "parallel", "sequential"))
RIGHT = Choice(("view", "admin"), former=(("look", "view"),))
TRANSPORT = Choices(("udp", "tcp"), (0, 1))
DOMAIN = Host(is_bracketed=True)
ALL: list[Kind] = [
    SECONDS, AUTO, FORK, TRANSPORT, DOMAIN, Host(is_optional=True), Address(), Name(), Text(20), DatabaseUrl(),
    Switch(), Digits(8), PhoneContext(),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        (SECONDS, "10", 10),
        (SECONDS, "0060", 60),
        (AUTO, "auto", 0),
        (AUTO, "AUTO", 0),
        (AUTO, "64", 64),
        (FORK, "Parallel", "parallel"),
        (FORK, "seq", "sequential"),
        (RIGHT, "Look", "view"),
        (TRANSPORT, "tcp udp", (1, 0)),
        (TRANSPORT, "u", (0,)),
        (Address(), "192.0.2.1", "192.0.2.1"),
        (Address(), "2001:DB8:0:0::1", "2001:db8::1"),
        (Address(), "[::1]", "::1"),
        (Address(), "fe80::1%eth0", "fe80::1%eth0"),
        (DOMAIN, "Example.COM.", "example.com"),
        (DOMAIN, "localhost", "localhost"),
        (DOMAIN, "192.0.2.1", "192.0.2.1"),
        (DOMAIN, "::1", "[::1]"),
        (DOMAIN, "[0:0::1]", "[::1]"),
        (Host(), "[::1]", "::1"),
        (Name(), "phones-6.a_b", "phones-6.a_b"),
        (DatabaseUrl(), "postgresql://u:p@db.example.com:5432/sip", "postgresql://u:p@db.example.com:5432/sip"),
        (DatabaseUrl(), "sqlite:////var/lib/s.sqlite3", "sqlite:////var/lib/s.sqlite3"),
        (Switch(), "", True),
        (Digits(8), "0049", "0049"),
        (PhoneContext(), "+49-30", "+49-30"),
        (PhoneContext(), "PBX.example.com", "pbx.example.com"),
    ],
)
def test_what_is_typed_is_understood(kind: Kind, typed: str, value: Any) -> None:
    assert kind.read(typed.split()) == value


@pytest.mark.parametrize(
    ("kind", "typed", "problem", "remedy", "word"),
    [
        (SECONDS, "", "a value is missing", "type SECONDS after it", 0),
        (SECONDS, "9", "9 is out of range", "type 10 to 3600 seconds", 0),
        (SECONDS, "-10", "-10 is out of range", "type 10 to 3600 seconds", 0),
        (SECONDS, "1.5", '"1.5" is not a whole number', "type 10 to 3600 seconds", 0),
        (SECONDS, "1_0", '"1_0" is not a whole number', "type 10 to 3600 seconds", 0),
        (SECONDS, "٦٠", '"٦٠" is not a whole number', "type 10 to 3600 seconds", 0),
        (SECONDS, "9" * 30, f'"{"9" * 30}" is not a whole number', "type 10 to 3600 seconds", 0),
        (SECONDS, "10 s", '"s" is not expected here', "type one value: SECONDS", 1),
        (AUTO, "0", "0 is out of range", "type auto, or 1 to 64", 0),
        (FORK, "serial", '"serial" is unknown', "type by-q, parallel or sequential", 0),
        (FORK, "paralel", '"paralel" is unknown', 'did you mean "parallel"? type by-q', 0),
        (Choice(("any", "all")), "a", '"a" is ambiguous: any or all', "type more letters", 0),
        (TRANSPORT, "udp upd", '"upd" is unknown', 'did you mean "udp"?', 1),
        (TRANSPORT, "udp tcp udp", '"udp" is present twice', "type it once", 2),
        (TRANSPORT, "", "a value is missing", "type one or more of udp, tcp", 0),
        (Address(), "phones.example.com", '"phones.example.com" is not an IP address', "such as 192.0.2.1", 0),
        (Address(), "10.0.0.256", "is not an IP address", "such as 192.0.2.1", 0),
        (DOMAIN, "exa_mple.com", "is not a domain name", "such as example.com", 0),
        (DOMAIN, "a..b", "is not a domain name", "such as example.com", 0),
        (DOMAIN, "-a.com", "is not a domain name", "such as example.com", 0),
        (DOMAIN, "x" * 64 + ".com", "is not a domain name", "such as example.com", 0),
        (DOMAIN, "a.b" * 100, "is not a domain name", "such as example.com", 0),
        (DOMAIN, "192.0.2.300", "is neither an address nor a domain name", "from 0 to 255", 0),
        (DOMAIN, "münchen.de", "is not a domain name", "such as example.com", 0),
        (Name(), "-a", "is not a name", "letters, digits", 0),
        (Text(3), "long", "invalid text", "up to 3 printable", 0),
        (Text(30), "é", "invalid text", "printable ASCII", 0),
        (DatabaseUrl(), "mysql://a/b", "unsupported database URL", "type sqlite:///FILE or postgresql://", 0),
        (DatabaseUrl(), "sqlite://", "unsupported database URL", "type sqlite:///FILE", 0),
        (DatabaseUrl(), "postgresql://h:port/d", "unsupported database URL", "type sqlite:///FILE", 0),
        (Digits(3), "0049", '"0049" is not up to 3 digits', "type up to 3 digits", 0),
        (Digits(3), "٦٠", "is not up to 3 digits", "type up to 3 digits", 0),
        (PhoneContext(), "+", "is not a phone-context", "a domain such as example.com", 0),
        (Switch(), "yes", '"yes" is not expected here', "type the word alone", 0),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(kind: Kind, typed: str, problem: str, remedy: str, word: int) -> None:
    with pytest.raises(ValueFault) as refusal:
        kind.read(typed.split())
    assert problem in refusal.value.problem
    assert remedy in refusal.value.remedy
    assert refusal.value.word == word


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: type(kind).__name__)
@given(words=st.lists(st.text(max_size=12), max_size=3))
def test_any_words_are_a_value_or_a_fault(kind: Kind, words: list[str]) -> None:
    try:
        value = kind.read(words)
    except ValueFault:
        return
    assert kind.read(kind.write(value)) == value
