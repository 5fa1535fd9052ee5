"""Phones by TLS that keep their connections, register again and call each other.

`python -m tests.live.many_secure_phones PORT PHONES CALLS_PER_S SECONDS`

Prints `ready` when all are registered, and in the end how many registrations and calls there were. All of them
succeeded, or it ends with an exception.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time

import uvloop

from benchmarks.cases import CALL_TLS
from benchmarks.secure_phones import SecureLoad

GIVE_UP_S = 120.0
# Each registers again within this time.
INTERVAL_S = 60.0


async def main(port: int, count: int, calls_per_s: int, seconds: float) -> None:
    """Half of the phones call the other half."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    load = SecureLoad(CALL_TLS, port, GIVE_UP_S, pairs=count // 2)
    await load.connect()
    print("ready", flush=True)
    begun = time.monotonic()
    registered = called = 0
    while (passed := time.monotonic() - begun) < seconds:
        while registered < passed * count / INTERVAL_S:
            registered += 1
            load.phones[registered % count].register(registered)
        while called < passed * calls_per_s:
            called += 1
            load.phones[2 * (called % (count // 2))].call(called)
        await asyncio.sleep(0.005)
    await load.close()
    print(registered, called)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
