"""Listeners by place: the number of a listener in a running node, for as long as it runs.

Flows, bindings and connections name their listener by its place, so a place never comes to mean another
local address while something may still refer to it. A listener that is removed, or moved to another address
or port, leaves its place ENDING until what it has is finished, then GONE; a new listener takes the first
place that is GONE, or a new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from appliance.catalogue.settings import ENDING, GONE, OPEN, ListenerSettings, Settings

# What stands at a place without a listener.
CLOSED: Final = ListenerSettings(name="gone", standing=GONE)


def place(former: Sequence[ListenerSettings], wanted: Sequence[ListenerSettings]) -> tuple[ListenerSettings, ...]:
    """The listeners of a new configuration at their places; `former` are the places in force.

    A place is a local address: a listener that has it keeps it, whatever else of it changes, and a listener that
    comes back before its place is GONE gets it again. A listener that is shut down has none.
    """
    homeless = [listener for listener in wanted if not listener.is_shut_down]
    heirs: dict[int, ListenerSettings] = {}
    for is_same in (_is_same, _is_at_the_same_address):
        for number, listener in enumerate(former):
            heir = next((other for other in homeless if is_same(listener, other)), None)
            if heir is not None and number not in heirs:
                homeless.remove(heir)
                heirs[number] = heir
    places = [heirs[number] if number in heirs else _left(listener) for number, listener in enumerate(former)]
    for listener in homeless:
        free = next((number for number, other in enumerate(places) if other.standing == GONE), len(places))
        places[free : free + 1] = [listener]
    return tuple(places)


def _left(listener: ListenerSettings) -> ListenerSettings:
    return replace(listener, standing=ENDING) if listener.standing == OPEN else listener


def _is_same(one: ListenerSettings, other: ListenerSettings) -> bool:
    return one.name == other.name and _is_at_the_same_address(one, other)


def _is_at_the_same_address(one: ListenerSettings, other: ListenerSettings) -> bool:
    is_there = one.standing != GONE and (one.address, one.port) == (other.address, other.port)
    return is_there and not set(one.transports).isdisjoint(other.transports)


def let_go(listeners: Sequence[ListenerSettings], places: Sequence[int]) -> tuple[ListenerSettings, ...]:
    """The listeners after those at `places` have finished; one that has been opened again is not touched."""
    return tuple(
        CLOSED if number in places and listener.standing == ENDING else listener
        for number, listener in enumerate(listeners)
    )


def with_places(settings: Settings, listeners: tuple[ListenerSettings, ...]) -> Settings:
    """The settings as a running node has them: with the listeners at their places."""
    return replace(settings, listeners=listeners)


def names_of(listeners: Sequence[ListenerSettings]) -> list[str]:
    """The names at the places, for a process that has to place the same listeners: "" where none is open."""
    return [listener.name if listener.standing == OPEN else "" for listener in listeners]


def placed_by_names(
    wanted: Sequence[ListenerSettings], names: Sequence[str], former: Sequence[ListenerSettings] = ()
) -> tuple[ListenerSettings, ...]:
    """The listeners `wanted` at the places of `names`; what was at the other places is ENDING, if it is known."""
    by_name = {listener.name: listener for listener in wanted}
    return tuple(
        by_name[name] if name else _ending(former, number) for number, name in enumerate(names)
    )


def _ending(former: Sequence[ListenerSettings], number: int) -> ListenerSettings:
    if number >= len(former) or former[number].standing == GONE:
        return CLOSED
    return replace(former[number], standing=ENDING)
