"""What the supervisor knows of virtual addresses, by the reports of its lease process. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from appliance.messages.address_messages import AddressLost, AddressOwned, AddressOwners
from appliance.messages.membership import NO_MEMBER
from appliance.messages.standing_orders import StandingOrders

OWNING: Final = "owning"


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """One virtual address; `since` is monotonic: when this node came to its stance. `owner`: 0 for none.

    `claimed_by`: the members that say that they own it; more than one for moments only.
    """

    number: int
    name: str
    owner: int
    epoch: int
    stance: str
    since: float
    taken_from: int
    is_elsewhere: bool
    claimed_by: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TakenOver:
    """This node has taken an address over. `last_owner`: 0 when none is known; `gap_s`: for how long it was silent."""

    number: int
    name: str
    epoch: int
    last_owner: int
    reason: str
    gap_s: float


@dataclass(slots=True)
class KnownAddresses:
    """Feed it every report. `addresses`, by number, are as of the last status."""

    me: int
    addresses: dict[int, KnownAddress] = field(default_factory=dict)
    heard_ms_ago: dict[int, int | None] = field(default_factory=dict)
    """Of each other member, when the last status was made; None: not heard since the start."""
    unowned_since: dict[int, float] = field(default_factory=dict)
    """Of addresses that no node owns: since when that is known."""
    counters: dict[str, int] = field(default_factory=dict)
    is_real_time: bool = True
    orders: StandingOrders = field(default_factory=StandingOrders)
    """Of operators, for the whole cluster."""
    is_silent: bool = True
    settled_version: int = 0
    """Of the members, by which alone the lease process helps an owner; 0 for unknown."""
    owner_since: dict[int, tuple[int, float]] = field(default_factory=dict)
    """(owner, since when this node knows of it) of each address."""
    split_since: dict[int, float] = field(default_factory=dict)
    """Of addresses that several members say they own."""
    _owned: dict[int, AddressOwned] = field(default_factory=dict)

    @property
    def owned(self) -> list[AddressOwned]:
        """What this node owns."""
        return list(self._owned.values())

    @property
    def owners(self) -> AddressOwners:
        """Who owns which address, as far as it is known."""
        return AddressOwners(list(self.owner_since), [owner for owner, _ in self.owner_since.values()])

    def receive(self, report: dict[str, Any], now: float) -> Iterator[AddressOwned | AddressLost | TakenOver]:
        """What has changed by a report. Raises KeyError, TypeError, ValueError for what is none."""
        if "change" in report:
            yield from self._changed(report["change"], now)
        elif "addresses" in report:
            yield from self._status(report, now)

    def process_ended(self) -> Iterator[AddressLost]:
        """The lease process is gone; its guard has closed the leases."""
        for owned in self.owned:
            yield self._lost(owned.address)
        self.addresses, self.heard_ms_ago, self.is_silent, self.settled_version = {}, {}, True, 0
        self.unowned_since, self.split_since = {}, {}

    def _changed(self, change: dict[str, Any], now: float) -> Iterator[AddressOwned | AddressLost | TakenOver]:
        number, epoch, last_owner = int(change["address"]), int(change["epoch"]), int(change["last_owner"])
        name = str(change["name"])
        self.owner_since[number] = int(change["owner"]), now
        if int(change["owner"]) == self.me:
            yield self._gained(number, name, epoch, last_owner)
            yield TakenOver(number, name, epoch, last_owner, str(change["reason"]), int(change["gap_ms"]) / 1000)
        elif number in self._owned:
            yield self._lost(number)

    def _status(self, report: dict[str, Any], now: float) -> Iterator[AddressOwned | AddressLost]:
        # Without a name it is one that only other nodes have in their configuration.
        found = (_address(each, now) for each in report["addresses"] if each["name"])
        self.addresses = {address.number: address for address in found}
        unowned = (address for address in self.addresses.values() if address.owner == NO_MEMBER)
        self.unowned_since = {each.number: self.unowned_since.get(each.number, now) for each in unowned}
        self._note_owners(now)
        split = (address for address in self.addresses.values() if len(address.claimed_by) > 1)
        self.split_since = {each.number: self.split_since.get(each.number, now) for each in split}
        self.heard_ms_ago = {int(each["member"]): each["heard_ms_ago"] for each in report["members"]}
        self.counters = {str(name): int(count) for name, count in report["counters"].items()}
        self.is_real_time, self.is_silent = bool(report["is_real_time"]), bool(report["is_silent"])
        self.settled_version = int(report["settled_version"])
        orders = report["orders"]
        self.orders = StandingOrders(**{**orders, "drained": tuple(orders["drained"])}).lasting
        # A change whose report was lost with a connection.
        for address in self.addresses.values():
            is_owned = address.owner == self.me and address.stance == OWNING
            if is_owned and address.number not in self._owned:
                yield self._gained(address.number, address.name, address.epoch, address.taken_from)
        gone = [number for number in self._owned if number not in self.addresses or not self._is_held(number)]
        for number in gone:
            yield self._lost(number)

    def _note_owners(self, now: float) -> None:
        former, self.owner_since = self.owner_since, {}
        for number, address in self.addresses.items():
            is_new = former.get(number, (NO_MEMBER, 0.0))[0] != address.owner
            self.owner_since[number] = (address.owner, now) if is_new else former[number]

    def _is_held(self, number: int) -> bool:
        return self.addresses[number].owner == self.me

    def _gained(self, number: int, name: str, epoch: int, last_owner: int) -> AddressOwned:
        owned = self._owned[number] = AddressOwned(number, name, epoch, last_owner)
        return owned

    def _lost(self, number: int) -> AddressLost:
        return AddressLost(number, self._owned.pop(number).name)


def _address(fields: dict[str, Any], now: float) -> KnownAddress:
    return KnownAddress(
        number=int(fields["address"]),
        name=str(fields["name"]),
        owner=int(fields["owner"]) or NO_MEMBER,
        epoch=int(fields["epoch"]),
        stance=str(fields["stance"]),
        since=now - int(fields["since_ms"]) / 1000,
        taken_from=int(fields["taken_from"]),
        is_elsewhere=bool(fields["is_elsewhere"]),
        claimed_by=tuple(int(number) for number in fields["claimed_by"]),
    )
