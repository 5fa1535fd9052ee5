"""The time zone in which this process shows times: that of the appliance, not that of the operator's machine."""

from __future__ import annotations

import os
import time
from typing import Final

VARIABLE: Final = "TZ"
# The zone that TZ was set to here.
MARK: Final = "SIGNALBOX_SHELL_TIMEZONE"
# What TZ was before.
FORMER: Final = "SIGNALBOX_SHELL_FORMER_TZ"


def show_times_in(zone: str) -> None:
    """Show times in a zone of the IANA database; "" is that of the process as it was started."""
    if zone == os.environ.get(MARK, ""):
        return
    if MARK not in os.environ and VARIABLE in os.environ:
        os.environ[FORMER] = os.environ[VARIABLE]
    if zone:
        os.environ[VARIABLE] = os.environ[MARK] = zone
    else:
        del os.environ[MARK]
        former = os.environ.pop(FORMER, None)
        os.environ.pop(VARIABLE, None)
        if former is not None:
            os.environ[VARIABLE] = former
    time.tzset()
