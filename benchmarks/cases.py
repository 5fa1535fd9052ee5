"""The cases that are measured: which scenario, at which rate, and what of it is one unit."""

from __future__ import annotations

from dataclasses import dataclass, replace

SECURE_TRANSPORTS = ("tls", "wss")


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of load. `rate` is in units a second.

    `scenario` and `callee` are SIPp's; a case without a scenario is timed by our own client, which is its own callee.
    One by TLS is the load of our own phones (secure_phones.py); `is_handshake`: each unit is a connection.
    """

    name: str
    unit: str
    rate: int
    scenario: str = ""
    callee: str = ""
    transport: str = "udp"
    is_digest: bool = False
    is_call: bool = False
    is_handshake: bool = False

    @property
    def is_secure(self) -> bool:
        return self.transport in SECURE_TRANSPORTS

    @property
    def is_timed(self) -> bool:
        return not self.scenario and not self.is_secure

    def at(self, rate: int) -> Case:
        """The same load at another rate, named after it."""
        return replace(self, name=f"{self.name}-{rate}", rate=rate)


REGISTER = Case("register", "REGISTER, 200", 2000, "register")
REGISTER_DIGEST = Case("register-digest", "REGISTER, 401, REGISTER, 200", 1000, "register-digest", is_digest=True)
OPTIONS = Case("options", "OPTIONS to the proxy, 200", 2000, "options")
CALL = Case("call", "INVITE, 100, 180, 200, ACK, BYE, 200", 1000, "caller", "callee", is_call=True)
# SIPp holds a call by TCP for longer: at 1000/s it is itself the bottleneck.
CALL_TCP = Case("call-tcp", "the same call by TCP", 500, "caller", "callee", "tcp", is_call=True)
# Our phones share one processor: at these rates they are no bottleneck.
REGISTER_TLS = Case("register-tls", "REGISTER, 200 on an open connection by TLS", 500, transport="tls")
CALL_TLS = Case("call-tls", "a call between two open connections by TLS", 100, transport="tls", is_call=True)
CALL_WSS = Case("call-wss", "a call between two open connections by WSS", 100, transport="wss", is_call=True)
HANDSHAKE_TLS = Case("handshake-tls", "a connection with a full handshake", 100, transport="tls", is_handshake=True)
INVITE_CANCEL = Case(
    "invite-cancel", "INVITE, 100, 180, CANCEL, 200, 487, ACK", 500, "caller-cancels", "callee-rings", is_call=True
)
# To a number that route tables know; a contestant without rules has the phones of its bindings called.
CALL_BY_NUMBER = Case(
    "call-by-number", "the same call, to a telephone number that rules route", 500, "caller", "callee", is_call=True
)
INVITE_LATENCY = Case("invite-latency", "INVITE to 180", 500, is_call=True)
REGISTER_LATENCY = Case("register-latency", "REGISTER to 200", 500)
