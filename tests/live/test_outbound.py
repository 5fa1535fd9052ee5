"""Phones that keep flows open to an edge proxy, with a registrar behind it; both are Signalbox (RFC 5626, RFC 3327)."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.live.appliance import Appliance
from tests.live.baresip import Baresip
from tests.live.control import Control
from tests.live.machine import STATISTICAL, within
from tests.live.phones import Phone
from tests.live.processes import LOOPBACK, Processes, wait_until

HOME = "home.test"
INSTANCE = "<urn:uuid:00000000-0000-4000-8000-00000000000a>"
FLOW_TIMER_S = 10
OUTBOUND = f"outbound\n  flow-timer {FLOW_TIMER_S}\n!\n"


class Place:
    """Where a phone sends to, and in which domain it is at home."""

    domain = HOME

    def __init__(self, appliance: Appliance) -> None:
        self.address = appliance.address
        self.port = appliance.port


class EdgeAndRegistrar:
    """Phones know the edge, callers the registrar."""

    def __init__(self, start_appliance: Callable[..., Appliance]) -> None:
        self.registrar = start_appliance(f"domain {HOME}\n{OUTBOUND}", workers=1)
        route = f"domain-route {HOME}\n  next-hop sip:{LOOPBACK}:{self.registrar.port}\n!\n"
        self.edge = start_appliance(route + OUTBOUND, ("role core", "relay any"))


@pytest.fixture
def both(start_appliance: Callable[..., Appliance]) -> EdgeAndRegistrar:
    return EdgeAndRegistrar(start_appliance)


@pytest.fixture
def open_ends() -> Iterator[ExitStack]:
    with ExitStack() as ends:
        yield ends


def register_flow(phone: Phone, reg_id: int) -> None:
    """Register one more flow of the instance; the Contact leads nowhere."""
    request = phone.request("REGISTER", f"sip:{HOME}", phone.aor, f"flow-{phone.tag}")
    contact = f'<sip:{phone.user}@phone.invalid;transport=tcp;ob>;reg-id={reg_id};+sip.instance="{INSTANCE}"'
    request.headers += [("Contact", contact), ("Supported", "path, outbound"), ("Expires", "600")]
    phone.send(request)
    answer = phone.expect(200)
    assert answer.get("Require") == "outbound"
    assert answer.get("Flow-Timer") == str(FLOW_TIMER_S)
    assert ";ob;fl=" in answer.get("Path")


def talk_and_hang_up(caller: Phone, callee: Phone) -> None:
    """A call from the INVITE to the BYE, which the callee sends: both ways go by the flow."""
    caller.invite(callee.user)
    invite = callee.expect("INVITE")
    assert invite.uri.startswith(f"sip:{callee.user}@phone.invalid")
    callee.answer(invite)
    answered = caller.expect(200)
    caller.in_dialog("ACK", answered, 1)
    callee.expect("ACK")
    caller.in_dialog("BYE", answered, 2)
    callee.answer(callee.expect("BYE"))
    caller.expect(200)


def is_open(phone: Phone) -> bool:
    """Is its connection still there? Nothing waits to be read."""
    phone.socket.settimeout(0.0)
    try:
        return phone.socket.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


def test_calls_come_by_the_newest_flow_and_by_the_next_one_when_it_fails(
    both: EdgeAndRegistrar, open_ends: ExitStack
) -> None:
    """RFC 5626 5.3.1, 7: 430 from the edge, and the registrar tries the flow registered before."""
    first = open_ends.enter_context(Phone(Place(both.edge), "bob", "tcp"))
    second = open_ends.enter_context(Phone(Place(both.edge), "bob", "tcp"))
    caller = open_ends.enter_context(Phone(Place(both.registrar), "alice"))
    register_flow(first, 1)
    register_flow(second, 2)
    talk_and_hang_up(caller, second)
    second.close()
    talk_and_hang_up(caller, first)
    assert both.edge.counter("flows-failed") >= 1
    first.close()
    wait_until(lambda: _is_unavailable(caller), "all flows are known to be gone")


def _is_unavailable(caller: Phone) -> bool:
    invite = caller.invite("bob")
    answer = caller.expect(480)
    return answer.get("Call-ID") == invite.get("Call-ID")


@STATISTICAL
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_flows_that_a_dead_worker_held_are_known_dead(
    both: EdgeAndRegistrar, open_ends: ExitStack, blow: signal.Signals
) -> None:
    """The call comes by the newest of those that are left."""
    phones = [open_ends.enter_context(Phone(Place(both.edge), "bob", "tcp")) for _ in range(8)]
    for reg_id, phone in enumerate(phones, 1):
        register_flow(phone, reg_id)
    caller = open_ends.enter_context(Phone(Place(both.registrar), "alice"))
    victim = both.edge.worker_pids()[0]
    os.kill(victim, blow)
    wait_until(lambda: victim not in both.edge.worker_pids(), "the worker is given up", pause_s=0.02)
    left = [phone for phone in phones if is_open(phone)]
    began = time.monotonic()
    if left:
        talk_and_hang_up(caller, left[-1])
    else:
        assert _is_unavailable(caller)
    assert time.monotonic() - began < within(3.0)


def test_baresip_keeps_its_flow_to_the_edge_and_is_called_by_it(both: EdgeAndRegistrar, processes: Processes) -> None:
    server = f"sip:{LOOPBACK}:{both.edge.port};transport=tcp"
    bob = Baresip(processes, "bob", HOME, "secret", "tcp", outbound=server)
    bob.start()
    with Control(both.registrar.state) as control, Phone(Place(both.registrar), "alice") as caller:
        wait_until(lambda: both.registrar.registrations() == 1, "bob is registered")
        (row,) = control.ask("show registrations")["rows"]
        assert "urn:uuid:" in row["instance"] and ";ob;fl=" in row["path"][0]
        body = (
            "v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            "m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
        )
        caller.invite("bob", body=body)
        answered = caller.expect(200, 20.0)
        caller.in_dialog("ACK", answered, 1)
        bob.wait_until_it_says("Call established")
        caller.in_dialog("BYE", answered, 2)
        caller.expect(200)
        wait_until(
            lambda: both.edge.counter("keepalives-received") > 0, "baresip keeps its flow alive", within(30.0), 0.5
        )


def test_a_stun_request_is_told_its_address(shared_appliance: Callable[..., Appliance]) -> None:
    """RFC 5626 8."""
    appliance = shared_appliance()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.connect((LOOPBACK, appliance.port))
        end.settimeout(60.0)
        end.send(bytes.fromhex("000100002112a442b7e7a701bc34d686fa87dfae"))
        answer = end.recv(100)
        port = end.getsockname()[1]
    assert answer[:2] == b"\x01\x01" and answer[8:20] == bytes.fromhex("b7e7a701bc34d686fa87dfae")
    assert int.from_bytes(answer[26:28], "big") ^ 0x2112 == port
    assert int.from_bytes(answer[28:32], "big") ^ 0x2112A442 == 0x7F000001
