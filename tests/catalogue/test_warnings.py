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


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ("  peer 192.0.2.9\n", "192.0.2.9"),
        ("  peer 192.0.2.9 port 5060\n  peer 192.0.2.8 transport udp\n", "192.0.2.9 port 5060 and 192.0.2.8"),
        ("  peer 192.0.2.7\n  peer 192.0.2.8\n  peer 192.0.2.9\n", "192.0.2.7 and 192.0.2.8 and 1 more"),
        ("  peer 192.0.2.9 transport tcp\n", ""),
        ("  peer 192.0.2.9 certificate-name gw.example\n  client-certificate request\n", ""),
        ("  peer 192.0.2.9\n  transport tcp\n", ""),
    ],
)
def test_a_peer_that_a_datagram_can_claim_to_be_is_a_warning_where_calls_are_routed(lines: str, named: str) -> None:
    """RFC 3261 26.1.1: the source address of a datagram is what its sender writes."""
    listener = f"{DOMAIN}listener a\n  address 192.0.2.1\n"
    found = warnings_of(parse_configuration(f"{listener}  role core\n{lines}"))
    assert [sentence.startswith(f"Listener a knows peer {named}") for sentence in found] == ([True] if named else [])
    assert warnings_of(parse_configuration(listener + lines)) == []


@pytest.mark.parametrize(
    ("alias", "warning"),
    [
        ('s3\n  command "sh reg address a@b | count"', ""),
        ('s3\n  command "show"', ""),
        ("s3\n  command frob", "Alias s3 stands for `frob`, which is not an exec command."),
        ('s3\n  command "show frob"', "Alias s3 stands for `show frob`, which is not an exec command."),
        ("s3", 'Alias s3 stands for nothing. Add a line `command "COMMAND"`.'),
        ("ping\n  command show", "Alias ping has the name of a command, which is used in its place."),
    ],
)
def test_an_alias_that_does_nothing_is_a_warning(alias: str, warning: str) -> None:
    settings = parse_configuration(f"{DOMAIN}alias {alias}\n")
    assert warnings_of(settings) == ([warning] if warning else [])


def test_a_route_policy_for_a_listener_that_does_not_route_is_a_warning() -> None:
    text = DOMAIN + "listener a\nlistener b\n  port 5070\n  role core\nroute-policy p\n  listener a\n  listener b\n"
    (warning,) = warnings_of(parse_configuration(text))
    assert warning.startswith("Route policy p is for listener a, which does not route")
