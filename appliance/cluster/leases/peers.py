"""The other members, as their last heartbeats show them."""

from __future__ import annotations

from appliance.cluster.leases.heartbeat import AddressState, Heartbeat


class Peer:
    """One other member. Times are of the own clock."""

    __slots__ = ("heard_at", "heartbeat", "present_since", "states")

    def __init__(self) -> None:
        self.heartbeat: Heartbeat | None = None
        self.heard_at = 0.0
        self.present_since = 0.0
        self.states: dict[int, AddressState] = {}

    def receive(self, heartbeat: Heartbeat, now: float, heard_s: float) -> None:
        """Keep what it says."""
        if not self.is_present(now, heard_s) or heartbeat.is_silent:
            self.present_since = now
        self.heartbeat, self.heard_at = heartbeat, now
        self.states = {state.address: state for state in heartbeat.states}

    def end(self) -> None:
        """The process behind it is dead."""
        self.heartbeat = None
        self.states = {}

    def is_present(self, now: float, heard_s: float) -> bool:
        """Was it heard just now?"""
        return self.heartbeat is not None and now - self.heard_at <= heard_s

    def is_voting(self, now: float, heard_s: float) -> bool:
        """Is it present, and does it acknowledge?"""
        return self.heartbeat is not None and not self.heartbeat.is_silent and now - self.heard_at <= heard_s

    @property
    def sees_majority(self) -> bool:
        """Does it say that it hears a majority?"""
        return self.heartbeat is not None and self.heartbeat.sees_majority
