"""The first boot of the image: what can be answered, and what the machine becomes by it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.catalogue.settings import Settings
from appliance.commands.check import check
from appliance.own_machine import system_document
from tests.image.programs import ROOT, program

TEMPLATE = (ROOT / "packaging/debian/signalbox.conf.in").read_text()
answers = program("answers")
system_files = program("system_files")
GIVEN = {"hostname": "sip1", "address": "192.0.2.10/24", "gateway": "192.0.2.1", "dns": "192.0.2.53"}
GIVEN |= {"domain": "example.com", "operator": "anna", "password": "wonderland 1"}


class Console:
    """Who sits at it types these lines."""

    def __init__(self, *lines: str) -> None:
        self._lines: Iterator[str] = iter(lines)
        self.shown: list[str] = []

    def read(self, prompt: str) -> str:
        self.shown.append(prompt)
        return next(self._lines)

    def answers(self) -> object:
        return answers.ask(self.read, self.read, self.shown.append)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("hostname", "Sip_1", "hostname: 'Sip_1' is not a host name"),
        ("address", "192.0.2.10", "address: Type `dhcp`, or an address with its prefix length"),
        ("address", "192.0.2.300/24", "address: "),
        ("address", "dhcp 192.0.2.10/24", "address: Type `dhcp` alone"),
        ("gateway", "router", "gateway: "),
        ("operator", "root;id", "operator: "),
        ("password", "short", "password: A password has 8 printable characters"),
        ("password", "wonder:land", "password: A password has"),
        ("password", "", "password: "),
    ],
)
def test_an_answer_that_cannot_be_used_is_named(name: str, value: str, sentence: str) -> None:
    with pytest.raises(answers.Wrong) as fault:
        answers.answers_of({**GIVEN, name: value})
    assert str(fault.value).startswith(sentence)


def test_what_has_no_default_is_asked_for() -> None:
    with pytest.raises(answers.Wrong, match="Missing: domain, password"):
        answers.answers_of({"hostname": "sip1"})


def test_a_console_is_asked_again_until_the_answer_can_be_used() -> None:
    passwords = "short", "wonderland", "other", "wonderland", "wonderland"
    console = Console("", "192.0.2.10", "dhcp", "", "", "example.com", "", *passwords)
    assert console.answers() == answers.Answers(domain="example.com", password="wonderland")
    assert "The two differ." in console.shown
    assert not [prompt for prompt in console.shown if "gateway" in prompt], "DHCP brings it"


# -- NoCloud -----------------------------------------------------------------------------------------------

USER_DATA = """\
#cloud-config
fqdn: sip1.example.com
user: anna
password: $6$salt$dU9xVJ1nQ8dKQ0gkYhLwq1
chpasswd: {expire: false}
ntp: {servers: [ntp.example.com, 192.0.2.123]}
"""
USERS = "#cloud-config\nhostname: sip1\nsignalbox: {domain: example.com}\nusers:\n- default\n"
USERS += "- {name: anna, plain_text_passwd: wonderland}\n"
VERSION_2 = """\
network:
  version: 2
  ethernets:
    id0:
      match: {macaddress: '52:54:00:12:34:56'}
      addresses: [192.0.2.10/24, '2001:db8::10/64']
      routes: [{to: default, via: 192.0.2.1}]
      gateway6: 2001:db8::1
      nameservers: {addresses: [192.0.2.53]}
"""
VERSION_1 = """\
version: 1
config:
- type: physical
  name: eth0
  subnets:
  - {type: static, address: 192.0.2.10, netmask: 255.255.255.0, gateway: 192.0.2.1}
- {type: nameserver, address: [192.0.2.53], search: [example.com]}
"""


@pytest.fixture
def cloud_config() -> Any:
    pytest.importorskip("yaml", reason="the image has it from Debian, tests from PyYAML")
    return program("cloud_config")


def test_a_nocloud_disk_answers_all_questions(cloud_config: Any) -> None:
    given = answers.answers_of(cloud_config.found_in(USER_DATA, "", VERSION_2))
    assert (given.hostname, given.domain, given.operator) == ("sip1", "example.com", "anna")
    assert given.password.startswith("$6$")
    assert given.ntp == "ntp.example.com 192.0.2.123"
    assert given.addresses == ["192.0.2.10/24", "2001:db8::10/64"]
    assert (given.gateway, given.dns) == ("2001:db8::1 192.0.2.1", "192.0.2.53")


def test_another_form_of_the_same(cloud_config: Any) -> None:
    """A list of users, the name of the machine in meta-data, and version 1 of the network configuration."""
    given = answers.answers_of(cloud_config.found_in(USERS, "local-hostname: other\n", VERSION_1))
    assert (given.hostname, given.domain, given.operator) == ("sip1", "example.com", "anna")
    assert (given.password, given.addresses, given.gateway) == ("wonderland", ["192.0.2.10/24"], "192.0.2.1")
    assert given.dns == "192.0.2.53"


def test_without_a_network_it_is_by_dhcp(cloud_config: Any) -> None:
    assert answers.answers_of(cloud_config.found_in(USER_DATA)).is_by_dhcp
    dhcp = "version: 2\nethernets: {eth0: {dhcp4: true}}\n"
    assert answers.answers_of(cloud_config.found_in(USER_DATA, "", dhcp)).is_by_dhcp


@pytest.mark.parametrize(
    ("user_data", "network", "sentence"),
    [
        ("#!/bin/sh\nid\n", "", "does not begin with the line `#cloud-config`"),
        ("#cloud-config\n- a\n", "", "user-data is no mapping"),
        ("#cloud-config\na: [\n", "", "user-data is no YAML"),
        (USER_DATA, "version: 3\n", "neither version 1 nor version 2"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(cloud_config: Any, user_data: str, network: str, sentence: str) -> None:
    with pytest.raises(answers.Wrong, match=sentence):
        cloud_config.found_in(user_data, "", network)


@pytest.mark.parametrize("line", ["password: @wonderland", "password: 'wonderland", "password: wonderland: x"])
def test_no_password_is_shown_with_a_fault(cloud_config: Any, line: str) -> None:
    """The console and the journal get the sentence."""
    with pytest.raises(answers.Wrong, match=r"user-data is no YAML in line \d, column \d+\.$") as fault:
        cloud_config.found_in(f"#cloud-config\nhostname: sip1\n{line}\n")
    assert "wonderland" not in str(fault.value)


def aliases_of_aliases(line: str, count: int) -> str:
    return "".join([f"a{number}: &a{number} {line.replace('*', f'*a{number - 1}')}\n" for number in range(1, count)])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: " + "[" * 60_000, "is nested deeper than 32 levels"),
        ("a0: &a0 {x: y}\n" + aliases_of_aliases("{<<: [*, *, *, *, *, *, *, *, *]}", 40), "more than 16 aliases"),
        ("a0: &a0 [lol]\n" + aliases_of_aliases("[*, *]", 9) + "hostname: [x]\n", "a list or a mapping"),
    ],
    ids=["depth", "merged", "list"],
)
def test_a_file_that_would_take_all_memory_is_refused(cloud_config: Any, text: str, sentence: str) -> None:
    with pytest.raises(answers.Wrong, match=sentence):
        cloud_config.found_in(f"#cloud-config\n{text}")


def test_accounts_of_the_system_are_no_operators() -> None:
    pytest.importorskip("yaml", reason="the image has it from Debian, tests from PyYAML")
    first_boot = program("first_boot")
    assert first_boot._is_of_system("root") and first_boot._is_of_system("nobody")
    assert not first_boot._is_of_system("anna-of-no-machine")


def test_what_has_no_effect_is_named(cloud_config: Any) -> None:
    assert cloud_config.unused(USER_DATA + "packages: [emacs]\nruncmd: [reboot]\n") == ["packages", "runcmd"]


# -- the files of the operating system ---------------------------------------------------------------------


def test_the_configuration_of_the_appliance_names_the_machine_and_its_network() -> None:
    settings = Settings(
        hostname="sip1",
        interfaces=("eth0 address 192.0.2.10/24", "eth0 address 2001:db8::10/64", "eth0 gateway 192.0.2.1"),
        name_servers=("192.0.2.53",),
        ntp_servers=("ntp.example.com",),
    )
    files = system_files.files_of(system_files.system_of(system_document(settings)))
    assert files["/etc/hostname"] == "sip1\n"
    network = files["/etc/systemd/network/10-signalbox-eth0.network"].splitlines()
    assert network[:2] == ["[Match]", "Name=eth0"]
    assert network[3:] == ["[Network]", "Address=192.0.2.10/24", "Address=2001:db8::10/64", "Gateway=192.0.2.1"]
    assert files["/etc/systemd/timesyncd.conf.d/signalbox.conf"] == "[Time]\nNTP=ntp.example.com\n"
    assert files["/etc/systemd/resolved.conf.d/signalbox.conf"] == "[Resolve]\nDNS=192.0.2.53\n"


def test_dhcp_is_asked_for_by_name() -> None:
    system = system_files.System("sip1", (system_files.Interface("eth0", ("dhcp",)),))
    assert "DHCP=yes" in system_files.files_of(system)["/etc/systemd/network/10-signalbox-eth0.network"]


@pytest.mark.parametrize(
    "document",
    [
        "",
        "[]",
        '{"hostname": "a"}',
        '{"hostname": "a\\n[Exec]", "interfaces": [], "dns": [], "ntp": []}',
        '{"hostname": "a", "interfaces": [{"name": "../x", "addresses": [], "gateways": []}], "dns": [], "ntp": []}',
        '{"hostname": "a", "interfaces": [{"name": "e", "addresses": ["1.2.3.4/24\\nX=1"], "gateways": []}],'
        ' "dns": [], "ntp": []}',
        '{"hostname": "a", "interfaces": [], "dns": ["192.0.2.53\\nX=1"], "ntp": []}',
        '{"hostname": "a", "interfaces": [], "dns": ["fe80::1%a\\nX=1"], "ntp": []}',
        '{"hostname": "a", "interfaces": [], "dns": [], "ntp": ["a b"]}',
    ],
)
def test_root_writes_nothing_that_is_no_name_or_address(document: str) -> None:
    with pytest.raises(ValueError):
        system_files.system_of(document)


@pytest.mark.parametrize("address", ["192.0.2.10", "2001:db8::10"])
def test_the_first_configuration_is_valid_and_owns_the_network(
    tmp_path: Path, address: str, cloud_config: Any
) -> None:
    first_boot = program("first_boot")
    given = answers.answers_of({**GIVEN, "address": f"{address}/64" if ":" in address else f"{address}/24"})
    text = first_boot.configuration_of(given, "eth0", TEMPLATE, address)
    (tmp_path / "signalbox.conf").write_text(text)
    assert " is valid: 1 listener, domains: example.com, " in check(tmp_path / "signalbox.conf")
    assert f"interface eth0 address {given.address}\ninterface eth0 gateway 192.0.2.1\nname-server 192.0.2.53\n" in text
    assert "operator anna\n  role admin\n" in text and "wonderland" not in text
