"""The figures of RFC 4780 beside those that SIPp has counted itself: they are the same, exactly."""

from __future__ import annotations

import socket

import pytest

from tests.live.appliance import DOMAIN, PATIENT, Appliance
from tests.live.net_snmp import Manager, TrapReceiver, needs_net_snmp
from tests.live.processes import LOOPBACK, Processes, free_port, wait_until
from tests.live.sipp import Sipp, call, message_counts, register, start_callee
from tests.live.snmp_agent import do, started

pytestmark = needs_net_snmp

CALLS = 25
COUNTING = ("-trace_counts", "-fd", "1")
SIP_COMMON, SIP_SERVER = ".1.3.6.1.2.1.149.1", ".1.3.6.1.2.1.151.1"
IN_REQUESTS, OUT_REQUESTS, IN_RESPONSES, OUT_RESPONSES = (f"{SIP_COMMON}.3.1.1.{n}.100" for n in (1, 2, 3, 4))
ACCEPTED_REGISTRATIONS, REFUSED_REGISTRATIONS = (f"{SIP_SERVER}.6.1.1.{n}.100" for n in (1, 2))
SENT, RECEIVED = 2, 3
RETRIES, FINAL_RETRIES = 2, 3
SERVICE_COLD_START, EXCEEDED = ".1.3.6.1.2.1.149.0.4", ".1.3.6.1.2.1.149.0.3"
PENDING = f"{SIP_COMMON}.6.1.1.1.100"


class Figures:
    """What the agent says of the SIP server."""

    def __init__(self, port: int) -> None:
        self._manager = Manager(f"{LOOPBACK}:{port}")

    def value(self, oid: str) -> int:
        """A number; 0 for a row that is not there, for a status code has one when it is seen first."""
        text = self._manager.get(oid)
        return int(text) if text.isdigit() else 0

    def requests(self, column: int, method: str) -> int:
        """sipCommonMethodStatsOutbounds or -Inbounds of a method."""
        return self.value(f"{SIP_COMMON}.4.1.1.{column}.100.{index(method)}")

    def responses(self, method: str, code: int) -> tuple[int, int]:
        """sipCommonStatusCodeIns and -Outs of a method and a status code."""
        row = f"100.{index(method)}.{code}"
        return self.value(f"{SIP_COMMON}.5.1.1.3.{row}"), self.value(f"{SIP_COMMON}.5.1.1.4.{row}")

    def retries(self, column: int, method: str) -> int:
        """sipCommonStatsRetries or -RetryFinalResponses of a method."""
        return self.value(f"{SIP_COMMON}.7.1.1.{column}.100.{index(method)}")


def index(method: str) -> str:
    """A method in an index: its length and its octets."""
    return ".".join(map(str, (len(method), *method.encode())))


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def appliance(processes: Processes, port: int) -> Appliance:
    return started(processes, port, settings=f"{PATIENT}timers\n  t1 50\n!\n")


def callee_registered(processes: Processes, appliance: Appliance, scenario: str, calls: int) -> Sipp:
    callee = start_callee(processes, scenario, *COUNTING, calls=calls)
    register(processes, appliance, "bob", callee.contact)
    return callee


def test_calls_are_counted_as_both_ends_count_them(processes: Processes, appliance: Appliance, port: int) -> None:
    """RFC 4780 sipCommonMethodStatsTable, sipCommonStatusCodeTable: each hop by its own messages."""
    callee = callee_registered(processes, appliance, "callee", CALLS)
    caller = call(processes, appliance, "caller", *COUNTING, calls=CALLS)
    callee.succeed()
    ours, theirs, figures = message_counts(caller), message_counts(callee), Figures(port)
    assert (ours["0_INVITE_Sent"], theirs["4_BYE_Recv"]) == (CALLS, CALLS)
    wait_until(lambda: figures.responses("BYE", 200)[1] == ours["8_200_Recv"], "the last BYE is counted")
    for method, sent, received in (
        ("INVITE", ours["0_INVITE_Sent"], theirs["0_INVITE_Recv"]),
        ("ACK", ours["4_ACK_Sent"], theirs["3_ACK_Recv"]),
        ("BYE", ours["6_BYE_Sent"], theirs["4_BYE_Recv"]),
    ):
        assert (figures.requests(RECEIVED, method), figures.requests(SENT, method)) == (sent, received), method
    assert figures.responses("INVITE", 100) == (0, ours["1_100_Recv"])
    assert figures.responses("INVITE", 180) == (theirs["1_180_Sent"], ours["2_180_Recv"])
    assert figures.responses("INVITE", 200) == (theirs["2_200_Sent"], ours["3_200_Recv"])
    assert figures.responses("BYE", 200) == (theirs["5_200_Sent"], ours["8_200_Recv"])


def test_registrations_are_counted_as_the_phones_count_them(
    processes: Processes, appliance: Appliance, port: int
) -> None:
    """RFC 4780 sipServerRegStatsTable."""
    keys = {"domain": DOMAIN, "contact": "sip:bob@192.0.2.4", "expires": "600"}
    phones = Sipp(processes, "register", *COUNTING, proxy=appliance, keys=keys, calls=CALLS)
    phones.succeed()
    counts, figures = message_counts(phones), Figures(port)
    wait_until(lambda: figures.value(ACCEPTED_REGISTRATIONS) == counts["1_200_Recv"] == CALLS, "they are counted")
    assert figures.requests(RECEIVED, "REGISTER") == counts["0_REGISTER_Sent"]
    assert figures.responses("REGISTER", 200) == (0, counts["1_200_Recv"])
    assert figures.value(REFUSED_REGISTRATIONS) == 0
    totals = [figures.value(oid) for oid in (IN_REQUESTS, OUT_REQUESTS, IN_RESPONSES, OUT_RESPONSES)]
    assert totals == [CALLS, 0, 0, CALLS]


def test_retransmissions_are_counted_apart(processes: Processes, appliance: Appliance, port: int) -> None:
    """RFC 4780 sipCommonStatsRetryTable; RFC 3261 17.1.1.2: timer A, while the callee says nothing."""
    callee = callee_registered(processes, appliance, "callee-slow", 3)
    call(processes, appliance, "caller-486", *COUNTING, calls=3)
    callee.succeed()
    theirs, figures = message_counts(callee), Figures(port)
    assert theirs["0_INVITE_Retrans"] > 0
    wait_until(lambda: figures.retries(RETRIES, "INVITE") == theirs["0_INVITE_Retrans"], "they are counted")
    assert figures.requests(SENT, "INVITE") == theirs["0_INVITE_Recv"] == 3
    assert figures.requests(SENT, "ACK") == theirs["3_ACK_Recv"]


def test_final_responses_that_are_sent_again_are_counted(
    processes: Processes, appliance: Appliance, port: int
) -> None:
    """RFC 3261 17.2.1: timer G, until the ACK comes, which this phone does not send."""
    callee = callee_registered(processes, appliance, "callee-busy", 1)
    figures, seen = Figures(port), 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((LOOPBACK, 0))
        phone.settimeout(60.0)
        phone.sendto(invite(appliance, phone.getsockname()[1]), (LOOPBACK, appliance.port))
        while seen < 5:
            seen += phone.recv(4096).startswith(b"SIP/2.0 486")
        wait_until(lambda: figures.value(PENDING) == 0, "nothing waits for a final response")
        # Timer H ends it after 64*T1, 3.2 seconds.
        phone.settimeout(2.0)
        try:
            while True:
                seen += phone.recv(4096).startswith(b"SIP/2.0 486")
        except TimeoutError:
            pass
    callee.succeed()
    wait_until(lambda: figures.retries(FINAL_RETRIES, "INVITE") == seen - 1, "they are counted")
    assert figures.responses("INVITE", 486) == (1, seen)


def test_too_many_responses_of_a_status_code_are_notified_once(processes: Processes, port: int) -> None:
    """RFC 4780 sipCommonStatusCodeThreshExceededOutNotif."""
    trap_port = free_port()
    receiver = TrapReceiver(processes, trap_port)
    receiver.start()
    target = f"target noc {LOOPBACK} port {trap_port} community public"
    appliance = started(processes, port, target, "status-threshold REGISTER 200 5 interval 5", settings=PATIENT)
    wait_until(lambda: SERVICE_COLD_START in receiver.text(), "the start of the service arrives")
    keys = {"domain": DOMAIN, "contact": "sip:bob@192.0.2.4", "expires": "600"}
    Sipp(processes, "register", proxy=appliance, keys=keys, calls=CALLS).succeed()
    wait_until(lambda: EXCEEDED in receiver.text(), "it is told")
    row = f"100.{index('REGISTER')}.200"
    assert receiver.text().count(EXCEEDED) == 1 and f"{SIP_COMMON}.5.1.1.4.{row} = Counter32: " in receiver.text()
    assert Figures(port).value(f"{SIP_COMMON}.5.2.1.3.{row}") == 5


def test_users_are_served_only_where_the_configuration_says_so(
    processes: Processes, appliance: Appliance, port: int
) -> None:
    """RFC 4780 9; sipServerRegUserUri, sipServerRegContactURI."""
    manager = Manager(f"{LOOPBACK}:{port}")
    users, contacts = f"{SIP_SERVER}.5.2.1.2", f"{SIP_SERVER}.5.3.1.3"
    register(processes, appliance, "bob", "sip:bob@192.0.2.4")
    assert f"bob@{DOMAIN}" not in "".join(manager.walk(".1"))
    do(appliance, "configure", "snmp", "registered-users 10", "commit", "end")
    wait_until(lambda: f"sip:bob@{DOMAIN}" in "".join(manager.walk(users)), "the user is served")
    assert "sip:bob@192.0.2.4" in "".join(manager.walk(contacts))
    do(appliance, "configure", "snmp", "no registered-users", "commit", "end")
    wait_until(lambda: f"bob@{DOMAIN}" not in "".join(manager.walk(".1")), "it is no more")


def invite(appliance: Appliance, port: int) -> bytes:
    """An INVITE for bob."""
    lines = [
        f"INVITE sip:bob@{appliance.domain} SIP/2.0",
        f"Via: SIP/2.0/UDP {LOOPBACK}:{port};branch=z9hG4bKonce",
        "Max-Forwards: 70",
        f"From: <sip:a@{appliance.domain}>;tag=1",
        f"To: <sip:bob@{appliance.domain}>",
        "Call-ID: one",
        "CSeq: 1 INVITE",
        f"Contact: <sip:a@{LOOPBACK}:{port}>",
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""]).encode()
