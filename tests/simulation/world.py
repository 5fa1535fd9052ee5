"""One simulated run: a cluster and its phones, joined by a bad network; and what has to be true afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.transport.flow import UDP, Flow, Outgoing
from tests.flows.wire import read
from tests.simulation.cluster import Cluster
from tests.simulation.nodes import NodeGroup
from tests.simulation.phone import DOMAIN, Call, Phone
from tests.simulation.schedule import Schedule

STARTED_AT = 5000.0


@dataclass(frozen=True)
class Network:
    """How bad the network is; probabilities and seconds."""

    loss: float = 0.0
    duplication: float = 0.0
    delay_s: tuple[float, float] = (0.0005, 0.01)


class World:
    """Phones named phone0, phone1, ... at addresses of their own."""

    def __init__(
        self,
        seed: int,
        network: Network,
        workers: int = 3,
        phones: int = 12,
        is_steered: bool = True,
        authenticate: bool = False,
        store_fails: float = 0.0,
        nodes: Sequence[int] = (),
    ) -> None:
        """`nodes`: how many workers each node of a cluster has; () for one node that is in none."""
        self.random = Random(seed)
        self.schedule = Schedule(STARTED_AT)
        self.calls: dict[str, Call] = {}
        self.delivered = 0
        self._network = network
        listener = ListenerSettings(name="main", address="192.0.2.1", relay="none", authenticate=authenticate)
        settings = Settings(domains=(DOMAIN,), listeners=(listener,))
        self.cluster = Cluster(
            settings,
            workers,
            self.schedule,
            self.random,
            self._from_node,
            is_steered=is_steered,
            store_fails=store_fails,
        )
        self.nodes = NodeGroup(settings, nodes, self.schedule, self.random, self._from_node) if nodes else None
        self._there = self.nodes or self.cluster
        self.phones = [self._phone(number) for number in range(phones)]
        self._by_address = {phone.at: phone for phone in self.phones}

    def _phone(self, number: int) -> Phone:
        remote = (f"192.0.2.{10 + number}", 5060)
        flow = Flow(UDP, 0, remote)
        return Phone(
            f"phone{number}",
            f"{remote[0]}:5060",
            self.schedule,
            self.random,
            lambda data: self._carry(lambda: self._there.receive(data, flow)),
            self.calls,
        )

    # -- the network ---------------------------------------------------------------------------------

    def _from_node(self, outgoing: Outgoing) -> None:
        host, port = outgoing.flow.remote
        phone = self._by_address.get(f"{host}:{port}")
        if phone is not None:
            data = outgoing.data
            self._carry(lambda: phone.receive(data))

    def _carry(self, deliver: Callable[[], None]) -> None:
        """Lose, repeat, delay; delays of their own reorder."""
        copies = 2 if self.random.random() < self._network.duplication else 1
        for _ in range(copies):
            if self.random.random() >= self._network.loss:
                self.delivered += 1
                self.schedule.after(self.random.uniform(*self._network.delay_s), deliver)

    # -- time ----------------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.schedule.now + seconds
        while (due := min(self.schedule.next_due(), self._there.next_timer())) <= end:
            if self.schedule.next_due() <= due:
                self.schedule.do_next()
            else:
                self.schedule.now = max(self.schedule.now, due)
                self._there.handle_timers()
        self.schedule.now = end

    def let_workers_die_and_come_back(self, times: int) -> None:
        """One after the other, 2.5 s apart."""
        for number in range(times):
            worker = number % len(self.cluster.stacks)
            self.run(2.5)
            self.cluster.kill(worker)
            self.run(2.5)
            self.cluster.revive(worker)

    def let_slots_move(self, times: int, with_deaths: bool) -> None:
        """Among workers that live, half a second apart on average; now and then one dies meanwhile, or two in a row."""
        for number in range(times):
            self.run(self.random.uniform(0.0, 1.0))
            if with_deaths and number % 6 == 5:
                self._let_some_die()
            self.cluster.move_slots()

    def _let_some_die(self) -> None:
        dead = self.random.sample(sorted(self.cluster.stacks), self.random.choice((1, 2)))
        for worker in dead:
            self.cluster.kill(worker)
            self.run(self.random.uniform(0.0, 0.3))
        for worker in dead:
            self.cluster.revive(worker)
        self.run(0.7)

    def let_nodes_die_and_come_back(self, times: int) -> None:
        """The owner of the address, each time when the one before is back and knows of the calls."""
        assert self.nodes is not None
        for _ in range(times):
            self.run(self.random.uniform(1.0, 5.0))
            dead = self.nodes.kill_owner()
            self.run(self.random.uniform(2.0, 5.0))
            self.nodes.revive(dead)

    def let_the_address_move(self, times: int) -> None:
        """To the other node and back, in order, some seconds apart."""
        assert self.nodes is not None
        for _ in range(times):
            self.run(self.random.uniform(0.5, 3.0))
            self.nodes.switch_over()

    def let_the_lock_be_held(self, times: int) -> None:
        """By another process, at random moments of the next 15 s, for up to 0.2 s each."""
        for _ in range(times):
            self.schedule.after(self.random.uniform(0.0, 15.0), self._hold_lock)

    def _hold_lock(self) -> None:
        self.cluster.hold_lock(self.random.uniform(0.0, 0.2))

    # -- what phones do ------------------------------------------------------------------------------

    def register_all(self) -> None:
        """Every phone registers within a second."""
        for phone in self.phones:
            self.schedule.after(self.random.uniform(0.0, 1.0), phone.register)

    def place_calls(self, count: int, within_s: float, cancelled: float = 0.2) -> None:
        """Calls between phones at random moments; a share of them is given up by the caller."""
        for _ in range(count):
            caller, callee = self.random.sample(self.phones, 2)
            plan = "cancel" if self.random.random() < cancelled else "talk"
            self.schedule.after(self.random.uniform(0.0, within_s), _placing(caller, callee.name, plan))

    # -- what has to be true -------------------------------------------------------------------------

    def expect_calls_ended(self, *outcomes: str) -> None:
        """Each call has an outcome, and one of these."""
        strange = [call for call in self.calls.values() if not call.outcome.startswith(outcomes)]
        assert not strange, strange

    def expect_no_answer_lost(self) -> None:
        """Each callee that answered was heard by the caller (RFC 3261 16.7 step 5)."""
        lost = [call for call in self.calls.values() if call.is_answered_by_callee and not call.has_caller_the_answer]
        assert not lost, lost

    def expect_nothing_left(self) -> None:
        """No worker keeps anything but bindings."""
        for gauge in ("transactions", "waiting", "replies_held"):
            assert not any(self._there.gauges(gauge)), (gauge, self._there.gauges(gauge))

    def counted(self, counter: int) -> int:
        """A counter of the catalogue, over all workers that ever lived."""
        return self._there.counted(counter)

    def bindings_by_worker(self) -> dict[int, dict[str, set[str]]]:
        """What each worker answers when it is asked for the contacts of every phone (RFC 3261 10.2.3)."""
        return {
            worker: {phone.name: self._fetch(worker, phone.name) for phone in self.phones}
            for worker in self.cluster.stacks
        }

    def _fetch(self, worker: int, name: str) -> set[str]:
        words = (f"{number}-fetch-{name}-{self.schedule.now}" for number in range(100000))
        call_id = self.cluster.call_id_owned_by(worker, words)
        text = (
            f"REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK{call_id}\r\n"
            f"From: <sip:{name}@{DOMAIN}>;tag=x\r\nTo: <sip:{name}@{DOMAIN}>\r\nCall-ID: {call_id}\r\n"
            f"CSeq: 1 REGISTER\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
        stack = self.cluster.stacks[worker]
        stack.receive_datagrams([(text.encode(), Flow(UDP, 0, ("192.0.2.9", 5060)))], self.schedule.now)
        answers = [read(outgoing.data) for outgoing in stack.datagrams_to_send(self.schedule.now)]
        return {contact.partition(">")[0] for answer in answers for contact in answer.values("Contact")}


def _placing(caller: Phone, callee: str, plan: str) -> Callable[[], None]:
    def deed() -> None:
        caller.call(callee, plan)

    return deed
