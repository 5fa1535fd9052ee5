"""What the lease process is started with: one document on standard input, as for other processes (ipc/launch.py).

It holds the key of the cluster. Whatever stores membership and keys writes this document; the lease process asks no
store, neither at its start nor later.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from ipaddress import ip_interface
from typing import Any, BinaryIO

from appliance.catalogue.cluster_values import VIRTUAL_ADDRESSES_MAX
from appliance.ipc.launch import LaunchError, anonymous_file, python_module
from appliance.messages.lease_settings import KEY_LEN, LeaseSettings
from appliance.messages.membership import Member, Membership, VirtualAddress
from appliance.messages.standing_orders import StandingOrders


@dataclass(frozen=True, slots=True)
class LeaseLaunch:
    """The start of the lease process.

    `me`            the number of this member.
    `key_hex`       the key by which heartbeats are authenticated.
    `control_path`  the socket on which it reports and takes orders.
    `epochs`        (address, epoch) of earlier owners, as far as they are recorded.
    `orders`        of operators, as far as they are known.
    `is_ready`      may it own addresses before it is told that its node is ready?
    """

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

    def argv(self) -> list[str]:
        """The command line."""
        return python_module("appliance.cluster.leases.lease")

    def fds(self) -> tuple[int, ...]:
        """It inherits no sockets."""
        return ()

    def to_stdin(self) -> BinaryIO:
        """An anonymous file with the document, to be its standard input; the caller closes it."""
        return anonymous_file(asdict(self))

    @classmethod
    def from_stdin(cls, document: BinaryIO) -> LeaseLaunch:
        """The launch that standard input holds. Raises LaunchError."""
        try:
            return cls.from_fields(json.loads(document.read()))
        except (ValueError, TypeError, KeyError) as fault:
            raise LaunchError(f"Standard input holds no launch document: {fault!r}.") from fault

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> LeaseLaunch:
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
