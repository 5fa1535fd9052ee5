"""Who runs, and how far clocks are apart."""

from __future__ import annotations

import pytest

from appliance.cluster.coordination.dict_store import DictStore
from appliance.cluster.coordination.keys import ClusterKeys
from appliance.cluster.coordination.presence import (
    INTERVAL_S,
    LIFETIME_S,
    SAMPLES_MAX,
    ClockDifferences,
    Presence,
    PresenceKey,
)

KEYS = ClusterKeys("west")


def present(store: DictStore) -> Presence | None:
    entry = store.read(KEYS.presence(3)).entries.get(KEYS.presence(3))
    return Presence.from_octets(entry.value) if entry else None


def test_a_member_is_present_as_long_as_it_says_so_and_a_little_longer() -> None:
    store = DictStore()
    key = PresenceKey(store, KEYS, 3, "1.2", 50.0)
    now = 0.0
    while now < 60.0:
        key.tend(now, 1000.0 + now)
        assert present(store) is not None
        now += 0.5
        store.keys.pass_time(0.5)
    assert present(store) == Presence("1.2", 50.0, 1000.0 + 59.5 - 59.5 % INTERVAL_S)
    store.keys.pass_time(LIFETIME_S)
    assert present(store) is None
    key.tend(now, 2000.0)
    assert present(store) == Presence("1.2", 50.0, 2000.0)
    key.end()
    assert present(store) is None


def test_what_is_no_presence_is_none() -> None:
    assert Presence.from_octets(b"nonsense") is None
    assert Presence.from_octets(b"{}") is None


def test_a_delay_does_not_look_like_a_clock_that_is_apart() -> None:
    clocks = ClockDifferences()
    for late_s in (30.0, 0.01, 20.0, 0.02, 40.0):
        clocks.told(2, 1000.0, 1000.0 + late_s)
    assert clocks.of(2) == pytest.approx(-0.01)
    assert not clocks.is_apart(2)


def test_a_clock_is_apart_until_it_is_well_together_again() -> None:
    clocks = ClockDifferences()

    def told(difference_s: float) -> bool:
        for _ in range(SAMPLES_MAX):
            clocks.told(2, 1000.0 + difference_s, 1000.0)
        return clocks.is_apart(2)

    assert [told(each) for each in (0.1, 4.9, 5.1, 3.0, 2.0, 4.0, -600.0)] == [
        False, False, True, True, False, False, True,
    ]  # fmt: skip
    clocks.forget_but({1})
    assert clocks.of(2) is None and not clocks.is_apart(2)


def test_one_report_is_no_proof() -> None:
    clocks = ClockDifferences()
    clocks.told(2, 0.0, 1000.0)
    assert not clocks.is_apart(2)


def test_a_member_says_which_configuration_is_in_force_on_it() -> None:
    store = DictStore()
    PresenceKey(store, KEYS, 3, "1.2", 50.0).tend(0.0, 1000.0, 12)
    assert present(store) == Presence("1.2", 50.0, 1000.0, 12)


def test_an_older_member_does_not_say_it() -> None:
    octets = b'{"format":1,"version":"0.4","since":5.0,"wall_time":7.0}'
    assert Presence.from_octets(octets) == Presence("0.4", 5.0, 7.0, 0)
