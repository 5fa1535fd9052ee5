"""A user of the links to the other nodes: registrations, calls. The process calls each in turn (replicator.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from appliance.catalogue.settings import Settings
from appliance.messages.bus_messages import BusMessage
from appliance.messages.membership import Membership

NEVER: Final = float("inf")


class Links(Protocol):
    """The links, as their users see them (ipc/node_links.py)."""

    @property
    def members(self) -> tuple[int, ...]: ...
    def is_up(self, member: int, /) -> bool: ...
    def send(self, member: int, messages: Sequence[BusMessage], /) -> bool: ...


class LinkUser(Protocol):
    """One of them. Nothing here waits; each call does a portion."""

    def fds(self) -> list[int]:
        """Descriptors that become readable when there is something for `tick`."""
        ...

    def changed(self) -> None:
        """Workers have written something: registrations, or calls that are waited for."""
        ...

    def takes(self, message: BusMessage) -> bool:
        """Is a message of another node for this user?"""
        ...

    def receive(self, member: int, message: BusMessage, now: float) -> None:
        """A message that it takes."""
        ...

    def link_up(self, member: int, now: float) -> None:
        """A session begins: what was not acknowledged is to be sent again."""
        ...

    def link_lost(self, member: int, now: float) -> None:
        """The session is over."""
        ...

    def go_by(self, settings: Settings, membership: Membership) -> None:
        """Another configuration, or other members."""
        ...

    def counts(self) -> dict[int, int]:
        """What is counted here, by counter id."""
        ...

    def tick(self, now: float) -> float:
        """Do what is due; returns when to be called again, at the latest, though nothing arrives."""
        ...
