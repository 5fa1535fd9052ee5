"""`system reboot` and `system shutdown`, where the machine is the appliance's own (the disk image).

The appliance has no right to do either. It leaves a file in its runtime directory, for which units of the image wait
(packaging/image/). On any other machine, which others administer, both are refused.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from appliance.management.appliance_client import Call
from appliance.management.errors import Refused

OWN_MACHINE: Final = Path("/etc/signalbox/own-machine")
RUNTIME_VARIABLE: Final = "RUNTIME_DIRECTORY"  # systemd.exec(5)

log = logging.getLogger("signalbox.management")


async def reboot(call: Call) -> dict[str, Any]:
    """Restart the machine."""
    leave_order("reboot")
    log.warning("The machine restarts by order of %s.", call.session.user)
    return {"text": "The machine restarts."}


async def power_off(call: Call) -> dict[str, Any]:
    """Power it off."""
    leave_order("power-off")
    log.warning("The machine powers off by order of %s.", call.session.user)
    return {"text": "The machine powers off."}


def leave_order(name: str, environment: Mapping[str, str] = os.environ, own_machine: Path = OWN_MACHINE) -> None:
    """Have a unit of the image do it. Raises Refused where there is none."""
    runtime_dir = environment.get(RUNTIME_VARIABLE, "").partition(":")[0]
    remedy = "do this as root of the machine"
    if not runtime_dir or not own_machine.exists():
        raise Refused("This machine is not the appliance's own; others administer it.", remedy)
    try:
        (Path(runtime_dir) / f"order-{name}").touch()
    except OSError as fault:
        raise Refused(f"The order cannot be written: {fault.strerror}.", remedy) from None
