"""What a valid configuration leaves open is said."""

from __future__ import annotations

import pytest

from appliance.catalogue.warnings import warnings_of
from appliance.configuration.text import parse_configuration
from appliance.supervisor.alarm_conditions import listener_conditions

DOMAIN = "domain example.com\n"


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        (DOMAIN + "listener a\n  address 192.0.2.1\n", ""),
        (DOMAIN + "listener a\n  no authenticate\n", ""),
        (DOMAIN + "listener a\n  address ::1\n  no authenticate\n", ""),
        (DOMAIN + "listener a\n  address 192.0.2.1\n  no authenticate\n", "Listener a on 192.0.2.1 does not authen"),
        (DOMAIN + "listener a\n  address 0.0.0.0\n  advertise a.example\n  no authenticate\n", "Listener a on 0.0.0.0"),
        (DOMAIN + "listener a\n  address 192.0.2.1\n  relay any\n", "Listener a on 192.0.2.1 relays for any sender"),
        ("listener a\n", "Listener a authenticates and there is no domain: it serves subscribers of 127.0.0.1"),
    ],
)
def test_an_open_listener_is_a_warning(text: str, warning: str) -> None:
    settings = parse_configuration(text)
    assert [sentence[: len(warning)] for sentence in warnings_of(settings)] == ([warning] if warning else [])
    is_open = "does not authenticate" in "".join(warnings_of(settings))
    assert [found.subject for found in listener_conditions(settings)] == ["listener a"] * is_open
