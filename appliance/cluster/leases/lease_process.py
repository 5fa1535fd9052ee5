"""The loop of the lease process: heartbeats in and out, decisions, and the kernel. It waits for nothing else.

No gRPC, no ZeroMQ and no disk are in this process: what delays a renewal loses addresses.
"""

from __future__ import annotations

import logging
import selectors
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from appliance import clock
from appliance.cluster.leases.address_keeper import AddressKeeper
from appliance.cluster.leases.address_probes import AddressProbes
from appliance.cluster.leases.clock_jumps import ClockJumps
from appliance.cluster.leases.guard_process import GuardProcess
from appliance.cluster.leases.heartbeat_codec import DatagramRefused, HeartbeatCodec, Refusal
from appliance.cluster.leases.lease_actions import (
    Action,
    CloseLease,
    OpenLease,
    OwnerChanged,
    RenewLease,
    SendHeartbeats,
    SuspendLease,
)
from appliance.cluster.leases.lease_machine import LeaseMachine
from appliance.cluster.leases.lease_orders import carry_out
from appliance.cluster.leases.lease_reports import LeaseReports
from appliance.cluster.leases.lease_status import status
from appliance.cluster.leases.member_sockets import MemberSockets
from appliance.cluster.leases.sessions import Sessions, Verdict
from appliance.ipc.lease_launch import LeaseLaunch
from appliance.messages.membership import NO_MEMBER

REPORT_EVERY_S: Final = 1.0

log = logging.getLogger("signalbox.lease")


class LeaseProcess:
    """One member at work. Raises OSError when the kernel refuses what it has to do: then the process ends, and the
    guard closes the leases."""

    def __init__(self, launch: LeaseLaunch, boot: int, is_real_time: bool) -> None:
        now = clock.monotonic()
        self.launch = launch
        self.is_real_time = is_real_time
        self.machine = LeaseMachine(
            launch.me, launch.membership, launch.addresses, launch.settings, now, launch.epochs
        )
        self.machine.orders = launch.orders
        self.machine.is_ready = launch.is_ready
        self.refused = [0] * len(Refusal)
        self.repeated = 0
        self.clock_jumps = 0
        self.sockets = MemberSockets(launch.me, launch.membership)
        self._sessions = Sessions(launch.me, boot, self.machine.peers)
        self._codec = HeartbeatCodec(launch.me, launch.membership, launch.key)
        ours = tuple(address for address in launch.addresses if launch.me in address.preference)
        self._keeper = AddressKeeper(ours, launch.settings.address_lifetime_s, clock.monotonic)
        self._keeper.close_all()
        self._probes = AddressProbes(ours, self._keeper, now)
        self._reports = LeaseReports(Path(launch.control_path))
        self._guard = GuardProcess(launch, boot)
        self._jumps = ClockJumps()
        self._report_at = now
        self._is_ending = False
        self._selector = selectors.DefaultSelector()
        for member, socket in self.sockets.sockets.items():
            self._wait_for(socket, self._reader_of(member))
        self._wait_for(self._reports.listener, self._accept)
        self._wait_for(self._guard, self._guard.receive)

    @property
    def late(self) -> int:
        """How often a lease was not written in time after the clock was read."""
        return self._keeper.late

    def run(self) -> None:
        """Work until told to end; then give all addresses away."""
        while not self._is_ending:
            self._turn()
        self._give_all_away()

    def end(self) -> None:
        """Have the loop end after this turn. For signal handlers as well."""
        self._is_ending = True

    def _turn(self) -> None:
        now = clock.monotonic()
        due = min(self.machine.next_at(now), self._keeper.next_announcement, self._report_at, self._probes.next_at)
        for key, _ in self._selector.select(max(due - now, 0.0)):
            key.data()
        self.machine.is_guarded = not self._guard.is_awaited(clock.monotonic())
        if self._jumps.has_jumped():
            self.clock_jumps += 1
            self._perform(self.machine.clocks_jumped(clock.monotonic()))
        self._perform(self.machine.decide(clock.monotonic()))
        now = clock.monotonic()
        if now >= self.machine.heartbeat_at:
            self._send_heartbeats()
        self._keeper.announce_due(now)
        self._probes.work(self.machine, now)
        if now >= self._report_at:
            self._guard.tend()
            self._report()

    # -- members --------------------------------------------------------------------------------------

    def _reader_of(self, member: int) -> Callable[[], None]:
        return lambda: self._read_from(member)

    def _read_from(self, member: int) -> None:
        for octets in self.sockets.receive(member):
            try:
                self._receive(octets)
            except DatagramRefused as fault:
                self.refused[fault.refusal] += 1

    def _receive(self, octets: bytes) -> None:
        datagram = self._codec.read(octets)
        header, heartbeat, now = datagram.header, datagram.heartbeat, clock.monotonic()
        if heartbeat is None:
            if self._sessions.receive_end(header.sender, header.boot):
                self.machine.receive_end(header.sender, now)
            return
        verdict = self._sessions.receive(header, heartbeat.sent_at, now)
        if verdict in (Verdict.OLD, Verdict.UNPROVED):
            self.repeated += verdict is Verdict.OLD
            return
        if verdict is Verdict.ACCEPTED_NEW:
            self.machine.receive_end(header.sender, now)
        if self.machine.receive_heartbeat(heartbeat, now):
            self._send(header.sender, is_reply=True)

    def change_members(self, fields: dict[str, Any], now: float) -> str:
        """Go by the next version of the membership; "" or the sentence why not: then nothing has changed."""
        try:
            launch = self.launch.with_members(fields)
            others = {member.number: member for member in launch.membership.others(launch.me)}
            for number in others.keys() - self.sockets.sockets.keys():
                self._wait_for(self.sockets.open(others[number]), self._reader_of(number))
        except (OSError, ValueError, TypeError, KeyError) as fault:
            return f"The members cannot be changed while the lease process runs: {fault!r}."
        for number in self.sockets.sockets.keys() - others.keys():
            gone = self.sockets.sockets.pop(number)
            self._selector.unregister(gone)
            gone.close()
        self.launch = launch
        self._codec = HeartbeatCodec(launch.me, launch.membership, launch.key)
        self._sessions.change_peers(others)
        self.machine.change_members(launch.membership, launch.addresses, now)
        self._guard.change_members(launch)
        log.warning("the members are those of version %d: %s", launch.membership.version, launch.membership.numbers)
        return ""

    def _send_heartbeats(self) -> None:
        for member in self.machine.peers:
            self._send(member)
        self.machine.heartbeats_sent(clock.monotonic())

    def _send(self, member: int, is_reply: bool = False) -> None:
        heartbeat = self.machine.heartbeat_for(member, clock.monotonic(), is_reply)
        self.sockets.send(member, self._codec.write(self._sessions.header_to(member), heartbeat))

    # -- what the machine wants -----------------------------------------------------------------------

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, OpenLease):
                if not self._keeper.open(action.address, action.until):
                    self._lapsed(action.address)
            elif isinstance(action, RenewLease):
                if not self._keeper.renew(action.address, action.until):
                    self._lapsed(action.address)
            elif isinstance(action, SuspendLease):
                self._keeper.suspend(action.address)
            elif isinstance(action, CloseLease):
                self._close(action)
            elif isinstance(action, SendHeartbeats):
                self._send_heartbeats()
            else:
                self._owner_changed(action)

    def _close(self, action: CloseLease) -> None:
        self._keeper.close(action.address)
        self.machine.closed(action.address, action.successor, clock.monotonic())
        # At once: the successor waits for this word.
        self._send_heartbeats()
        self._lost(action.address, action.reason)

    def _lapsed(self, address: int) -> None:
        self.machine.lapsed(address, clock.monotonic())
        self._lost(address, "the lease ended before it was renewed")

    def _lost(self, address: int, reason: str) -> None:
        record = self.machine.records[address]
        self._guard.close_connections(record.address)
        self._owner_changed(OwnerChanged(address, record.promise.epoch, NO_MEMBER, self.launch.me, reason, 0.0))

    def _give_all_away(self) -> None:
        self.machine.is_leaving = True
        for record in self.machine.records.values():
            if record.is_ours:
                self._close(CloseLease(record.address.number, "the lease process was told to end", NO_MEMBER))
        self._keeper.close_all()
        self._reports.close()
        self._guard.release()

    # -- reports and orders ---------------------------------------------------------------------------

    def _wait_for(self, socket: Any, handle: Callable[[], None]) -> None:
        self._selector.register(socket, selectors.EVENT_READ, handle)

    def _accept(self) -> None:
        reader = self._reports.accept()
        if reader is not None:
            self._wait_for(reader, lambda: self._read_order(reader))
            self._report_at = clock.monotonic()

    def _read_order(self, reader: Any) -> None:
        order = self._reports.order_of(reader)
        has_gone = order is None
        if order:
            has_gone = not self._reports.send(reader, {"reply": carry_out(order, self, clock.monotonic())})
        if has_gone:
            self._forget(reader)

    def _report(self) -> None:
        self._report_at = clock.monotonic() + REPORT_EVERY_S
        if self._reports.readers:
            self._tell(status(self, clock.monotonic()))

    def _owner_changed(self, change: OwnerChanged) -> None:
        address = self.machine.records[change.address].address
        name, gap_ms = (self._name(change.owner), round(change.gap_s * 1000))
        log.warning("address %s: owner %s at epoch %d (%s)", address.name, name, change.epoch, change.reason)
        self._tell(
            {
                "change": {
                    "address": change.address,
                    "name": address.name,
                    "epoch": change.epoch,
                    "owner": change.owner,
                    "last_owner": change.last_owner,
                    "reason": change.reason,
                    "gap_ms": gap_ms,
                }
            }
        )
        self._report_at = clock.monotonic()

    def _name(self, member: int) -> str:
        return self.launch.membership.member(member).name if member else "none"

    def _tell(self, document: dict[str, Any]) -> None:
        for reader in list(self._reports.readers):
            if not self._reports.send(reader, document):
                self._forget(reader)

    def _forget(self, reader: Any) -> None:
        self._selector.unregister(reader)
        self._reports.forget(reader)
