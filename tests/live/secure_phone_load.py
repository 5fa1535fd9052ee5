"""Phones by TLS that register and call each other while others connect: `python secure_phone_load.py PORT PER_S`.

Prints `ready` when all are registered. Goes on until a line comes by its standard input; then prints how many calls,
registrations and connections there were. All of them succeeded, or it ends with an exception.
"""

from __future__ import annotations

import asyncio
import sys

from benchmarks.cases import CALL_TLS, HANDSHAKE_TLS
from benchmarks.secure_phones import SecureLoad

GIVE_UP_S = 60.0


async def main(port: int, per_s: int) -> None:
    """So many of each in a second, at most."""
    phones = SecureLoad(CALL_TLS, port, GIVE_UP_S)
    strangers = SecureLoad(HANDSHAKE_TLS.at(per_s), port, GIVE_UP_S)
    await phones.connect()
    print("ready", flush=True)
    told = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    number = 0
    while not told.done():
        number += 1
        phones.phones[2 * number % len(phones.phones)].call(number)
        phones.phones[number % len(phones.phones)].register(number)
        await strangers.run(1)
    await phones.close()
    print(number)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
