"""The guard as the lease process sees it: a separate process that ends shortly after the lease process (guard.py)."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
from contextlib import suppress
from dataclasses import asdict
from typing import Final

from appliance import clock
from appliance.ipc.launch_document import anonymous_file, python_module
from appliance.ipc.lease_launch import LeaseLaunch
from appliance.messages.membership import VirtualAddress

READY: Final = b"ready"
"""What the guard says when it waits."""
# Without a guard all is as safe: this member does not wait for it for ever.
AWAITED_S: Final = 5.0

log = logging.getLogger("signalbox.lease")


class GuardProcess:
    """Started at once; `tend` starts it anew when it has died."""

    def __init__(self, launch: LeaseLaunch, boot: int) -> None:
        self._launch = launch
        self._boot = boot
        self._process: subprocess.Popen[bytes] | None = None
        self._orders, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._orders.setblocking(False)
        self._awaited_until = clock.monotonic() + AWAITED_S
        self._start()

    def fileno(self) -> int:
        """Readable when the guard says something: then `receive`."""
        return self._orders.fileno()

    def receive(self) -> None:
        """What the guard says: that it waits."""
        with suppress(OSError):
            if self._orders.recv(len(READY)) == READY:
                self._awaited_until = 0.0

    def is_awaited(self, now: float) -> bool:
        """Has the first guard not said yet that it waits, and is it worth while to wait for that?"""
        return now < self._awaited_until

    def tend(self) -> None:
        """Start it when it does not run."""
        if self._process is not None and self._process.poll() is not None:
            log.warning("the guard of the leases ended with status %s and is started again", self._process.returncode)
            self._start()

    def _start(self) -> None:
        pidfd = os.pidfd_open(os.getpid())
        fds = {"pidfd": pidfd, "orders_fd": self._theirs.fileno()}
        document = anonymous_file({"launch": asdict(self._launch), "boot": self._boot, **fds})
        try:
            self._process = subprocess.Popen(
                python_module("appliance.cluster.leases.guard"),
                stdin=document,
                pass_fds=(pidfd, self._theirs.fileno()),
                # A signal to the group of this process is not for the guard.
                start_new_session=True,
            )
        except OSError as fault:
            log.error("the guard of the leases cannot be started: %s", fault)
            self._awaited_until = 0.0
        finally:
            document.close()
            os.close(pidfd)

    def close_connections(self, address: VirtualAddress) -> None:
        """Have the TCP connections of an address ended that was lost; here it would take too long."""
        with suppress(OSError):
            self._orders.send(json.dumps(list(address.addresses)).encode())

    def change_members(self, launch: LeaseLaunch) -> None:
        """Those that it tells of the end are others now. One that does not hear it tells those that it knows."""
        self._launch = launch
        with suppress(OSError):
            self._orders.send(json.dumps(asdict(launch)).encode())

    def release(self) -> None:
        """This process ends: so does the guard, by itself."""
        self._orders.close()
        self._theirs.close()
