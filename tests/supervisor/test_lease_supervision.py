"""A change of what the lease process was started with: told where it can take it in, else it ends and starts anew."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

import pytest

from appliance.catalogue.cluster_settings import ClusterSettings, VirtualAddressSettings
from appliance.catalogue.settings import Settings
from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.messages.membership import Member, Membership
from appliance.storage.cluster_file import ClusterFile, EtcdAccess
from appliance.supervisor.lease_reader import OnReply
from appliance.supervisor.lease_supervision import LeaseSupervision

A, B = Member(1, "a", "10.0.0.1", 7677), Member(2, "b", "10.0.0.2", 7677)
C, W = Member(3, "c", "10.0.0.3", 7677), Member(4, "w", "10.0.0.4", 7677, True)
KNOWN = ClusterFile("test", 1, "ab" * 32, "", Membership(2, (A, B)), EtcdAccess(()))
SETTINGS = Settings(virtual_addresses=(VirtualAddressSettings("sip", addresses=("10.0.0.50/24",)),))
INTERFACES = {"eth0": [ip_interface("10.0.0.1/24")]}


class Leases(LeaseSupervision):
    """A lease process that runs; orders wait in `ordered` until `answer`."""

    is_running = True

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(KNOWN, SETTINGS, tmp_path, lambda: INTERFACES, lambda fd: None, lambda sentence: None)
        self.ordered: list[tuple[dict[str, Any], OnReply]] = []
        self.can_be_told = True
        self.stops = 0

    def order(self, order: dict[str, Any], on_reply: OnReply, now: float) -> bool:
        if order["order"] == "members" and self.can_be_told:
            self.ordered.append((order, on_reply))
        return self.can_be_told

    def answer(self, sentence: str = "") -> dict[str, Any]:
        """The oldest order is answered; what it was."""
        order, on_reply = self.ordered.pop(0)
        on_reply(sentence)
        return order

    def tend(self, limits: SupervisionSettings, is_stopping: bool, now: float) -> None:
        """It lives."""

    def _connect(self) -> None:
        """It is connected."""

    def stop(self) -> None:
        self.stops += 1

    def cycle(self, known: ClusterFile | None = None) -> None:
        """One turn of the supervisor, which may know of other members."""
        self.known = known or self.known
        self.tend_leases(SupervisionSettings(), False, False, 1.0)


@pytest.fixture
def leases(tmp_path: Path) -> Leases:
    return Leases(tmp_path)


def members(version: int, *numbered: Member) -> ClusterFile:
    """Other epochs are recorded as well by then."""
    return replace(KNOWN, membership=Membership(version, numbered), epochs=((9, version),))


def test_a_member_joins_and_one_is_removed_while_it_runs(leases: Leases) -> None:
    leases.cycle(members(3, A, B, C))
    # Told once.
    leases.cycle(members(3, A, B, C))
    assert len(leases.ordered) == 1
    changed = leases.answer()
    assert [member["number"] for member in changed["membership"]["members"]] == [1, 2, 3]
    assert changed["addresses"][0]["preference"] == (1, 2, 3)
    assert "key_hex" not in changed
    leases.cycle(members(4, A, C))
    assert leases.answer()["membership"]["version"] == 4
    leases.cycle()
    assert leases.ordered == [] and leases.stops == 0


@pytest.mark.parametrize(
    "known",
    [
        members(4, A, B, C),
        members(3, A, B, C, W),
        members(3, A, C),
        members(3, A, replace(B, host="10.0.0.9")),
        members(1, A),
        replace(members(3, A, B, C), key_hex="cd" * 32),
    ],
    ids=["a version was missed", "two join", "one for another", "an address", "an older version", "the key"],
)
def test_what_is_more_than_one_member_starts_it_anew(leases: Leases, known: ClusterFile) -> None:
    leases.cycle(known)
    assert (leases.ordered, leases.stops) == ([], 1)


def test_other_times_or_addresses_start_it_anew(leases: Leases) -> None:
    leases.put_in_force(replace(SETTINGS, cluster=ClusterSettings(lease_ms=700)))
    leases.cycle(members(3, A, B, C))
    leases.put_in_force(Settings())
    leases.cycle()
    assert (leases.ordered, leases.stops) == ([], 2)


def test_epochs_alone_are_no_change(leases: Leases) -> None:
    leases.cycle(replace(KNOWN, epochs=((9, 7),)))
    assert (leases.ordered, leases.stops) == ([], 0)


def test_one_that_refuses_is_started_anew(leases: Leases) -> None:
    leases.cycle(members(3, A, B, C))
    leases.answer("The members cannot be changed.")
    leases.cycle()
    assert (leases.ordered, leases.stops) == ([], 1)


def test_one_that_cannot_be_told_is_started_anew(leases: Leases) -> None:
    leases.can_be_told = False
    leases.cycle(members(3, A, B, C))
    assert leases.stops == 1
