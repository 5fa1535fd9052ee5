"""Members of a cluster in one process: lease machines, their clocks and kernels, and the network between them.

True time is the schedule's. A member sees its own clock, which has another origin and another speed. What the process
of a member wants from its kernel may reach it late: the ticket of cluster/kernel_lease.py bounds by how much.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from appliance.cluster.coordination.versions_in_force import VersionsInForce
from appliance.cluster.leases.heartbeat import Heartbeat
from appliance.cluster.leases.heartbeat_codec import VERSIONS_APART_MAX
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
from appliance.cluster.leases.sessions import Header, Sessions, Verdict
from appliance.messages.lease_settings import LeaseSettings
from appliance.messages.membership import NO_MEMBER, Member, Membership, VirtualAddress
from tests.simulation.schedule import Schedule

TICKET_S = 0.020
INBOX_LEN_MAX = 200
CLOCK_DRIFT = 0.001
# A process that could not be told of a change is told again after this.
TOLD_AGAIN_S = 0.02
# The other end of a member's way to etcd, among the directions that are cut.
ETCD = 0
# How often a member says in etcd which version of the members it goes by, and for how long it is present afterwards.
SAID_EVERY_S = 0.05
PRESENT_S = 0.3


@dataclass
class Network:
    """How bad it is. Each pair of members has its own two directions."""

    loss: float = 0.0
    duplication: float = 0.0
    delay_s: tuple[float, float] = (0.0001, 0.0005)
    late: float = 0.0
    late_s: float = 0.3
    cut: set[tuple[int, int]] = field(default_factory=set)


class SimulatedMember:
    """One machine: its clock, its kernel, and the process that may live in it."""

    def __init__(self, world: SimulatedCluster, number: int) -> None:
        self.world = world
        self.number = number
        self.membership = world.membership
        """The newest that this machine has heard of."""
        self.is_off = False
        """Was it switched off for good?"""
        self.machine: LeaseMachine | None = None
        self.sessions: Sessions | None = None
        self.leases: dict[int, float] = {}
        """By address: until when the kernel lets it answer, in true time."""
        self.is_frozen = False
        self.is_paused = False
        self.stall: tuple[float, float] = (0.0, 0.0)
        """Probability that the process is held up between its decision and the kernel, and for how long at most."""
        self._speed = 1 + world.random.uniform(-CLOCK_DRIFT, CLOCK_DRIFT)
        self._offset = world.random.uniform(0, 100_000)
        self._pauses = Random(number)
        """Between what it says in etcd."""
        self._paused_s = 0.0
        self._paused_at = 0.0
        self._inbox: list[tuple[Header, Heartbeat]] = []
        self._undone: list[Action] = []
        self._decided_at = 0.0
        self._wake_count = 0

    @property
    def now(self) -> float:
        """By the clock of this machine."""
        return self._offset + (self.world.schedule.now - self._paused_s) * self._speed

    # -- the life of the process ----------------------------------------------------------------------

    def start(self) -> None:
        """A new process: it closes what another one has left open."""
        world, membership = self.world, self.membership
        if self.is_off or self.number not in membership.numbers:
            return
        self.leases.clear()
        self._inbox.clear()
        self._undone.clear()
        self.is_frozen = False
        boot = world.random.getrandbits(63) + 1
        self.sessions = Sessions(self.number, boot, [member.number for member in membership.others(self.number)])
        addresses = world.addresses_of(membership)
        self.machine = LeaseMachine(self.number, membership, addresses, world.settings, self.now)
        self.step()

    def hear_of_members(self) -> None:
        """The newest version of the membership comes: in place if it follows, else the process starts anew. A process
        that is not there, or stands still, hears of it later.
        """
        world, former, newest = self.world, self.membership, self.world.membership
        if former == newest:
            return
        if self.is_frozen or self.machine is None or self.sessions is None or not self.reaches_etcd:
            world.schedule.after(TOLD_AGAIN_S, self.hear_of_members)
            return
        self.membership = newest
        world.note(self.number, 0, f"hears of version {newest.version}: {newest.numbers}")
        if self.number in newest.numbers and newest.follows(former):
            self.sessions.change_peers([member.number for member in newest.others(self.number)])
            self.machine.change_members(newest, world.addresses_of(newest), self.now)
            self.step()
        else:
            self.end()
            self.start()

    @property
    def reaches_etcd(self) -> bool:
        return (self.number, ETCD) not in self.world.network.cut

    def say_version(self) -> None:
        """Tell etcd which version it goes by, again and again."""
        world, machine = self.world, self.machine
        if machine is not None and not self.is_frozen and self.reaches_etcd:
            world.heard_at[self.number] = world.schedule.now
            if version := machine.settled_version(self.now):
                world.versions_said[self.number] = version
        world.schedule.after(self._pauses.uniform(0, 2 * SAID_EVERY_S), self.say_version)

    def end(self) -> None:
        """The process gives its addresses away and ends, as it was told."""
        machine = self.machine
        assert machine is not None
        for record in machine.records.values():
            if record.is_ours:
                self._perform([CloseLease(record.address.number, "it ends", 0)])
        self._send_all()
        self.leases.clear()
        self.machine = self.sessions = None
        self._wake_count += 1

    def kill(self, has_guard: bool) -> None:
        """The process dies. A guard closes its leases and tells the others; else the kernel lets them run out."""
        sessions, self.machine, self.sessions = self.sessions, None, None
        version = self.membership.version
        self._wake_count += 1
        if has_guard and sessions is not None:
            self.leases.clear()
            for peer in self.world.members.values():
                if peer is not self:
                    self.world.carry(
                        self.number, peer.number, lambda p=peer: p.hear_end(self.number, sessions.boot, version)
                    )

    def freeze(self, seconds: float) -> None:
        """The process stops; its kernel goes on."""
        if self.machine is not None and not self.is_frozen:
            self.is_frozen = True
            machine = self.machine
            self.world.schedule.after(seconds, lambda: self._thaw(machine))

    def pause(self, seconds: float) -> None:
        """The machine stands still, with its clock and its kernel."""
        if self.machine is not None and not self.is_frozen:
            self.is_frozen = self.is_paused = True
            self._paused_at = self.world.schedule.now
            self.world.schedule.after(seconds, self._go_on)

    def _go_on(self) -> None:
        paused_s = self.world.schedule.now - self._paused_at
        self._paused_s += paused_s
        self.leases = {address: end + paused_s for address, end in self.leases.items()}
        self.is_frozen = False
        if self.machine is not None:
            self._perform(self.machine.clocks_jumped(self.now))
        self.is_paused = False
        self.step()

    def _thaw(self, machine: LeaseMachine) -> None:
        if machine is self.machine:
            self.is_frozen = False
            undone, self._undone = self._undone, []
            self._perform(undone)
            self.step()

    # -- what arrives ---------------------------------------------------------------------------------

    def hear(self, header: Header, heartbeat: Heartbeat) -> None:
        """A datagram arrives at the socket."""
        if self.machine is not None and len(self._inbox) < INBOX_LEN_MAX:
            self._inbox.append((header, heartbeat))
            self.step()

    def hear_end(self, sender: int, boot: int, version: int) -> None:
        """The guard of another member says that its process is dead. A frozen process hears it too late to matter."""
        if self.machine is None or self.sessions is None or self.is_frozen or not self._understands(sender, version):
            return
        if self.sessions.receive_end(sender, boot):
            self.machine.receive_end(sender, self.now)
        self.step()

    def _understands(self, sender: int, version: int) -> bool:
        """Is it from a member that it knows, at a version that its codec accepts?"""
        machine = self.machine
        assert machine is not None
        return sender in machine.peers and abs(version - machine.membership.version) <= VERSIONS_APART_MAX

    def step(self) -> None:
        """One turn of the loop of the process."""
        machine, sessions = self.machine, self.sessions
        if machine is None or sessions is None or self.is_frozen:
            return
        inbox, self._inbox = self._inbox, []
        for header, heartbeat in inbox:
            if not self._understands(header.sender, heartbeat.version):
                continue
            verdict = sessions.receive(header, heartbeat.sent_at, self.now)
            if verdict is Verdict.ACCEPTED_NEW:
                machine.receive_end(header.sender, self.now)
            if verdict <= Verdict.ACCEPTED_NEW and machine.receive_heartbeat(heartbeat, self.now):
                self._send(header.sender, is_reply=True)
        self._perform(machine.decide(self.now))
        if machine is self.machine and not self.is_frozen:
            if self.now >= machine.heartbeat_at:
                self._send_all()
            self._wake_at(machine.next_at(self.now))

    def _wake_at(self, moment: float) -> None:
        self._wake_count += 1
        count = self._wake_count
        delay_s = max((moment - self.now) / self._speed, 0.0001) + self.world.random.expovariate(5000)
        self.world.schedule.after(delay_s, lambda: self.step() if count == self._wake_count else None)

    # -- what is done ---------------------------------------------------------------------------------

    def _perform(self, actions: list[Action]) -> None:
        machine = self.machine
        assert machine is not None
        for place, action in enumerate(actions):
            now = self.now
            if isinstance(action, OpenLease | RenewLease) and self.world.random.random() < self.stall[0]:
                # Stopped after it read the clock and before the kernel has its words.
                self.freeze(self.world.random.uniform(0, self.stall[1]))
                self._undone = [_Late(action, now), *actions[place + 1 :]]  # type: ignore[list-item]
                return
            if isinstance(action, _Late):
                self._write_lease(action.action, action.read_at)
            elif isinstance(action, OpenLease | RenewLease):
                self._write_lease(action, now)
            elif isinstance(action, SuspendLease):
                self.leases.pop(action.address, None)
            elif isinstance(action, CloseLease):
                self.leases.pop(action.address, None)
                self.world.note(self.number, action.address, f"gives up: {action.reason}")
                machine.closed(action.address, action.successor, self.now)
            elif isinstance(action, SendHeartbeats):
                self._send_all()
            elif isinstance(action, OwnerChanged):
                self.world.owner_changed(action)

    def _write_lease(self, action: OpenLease | RenewLease, read_at: float) -> None:
        """What the kernel does with the batch that was made when the clock said `read_at`."""
        machine, true_now = self.machine, self.world.schedule.now
        assert machine is not None
        is_late = (self.now - read_at) / self._speed > TICKET_S
        is_over = isinstance(action, RenewLease) and self.leases.get(action.address, 0.0) <= true_now
        if is_late or is_over or action.until <= read_at:
            self.leases.pop(action.address, None)
            self.world.note(self.number, action.address, "lapsed")
            machine.lapsed(action.address, self.now)
            return
        self.leases[action.address] = true_now + (action.until - read_at) / self._speed
        self.world.check_single_owner(self.number, action.address)

    def _send_all(self) -> None:
        assert self.machine is not None
        for peer in self.machine.peers:
            self._send(peer)
        self.machine.heartbeats_sent(self.now)

    def _send(self, peer: int, is_reply: bool = False) -> None:
        assert self.machine is not None and self.sessions is not None
        heartbeat = self.machine.heartbeat_for(peer, self.now, is_reply)
        header = self.sessions.header_to(peer)
        self.world.carry(self.number, peer, lambda: self.world.members[peer].hear(header, heartbeat))


@dataclass(frozen=True)
class _Late:
    """Something for the kernel, of a process that was stopped after it had read the clock."""

    action: OpenLease | RenewLease
    read_at: float


class SimulatedCluster:
    """All members, the network, and what must hold at every moment."""

    def __init__(
        self, seed: int, membership: Membership, addresses: tuple[VirtualAddress, ...], settings: LeaseSettings
    ) -> None:
        self.random = Random(seed)
        self.schedule = Schedule(self.random.uniform(0, 1000))
        self.membership = membership
        self.addresses = addresses
        self.settings = settings
        self.network = Network()
        self.former = membership
        """The members of the version before."""
        self.versions_said: dict[int, int] = {}
        """What etcd holds: the version that each member has said last."""
        self.heard_at: dict[int, float] = {}
        """When etcd has heard of each member last."""
        self.changes: list[tuple[float, OwnerChanged]] = []
        self.notes: list[str] = []
        self.members = {number: SimulatedMember(self, number) for number in membership.numbers}
        """All that have ever been."""

    def start(self, spread_s: float = 0.3) -> None:
        """All members, one after the other."""
        for member in self.members.values():
            self.schedule.after(self.random.uniform(0, spread_s), member.start)
            member.say_version()

    def addresses_of(self, membership: Membership) -> tuple[VirtualAddress, ...]:
        """The addresses as the nodes of a version may own them: those that have joined last."""
        nodes = {member.number for member in membership.members if not member.is_witness}
        return tuple(
            replace(each, preference=(*(n for n in each.preference if n in nodes), *sorted(nodes - {*each.preference})))
            for each in self.addresses
        )

    def join(self, is_witness: bool, starts_after_s: float) -> None:
        """One member more."""
        number = max(self.members) + 1
        joined = Member(number, f"node-{number}", is_witness=is_witness)
        self.former = self.membership
        self.membership = Membership(self.membership.version + 1, (*self.membership.members, joined))
        self.members[number] = SimulatedMember(self, number)
        self.schedule.after(starts_after_s, self.members[number].start)
        self.members[number].say_version()

    def remove(self, number: int) -> None:
        """One member less."""
        self.former = self.membership
        self.membership = Membership(self.membership.version + 1, self.membership.others(number))

    def refusal(self, gone: int = NO_MEMBER, is_off: bool = False) -> str:
        """Why the members may not change now, by what etcd holds; "" when they may."""
        now = self.schedule.now
        present = frozenset(number for number, heard_at in self.heard_at.items() if heard_at > now - PRESENT_S)
        names, former = ({member.number: member.name for member in m.members} for m in (self.membership, self.former))
        return VersionsInForce(self.versions_said, present).refusal(
            self.membership.version, names, former, gone, is_off
        )

    def carry(self, sender: int, receiver: int, deliver: Callable[[], None]) -> None:
        """Take a datagram over the network, or not."""
        network, random = self.network, self.random
        for _ in range(1 + (random.random() < network.duplication)):
            if (sender, receiver) in network.cut or random.random() < network.loss:
                continue
            delay_s = random.uniform(*network.delay_s)
            if random.random() < network.late:
                delay_s += random.uniform(0, network.late_s)
            self.schedule.after(delay_s, deliver)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        schedule = self.schedule
        until = schedule.now + seconds
        while schedule.next_due() <= until:
            schedule.do_next()
        schedule.now = until

    def owners(self, address: int) -> list[int]:
        """Members whose kernel answers for the address now. A machine that stands still does not answer."""
        now = self.schedule.now
        return [m.number for m in self.members.values() if m.leases.get(address, 0.0) > now and not m.is_paused]

    def owner(self, address: int) -> int:
        """The one owner, or 0."""
        return next(iter(self.owners(address)), 0)

    def check_single_owner(self, number: int, address: int) -> None:
        """Two owners at one moment are what must never be."""
        owners = self.owners(address)
        assert owners == [number], f"address {address}: {owners} answer\n" + self.story()

    def owner_changed(self, change: OwnerChanged) -> None:
        """Keep it for the end."""
        self.changes.append((self.schedule.now, change))
        self.note(change.owner, change.address, f"owns at epoch {change.epoch}: {change.reason}")

    def note(self, number: int, address: int, text: str) -> None:
        """For the story that a failing seed tells."""
        self.notes.append(f"{self.schedule.now:10.4f} member {number} address {address}: {text}")

    def story(self) -> str:
        """What happened last."""
        return "\n".join(self.notes[-40:])
