"""The appliance as most tests have it, and calls through it."""

from __future__ import annotations

import secrets
import socket

from tests.live.phones import Phone
from tests.live.processes import Processes
from tests.live.sipp import call, register, start_callee

CONFIGURATION = """\
hostname test
workers 2
domain signalbox.test
listener phones
  address 127.0.0.1
  port 5060
  no authenticate
!
digest
  realm signalbox.test
!
operator anna
  role admin
!
"""
FILE = "/etc/signalbox/signalbox.conf"


class Installed:
    """The appliance, once CONFIGURATION is loaded."""

    domain = "signalbox.test"
    address = "127.0.0.1"
    port = 5060


def request(server: str, method: str, contact: str = "", domain: str = Installed.domain) -> str:
    """The whole response to a request for alice; "" without an answer. It comes from the address that leads there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.settimeout(1.0)
        mark = secrets.token_hex(6)
        try:
            door.connect((server, Installed.port))
            own, port = door.getsockname()
            uri = f"sip:{domain}" if method == "REGISTER" else f"sip:{server}"
            lines = [f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/UDP {own}:{port};branch=z9hG4bK{mark}"]
            lines += [f"From: <sip:alice@{domain}>;tag={mark}", f"To: <sip:alice@{domain}>"]
            lines += ["Max-Forwards: 70", f"Call-ID: {mark}", f"CSeq: 1 {method}"]
            lines += [f"Contact: {contact}"] if contact else []
            door.send("\r\n".join([*lines, "Content-Length: 0", "", ""]).encode())
            return door.recv(65536).decode()
        except OSError:
            return ""


def place_calls(processes: Processes, calls: int = 5) -> None:
    """A phone registers, and calls to it end well."""
    user = registered(processes, calls)
    call(processes, Installed(), user=user, calls=calls)


def registered(processes: Processes, calls: int = 1, timeout_s: int = 240) -> str:
    """The user of a phone that registers and waits for calls; another one each time, with one contact."""
    user = f"user-{secrets.token_hex(4)}"
    callee = start_callee(processes, calls=calls, user=user, timeout_s=timeout_s)  # type: ignore[arg-type]
    register(processes, Installed(), user, callee.contact, expires_s=max(timeout_s, 600))
    return user


def can_call() -> bool:
    with Phone(Installed(), "carol") as phone:
        try:
            return phone.register(60).status == 200
        except (AssertionError, OSError):
            return False
