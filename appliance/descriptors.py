"""How many files this process may open (RLIMIT_NOFILE), and how many of them may be connections.

The bus, DNS and the database open files as well, and ZeroMQ ends the process when it cannot: so they have a reserve
that connections never touch.
"""

from __future__ import annotations

import os
import resource
from contextlib import suppress
from typing import Final

# For files, the database and what libraries open.
RESERVE: Final = 128
# The bus: two sockets and an event descriptor for each sibling, and one more while it reconnects.
RESERVE_PER_WORKER: Final = 4
CONNECTIONS_LEAST: Final = 16


def raise_descriptor_limit() -> None:
    """Let this process and its children open as many files as the system allows: the hard limit too, where we may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (_system_limit(), _system_limit()))
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _system_limit() -> int:
    with open("/proc/sys/fs/nr_open", encoding="ascii") as file:
        return int(file.read())


def descriptors_for_connections(workers: int, lookups: int) -> int:
    """How many connections a worker may hold, beside what is open now and the reserve."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    reserve = RESERVE + RESERVE_PER_WORKER * workers + lookups
    return max(limit - len(os.listdir("/proc/self/fd")) - reserve, CONNECTIONS_LEAST)


def descriptor_shortage(connections_max: int, workers: int, lookups: int) -> str:
    """A sentence for the operator when the setting `connections` allows more than can be open; else ""."""
    possible = descriptors_for_connections(workers, lookups)
    if possible >= connections_max:
        return ""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (
        f"A worker can open {possible} TCP connections, not {connections_max} (`limits connections`): the limit of "
        f"open files is {limit}. Raise LimitNOFILE of the service or `ulimit -n`, or lower `limits connections`."
    )
