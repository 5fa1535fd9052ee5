"""Versions of registration records: when a record was made, and on which node.

A version is the unix time in microseconds (52 bits: until the year 2112) << 12 | the number of the node, so versions
are in one order over all nodes. The time has a logical part: a record that takes the place of another has at least the
time of that one plus a microsecond, whatever the clock says. Two workers of one node may make equal versions in one
microsecond; what then decides is in `Binding.comes_after`.
"""

from __future__ import annotations

NODE_BITS = 12


def next_version(wall_time: float, node: int, replaced: int) -> int:
    """The version of a record that `node` makes at `wall_time` in place of one of version `replaced` (0: of none)."""
    now = int(wall_time * 1_000_000)
    after = (replaced >> 12) + 1
    return (now if now > after else after) << 12 | node


def made_at(version: int) -> float:
    """The unix time at which a record of this version was made."""
    return (version >> 12) / 1_000_000


def maker_of(version: int) -> int:
    """The number of the node that made it."""
    return version & ((1 << NODE_BITS) - 1)


def second_of(version: int) -> int:
    """The same in whole seconds."""
    return (version >> 12) // 1_000_000


def time_of(version: int) -> int:
    """The same in microseconds."""
    return version >> NODE_BITS
