"""What the lease machine wants done in the kernel, on the network and in the report, in this order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OpenLease:
    """Open the lease in the kernel until `until`, add the address, and announce it to the neighbours."""

    address: int
    until: float


@dataclass(frozen=True, slots=True)
class RenewLease:
    """Renew the lease that is open; one that has ended is not opened again: the machine is told that it lapsed."""

    address: int
    until: float


@dataclass(frozen=True, slots=True)
class SuspendLease:
    """Close the lease; the address remains on the interface."""

    address: int


@dataclass(frozen=True, slots=True)
class CloseLease:
    """Close the lease and remove the address; then tell the machine that it is closed."""

    address: int
    reason: str
    successor: int


@dataclass(frozen=True, slots=True)
class SendHeartbeats:
    """Send a heartbeat to all members now."""


@dataclass(frozen=True, slots=True)
class OwnerChanged:
    """For the report. `last_owner`: 0 when none is known. `gap_s`: since it was last heard, or gave it up."""

    address: int
    epoch: int
    owner: int
    last_owner: int
    reason: str
    gap_s: float


Action = OpenLease | RenewLease | SuspendLease | CloseLease | SendHeartbeats | OwnerChanged
