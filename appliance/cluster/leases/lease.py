"""The lease process of a node or witness: `python -m appliance.cluster.leases.lease`, its document on standard input.

Exit status: 0 told to end, all addresses were given away; 1 the kernel refused something; 2 it could not start.
"""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import signal
import sys
from typing import Final

from appliance.cluster.leases.fence_rules import put_up_fence
from appliance.cluster.leases.lease_process import LeaseProcess
from appliance.cluster.leases.real_time import run_in_real_time
from appliance.ipc.launch_document import LaunchError
from appliance.ipc.lease_launch import LeaseLaunch

BOOT_BITS: Final = 63

log = logging.getLogger("signalbox.lease")


def main() -> int:
    """Serve until told to end; returns the exit status."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s.%(msecs)03d %(message)s")
    try:
        launch = LeaseLaunch.from_stdin(sys.stdin.buffer)
        lock = _only_one(launch.control_path)
        put_up_fence(text for address in launch.addresses for text in address.addresses)
        process = LeaseProcess(launch, secrets.randbits(BOOT_BITS) + 1, run_in_real_time())
    except (LaunchError, OSError) as fault:
        log.critical("the lease process cannot start: %s", fault)
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: process.end())
    try:
        process.run()
    except OSError as fault:
        log.critical("the lease process ends: %s", fault)
        return 1
    finally:
        os.close(lock)
    return 0


def _only_one(control_path: str) -> int:
    """The lock that says that this process keeps the leases. Raises OSError when another one does."""
    lock = os.open(f"{control_path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        os.close(lock)
        raise OSError(f"Another lease process runs here: {control_path}.lock is locked.") from fault
    return lock


if __name__ == "__main__":
    sys.exit(main())
