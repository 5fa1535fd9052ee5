"""The launch document of the lease process: as it was written, or refused with a reason."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace

import pytest

from appliance.ipc.launch_document import LaunchError
from appliance.ipc.lease_launch import LeaseLaunch
from appliance.messages.lease_settings import LeaseSettings
from appliance.messages.membership import Member, Membership, VirtualAddress
from appliance.messages.standing_orders import StandingOrders

LAUNCH = LeaseLaunch(
    me=2,
    membership=Membership(4, (Member(1, "a", "10.0.0.1", 7677), Member(2, "b", "10.0.0.2", 7677, is_witness=True))),
    addresses=(VirtualAddress(1, "sip", (1, 2), ("10.0.0.50/24", "fd00::50/64"), "eth0", preempt=True),),
    key_hex="ab" * 32,
    control_path="/run/lease.sock",
    settings=LeaseSettings(lease_ms=900),
    epochs=((1, 17),),
    orders=StandingOrders(5, True, (2,)),
)


def test_it_is_read_as_it_was_written() -> None:
    with LAUNCH.to_stdin() as document:
        assert LeaseLaunch.from_stdin(document) == LAUNCH


@pytest.mark.parametrize(
    "launch",
    [
        replace(LAUNCH, me=3),
        replace(LAUNCH, key_hex="ab"),
        replace(LAUNCH, addresses=LAUNCH.addresses * 29),
        replace(LAUNCH, addresses=(replace(LAUNCH.addresses[0], addresses=("10.0.0.500/24",)),)),
        replace(LAUNCH, membership=Membership(4, LAUNCH.membership.members * 2)),
    ],
)
def test_what_cannot_be_worked_with_is_refused(launch: LeaseLaunch) -> None:
    with pytest.raises(LaunchError):
        LeaseLaunch.from_stdin(io.BytesIO(json.dumps(asdict(launch)).encode()))


def test_no_document_at_all() -> None:
    with pytest.raises(LaunchError):
        LeaseLaunch.from_stdin(io.BytesIO(b""))
