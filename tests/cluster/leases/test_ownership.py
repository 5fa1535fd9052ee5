"""The decision about one address, for each stance."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.cluster.leases.heartbeat import Stance
from appliance.cluster.leases.ownership import (
    NO_RANK,
    AddressView,
    Claim,
    Decision,
    GiveUp,
    Keep,
    Own,
    Raise,
    Wait,
    Withdraw,
    decide,
)
from appliance.messages.lease_settings import LeaseSettings

FREE = AddressView(
    now=100.0,
    stance=Stance.FOLLOWING,
    epoch=4,
    highest_epoch=6,
    since=99.95,
    authority_end=100.5,
    votes=2,
    refusals=0,
    members=3,
    majority=2,
    free_since=100.0,
    rank=0,
    is_named=False,
    is_maintained=False,
    retry_at=0.0,
    other_owner=0,
    is_outbid=False,
    hand_over_to=0,
    hand_over_reason="",
    settings=LeaseSettings(),
)
CLAIMING = replace(FREE, stance=Stance.CLAIMING)
OWNING = replace(FREE, stance=Stance.OWNING)
VERIFYING = replace(FREE, stance=Stance.VERIFYING)
NEVER = float("inf")


@pytest.mark.parametrize(
    ("view", "decision"),
    [
        (FREE, Claim(7)),
        (replace(FREE, free_since=NEVER), Wait()),
        (replace(FREE, rank=NO_RANK), Wait()),
        (replace(FREE, rank=1), Wait()),
        (replace(FREE, rank=1, now=100.08), Claim(7)),
        (replace(FREE, retry_at=100.1), Wait()),
        (replace(FREE, is_maintained=True), Wait()),
        (replace(FREE, is_maintained=True, is_named=True), Claim(7)),
        (CLAIMING, Own()),
        (replace(CLAIMING, votes=1), Wait()),
        (replace(CLAIMING, authority_end=100.001), Wait()),
        (replace(CLAIMING, votes=1, refusals=2), Withdraw("a majority has promised it to others")),
        (replace(CLAIMING, votes=1, since=99.8), Withdraw("no majority answered in time")),
        (replace(CLAIMING, other_owner=3), Withdraw("another member owns it")),
        (OWNING, Keep()),
        (replace(OWNING, authority_end=100.0), GiveUp("a majority of members no longer acknowledges it")),
        (replace(OWNING, other_owner=2), GiveUp("another member owns it at a higher epoch")),
        (replace(OWNING, hand_over_to=2, hand_over_reason="drained"), GiveUp("drained", 2)),
        (replace(OWNING, is_outbid=True), Raise(7)),
        (VERIFYING, Own()),
        (replace(VERIFYING, authority_end=0.0), Wait()),
    ],
)
def test_decision(view: AddressView, decision: Decision) -> None:
    assert decide(view) == decision


def test_an_owner_whose_clocks_jumped_gives_up_when_no_majority_acknowledges_it_in_time() -> None:
    assert isinstance(decide(replace(VERIFYING, authority_end=0.0, since=99.0)), GiveUp)
