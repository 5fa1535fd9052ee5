"""One seed: a cluster of 3 to 7 members, faults at random, then rest; what must hold is checked all along.

    python -m tests.cluster.leases.lease_faults 1 10000      all seeds from 1 to 10,000; prints those that fail
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from random import Random

from appliance.messages.lease_settings import LeaseSettings
from appliance.messages.membership import NO_MEMBER, Member, Membership, VirtualAddress
from tests.cluster.leases.simulated_cluster import ETCD, SimulatedCluster, SimulatedMember

SETTINGS = LeaseSettings(preempt_ms=2_000, former_ms=300)
# After the last fault: until there is an owner at the latest, and how long it then has to remain the same.
OWNER_WITHIN_S = 2.0
STEADY_S = 1.2
FAULTS_S = 3.0
MEMBERS_MAX = 7
# The share of seeds in which the members change again and again.
CHANGING = 0.3
# So many seeds share one that has a change of the members and no fault.
CHANGE_EVERY = 10
# So many share one in which the members change while some are cut off from etcd.
UNHEARD_EVERY = 4
HAND_OVER_MS = 100


def cluster_of(seed: int) -> SimulatedCluster:
    """Three members mostly, seven at most; one of them may be a witness; one to three addresses."""
    random = Random(seed)
    count = random.choice([3, 3, 3, 3, 4, 5, 5, 7])
    has_witness = random.random() < 0.4
    members = tuple(
        Member(number, f"node-{number}", is_witness=has_witness and number == count) for number in range(1, count + 1)
    )
    nodes = [member.number for member in members if not member.is_witness]
    addresses = []
    for number in range(1, random.choice([1, 1, 2, 3]) + 1):
        random.shuffle(nodes)
        addresses.append(VirtualAddress(number, f"address-{number}", tuple(nodes), preempt=random.random() < 0.3))
    return SimulatedCluster(seed, Membership(1, members), tuple(addresses), SETTINGS)


class Faults:
    """Faults of one seed, on the schedule of the cluster; all are over when the faults end, but for the dead."""

    def __init__(self, world: SimulatedCluster) -> None:
        self._world = world
        self._random = world.random
        self._end = world.schedule.now + FAULTS_S
        self._kinds: list[Callable[[SimulatedMember], None]] = [
            self._kill,
            self._kill,
            self._freeze,
            self._freeze,
            self._partition,
            self._cut_some_directions,
            self._pause,
            self._step_clock,
            self._switch_over,
            self._drain,
            self._storm,
            self._stalls,
            self._change_members,
            self._change_members,
            self._cut_from_etcd,
        ]

    def plan(self) -> None:
        """Some faults, at random moments."""
        count = self._random.randint(1, 6)
        if self._random.random() < CHANGING:
            count += 4
            self._kinds += [self._change_members, self._change_members, self._cut_from_etcd] * len(self._kinds)
        for _ in range(count):
            self._world.schedule.after(self._random.uniform(0, FAULTS_S * 0.8), self._one)

    def plan_changes_unheard(self) -> None:
        """Many changes of the members, of which those that are cut off from etcd hear nothing; some other faults."""
        numbers = [*self._world.members]
        unheard = self._random.sample(numbers, self._random.randint(1, len(numbers)))
        self._world.network.cut |= {(number, ETCD) for number in unheard}
        self._world.note(0, 0, f"{unheard} are cut off from etcd")
        self._world.schedule.after(FAULTS_S, lambda: self._world.network.cut.difference_update(
            {(number, ETCD) for number in unheard}
        ))
        for _ in range(20):
            self._world.schedule.after(self._random.uniform(0, FAULTS_S * 0.8), self._one_change)
        for _ in range(self._random.randint(0, 2)):
            self._world.schedule.after(self._random.uniform(0, FAULTS_S * 0.8), self._one)

    def _one_change(self) -> None:
        self._change_members(self._world.members[self._random.choice([*self._world.members])])

    def _one(self) -> None:
        member = self._world.members[self._random.choice([*self._world.members])]
        kind = self._random.choice(self._kinds)
        self._world.note(member.number, 0, kind.__name__)
        kind(member)

    def _for_a_while(self, undo: Callable[[], None], most_s: float = 2.0) -> None:
        left_s = self._end - self._world.schedule.now
        self._world.schedule.after(min(self._random.uniform(0.01, most_s), left_s), undo)

    def _kill(self, member: SimulatedMember) -> None:
        if member.machine is None or member.is_paused:
            return
        member.kill(has_guard=self._random.random() < 0.5)
        if self._living() < self._world.membership.majority or self._random.random() < 0.7:
            self._for_a_while(member.start, 1.5)

    def _freeze(self, member: SimulatedMember) -> None:
        member.freeze(min(self._random.expovariate(2), self._end - self._world.schedule.now))

    def _pause(self, member: SimulatedMember) -> None:
        member.pause(min(self._random.expovariate(2), self._end - self._world.schedule.now))

    def _cut(self, directions: set[tuple[int, int]]) -> None:
        cut = self._world.network.cut
        cut |= directions
        self._for_a_while(lambda: cut.difference_update(directions))

    def _partition(self, _: SimulatedMember) -> None:
        numbers = [*self._world.members]
        self._random.shuffle(numbers)
        size = self._random.randint(1, len(numbers) // 2)
        ours, theirs = numbers[:size], numbers[size:]
        self._cut({pair for a in ours for b in theirs for pair in ((a, b), (b, a))})

    def _cut_some_directions(self, _: SimulatedMember) -> None:
        numbers = [*self._world.members]
        pairs = [(a, b) for a in numbers for b in numbers if a != b]
        self._cut(set(self._random.sample(pairs, self._random.randint(1, len(pairs) // 2))))

    def _cut_from_etcd(self, _: SimulatedMember) -> None:
        """Some, and the majority of them rather often: they go by the version that they know."""
        numbers = [*self._world.members]
        self._cut({(number, ETCD) for number in self._random.sample(numbers, self._random.randint(1, len(numbers)))})

    def _living(self, but: int = NO_MEMBER) -> int:
        """How many members of the newest version live."""
        numbers = [number for number in self._world.membership.numbers if number != but]
        return sum(self._world.members[number].machine is not None for number in numbers)

    def _change_members(self, member: SimulatedMember) -> None:
        """One joins, or one is removed, if it may; each hears of it at its own time, who is cut off from etcd later."""
        world = self._world
        count = len(world.membership.members)
        if count < MEMBERS_MAX and (count == 2 or self._random.random() < 0.5):
            if self._living() < (count + 1) // 2 + 1 or world.refusal():
                return
            world.join(self._random.random() < 0.3, self._random.uniform(0, 1.0))
        elif member.number in world.membership.numbers and self._living(member.number) >= (count - 1) // 2 + 1:
            is_off = member.machine is None and self._random.random() < 0.5
            if world.refusal(member.number, is_off):
                return
            member.is_off = is_off
            world.remove(member.number)
        else:
            return
        left_s = self._end - world.schedule.now
        for each in world.members.values():
            world.schedule.after(min(self._random.expovariate(3), left_s), each.hear_of_members)

    def _step_clock(self, member: SimulatedMember) -> None:
        if member.machine is not None and not member.is_frozen:
            member._perform(member.machine.clocks_jumped(member.now))
            member.step()

    def _switch_over(self, member: SimulatedMember) -> None:
        if member.machine is not None:
            for address in self._world.addresses:
                member.machine.switch_over(address.number, 0, member.now)

    def _drain(self, member: SimulatedMember) -> None:
        machine = member.machine
        if machine is not None:
            machine.is_leaving = True
            self._for_a_while(lambda: setattr(machine, "is_leaving", False))

    def _storm(self, _: SimulatedMember) -> None:
        network = self._world.network
        network.loss, network.duplication = self._random.uniform(0, 0.4), self._random.uniform(0, 0.3)
        network.late, network.late_s = self._random.uniform(0, 0.3), self._random.uniform(0.01, 1.0)
        self._for_a_while(self._calm)

    def _calm(self) -> None:
        network = self._world.network
        network.loss = network.duplication = network.late = 0.0

    def _stalls(self, member: SimulatedMember) -> None:
        member.stall = (self._random.uniform(0, 0.3), self._random.uniform(0, 1.5))
        self._for_a_while(lambda: setattr(member, "stall", (0.0, 0.0)))


def run_seed(seed: int, has_changes_unheard: bool = False) -> None:
    """Raises AssertionError, with the story of the seed, when something does not hold."""
    world = cluster_of(seed)
    world.start()
    world.run(1.3)
    _check_owned(world, seed, "after the start")
    faults = Faults(world)
    if has_changes_unheard:
        faults.plan_changes_unheard()
    else:
        faults.plan()
    world.run(FAULTS_S)
    world.run(OWNER_WITHIN_S)
    _check_owned(world, seed, f"{OWNER_WITHIN_S} s after the last fault")
    changes = len(_unwanted(world))
    world.run(STEADY_S)
    assert len(_unwanted(world)) == changes, f"SIGNALBOX_SEED={seed}: an owner changed at rest\n{world.story()}"
    _check_owned(world, seed, "at rest")
    _check_acknowledged(world, seed)


def run_change(seed: int) -> None:
    """A member joins, or one that owns nothing is removed, and nothing else happens: each address answers all along,
    and has its owner and epoch still. Raises AssertionError."""
    world = cluster_of(seed)
    world.settings = replace(SETTINGS, former_ms=10_000)
    random = world.random
    for member in world.members.values():
        member.start()
    world.run(2.0)
    owners = {address.number: world.owner(address.number) for address in world.addresses}
    assert all(owners.values()), f"SIGNALBOX_SEED={seed}: no owner after the start\n{world.story()}"
    changes = len(world.changes)
    idle = [number for number in world.members if number not in owners.values()]
    if idle and random.random() < 0.5:
        world.remove(random.choice(idle))
    else:
        world.join(random.random() < 0.3, random.uniform(0, 2.0))
    for member in world.members.values():
        world.schedule.after(random.uniform(0, 3.0), member.hear_of_members)
    for _ in range(2_000):
        world.run(0.002)
        answering = {number: world.owner(number) for number in owners}
        assert answering == owners, f"SIGNALBOX_SEED={seed}: {answering} answer, not {owners}\n{world.story()}"
    assert len(world.changes) == changes, f"SIGNALBOX_SEED={seed}: an epoch changed\n{world.story()}"
    versions = {world.members[number].membership.version for number in world.membership.numbers}
    assert versions == {2}, f"SIGNALBOX_SEED={seed}: {versions}"


def _unwanted(world: SimulatedCluster) -> list[object]:
    """Changes of owner but those to a preferred member."""
    return [change for _, change in world.changes if not world.addresses[change.address - 1].preempt]


def _check_owned(world: SimulatedCluster, seed: int, when: str) -> None:
    for address in world.addresses_of(world.membership):
        able = [world.members[number] for number in address.preference]
        if any(member.machine is not None for member in able):
            # It may be handed over just now.
            for _ in range(HAND_OVER_MS):
                if world.owner(address.number):
                    break
                world.run(0.001)
            owned = world.owner(address.number)
            assert owned, f"SIGNALBOX_SEED={seed}: address {address.number} has no owner {when}\n{world.story()}"


def _check_acknowledged(world: SimulatedCluster, seed: int) -> None:
    """Each living member has promised itself to the owner: else the death of one that has may end the authority."""
    for address in world.addresses:
        owner = world.owner(address.number)
        promised = {
            number: machine.records[address.number].promise.holder
            for number in world.membership.numbers
            if (machine := world.members[number].machine) is not None
        }
        wrong = {number for number, holder in promised.items() if owner and holder != owner}
        assert not wrong, f"SIGNALBOX_SEED={seed}: {wrong} do not acknowledge member {owner}\n{world.story()}"


def _failure_of(seed: int) -> str:
    try:
        run_seed(seed)
        if seed % UNHEARD_EVERY == 0:
            run_seed(seed, has_changes_unheard=True)
        if seed % CHANGE_EVERY == 0:
            run_change(seed)
    except Exception as fault:
        return f"SIGNALBOX_SEED={seed}: {type(fault).__name__}: {fault}"
    return ""


def main(first: int, last: int) -> int:
    """Run many seeds on all processors; returns the exit status."""
    failed = 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for done, failure in enumerate(pool.map(_failure_of, range(first, last + 1), chunksize=20), 1):
            if failure:
                failed += 1
                print(failure, flush=True)
            if done % 500 == 0:
                print(f"{done} seeds, {failed} failed", flush=True)
    print(f"{last - first + 1} seeds, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
