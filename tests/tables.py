"""Registration tables for stacks that run in tests."""

from __future__ import annotations

from appliance.location.address_entries import record_made
from appliance.location.binding import Binding
from appliance.location.dict_table import DictStore, DictTable


def new_table(store: DictStore | None = None) -> DictTable:
    """The view that one worker has of a store; a stack sets its limit. Without a store, the worker is alone."""
    return DictTable(store or DictStore(), 0)


def table_with(*bindings: Binding) -> DictTable:
    """A table in which these are registered."""
    table = new_table()
    assert table.load([record_made(binding.aor, [binding], 0) for binding in bindings]) == len(bindings)
    return table
