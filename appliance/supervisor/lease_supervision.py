"""The lease process of a node in a cluster: kept running, ordered, and what it says of virtual addresses.

It lives on when any other process of the node dies. When the supervisor dies the kernel ends it (PR_SET_PDEATHSIG), and
its guard gives the addresses away at once. What it is started with follows the configuration, the membership and the
network interfaces. A member more or less it takes in while it runs; when anything else changes, it gives its addresses
to other nodes, ends, and is started anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from appliance import clock
from appliance.catalogue.alarms import Condition
from appliance.catalogue.cluster_status import AddressStatus
from appliance.catalogue.settings import Settings
from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.ipc.lease_launch import LeaseLaunch
from appliance.messages.address_messages import AddressLost, AddressOwned
from appliance.messages.bus_messages import BusMessage
from appliance.messages.cluster_messages import TakeOver
from appliance.messages.membership import NO_MEMBER, VirtualAddress
from appliance.privileges import LEASE_RIGHTS
from appliance.storage.cluster_file import ClusterFile
from appliance.supervisor.known_addresses import KnownAddresses, TakenOver
from appliance.supervisor.lease_conditions import address_conditions, interface_conditions, process_conditions
from appliance.supervisor.lease_reader import LeaseReader, OnReply
from appliance.supervisor.lease_terms import Interfaces, lease_launch, missing_interfaces
from appliance.supervisor.supporting_process import SupportingProcess

SOCKET_NAME: Final = "lease.sock"
# How often the network interfaces are looked at.
LOOK_EVERY_S: Final = 5.0

Look = Callable[[], Interfaces]


class LeaseSupervision(SupportingProcess[LeaseLaunch]):
    """Call `tend_leases` in every cycle. `watch`: have the supervisor wake up for a descriptor.

    `tell_workers` and `note_take_over`, which is called once for each take-over, are set by the node.
    """

    rights = LEASE_RIGHTS

    def __init__(
        self,
        known: ClusterFile,
        settings: Settings,
        run_dir: Path,
        interfaces: Look,
        watch: Callable[[int], None],
        report: Callable[[str], None],
    ) -> None:
        self.known = known
        self.settings = settings
        self.interfaces = interfaces()
        self.addresses = KnownAddresses(known.me)
        self.tell_workers: Callable[[BusMessage], object] = lambda message: None
        self.note_take_over: Callable[[TakeOver], None] = lambda take_over: None
        self._control_path = run_dir / SOCKET_NAME
        self._terms = self._wanted()
        """What it was started with, but for orders of operators."""
        super().__init__("The lease process", self._terms, report)
        self._look = interfaces
        self._watch = watch
        self._reader: LeaseReader | None = None
        self._look_at = 0.0
        self._is_ready = False
        self._is_ready_told = False
        self._is_asked_to_end = False
        self._is_changing = False
        """Was it told of other members, and has not answered yet?"""
        self._can_change = True
        self._down_since = float("inf")

    # -- its life ------------------------------------------------------------------------------------

    def tend_leases(self, limits: SupervisionSettings, is_stopping: bool, is_ready: bool, now: float) -> None:
        """Keep it running and informed. `is_ready`: may this node own addresses?"""
        self._is_ready = is_ready and not is_stopping
        self._read(now)
        self._follow_interfaces(now)
        if self.is_running and not is_stopping:
            self._follow_terms(now)
        self.tend(limits, is_stopping, now)
        if self._reader is None and self.is_running:
            self._connect()
        self._tell_ready(now)

    def put_in_force(self, settings: Settings) -> None:
        """Go by a new configuration."""
        self.settings = settings

    def _wanted(self) -> LeaseLaunch:
        return lease_launch(self.known, self.settings, self.interfaces, str(self._control_path))

    def _follow_interfaces(self, now: float) -> None:
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY_S
            self.interfaces = self._look()

    def _follow_terms(self, now: float) -> None:
        """Tell it of a change, or have it start anew."""
        wanted = self._wanted()
        # Epochs are for the start alone.
        if self._is_changing or wanted == replace(self._terms, epochs=wanted.epochs):
            return
        order = {"order": "members", **wanted.fields_of_members}
        can_change = self._can_change and wanted.follows(self._terms)
        if can_change and self.order(order, lambda sentence: self._members_changed(wanted, sentence), now):
            self._is_changing = True
        else:
            self.stop()

    def _members_changed(self, terms: LeaseLaunch, sentence: str) -> None:
        self._is_changing = False
        if sentence:
            self._can_change = False
            self._report(f"The lease process is started anew: {sentence}")
        else:
            self._terms = terms
            self.launch = replace(self.launch, membership=terms.membership, addresses=terms.addresses)

    def stop(self) -> None:
        """Ask it to give its addresses away and to end: that is no failure."""
        self._is_asked_to_end = True
        super().stop()

    def _start(self, limits: SupervisionSettings, now: float) -> None:
        self._is_asked_to_end = self._is_ready_told = self._is_changing = False
        self._can_change = True
        self._terms = self._wanted()
        self.launch = replace(self._terms, orders=self.addresses.orders)
        super()._start(limits, now)
        if self.process is not None:
            self._watch(self.process.fileno())

    def _ended(self, ending: str, limits: SupervisionSettings, is_stopping: bool, now: float) -> None:
        self._disconnect()
        self._down_since = now
        super()._ended(ending, limits, is_stopping or self._is_asked_to_end, now)

    # -- its reports ---------------------------------------------------------------------------------

    def _connect(self) -> None:
        # Until it listens, and when it has too many readers.
        with suppress(OSError):
            self._reader = LeaseReader(self._control_path)
            self._watch(self._reader.fileno())
            self._is_ready_told = False

    def _disconnect(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        for lost in self.addresses.process_ended():
            self.tell_workers(lost)

    def _read(self, now: float) -> None:
        reader = self._reader
        if reader is None:
            return
        for report in reader.receive():
            try:
                for news in self.addresses.receive(report, now):
                    self._take_note(news)
            except (KeyError, TypeError, ValueError):
                reader.close()
            self.tell_workers(self.addresses.owners)
        reader.give_up_late(now)
        if not reader.is_open:
            # Connected anew as long as it runs: its first report says what was missed.
            self._reader = None

    def _take_note(self, news: AddressOwned | AddressLost | TakenOver) -> None:
        if isinstance(news, TakenOver):
            gap_ms, wall_time = round(news.gap_s * 1000), clock.wall_time()
            names = news.number, news.name, news.epoch
            self.note_take_over(
                TakeOver(*names, self.known.me, news.last_owner, news.reason, gap_ms, wall_time)
            )
        else:
            self.tell_workers(news)

    def settled_version(self, now: float) -> int:
        """The version of the members by which alone this node helps an owner; 0 while that is not known.

        Without a process this node helps no owner, and the next process uses the cluster file.
        """
        if self.is_running:
            return self.addresses.settled_version
        is_over = now > self._down_since + self._terms.settings.promise_s
        return self.known.membership.version if is_over else 0

    # -- orders --------------------------------------------------------------------------------------

    def order(self, order: dict[str, Any], on_reply: OnReply, now: float) -> bool:
        """Give an order; False when the lease process cannot be told."""
        return self._reader is not None and self._reader.order(order, on_reply, now)

    def _tell_ready(self, now: float) -> None:
        if self._is_ready != self._is_ready_told:
            is_told = self.order({"order": "ready", "on": self._is_ready}, lambda sentence: None, now)
            self._is_ready_told = self._is_ready if is_told else self._is_ready_told

    # -- what operators see --------------------------------------------------------------------------

    def statuses(self, now: float) -> list[AddressStatus]:
        """Each virtual address of the configuration."""
        launched = {address.number: address for address in self.launch.addresses}
        return [self._status(number, launched[number], now) for number in sorted(launched)]

    def _status(self, number: int, address: VirtualAddress, now: float) -> AddressStatus:
        known = self.addresses.addresses.get(number)
        owner, since = self.addresses.owner_since.get(number, (NO_MEMBER, now))
        status = AddressStatus(
            name=address.name, addresses=list(address.addresses), interface=address.interface, owner=self.name_of(owner)
        )
        if known is not None:
            status.since = clock.wall_time() - (now - since) if owner else 0.0
            status.epoch, status.stance, status.is_elsewhere = known.epoch, known.stance, known.is_elsewhere
        return status

    def name_of(self, number: int) -> str:
        """The name of a member, "" for none."""
        members = self.known.membership.members
        return next((member.name for member in members if member.number == number), "")

    def conditions(self, now: float) -> Iterator[Condition]:
        """The alarms that are true."""
        yield from process_conditions(self.is_down, self.deaths, self.last_ending)
        yield from address_conditions(self.addresses, self.known.membership, now)
        yield from interface_conditions(list(missing_interfaces(self.settings, self.interfaces)))

    def close(self) -> None:
        """Leave no process and no connection behind."""
        self.kill()
        if self._reader is not None:
            self._reader.close()
