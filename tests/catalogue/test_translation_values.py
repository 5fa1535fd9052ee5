"""The lines of a translation: what they may say, and that what is printed is read again."""

from __future__ import annotations

import pytest

from appliance.catalogue.errors import ConfigError
from appliance.configuration.text import parse_configuration, write_configuration

LINES = (
    r"number ^\+49(.*)$ 0\1",
    'number ^00 ""',
    "caller ^0 +49",
    "host carrier.example",
    "caller-host [2001:db8::1]",
    "parameter add tgrp=east",
    "parameter add isub",
    "parameter remove user",
    "header remove X-Internal",
    'header add X-Route "east, first"',
    "header add P-Asserted-Identity <sip:+4930@example.com>",
)


def test_what_is_printed_is_read_again() -> None:
    settings = parse_configuration("\n".join(("translation t", *(f"  {line}" for line in LINES))))
    assert parse_configuration(write_configuration(settings)) == settings
    (translation,) = settings.translations
    assert translation.number == (r"^\+49(.*)$ 0\1", "^00 ")
    assert translation.headers_added == ("X-Route east, first", "P-Asserted-Identity <sip:+4930@example.com>")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("number ^00", "two words are expected"),
        ("number ( 1", "not a regular expression"),
        ("number 1 sip:x@y", "not a replacement"),
        ("header add Via x", "cannot be changed"),
        ("header add v x", "cannot be changed"),
        ("header remove route", "cannot be changed"),
        ("header remove Content-Type", "cannot be changed"),
        ("header add X-A", "a name and a text"),
        ('header add X-A ""', "invalid text"),
        ("header add X\u00e4 1", "not the name of a header field"),
        ("parameter add lr", "not a parameter"),
        ("parameter add transport=tcp", "not a parameter"),
        ("parameter add a=b;c", "not a parameter"),
        ("parameter remove a=b", "has a value"),
        ("host -", "not a domain name"),
    ],
)
def test_faults_have_their_line_and_what_to_type(line: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as refused:
        parse_configuration(f"translation t\n  {line}")
    assert refused.value.faults[0].line == 2
    assert refused.value.faults[0].remedy
