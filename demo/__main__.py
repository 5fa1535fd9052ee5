"""`python -m demo`: two phones register with the appliance and one calls the other, each message shown."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from demo.message import Message
from demo.user_agent import CallFailed, UserAgent

TALK_S = 1.0
ANSWER_S = 2.0


def show(who: str, direction: str, message: Message) -> None:
    """One line of the ladder, with what tells the messages apart."""
    arrow = "──▶ signalbox" if direction == "->" else "◀── signalbox"
    detail = message.start.removesuffix(" SIP/2.0").removeprefix("SIP/2.0 ")
    if not message.is_request:
        detail += f"  ({message.method})"
    print(f"  {who:>8} {arrow}   {detail}", flush=True)


def demo_subscribers(state: Path) -> list[tuple[str, str, str]]:
    """(username, domain, password) of the two demo subscribers. Exits with a sentence when there are none."""
    path = state / "demo-subscribers.txt"
    try:
        rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    except OSError as fault:
        sys.exit(f"Cannot read {path} ({fault.strerror}). Start the appliance in another terminal: make run")
    if len(rows) < 2 or any(len(row) != 3 for row in rows[:2]):
        sys.exit(f"{path} does not name two subscribers. Stop the appliance, remove the file, and type: make run")
    return [(username, domain, password) for username, domain, password in rows[:2]]


async def place_call(
    caller: UserAgent, callee: UserAgent, while_ringing: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Register both, call, talk, hang up, unregister. Raises CallFailed."""
    for phone in (caller, callee):
        await phone.open()
        print(f"\n{phone.username} registers as {phone.address}")
        await phone.register()
    print(f"\n{caller.username} calls {callee.username}")
    calling = asyncio.ensure_future(caller.call(callee.address))
    if while_ringing is not None:
        ringing = asyncio.ensure_future(callee.ringing.wait())
        await asyncio.wait((calling, ringing), return_when=asyncio.FIRST_COMPLETED)
        ringing.cancel()
        if not calling.done():
            await while_ringing()
    await calling
    print(f"\nthe call is up; {caller.username} hangs up after {TALK_S:g} s")
    await asyncio.sleep(TALK_S)
    await caller.hang_up()
    print("\nboth unregister")
    for phone in (caller, callee):
        await phone.register(0)


async def has_answered(server: tuple[str, int]) -> bool:
    """Does an appliance listen there? Asked by TCP, which says so at once."""
    try:
        async with asyncio.timeout(ANSWER_S):
            _, writer = await asyncio.open_connection(*server)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def run(state: Path, server: tuple[str, int]) -> int:
    """The whole demonstration; 0 when the call was placed, answered and ended."""
    if not await has_answered(server):
        sys.exit(f"No appliance answers at {server[0]} port {server[1]}. Start it in another terminal: make run")
    first, second = (UserAgent(name, domain, word, server, show) for name, domain, word in demo_subscribers(state))
    try:
        await place_call(first, second)
        print(f"\nDone: {first.address} called {second.address} through {server[0]} port {server[1]}.")
        return 0
    except (CallFailed, OSError) as fault:
        print(f"\nThe call failed: {fault}", file=sys.stderr)
        return 1
    finally:
        first.close()
        second.close()


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--state", type=Path, default=Path("state"), help="the appliance's state folder")
    parser.add_argument("--server", default="127.0.0.1", help="the appliance's address (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=5060, help="the appliance's port (default 5060)")
    options = parser.parse_args()
    return asyncio.run(run(options.state, (options.server, options.port)))


if __name__ == "__main__":
    sys.exit(main())
