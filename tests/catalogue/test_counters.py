"""Counters are declared once, and completely."""

from __future__ import annotations

import re

from appliance.catalogue import counters
from appliance.catalogue.counters import COUNTERS, GROUPS


def test_a_counter_stands_at_the_place_that_its_id_says() -> None:
    assert [counter.id for counter in COUNTERS] == list(range(len(COUNTERS)))


def test_the_name_that_operators_see_is_the_name_in_the_code() -> None:
    for counter in COUNTERS:
        assert getattr(counters, counter.name.upper().replace("-", "_")) == counter.id


def test_every_id_in_the_code_is_a_counter() -> None:
    ids = {value for name, value in vars(counters).items() if re.fullmatch("[A-Z_]+", name) and isinstance(value, int)}
    assert ids == set(range(len(COUNTERS)))


def test_every_counter_has_a_group_and_one_line_of_help() -> None:
    for counter in COUNTERS:
        assert counter.group in GROUPS
        assert re.fullmatch(r"[A-Z].{5,110}\.", counter.help), counter.help


def test_a_drop_is_what_the_name_says() -> None:
    for counter in COUNTERS:
        assert counter.is_drop == counter.name.startswith("dropped-")
