"""Registrations by SIPp and sipsak: with and without a password, and over a restart of the whole appliance."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Callable

import pytest

from tests.flows.peers import Peer, credentials
from tests.flows.wire import read
from tests.live.appliance import DOMAIN, Appliance
from tests.live.processes import LOOPBACK, SHARE, SHARES, Processes, find_program, free_port, wait_until
from tests.live.sipp import call, register, start_callee

PASSWORD = "wonderland"
START = Callable[..., Appliance]
# What SIPp and sipsak of Debian 12 can answer.
MD5 = ("algorithm md5",)
# sipsak cuts the last digit off a port of five.
SHORT_PORTS = range(6000 + SHARE, 9999, SHARES)


@pytest.fixture
def guarded(start_appliance: START) -> Appliance:
    """An appliance that asks for a password, and one subscriber."""
    appliance = start_appliance("", ["authenticate"], digest=MD5, port=free_port(candidates=SHORT_PORTS))
    appliance.add_subscriber("alice", PASSWORD)
    return appliance


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_phone_registers_with_its_password(processes: Processes, guarded: Appliance, transport: str) -> None:
    """RFC 3665 2.1; the contact is known to every worker when the phone has its answer."""
    contact = f"sip:alice@{LOOPBACK}:5070;transport={transport}"
    password = ("-au", "alice", "-ap", PASSWORD)
    register(processes, guarded, "alice", contact, *password, scenario="register-digest", transport=transport)
    wait_until(lambda: guarded.registrations() == 1, "every worker says that it knows the contact")
    assert guarded.counter("authentication-failed") == 0


def test_a_wrong_password_does_not_register(processes: Processes, guarded: Appliance) -> None:
    """RFC 3261 22.4."""
    password = ("-au", "alice", "-ap", "guessed")
    register(processes, guarded, "alice", "sip:alice@127.0.0.1:5070", *password, scenario="register-wrong-password")
    assert guarded.counter("authentication-failed") >= 1
    assert guarded.registrations() == 0


def test_sipsak_asks_for_options(start_appliance: START) -> None:
    """RFC 3261 11: the appliance answers for itself."""
    appliance = start_appliance(port=free_port(candidates=SHORT_PORTS))
    done = sipsak("-s", f"sip:{appliance.address}:{appliance.port}")
    assert done.returncode == 0, done.stdout


def test_sipsak_registers(guarded: Appliance) -> None:
    """RFC 3261 10.2 and 22.2."""
    address = f"sip:alice@{guarded.address}:{guarded.port}"
    contact = f"sip:alice@{LOOPBACK}:5070"
    done = sipsak("-U", "-s", address, "-C", contact, "-u", "alice", "-a", PASSWORD, "-x", "600")
    assert done.returncode == 0, done.stdout
    wait_until(lambda: guarded.registrations() == 1, "every worker says that it knows the contact")


def sipsak(*words: str) -> subprocess.CompletedProcess[str]:
    argv = [find_program("sipsak", "sipsak"), "-vv", *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def test_a_nonce_holds_on_the_whole_node(guarded: Appliance) -> None:
    """RFC 7616 3.4: a phone that keeps its nonce over Call-IDs, and so over workers, is challenged once a start."""
    with PhoneWithNonce(guarded) as phone:
        assert phone.register("first", 0) == 401
        assert [phone.register(f"call-{count}", count) for count in range(1, 20)] == [200] * 19
        # A use comes to no worker a second time.
        assert [phone.register(f"replayed-{number}", 7) for number in range(8)] == [401] * 8
        guarded.crash()
        guarded.start()
        assert phone.register("restarted", 20) == 401


class PhoneWithNonce(Peer):
    """A phone that answers every challenge with the first nonce it got."""

    def __init__(self, appliance: Appliance) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(60.0)
        self._socket.bind((LOOPBACK, 0))
        self._socket.connect((appliance.address, appliance.port))
        super().__init__("alice", f"{LOOPBACK}:{self._socket.getsockname()[1]}", domain=DOMAIN)
        self._offered: dict[str, str] = {}

    def __enter__(self) -> PhoneWithNonce:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def register(self, call_id: str, count: int) -> int:
        """The status of the answer to a REGISTER with this Call-ID and nonce count."""
        uri = f"sip:{DOMAIN}"
        message = self.request("REGISTER", uri)
        message.put("Call-ID", call_id)
        if self._offered:
            value = credentials(message, "alice", PASSWORD, self._offered, "MD5", "auth", f"{count:08x}", uri)
            message.put("Authorization", value)
        self._socket.send(message.write())
        answer = read(self._socket.recv(65535))
        if not self._offered:
            self._offered = dict(re.findall(r'(\w+)="?([^",]*)', answer.first("WWW-Authenticate")))
        return answer.status


@pytest.mark.parametrize("ending", ["stop", "crash"])
def test_registrations_survive_a_restart(processes: Processes, start_appliance: START, ending: str) -> None:
    """The phone does not register again, and is called after a stop and after a crash of every process."""
    appliance = start_appliance()
    callee = start_callee(processes)
    register(processes, appliance, "bob", callee.contact)
    for number in range(20):
        register(processes, appliance, f"user{number}", f"sip:user{number}@{LOOPBACK}:5070")
    getattr(appliance, ending)()
    assert "Alarm" not in appliance.process.text(), "what is stopped is not down"
    appliance.start()
    assert appliance.registrations() == 21
    call(processes, appliance)
    callee.succeed()
