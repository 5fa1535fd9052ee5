"""Passwords in a text are replaced by keys before it is stored."""

from __future__ import annotations

from appliance.catalogue.snmp_values import key_of
from appliance.configuration.password_lines import without_passwords
from appliance.configuration.text import parse_configuration

TEXT = '! mine\nhostname a\nsnmp\n  USER monitor sha256 PASSWORD "correct horse" batterystaple read-write\n  ! end\n!\n'


def test_only_the_line_with_the_password_changes() -> None:
    changed = without_passwords(TEXT)
    assert "correct" not in changed and "battery" not in changed
    key = key_of("correct horse", "sha256")
    assert changed.splitlines()[3].startswith(f"  USER monitor sha256 key {key} ")
    assert [*changed.splitlines()[:3], *changed.splitlines()[4:]] == [*TEXT.splitlines()[:3], *TEXT.splitlines()[4:]]
    assert parse_configuration(changed) == parse_configuration(TEXT)


def test_a_text_without_passwords_stays_as_it_is() -> None:
    for text in ("", "hostname a\r\n", "snmp\n user a sha256 password short\n", 'banner "a b c password d"\n'):
        assert without_passwords(text) == text
