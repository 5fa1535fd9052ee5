"""`python -m benchmarks.route_cost [RULES]`: processor time and memory of route tables: reading the CSV, opening the
file, a look-up, and a whole decision for a called number.

RULES prefixes of 7 digits, 500 different next hops in lists of two; 1,000,000 unless said.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from appliance.catalogue.settings import Settings
from appliance.routing.call_router import CallRouter
from appliance.routing.enum_cache import EnumCache
from appliance.routing.lookup_cache import LookupCache
from appliance.routing.route_csv import read_csv
from appliance.routing.route_decision import RoutedCall
from appliance.routing.route_rows import COLUMNS
from appliance.sip.message import Request
from appliance.sip.names import CALL_ID
from appliance.storage.route_store import RouteStore

RULES: Final = 1_000_000
HOPS: Final = 500
CALLS: Final = 200_000
LIMIT_BYTES: Final = 60
LIMIT_LOOKUP_US: Final = 2.0


def rows(count: int) -> Iterator[str]:
    """A CSV of so many prefixes."""
    yield ",".join(COLUMNS[:4])
    for number in range(10**6, 10**6 + 9 * count, 9):
        hop = number % HOPS
        yield f"default,+{number},sip:gw{hop}.example.com,1"
        yield f"default,+{number},sip:gw{(hop + 1) % HOPS}.example.com,2"


def timed(action: Callable[[], object]) -> float:
    """Processor time in seconds."""
    began = time.process_time()
    action()
    return time.process_time() - began


def memory_kib() -> int:
    """The most that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure(count: int, folder: Path) -> Iterator[str]:
    """A line for each figure."""
    store, before = RouteStore(folder), memory_kib()
    began = time.process_time()
    octets = read_csv(rows(count)).octets()
    seconds = time.process_time() - began
    yield f"import of {count} prefixes: {seconds:.1f} s, {memory_kib() - before >> 10} MiB meanwhile"
    store.add(octets)
    yield f"bytes a prefix: {len(octets) / count:.1f} (at most {LIMIT_BYTES})"
    began = time.perf_counter()
    tables = store.open(store.current())
    yield f"opening the file: {1000 * (time.perf_counter() - began):.2f} ms"
    chance = random.Random(1)
    numbers = [b"+%d" % (10**11 + chance.randrange(9 * count * 10**5)) for _ in range(CALLS)]
    # The first look-ups read the file into memory, and the lists of entries.
    for number in numbers:
        tables.find("default", number)
    look_up = timed(lambda: [tables.find("default", number) for number in numbers]) / CALLS * 1e6
    yield f"look-up: {look_up:.2f} us (at most {LIMIT_LOOKUP_US})"
    router = CallRouter(Settings(), EnumCache(Settings()), LookupCache(Settings()))
    router.use(tables)
    policy = router.policy_of("main", "192.0.2.1")
    calls = [call_to(number) for number in numbers[: CALLS // 4]]
    decision = timed(lambda: [router.decide(call, policy) for call in calls]) / len(calls) * 1e6
    yield f"decision with two next hops: {decision:.1f} us"


def call_to(number: bytes) -> RoutedCall:
    """An INVITE, as the stages see it."""
    request = Request(b"INVITE", b"sip:" + number + b"@example.com;user=phone")
    request.append(CALL_ID, b"call")
    return RoutedCall(request, "192.0.2.9", 0.0, 0.0)


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else RULES
    with tempfile.TemporaryDirectory() as folder:
        for line in measure(count, Path(folder)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
