"""Scheduling before all ordinary processes, where it is allowed, and without page faults."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
from typing import Final

PRIORITY: Final = 10
_MCL_CURRENT, _MCL_FUTURE = 1, 2


def run_in_real_time() -> bool:
    """Schedule this process round-robin, and keep it in memory; its children are ordinary. False: not allowed."""
    gc.collect()
    gc.freeze()
    if os.geteuid() == 0 or resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY:
        # With a limit, later allocations would fail instead of waiting.
        ctypes.CDLL(None).mlockall(_MCL_CURRENT | _MCL_FUTURE)
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
    except OSError:
        return False
    return True
