"""The lines of the section `snmp`: what is typed, what is kept, and what is wrong with it."""

from __future__ import annotations

import pytest

from appliance.catalogue.errors import ConfigError
from appliance.catalogue.snmp_status_codes import StatusThreshold, status_threshold_of
from appliance.catalogue.snmp_values import community_of, key_of, listen_of, target_of, user_of
from appliance.configuration.text import parse_configuration, write_configuration


def snmp(*lines: str) -> str:
    """The section as it is printed after it was read."""
    text = "\n  ".join(["snmp", *lines]) + "\n"
    settings = parse_configuration(text)
    printed = write_configuration(settings)
    assert parse_configuration(printed) == settings
    return printed


def fault(*lines: str) -> str:
    with pytest.raises(ConfigError) as caught:
        snmp(*lines)
    return str(caught.value)


def test_the_smallest_agent_listens_on_loopback_with_one_community() -> None:
    settings = parse_configuration("snmp\n  listen 127.0.0.1 port 11161\n  community public\n").snmp
    assert settings.is_on
    (listen,) = map(listen_of, settings.listen)
    (community,) = map(community_of, settings.communities)
    assert (listen.address, listen.port) == ("127.0.0.1", 11161)
    assert (community.name, community.networks, community.may_write) == ("public", (), False)


def test_without_a_section_there_is_no_agent() -> None:
    assert not parse_configuration("").snmp.is_on


def test_the_key_of_a_password_is_that_of_the_rfc() -> None:
    """RFC 3414 A.3.2: the key of "maplesyrup" by SHA-1."""
    assert key_of("maplesyrup", "sha1") == "9fb5cc0381497b3793528939ff788d5d79145211"


def test_a_password_is_kept_as_a_key_and_is_not_printed() -> None:
    printed = snmp('user monitor sha256 password "correct horse" batterystaple read-write')
    assert "correct" not in printed and "battery" not in printed
    (line,) = parse_configuration(printed).snmp.users
    user = user_of(line)
    assert user.may_write and user.authentication_key == key_of("correct horse", "sha256")


def test_a_target_has_its_defaults() -> None:
    target = target_of(parse_configuration("snmp\n target noc 192.0.2.9 community public inform\n").snmp.targets[0])
    assert (target.port, target.is_inform, target.timeout_s, target.retries) == (162, True, 5, 3)


def test_a_status_threshold_has_the_defaults_of_the_rfc() -> None:
    """RFC 4780 sipCommonStatusCodeNotifThresh, -Interval."""
    (line,) = parse_configuration(snmp("status-threshold invite 503")).snmp.status_thresholds
    assert status_threshold_of(line) == StatusThreshold("INVITE", 503, 500, 60)
    (line,) = parse_configuration(snmp("status-threshold REGISTER 403 7 interval 300")).snmp.status_thresholds
    assert status_threshold_of(line) == StatusThreshold("REGISTER", 403, 7, 300)


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("status-threshold PING 503", "one of INVITE"),
        ("status-threshold INVITE 700", "from 100 to 699"),
        ("status-threshold INVITE 503 within 60", "from 1 to"),
        ("status-threshold INVITE 503 5 within 60", "METHOD CODE"),
        ("status-threshold INVITE 503\n  status-threshold INVITE 503 7", "delete one"),
        ("listen here", "type an address"),
        ("listen 127.0.0.1 port 0", "from 1 to 65535"),
        ("community public from 192.0.2.1/24", "network"),
        ("user monitor md5 password aaaaaaaa bbbbbbbb", "sha256"),
        ("user monitor sha256 password short bbbbbbbb", "8 characters"),
        ("user monitor sha256 key 00 00", "64 hexadecimal digits"),
        ("target noc 192.0.2.9", "community NAME"),
        ("target noc 192.0.2.9 user monitor", "user monitor"),
        ("target noc 192.0.2.9 community public retries 2", "inform"),
    ],
)
def test_what_is_wrong_says_what_to_type(line: str, remedy: str) -> None:
    assert remedy in fault(line)
