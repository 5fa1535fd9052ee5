"""What the lease process is started with: one document on standard input, as for others (ipc/launch_document.py).

It holds the key of the cluster. Whatever stores membership and keys writes this document; the lease process asks no
store, neither at its start nor later.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from ipaddress import ip_interface
from typing import Any, Final, Self

from appliance.catalogue.cluster_values import VIRTUAL_ADDRESSES_MAX
from appliance.ipc.launch_document import Launch
from appliance.messages.lease_settings import KEY_LEN, LeaseSettings
from appliance.messages.membership import Member, Membership, VirtualAddress
from appliance.messages.standing_orders import StandingOrders

# What a change of the members changes.
_OF_MEMBERS: Final = ("membership", "addresses")


@dataclass(frozen=True, slots=True)
class LeaseLaunch(Launch):
    """The start of the lease process.

    `me`            the number of this member.
    `key_hex`       the key by which heartbeats are authenticated.
    `control_path`  the socket on which it reports and takes orders.
    `epochs`        (address, epoch) of earlier owners, as far as they are recorded.
    `orders`        of operators, as far as they are known.
    `is_ready`      may it own addresses before it is told that its node is ready?
    """

    module = "appliance.cluster.leases.lease"

    me: int
    membership: Membership
    addresses: tuple[VirtualAddress, ...]
    key_hex: str
    control_path: str
    settings: LeaseSettings = field(default_factory=LeaseSettings)
    epochs: tuple[tuple[int, int], ...] = ()
    orders: StandingOrders = field(default_factory=StandingOrders)
    is_ready: bool = True

    @property
    def key(self) -> bytes:
        """The key as bytes."""
        return bytes.fromhex(self.key_hex)

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Self:
        """The launch of the fields of a document. Raises ValueError, TypeError, KeyError."""
        members = tuple(Member(**member) for member in fields["membership"]["members"])
        addresses = tuple(
            VirtualAddress(**{**address, **{name: tuple(address[name]) for name in ("preference", "addresses")}})
            for address in fields["addresses"]
        )
        launch = cls(
            fields["me"],
            Membership(fields["membership"]["version"], members),
            addresses,
            fields["key_hex"],
            fields["control_path"],
            LeaseSettings(**fields["settings"]),
            tuple((address, epoch) for address, epoch in fields["epochs"]),
            StandingOrders(**{**fields["orders"], "drained": tuple(fields["orders"]["drained"])}),
            bool(fields["is_ready"]),
        )
        launch.check()
        return launch

    @property
    def fields_of_members(self) -> dict[str, Any]:
        """What `with_members` takes, as JSON has it."""
        fields = asdict(self)
        return {name: fields[name] for name in _OF_MEMBERS}

    def with_members(self, fields: dict[str, Any]) -> Self:
        """The same with the members of the next version, and the addresses as they may be owned then.

        Raises ValueError, TypeError and KeyError for what is not that (`follows`).
        """
        changed = type(self).from_fields({**asdict(self), **{name: fields[name] for name in _OF_MEMBERS}})
        if not changed.follows(self):
            raise ValueError("more than one other member has changed")
        return changed

    def follows(self, before: LeaseLaunch) -> bool:
        """Is it the next version of the members, and nothing else that a running process cannot take in?"""
        return (
            self == replace(before, membership=self.membership, addresses=self.addresses, epochs=self.epochs)
            and self.membership.follows(before.membership)
            and self._owned() == before._owned()
        )

    def _owned(self) -> list[tuple[VirtualAddress, bool]]:
        """The addresses without the members that may own them, and whether this one may."""
        return [(replace(each, preference=()), self.me in each.preference) for each in self.addresses]

    def check(self) -> None:
        """Raises ValueError or KeyError for what cannot be worked with."""
        self.membership.member(self.me)
        if len(self.key) != KEY_LEN:
            raise ValueError(f"the key has not {KEY_LEN} octets")
        if len(self.addresses) > VIRTUAL_ADDRESSES_MAX:
            raise ValueError(f"more than {VIRTUAL_ADDRESSES_MAX} virtual addresses")
        if len(set(self.membership.numbers)) != len(self.membership.members):
            raise ValueError("two members have one number")
        for address in self.addresses:
            for text in address.addresses:
                ip_interface(text)
