"""Random faults: never two owners, an owner again when they are over, and then no change. A failing seed says so.

`SIGNALBOX_SEED=123` runs that one alone; `make soak` runs ten thousand (tests/cluster/leases/lease_faults.py).
"""

from __future__ import annotations

import os

import pytest

from tests.cluster.leases.lease_faults import run_change, run_seed
from tests.effort import IS_COMPILED

# The machine is the same Python on both builds.
SEEDS = 40 if IS_COMPILED else 200
GROUPS = 4
# Of each group.
CHANGES = 10


def seeds(group: int) -> list[int]:
    asked = os.environ.get("SIGNALBOX_SEED", "")
    if asked.isdecimal():
        return [int(asked)] if group == 0 else []
    return list(range(1 + group, 1 + SEEDS, GROUPS))


@pytest.mark.parametrize("group", range(GROUPS))
def test_one_owner_whatever_happens(group: int) -> None:
    for seed in seeds(group):
        run_seed(seed)


@pytest.mark.parametrize("group", range(GROUPS))
def test_one_owner_though_some_members_miss_a_change_of_the_members(group: int) -> None:
    for seed in seeds(group)[:CHANGES]:
        run_seed(seed, has_changes_unheard=True)


@pytest.mark.parametrize("group", range(GROUPS))
def test_a_change_of_the_members_costs_no_authority(group: int) -> None:
    for seed in seeds(group)[:CHANGES]:
        run_change(seed)
