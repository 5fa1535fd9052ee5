"""The first boot of the appliance image: asks on the console who this machine is, and writes that down.

Or takes the answers from a NoCloud disk (cloud_config.py). It runs as root, before the appliance and the logins, and
once. What it writes: the first operator's account, the keys of SSH, the first configuration of the appliance, and the
files of system_files.py, so that the network is there before the appliance.
"""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import sys
import time
from getpass import getpass
from pathlib import Path

import cloud_config
from answers import HASH, Answers, Wrong, answers_of, ask
from apply_system import apply
from system_files import Interface, System

DONE = Path("/var/lib/signalbox-first-boot/done")
TEMPLATE = Path("/usr/share/signalbox/signalbox.conf.in")
CONFIGURATION = Path("/etc/signalbox/signalbox.conf")
# The label that NoCloud gives to its disk, in either case.
DISKS = (Path("/dev/disk/by-label/CIDATA"), Path("/dev/disk/by-label/cidata"))
FILE_LEN_MAX = 64 * 1024
SHELL = "/usr/bin/signalbox-shell"
NETWORK_MAX_S = 60
DEVICES_MAX_S = 600
# Debian gives the numbers of people to accounts of people; those of the system, and nobody, have others.
UIDS = range(1000, 60000)


def main() -> int:
    """Returns the exit status."""
    print("\nSignalbox: the first boot of this machine.\n", flush=True)
    _grow_disk()
    answers = _answers_of_disk()
    while answers is None or _is_of_system(answers.operator):
        if answers is not None:
            print(f"{answers.operator} is an account of the system: the operator needs another name.", flush=True)
        answers = ask(input, getpass, print)
    carry_out(answers)
    DONE.parent.mkdir(parents=True, exist_ok=True)
    DONE.touch()
    os.sync()
    print(f"\nDone. Log in as {answers.operator}.", flush=True)
    return 0


def _grow_disk() -> None:
    """Let the file system use the whole disk, which is larger than the image as a rule. Failure is said, and no more."""
    argv = ["findmnt", "--noheadings", "--output=SOURCE", "/"]
    name = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()
    disk = name.removesuffix("1")
    for argv, stdin in (
        (["sfdisk", "--quiet", "--no-reread", "--force", "--partno", "1", disk], ", +\n"),
        (["partx", "--update", disk], ""),
        (["resize2fs", name], ""),
    ):
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"The disk keeps the size of the image: {argv[0]}: {done.stderr.strip()}", flush=True)
            return


def _is_of_system(name: str) -> bool:
    """Is it an account that the operating system has?"""
    try:
        return pwd.getpwnam(name).pw_uid not in UIDS
    except KeyError:
        return False


def _answers_of_disk() -> Answers | None:
    """Those of the disk; None where there is none, or where they cannot be used, which is said."""
    # Until every disk that the machine has is there.
    subprocess.run(["udevadm", "settle", f"--timeout={DEVICES_MAX_S}"], check=False)
    disk = next((path for path in DISKS if path.exists()), None)
    if disk is None:
        return None
    try:
        texts = _texts_of(disk)
        for key in cloud_config.unused(texts["user-data"]):
            print(f"user-data: `{key}` is not used.", flush=True)
        return answers_of(cloud_config.found_in(texts["user-data"], texts["meta-data"], texts["network-config"]))
    except (ValueError, AttributeError, TypeError, OSError, subprocess.CalledProcessError) as fault:
        print(f"The disk {disk.name} cannot be used: {fault}", flush=True)
        return None


def _texts_of(disk: Path) -> dict[str, str]:
    """The files of the disk; "" for one that is not there. Raises OSError, CalledProcessError, Wrong."""
    folder = Path("/run/signalbox-cidata")
    folder.mkdir(mode=0o700, exist_ok=True)
    subprocess.run(["mount", "-o", "ro,nodev,nosuid,noexec", str(disk), str(folder)], check=True)
    try:
        return {name: _text_of(folder / name) for name in ("user-data", "meta-data", "network-config")}
    finally:
        subprocess.run(["umount", str(folder)], check=False)


def _text_of(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        octets = file.read(FILE_LEN_MAX + 1)
    if len(octets) > FILE_LEN_MAX:
        raise Wrong(f"{path.name} has more than {FILE_LEN_MAX} octets.")
    return octets.decode("utf-8", "replace")


def carry_out(answers: Answers) -> None:
    """Make the machine what was answered."""
    interface = _interface()
    apply(system_of(answers, interface))
    # A first boot that was interrupted has made it already.
    if subprocess.run(["id", answers.operator], capture_output=True, check=False).returncode != 0:
        run("useradd", "--create-home", "--groups", "signalbox,sudo", "--shell", SHELL, answers.operator)
    # The greeting of the system would stand before what scripts read by SSH.
    run("install", "--mode=0644", "/dev/null", f"/home/{answers.operator}/.hushlogin")
    is_hash = re.fullmatch(HASH, answers.password) is not None
    run("chpasswd", *(["--encrypted"] if is_hash else []), stdin=f"{answers.operator}:{answers.password}\n")
    run("ssh-keygen", "-A")
    address = _leased_address() if answers.is_by_dhcp else answers.addresses[0].partition("/")[0]
    unfinished = CONFIGURATION.with_suffix(".new")
    unfinished.write_text(configuration_of(answers, interface, TEMPLATE.read_text(), address))
    run("chown", "root:signalbox", str(unfinished))
    unfinished.chmod(0o640)
    unfinished.rename(CONFIGURATION)


def system_of(answers: Answers, interface: str) -> System:
    """What the operating system has to know."""
    network = Interface(interface, tuple(answers.addresses), tuple(answers.gateway.split()))
    return System(answers.hostname, (network,), tuple(answers.dns.split()), tuple(answers.ntp.split()))


def configuration_of(answers: Answers, interface: str, template: str, address: str) -> str:
    """The first configuration of the appliance, at this address of the machine. It owns the network from then on."""
    values = {"@HOSTNAME@": answers.hostname, "@DOMAIN@": answers.domain, "@ADDRESS@": address}
    for name, value in values.items():
        template = template.replace(name, value)
    if ":" in address:
        template = template.replace("address 0.0.0.0", "address ::")
    lines = [f"interface {interface} address {each}" for each in answers.addresses]
    lines += [f"interface {interface} gateway {each}" for each in answers.gateway.split()]
    lines += [f"name-server {each}" for each in answers.dns.split()]
    lines += [f"ntp server {each}" for each in answers.ntp.split()]
    # A virtual machine on a busy host takes its time; a worker that is killed while it starts would never serve.
    lines += ["supervision", "  start timeout 300", "!"]
    return "\n".join([template, *lines, f"operator {answers.operator}", "  role admin", "!", ""])


def _interface() -> str:
    """The first network interface that is a device of this machine."""
    found = sorted(path.name for path in Path("/sys/class/net").iterdir() if (path / "device").exists())
    return found[0] if found else "eth0"


def _leased_address() -> str:
    """The address by which this machine reaches others, once it has one; that of the loopback when none comes."""
    until = time.monotonic() + NETWORK_MAX_S
    while time.monotonic() < until:
        said = subprocess.run(["ip", "-4", "route", "get", "192.0.2.1"], capture_output=True, text=True, check=False)
        words = said.stdout.split()
        if "src" in words:
            return words[words.index("src") + 1]
        time.sleep(0.5)
    print("No address came by DHCP; the appliance gets 127.0.0.1. Change `advertise` and `domain` in it.", flush=True)
    return "127.0.0.1"


def run(*argv: str, stdin: str = "") -> None:
    """Run a program; its failure ends the first boot, which is tried again at the next one."""
    subprocess.run(argv, input=stdin, text=True, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
