"""The cases that are measured: which scenario, at which rate, and what of it is one unit."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of load. `rate` is in units a second.

    `scenario` and `callee` are SIPp's; a case without a scenario is timed by our own client, which is its own callee.
    """

    name: str
    unit: str
    rate: int
    scenario: str = ""
    callee: str = ""
    transport: str = "udp"
    is_digest: bool = False
    is_call: bool = False

    @property
    def is_timed(self) -> bool:
        return not self.scenario

    def at(self, rate: int) -> Case:
        """The same load at another rate, named after it."""
        return replace(self, name=f"{self.name}-{rate}", rate=rate)


REGISTER = Case("register", "REGISTER, 200", 2000, "register")
REGISTER_DIGEST = Case("register-digest", "REGISTER, 401, REGISTER, 200", 1000, "register-digest", is_digest=True)
OPTIONS = Case("options", "OPTIONS to the proxy, 200", 2000, "options")
CALL = Case("call", "INVITE, 100, 180, 200, ACK, BYE, 200", 1000, "caller", "callee", is_call=True)
# SIPp holds a call by TCP for longer: at 1000/s it is itself the bottleneck.
CALL_TCP = Case("call-tcp", "the same call by TCP", 500, "caller", "callee", "tcp", is_call=True)
INVITE_CANCEL = Case(
    "invite-cancel", "INVITE, 100, 180, CANCEL, 200, 487, ACK", 500, "caller-cancels", "callee-rings", is_call=True
)
INVITE_LATENCY = Case("invite-latency", "INVITE to 180", 500, is_call=True)
REGISTER_LATENCY = Case("register-latency", "REGISTER to 200", 500)
