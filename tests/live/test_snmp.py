"""The SNMP agent, as Debian's net-snmp sees it (RFC 3416, RFC 3414, RFC 3418)."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import socket
from pathlib import Path

import pytest

from tests.live.appliance import Appliance
from tests.live.net_snmp import HostAgent, TrapReceiver, by_user, needs_net_snmp
from tests.live.net_snmp import Manager as Snmp
from tests.live.processes import Processes, free_port, wait_until
from tests.live.snmp_agent import SYS_DESCR, do, pid_of, started

pytestmark = needs_net_snmp
PAGE = Path(__file__).parents[2] / "docs/snmp.md"

SYS_UP_TIME, SYS_CONTACT, SYS_NAME, SYS_LOCATION = (f".1.3.6.1.2.1.1.{n}.0" for n in (3, 4, 5, 6))
IN_PACKETS, BAD_COMMUNITIES = ".1.3.6.1.2.1.11.1.0", ".1.3.6.1.2.1.11.4.0"
PARSE_ERRORS = ".1.3.6.1.2.1.11.6.0"
ENGINE_BOOTS = ".1.3.6.1.6.3.10.2.1.2.0"
WRONG_DIGESTS = ".1.3.6.1.6.3.15.1.1.5.0"
SIGNALBOX = ".1.3.6.1.4.1.32473.1"
SIP = ".1.3.6.1.2.1.149.1"
REQUESTS_RECEIVED = f"{SIGNALBOX}.1.2.1.0"
READ_WRITE = ("-v2c", "-c", "secret")
ALARM_RAISED, ALARM_CLEARED = ".1.3.6.1.2.1.118.0.2", ".1.3.6.1.2.1.118.0.3"
TEST_NOTIFICATION = f"{SIGNALBOX}.0.1"
COLD_START, AUTHENTICATION_FAILURE = ".1.3.6.1.6.3.1.1.5.1", ".1.3.6.1.6.3.1.1.5.5"
USER = "user monitor sha256 password authpassword privpassword"


@pytest.fixture
def port() -> int:
    return free_port()


def test_a_manager_reads_by_community_and_as_a_user(processes: Processes, port: int) -> None:
    old = "user old sha1 password authpassword privpassword"
    appliance = started(processes, port, USER, old, f"listen ::1 port {port}", "location Berlin")
    assert not [path for path in appliance.state.rglob("*") if path.is_file() and b"authpassword" in path.read_bytes()]
    manager = Snmp(f"127.0.0.1:{port}")
    assert manager.get(SYS_NAME) == "live"
    assert manager.get(SYS_LOCATION, by_user("monitor")) == "Berlin"
    assert manager.get(SYS_LOCATION, by_user("old", "SHA")) == "Berlin"
    assert Snmp(f"udp6:[::1]:{port}").get(SYS_NAME) == "live"
    assert Snmp(f"udp6:[::1]:{port}").get(SYS_NAME, by_user("monitor")) == "live"
    assert len(manager.run("snmpbulkget", "-Cn0", "-Cr20", f"{SIGNALBOX}.1.2").splitlines()) == 20
    walked = manager.walk(".1")
    assert len(walked) > 300 and "No more variables" in walked[-1]
    stepped = manager.run("snmpwalk", f"{SIGNALBOX}.1.1").splitlines()
    assert [line.split(" = ")[0] for line in stepped] == [f"{SIGNALBOX}.1.1.{n}.0" for n in range(1, 13)]
    assert int(manager.get(REQUESTS_RECEIVED)) == appliance.counter("requests-received")


def test_a_stranger_gets_nothing_and_is_counted(processes: Processes, port: int) -> None:
    started(processes, port, USER, "community far from 192.0.2.0/24")
    manager = Snmp(f"127.0.0.1:{port}")
    quick = ("-t", "1")
    assert "Timeout" in manager.run("snmpget", SYS_NAME, options=("-v2c", "-c", "wrong", *quick))
    assert "Timeout" in manager.run("snmpget", SYS_NAME, options=("-v2c", "-c", "far", *quick))
    assert "Timeout" in manager.run("snmpget", SYS_NAME, options=("-v1", "-c", "public", *quick))
    assert "Unknown user" in manager.run("snmpget", SYS_NAME, options=by_user("stranger"))
    assert "Authentication failure" in manager.run(
        "snmpget", SYS_NAME, options=by_user("monitor", authentication="wrongpassword")
    )
    unprotected = ("-v3", "-l", "noAuthNoPriv", "-u", "monitor")
    assert "Unsupported security level" in manager.run("snmpget", SYS_NAME, options=unprotected)
    assert (manager.get(BAD_COMMUNITIES), manager.get(WRONG_DIGESTS)) == ("2", "1")


def test_what_is_writable_becomes_a_commit_with_a_line_in_the_audit_log(processes: Processes, port: int) -> None:
    appliance = started(processes, port, "community secret read-write")
    manager = Snmp(f"127.0.0.1:{port}")
    assert "noAccess" in manager.run("snmpset", SYS_LOCATION, "s", "Cellar")
    assert "notWritable" in manager.run("snmpset", SYS_DESCR, "s", "Cellar", options=READ_WRITE)
    assert "wrongValue" in manager.run("snmpset", SYS_NAME, "s", "two words", options=READ_WRITE)
    commit = appliance.status()["commit"]
    assert "Cellar" in manager.run("snmpset", SYS_LOCATION, "s", "Cellar", options=READ_WRITE)
    wait_until(lambda: manager.get(SYS_LOCATION) == "Cellar", "it is served")
    assert appliance.status()["commit"] == commit + 1
    assert "location Cellar" in do(appliance, "show running-config")
    audit = do(appliance, "show audit")
    assert "snmp set sysLocation=Cellar" in audit and "secret" not in audit


def test_the_configuration_is_live(processes: Processes, port: int) -> None:
    appliance = started(processes, port)
    manager, other = Snmp(f"127.0.0.1:{port}"), free_port()
    pid = pid_of(appliance, "snmp")
    do(appliance, "configure", "snmp", "community second", "contact Alice", "commit", "end")
    wait_until(lambda: manager.get(SYS_CONTACT, ("-v2c", "-c", "second")) == "Alice", "the community is there")
    assert pid_of(appliance, "snmp") == pid
    do(appliance, "configure", "snmp", f"listen 127.0.0.1 port {other}", "commit", "end")
    wait_until(lambda: Snmp(f"127.0.0.1:{other}").get(SYS_NAME) == "live", "the other port is open")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        busy = taken.getsockname()[1]
        said = do(appliance, "configure", "snmp", f"listen 127.0.0.1 port {busy}", "commit", "abort")
    assert f"SNMP cannot listen on 127.0.0.1 port {busy}" in said
    do(appliance, "configure", "no snmp", "commit", "end")
    wait_until(lambda: not pid_of(appliance, "snmp"), "there is no agent")


def test_no_counter_steps_back_when_a_worker_dies(processes: Processes, port: int) -> None:
    appliance = started(processes, port)
    manager = Snmp(f"127.0.0.1:{port}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(40):
            message = f"OPTIONS sip:a SIP/2.0\r\nCall-ID: {number}\r\n\r\n"
            sender.sendto(message.encode(), ("127.0.0.1", appliance.port))
    refused = f"{SIGNALBOX}.1.2.5.0"
    wait_until(lambda: int(manager.get(refused)) >= 40, "they are counted")
    before = counted(manager)
    pids = appliance.worker_pids()
    os.kill(pids[0], signal.SIGKILL)
    wait_until(lambda: len(set(appliance.worker_pids()) - {pids[0]}) == 2, "the worker is back")
    after = counted(manager)
    assert len(before) > 100 and before.keys() <= after.keys()
    assert not [oid for oid, count in before.items() if after[oid] < count]


def counted(manager: Snmp) -> dict[str, int]:
    """Every counter of SIGNALBOX-MIB and of RFC 4780."""
    lines = [line for tree in (f"{SIGNALBOX}.1.2", SIP) for line in manager.walk(tree) if " = Counter" in line]
    return {line.split(" = ")[0]: int(line.rsplit(" ", 1)[1]) for line in lines}


def test_the_figures_of_rfc_4780_are_those_of_the_phone(processes: Processes, port: int) -> None:
    """Each request of a method, and each response to it, is counted once: exactly."""
    appliance = started(processes, port)
    manager = Snmp(f"127.0.0.1:{port}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        phone.settimeout(60.0)
        for number in range(30):
            phone.sendto(options(appliance, phone.getsockname()[1], number), ("127.0.0.1", appliance.port))
            assert phone.recv(2048).startswith(b"SIP/2.0 200")
    options_index = "100.7." + ".".join(str(octet) for octet in b"OPTIONS")
    received, answered = f"{SIP}.4.1.1.3.{options_index}", f"{SIP}.5.1.1.4.{options_index}.200"
    wait_until(lambda: manager.get(received) == manager.get(answered) == "30", "they are counted")
    assert manager.get(f"{SIP}.3.1.1.1.100") == manager.get(f"{SIP}.3.1.1.4.100") == "30"


def options(appliance: Appliance, port: int, number: int) -> bytes:
    """An OPTIONS for the appliance itself."""
    lines = [
        f"OPTIONS sip:127.0.0.1:{appliance.port} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{number}",
        "Max-Forwards: 70",
        f"From: <sip:a@{appliance.domain}>;tag={number}",
        f"To: <sip:127.0.0.1:{appliance.port}>",
        f"Call-ID: call-{number}",
        "CSeq: 1 OPTIONS",
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def test_an_agent_that_dies_is_started_again_and_counts_its_starts(processes: Processes, port: int) -> None:
    appliance = started(processes, port, USER)
    manager = Snmp(f"127.0.0.1:{port}")
    boots = int(manager.get(ENGINE_BOOTS))
    os.kill(pid_of(appliance, "snmp"), signal.SIGKILL)
    wait_until(lambda: manager.get(ENGINE_BOOTS) == str(boots + 1), "the agent is back")
    assert manager.get(SYS_NAME, by_user("monitor")) == "live"
    do(appliance, "configure", "snmp", "contact Bob", "commit", "end")
    wait_until(lambda: manager.get(SYS_CONTACT) == "Bob", "the new one is told as well")


def test_octets_of_any_kind_do_not_stop_the_agent(processes: Processes, port: int) -> None:
    appliance = started(processes, port, USER)
    manager, pid, rng = Snmp(f"127.0.0.1:{port}"), pid_of(appliance, "snmp"), random.Random(15)
    header = bytes.fromhex("302902010104067075626c6963a01c0204563c1e1f020100020100300e300c06082b060102010105000500")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(3000):
            octets = bytearray(header)
            for _ in range(rng.randrange(1, 6)):
                octets[rng.randrange(len(octets))] = rng.randrange(256)
            whole = bytes(octets) if number % 3 else rng.randbytes(rng.randrange(80))
            sender.sendto(whole, ("127.0.0.1", port))
    wait_until(lambda: manager.get(SYS_NAME) == "live", "the agent answers")
    assert pid_of(appliance, "snmp") == pid
    assert int(manager.get(PARSE_ERRORS)) > 0
    assert "Traceback" not in do(appliance, "show logging")


def test_an_alarm_reaches_every_manager_and_waits_for_one_that_is_away(processes: Processes, port: int) -> None:
    """RFC 3877: alarmActiveState, alarmClearState; RFC 3416 4.2.7: an inform is repeated until it is acknowledged."""
    trap_port, inform_port = free_port(), free_port()
    here, away = TrapReceiver(processes, trap_port), TrapReceiver(processes, inform_port)
    here.start()
    targets = [
        f"target here 127.0.0.1 port {trap_port} community public",
        f"target away 127.0.0.1 port {inform_port} community public inform timeout 1 retries 0",
    ]
    appliance = started(processes, port, *targets)
    wait_until(lambda: COLD_START in here.text(), "coldStart arrives")
    do(appliance, "configure", "listener open", "address 127.0.0.2", f"port {free_port()}", "no authenticate", "end")
    do(appliance, "configure", "supervision", "drain 1", "commit confirmed 1", "end")
    wait_until(lambda: "configuration-unconfirmed" in here.text(), "the alarm arrives")
    do(appliance, "confirm")
    wait_until(lambda: ALARM_CLEARED in here.text(), "its end arrives")
    assert here.text().index(ALARM_RAISED) < here.text().index(ALARM_CLEARED)
    shown = json.loads(appliance.command("cli", "--json", "-c", "show snmp targets").stdout)
    rows = {row["name"]: row for row in shown.get("result", shown)["targets"]}
    assert rows["away"]["delivered"] == 0
    away.start()
    wait_until(lambda: ALARM_CLEARED in away.text(), "what waited arrives", 90.0)
    numbers = [int(found) for found in re.findall(rf"{re.escape(SIGNALBOX)}\.1\.9\.1\.0 = Gauge32: (\d+)", away.text())]
    assert numbers == sorted(numbers) and len(numbers) >= 2


def test_a_user_gets_informs_and_a_test_can_be_sent(processes: Processes, port: int) -> None:
    trap_port = free_port()
    receiver = TrapReceiver(processes, trap_port)
    receiver.start()
    appliance = started(processes, port, USER, f"target noc 127.0.0.1 port {trap_port} user monitor inform")
    assert "A test notification is sent to 1 targets" in do(appliance, "snmp test-notification")
    wait_until(lambda: TEST_NOTIFICATION in receiver.text(), "the test arrives")


def test_authentication_failures_are_told_at_a_bounded_rate(processes: Processes, port: int) -> None:
    trap_port = free_port()
    receiver = TrapReceiver(processes, trap_port)
    receiver.start()
    started(processes, port, f"target noc 127.0.0.1 port {trap_port} community public")
    header = bytes.fromhex("302902010104067075626c6978a01c0204563c1e1f020100020100300e300c06082b060102010105000500")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(100):
            sender.sendto(header, ("127.0.0.1", port))
    wait_until(lambda: AUTHENTICATION_FAILURE in receiver.text(), "it is told")
    assert receiver.text().count(AUTHENTICATION_FAILURE) == 1


@pytest.mark.skipif(shutil.which("snmpd") is None, reason="snmpd is not installed")
def test_the_agent_of_the_host_passes_requests_on(processes: Processes, port: int) -> None:
    """By the lines that docs/snmp.md shows."""
    started(processes, port)
    own = free_port()
    lines = [line.strip() for line in PAGE.read_text().splitlines() if line.startswith("    proxy ")]
    HostAgent(processes, own, f"127.0.0.1:{port}", lines)
    manager = Snmp(f"127.0.0.1:{own}")
    wait_until(lambda: manager.get(f"{SIGNALBOX}.1.1.1.0") == "live", "a request is passed on")
    assert manager.get(f"{SIP}.1.1.1.1.100") == "SIP/2.0"
    assert "Linux" in manager.get(SYS_DESCR)
    assert len(manager.walk(f"{SIGNALBOX}.1.2")) > 80
