"""The guard of the leases: `python -m appliance.cluster.leases.guard`, started by the lease process with a document.

It says that it is ready, and waits for the death of the lease process (pidfd). Then it closes the leases in the kernel,
tells the other members, which do not wait for the leases to end then, and removes the addresses: no packet passes
without a lease, so no process has to wait for that. Without a guard all is as safe, and slower.
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from typing import Final

from appliance import clock
from appliance.cluster.leases.address_keeper import AddressKeeper
from appliance.cluster.leases.connection_closing import close_connections
from appliance.cluster.leases.guard_process import READY
from appliance.cluster.leases.heartbeat_codec import HeartbeatCodec
from appliance.cluster.leases.member_sockets import MemberSockets
from appliance.cluster.leases.real_time import run_in_real_time
from appliance.cluster.leases.sessions import Sessions
from appliance.ipc.lease_launch import LeaseLaunch

# The word of the end may be lost, so it is said again.
SAY_AGAIN_AFTER_S: Final = (0.02, 0.06)
ORDER_LEN_MAX: Final = 1 << 17

log = logging.getLogger("signalbox.guard")


def main() -> int:
    """Wait, release, end; returns the exit status."""
    logging.basicConfig(stream=sys.stderr, format="%(name)s: %(message)s")
    # It ends after the lease process, whatever it is told.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    document = json.load(sys.stdin.buffer)
    launch = LeaseLaunch.from_fields(document["launch"])
    ours = tuple(address for address in launch.addresses if launch.me in address.preference)
    keeper = AddressKeeper(ours, launch.settings.address_lifetime_s, clock.monotonic)
    orders = socket.socket(fileno=document["orders_fd"])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    run_in_real_time()
    with suppress(OSError):
        orders.send(READY)
    launch = _wait_for_death(document["pidfd"], orders, launch)
    keeper.suspend_all()
    begun = clock.monotonic()
    codec = HeartbeatCodec(launch.me, launch.membership, launch.key)
    sessions = Sessions(launch.me, document["boot"], [member.number for member in launch.membership.others(launch.me)])
    sockets = _sockets_to_members(launch)
    _say_it_ended(sockets, codec, sessions)
    keeper.close_all()
    for after_s in SAY_AGAIN_AFTER_S:
        select.select([], [], [], max(begun + after_s - clock.monotonic(), 0.0))
        _say_it_ended(sockets, codec, sessions)
    for address in ours:
        with suppress(OSError):
            close_connections(address.addresses)
    return 0


def _wait_for_death(pidfd: int, orders: socket.socket, launch: LeaseLaunch) -> LeaseLaunch:
    """Returns what the lease process went by at its end: an order is a list of addresses, or that anew."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    poll.register(orders, select.POLLIN)
    while True:
        ready = [fd for fd, _ in poll.poll()]
        if pidfd in ready:
            return launch
        octets = orders.recv(ORDER_LEN_MAX)
        order = json.loads(octets) if octets else None
        if isinstance(order, dict):
            launch = LeaseLaunch.from_fields(order)
        elif order is not None:
            _close_apart(order)
        else:
            # The lease process is about to end.
            poll.unregister(orders)


def _close_apart(addresses: list[str]) -> None:
    """End connections in a process of ordinary priority: there may be many."""
    if os.fork() == 0:
        try:
            close_connections(addresses)
        finally:
            os._exit(0)


def _sockets_to_members(launch: LeaseLaunch) -> MemberSockets | None:
    """Not before the death: the lease process has sockets to the same members, and would hear one half of them."""
    try:
        return MemberSockets(launch.me, launch.membership)
    except OSError as fault:
        log.error("the other members cannot be told that the lease process has died: %s", fault)
        return None


def _say_it_ended(sockets: MemberSockets | None, codec: HeartbeatCodec, sessions: Sessions) -> None:
    if sockets is None:
        return
    for member in sockets.sockets:
        sockets.send(member, codec.write_end(sessions.header_to(member)))


if __name__ == "__main__":
    sys.exit(main())
