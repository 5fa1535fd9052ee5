"""Requests by TCP while the appliance stops and starts: each is answered, or its connection ends; none just waits.

By a stream nothing is sent again (RFC 3261 17.1.2.1), so a request that is lost makes its client wait for timer F.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.live.appliance import Appliance
from tests.live.machine import within

EACH_S = 0.02
ANSWERED_WITHIN_S = within(60.0)
# Each of them starts at a moment of its own, and has connections that wait for it.
WORKERS = 4


async def outcome(appliance: Appliance, number: int) -> str:
    """What becomes of one OPTIONS by a connection of its own."""
    try:
        reader, writer = await asyncio.open_connection(appliance.address, appliance.port)
    except ConnectionRefusedError:
        return "refused"
    own = "{}:{}".format(*writer.get_extra_info("sockname"))
    lines = [
        f"OPTIONS sip:{appliance.address}:{appliance.port} SIP/2.0",
        f"Via: SIP/2.0/TCP {own};branch=z9hG4bK{number}",
        "Max-Forwards: 70",
        f"From: <sip:alice@{appliance.domain}>;tag=1",
        f"To: <sip:{appliance.domain}>",
        f"Call-ID: {number}@{own}",
        "CSeq: 1 OPTIONS",
        "Content-Length: 0",
    ]
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode())
        answer = await asyncio.wait_for(reader.read(4096), ANSWERED_WITHIN_S)
        return answer[:11].decode() if answer else "closed"
    except TimeoutError:
        return "no answer"
    except ConnectionError:
        return "closed"
    finally:
        writer.close()


@contextmanager
def asking(appliance: Appliance) -> Iterator[Counter[str]]:
    """A new connection each 20 ms. The outcomes are complete after the block."""
    outcomes: Counter[str] = Counter()
    is_over = threading.Event()

    async def ask() -> None:
        asked = []
        while not is_over.is_set():
            asked.append(asyncio.create_task(outcome(appliance, len(asked))))
            await asyncio.sleep(EACH_S)
        outcomes.update(await asyncio.gather(*asked))

    thread = threading.Thread(target=lambda: asyncio.run(ask()))
    thread.start()
    try:
        yield outcomes
    finally:
        is_over.set()
        thread.join()


def test_no_connection_is_left_without_a_word_while_workers_start(start_appliance: Callable[..., Appliance]) -> None:
    appliance = start_appliance(workers=WORKERS)
    with asking(appliance) as outcomes:
        appliance.stop()
        appliance.start()
    assert outcomes["no answer"] == 0, outcomes
    assert outcomes["SIP/2.0 200"] > 0, outcomes
    assert set(outcomes) <= {"SIP/2.0 200", "refused", "closed", "no answer"}, outcomes
