"""What the lease process reports: addresses and their owners, members, counters."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Protocol

from appliance.cluster.leases.address_record import AddressRecord
from appliance.cluster.leases.heartbeat_codec import Refusal
from appliance.cluster.leases.lease_machine import LeaseMachine
from appliance.cluster.leases.member_sockets import MemberSockets
from appliance.ipc.lease_launch import LeaseLaunch


class Reported(Protocol):
    """What is reported about."""

    launch: LeaseLaunch
    machine: LeaseMachine
    sockets: MemberSockets
    refused: list[int]
    repeated: int
    clock_jumps: int
    is_real_time: bool

    @property
    def late(self) -> int: ...


def status(process: Reported, now: float) -> dict[str, Any]:
    """The report. Ages and times in milliseconds."""
    machine = process.machine
    return {
        "member": machine.me,
        "settled_version": machine.settled_version(now),
        "is_silent": machine.is_silent(now),
        "is_draining": machine.is_draining,
        "is_ready": machine.is_ready,
        "is_guarded": machine.is_guarded,
        "orders": asdict(machine.orders),
        "is_real_time": process.is_real_time,
        "addresses": [_address(record, machine, now) for record in machine.records.values()],
        "members": [
            {"member": number, "heard_ms_ago": round((now - peer.heard_at) * 1000) if peer.heartbeat else None}
            for number, peer in machine.peers.items()
        ],
        "counters": {
            **{f"datagrams_{refusal.name.lower()}": process.refused[refusal] for refusal in Refusal},
            "datagrams_repeated": process.repeated,
            "datagrams_unsent": process.sockets.unsent,
            "leases_written_late": process.late,
            "clock_jumps": process.clock_jumps,
        },
    }


def _address(record: AddressRecord, machine: LeaseMachine, now: float) -> dict[str, Any]:
    authority_ms = round((machine.authority_end(record.address.number, now) - now) * 1000)
    return {
        "address": record.address.number,
        "name": record.address.name,
        "owner": record.promise.holder if record.promise.is_bound(now) else 0,
        "epoch": record.promise.epoch,
        "last_owner": record.last_owner,
        "stance": record.stance.name.lower(),
        "since_ms": round((now - record.since) * 1000),
        "authority_ms": max(authority_ms, 0) if record.is_ours else 0,
        "taken_from": record.taken_from if record.is_ours else 0,
        "claimed_by": machine.claimed_by(record, now),
        "is_elsewhere": record.is_elsewhere,
    }
