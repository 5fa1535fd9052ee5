"""The cases that are measured: which scenario, at which rate, and what of it is one unit.

Knows nothing of servers but what the job asks of them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of load. `rate` is in units a second."""

    name: str
    unit: str
    scenario: str
    rate: int
    callee: str = ""
    transport: str = "udp"
    is_digest: bool = False
    peers: tuple[str, ...] = ("kamailio", "null")


CASES = {
    case.name: case
    for case in (
        Case("register", "REGISTER, 200", "register", 2000),
        Case("register-digest", "REGISTER, 401, REGISTER, 200", "register-digest", 1000, is_digest=True, peers=("kamailio",)),
        Case("options", "OPTIONS to the proxy, 200", "options", 2000),
        Case("call", "INVITE, 100, 180, 200, ACK, BYE, 200", "caller", 1000, "callee"),
        Case("call-tcp", "the same call by TCP", "caller", 500, "callee", "tcp", peers=("kamailio",)),
        Case("invite-cancel", "INVITE, 100, 180, CANCEL, 200, 487, ACK", "caller-cancels", 500, "callee-rings", peers=("kamailio",)),
    )
}
