"""From the reports of the lease process to what workers and the cluster are told: each take-over once."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.messages.address_messages import AddressLost, AddressOwned, AddressOwners
from appliance.messages.standing_orders import StandingOrders
from appliance.supervisor.known_addresses import KnownAddresses, TakenOver

ME, OTHER = 2, 1
CHANGE = {"address": 5, "name": "sip", "epoch": 9, "owner": ME, "last_owner": OTHER, "reason": "why", "gap_ms": 630}


def status(owner: int, stance: str, epoch: int = 9) -> dict[str, Any]:
    row = {"address": 5, "name": "sip", "owner": owner, "epoch": epoch, "stance": stance, "since_ms": 1500}
    return {
        "is_silent": False,
        "settled_version": 3,
        "orders": {"stamp": 3, "drained": [2], "is_maintained": True, "switch_address": 5, "switch_to": 1},
        "is_real_time": True,
        "addresses": [{**row, "taken_from": OTHER if owner == ME else 0, "is_elsewhere": False, "claimed_by": []}],
        "members": [{"member": OTHER, "heard_ms_ago": 12}],
        "counters": {"clock_jumps": 0},
    }


@pytest.fixture
def known() -> KnownAddresses:
    return KnownAddresses(ME)


def test_a_take_over_is_told_once(known: KnownAddresses) -> None:
    assert list(known.receive({"change": CHANGE}, 1.0)) == [
        AddressOwned(5, "sip", 9, OTHER),
        TakenOver(5, "sip", 9, OTHER, "why", 0.63),
    ]
    assert list(known.receive(status(ME, "owning"), 2.0)) == []
    assert list(known.receive(status(ME, "verifying"), 2.0)) == []
    # An owner may raise its epoch.
    assert list(known.receive(status(ME, "owning", 10), 3.0)) == []


def test_an_address_that_is_given_away_or_has_gone_is_told_once(known: KnownAddresses) -> None:
    list(known.receive({"change": CHANGE}, 1.0))
    assert list(known.receive({"change": {**CHANGE, "owner": 0}}, 2.0)) == [AddressLost(5, "sip")]
    assert list(known.receive(status(OTHER, "following"), 2.0)) == []
    assert known.owned == []


def test_what_was_missed_is_in_the_next_status(known: KnownAddresses) -> None:
    assert list(known.receive(status(ME, "owning"), 2.0)) == [AddressOwned(5, "sip", 9, OTHER)]
    assert list(known.receive(status(OTHER, "following"), 3.0)) == [AddressLost(5, "sip")]


def test_a_status_says_who_owns_what_since_when(known: KnownAddresses) -> None:
    list(known.receive(status(OTHER, "following"), 10.0))
    assert (known.addresses[5].owner, known.addresses[5].since) == (OTHER, 8.5)
    assert known.heard_ms_ago == {OTHER: 12}
    # A switchover is not for a lease process that starts anew.
    assert known.orders == StandingOrders(3, True, (2,))


def test_when_the_lease_process_ends_nothing_is_owned(known: KnownAddresses) -> None:
    list(known.receive({"change": CHANGE}, 1.0))
    assert list(known.process_ended()) == [AddressLost(5, "sip")]
    assert list(known.process_ended()) == []


def test_what_is_no_report_is_refused(known: KnownAddresses) -> None:
    for report in ({"change": {}}, {"addresses": [{}]}, {"addresses": 1}):
        with pytest.raises((KeyError, TypeError, ValueError)):
            list(known.receive(report, 1.0))
    assert list(known.receive({"another": 1}, 1.0)) == []


def test_workers_are_told_who_owns_which_address(known: KnownAddresses) -> None:
    assert known.owners == AddressOwners([], [])
    list(known.receive(status(OTHER, "following"), 1.0))
    assert known.owners == AddressOwners([5], [OTHER])
    # Before the next status.
    list(known.receive({"change": CHANGE}, 2.0))
    assert known.owners == AddressOwners([5], [ME])
    list(known.receive({"change": {**CHANGE, "owner": 0}}, 3.0))
    assert known.owners == AddressOwners([5], [0])
