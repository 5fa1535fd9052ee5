"""The image boots in qemu: its first boot is driven by the console and by a disk, phones and operators are answered."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.image.machine import BOOT_S, Machine
from tests.live.phones import Phone
from tests.live.processes import wait_until

# The raw image; `make test-image` makes it and sets this.
VARIABLE = "SIGNALBOX_IMAGE"
PASSWORD = "wonderland"
# Without the help of a processor all takes ten times as long.
OPTIONS_S = 3600.0
# The prompt without a command: the cursor is set behind it.
EMPTY_LINE = r"sip1[>#]\x1b\[\d+D"
pytestmark = pytest.mark.skipif(
    not os.environ.get(VARIABLE), reason=f"{VARIABLE} names no image: use `make test-image`"
)

Boot = Callable[..., Machine]


@pytest.fixture
def boot(tmp_path: Path) -> Iterator[Boot]:
    machines = []

    def start(*more_disks: Path) -> Machine:
        machines.append(Machine(Path(os.environ[VARIABLE]), tmp_path, *more_disks))
        return machines[-1]

    yield start
    for machine in machines:
        machine.close()


class Reached:
    """The appliance, as a phone on this side of the network of qemu reaches it."""

    domain = "example.com"
    address = "127.0.0.1"

    def __init__(self, port: int) -> None:
        self.port = port


def answers_options(port: int) -> bool:
    with Phone(Reached(port), "alice") as phone:
        phone.send(phone.request("OPTIONS", "sip:example.com", "sip:example.com"))
        try:
            # The first listener challenges all that comes.
            return phone.receive(2.0).status == 407
        except (TimeoutError, OSError):
            return False


def log_in(machine: Machine, user: str) -> None:
    machine.until(r"login: ")
    machine.type(user)
    machine.until(r"Password: ")
    machine.type(PASSWORD)
    machine.until(r"sip1[>#]")


def test_the_first_boot_asks_on_the_console(boot: Boot) -> None:
    machine = boot()
    for question, answer in (
        (r"Name of this machine .*: ", "sip1"),
        (r"Address with prefix length.*: ", "dhcp"),
        (r"DNS servers.*: ", ""),
        (r"NTP servers.*: ", ""),
        (r"SIP domain.*: ", "example.com"),
        (r"Name of the first operator.*: ", "anna"),
        (r"Password of the operator.*: ", PASSWORD),
        (r"The same again: ", PASSWORD),
    ):
        machine.until(question)
        machine.type(answer)
    machine.until("Done. Log in as anna.")
    wait_until(lambda: answers_options(machine.port), "OPTIONS is answered", OPTIONS_S, 1.0)
    log_in(machine, "anna")
    # Its screen has few lines; what is typed at a pause would be taken for its answer.
    for command, shown in (
        ("terminal length 0", ""),
        ("show system", r"Debian GNU/Linux 12[\s\S]*clock +\w+"),
        # The kernel of Debian 12 takes the program that leads a call to its worker, one for each of two processors.
        ("show workers", r"\s0 +live[^\n]*\s+1 +live"),
        ("show ip sockets", r"steered\s+udp [^\n]*yes"),
    ):
        machine.type(command)
        machine.until(shown)
        machine.until(EMPTY_LINE)
    # No other program, not even with the words of one.
    machine.type("!/bin/sh")
    machine.until(r"sip1[>#]")


USER_DATA = f"""\
#cloud-config
fqdn: sip1.example.com
user: anna
password: {PASSWORD}
"""
# What qemu gives to its guest by DHCP as well.
NETWORK = """\
version: 2
ethernets:
  eth0: {addresses: [10.0.2.15/24], gateway4: 10.0.2.2, nameservers: {addresses: [10.0.2.3]}}
"""


@pytest.fixture
def nocloud(tmp_path: Path) -> Path:
    """A disk as tools for virtual machines make it."""
    folder, disk = tmp_path / "nocloud", tmp_path / "nocloud.img"
    folder.mkdir()
    (folder / "user-data").write_text(USER_DATA)
    (folder / "meta-data").write_text("instance-id: sip1\n")
    (folder / "network-config").write_text(NETWORK)
    subprocess.run(["truncate", "--size=8M", str(disk)], check=True)
    subprocess.run(["mke2fs", "-q", "-t", "ext2", "-L", "CIDATA", "-d", str(folder), str(disk)], check=True)
    return disk


def test_the_first_boot_takes_its_answers_from_a_disk_and_the_shell_administers_the_machine(
    boot: Boot, nocloud: Path
) -> None:
    machine = boot(nocloud)
    machine.until("Done. Log in as anna.")
    wait_until(lambda: answers_options(machine.port), "OPTIONS is answered", OPTIONS_S, 1.0)
    log_in(machine, "anna")
    for command, shown in (
        ("enable", r"sip1#"),
        # Its screen has few lines, and pauses after them.
        ("terminal length 0", EMPTY_LINE),
        ("show running-config", r"interface eth0 address 10.0.2.15/24\s+interface eth0 gateway 10.0.2.2"),
        ("configure", r"sip1\(config\)#"),
        ("ntp server 192.0.2.123", r"sip1\(config\)#"),
        ("hostname sip2", r"sip1\(config\)#"),
        ("commit", r"sip2\(config\)#"),
        ("end", r"sip2#"),
    ):
        machine.type(command)
        machine.until(shown)
    machine.type("system shell")
    machine.until(r"anna@sip\d:~\$ ")
    # By a unit of the image, within a moment.
    machine.type("until grep NTP= /etc/systemd/timesyncd.conf.d/signalbox.conf; do sleep 1; done; hostname; id -un")
    machine.until(r"NTP=192.0.2.123\s+sip2\s+anna\s")
    machine.type("exit")
    machine.until(r"sip2#")
    machine.type("show audit")
    machine.until(r"\d\d:\d\d:\d\d [^\n]*system shell")
    machine.type("system shutdown confirm")
    machine.until("The machine powers off.")
    assert machine.wait(BOOT_S) == 0
