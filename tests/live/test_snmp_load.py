"""What the SNMP agent costs: memory over many requests, processor time of a walk and at rest, and any octets at all."""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.live.appliance import DOMAIN, PATIENT, Appliance
from tests.live.machine import SLOWNESS, STATISTICAL
from tests.live.net_snmp import Manager, by_user, needs_net_snmp
from tests.live.processes import LOOPBACK, Processes, free_port, wait_until
from tests.live.sipp import Sipp
from tests.live.snmp_agent import SYS_DESCR, pid_of, started

pytestmark = [needs_net_snmp, pytest.mark.load]

REQUESTS, WARM_UP = 100_000, 10_000
GROWTH_MAX_KIB = 2048
VARIABLES, USERS = 5000, 500
USER_URIS = ".1.3.6.1.2.1.151.1.5.2.1.2"
WALK_MAX_S = 1.0
DEFAULT_AGE = "max-age 1000"
REST_S, REST_MAX_MS_PER_S = 20.0, 1.0
DATAGRAMS, AT_ONCE = 50_000, 100
USER = "user monitor sha256 password authpassword privpassword"
# GET sysName.0 and GETBULK of `system` with the community `public`; their identifiers are the four octets from 17 on.
GET = bytes.fromhex("302902010104067075626c6963a01c0204563c1e1f020100020100300e300c06082b060102010105000500")
# A discovery of the engine (RFC 3414 4): no user, no engine.
DISCOVERY = bytes.fromhex(
    "303e020103301102045fa7d7f3020300ffe304010402010304103"
    "00e0400020100020100040004000400301404000400a00e0204298f21700201000201003000"
)
PARSE_ERRORS, IN_PACKETS = ".1.3.6.1.2.1.11.6.0", ".1.3.6.1.2.1.11.1.0"

Record = Callable[[str, Any], None]


@pytest.fixture
def port() -> int:
    return free_port()


def cpu_s(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def ask(agent: socket.socket, count: int) -> None:
    """So many requests, each after the answer to the one before."""
    for number in range(count):
        agent.send(GET[:17] + (number & 0x7FFFFFFF).to_bytes(4, "big") + GET[21:])
        agent.recv(4096)


def test_memory_is_flat_over_many_requests(processes: Processes, port: int, record_property: Record) -> None:
    appliance = started(processes, port)
    pid = pid_of(appliance, "snmp")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
        agent.connect((LOOPBACK, port))
        agent.settimeout(60.0)
        ask(agent, WARM_UP)
        before = rss_kib(pid)
        ask(agent, REQUESTS)
    record_property("growth_kib", rss_kib(pid) - before)
    assert rss_kib(pid) - before < GROWTH_MAX_KIB


@STATISTICAL
def test_a_walk_of_everything_costs_less_than_a_second(
    processes: Processes, port: int, record_property: Record
) -> None:
    appliance = with_many_variables(processes, port)
    pid, manager = pid_of(appliance, "snmp"), Manager(f"{LOOPBACK}:{port}")
    for name, options in (("v2c", ("-v2c", "-c", "public")), ("v3", by_user("monitor"))):
        before = cpu_s(pid)
        variables = len(manager.run("snmpbulkwalk", "-Cr64", ".1", options=options).splitlines())
        spent = cpu_s(pid) - before
        record_property(f"{name}_variables", variables)
        record_property(f"{name}_cpu_s", round(spent, 2))
        assert variables > VARIABLES
        assert spent * VARIABLES / variables < WALK_MAX_S * SLOWNESS


def with_many_variables(processes: Processes, port: int) -> Appliance:
    """Users are registered, eight variables each: beyond those, there are about 1,400."""
    appliance = started(processes, port, USER, "registered-users 1000", settings=PATIENT, max_age=DEFAULT_AGE)
    keys = {"domain": DOMAIN, "contact": "sip:a@192.0.2.4", "expires": "600"}
    users = appliance.state / "users.csv"
    users.write_text("SEQUENTIAL\n" + "".join(f"user{number};\n" for number in range(USERS)))
    scenario = Path(__file__).with_name("scenarios") / "register.xml"
    many = appliance.state / "register-many.xml"
    many.write_text(scenario.read_text().replace("[service]", "[field0]"))
    Sipp(processes, many, "-inf", str(users), "-r", "50", proxy=appliance, keys=keys, calls=USERS).succeed()
    manager = Manager(f"{LOOPBACK}:{port}")
    wait_until(lambda: len(manager.walk(USER_URIS)) >= USERS, "all are served")
    return appliance


def test_at_rest_it_costs_next_to_nothing(processes: Processes, port: int, record_property: Record) -> None:
    appliance = started(processes, port, USER, max_age=DEFAULT_AGE)
    pid, begun = pid_of(appliance, "snmp"), time.monotonic()
    before = cpu_s(pid)
    time.sleep(REST_S)
    spent_ms_per_s = (cpu_s(pid) - before) * 1000 / (time.monotonic() - begun)
    record_property("rest_ms_per_s", round(spent_ms_per_s, 2))
    assert spent_ms_per_s < REST_MAX_MS_PER_S * SLOWNESS


def test_fifty_thousand_datagrams_of_any_kind_stop_nothing(processes: Processes, port: int) -> None:
    """RFC 3412 7.2, RFC 3414 3.2: each is dropped, answered with an error or with a Report, and counted."""
    appliance = started(processes, port, USER)
    manager, pid, rng = Manager(f"{LOOPBACK}:{port}"), pid_of(appliance, "snmp"), random.Random(3414)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect((LOOPBACK, port))
        sender.settimeout(60.0)
        for number in range(0, DATAGRAMS, AT_ONCE):
            for _ in range(AT_ONCE):
                sender.send(spoilt(rng))
            answer_after(sender, number)
    wait_until(lambda: "Signalbox" in manager.get(SYS_DESCR, by_user("monitor")), "the agent answers")
    assert pid_of(appliance, "snmp") == pid
    assert int(manager.get(PARSE_ERRORS)) > 0 and int(manager.get(IN_PACKETS)) > DATAGRAMS // 10
    logs = [path.read_text(errors="replace") for path in (appliance.state / "log").iterdir() if path.is_file()]
    assert logs and not [text for text in logs if "Traceback" in text]
    assert "Traceback" not in appliance.process.text()


def spoilt(rng: random.Random) -> bytes:
    """A message with some octets changed, cut, or doubled; or any octets."""
    kind = rng.randrange(8)
    if kind == 0:
        return rng.randbytes(rng.randrange(1, 200))
    octets = bytearray(rng.choice((GET, DISCOVERY)))
    for _ in range(rng.randrange(1, 6)):
        octets[rng.randrange(len(octets))] = rng.randrange(256)
    if kind == 1:
        return bytes(octets[: rng.randrange(1, len(octets))])
    if kind == 2:
        place = rng.randrange(len(octets))
        return bytes(octets[:place] + octets)
    return bytes(octets)


def answer_after(agent: socket.socket, number: int) -> None:
    """Wait until the agent has come as far as this: it answers in order."""
    identifier = (0x40000000 + number).to_bytes(4, "big")
    agent.send(GET[:17] + identifier + GET[21:])
    while identifier not in agent.recv(4096):
        pass
