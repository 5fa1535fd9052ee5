"""`system reboot`, `shutdown`, `upgrade` and `shell`, where the machine is the appliance's own (the disk image).

The shell of the operator does the last two itself, by the operator's own rights; here it is asked whether it may, so
that it is noted. On any other machine, which others administer, all are refused.
"""

from __future__ import annotations

import logging
from typing import Any

from appliance.management.appliance_client import Call
from appliance.management.errors import Refused
from appliance.own_machine import OfOthers, check_own, leave_order

REMEDY = "do this as root of the machine"

log = logging.getLogger("signalbox.management")


async def reboot(call: Call) -> dict[str, Any]:
    """Restart the machine."""
    _order("reboot")
    log.warning("The machine restarts by order of %s.", call.session.user)
    return {"text": "The machine restarts."}


async def power_off(call: Call) -> dict[str, Any]:
    """Power it off."""
    _order("power-off")
    log.warning("The machine powers off by order of %s.", call.session.user)
    return {"text": "The machine powers off."}


async def upgrade(call: Call) -> dict[str, Any]:
    """May the operator install a package?"""
    source = call.args.text("source")
    _check_own("install the package with `apt install ./FILE` as root of the machine")
    log.warning("%s installs %s.", call.session.user, source)
    return {"text": f"{source} is looked at and installed; sudo may ask for your password."}


async def shell(call: Call) -> dict[str, Any]:
    """May the operator have a shell of the operating system?"""
    _check_own("log in to the machine with an account of its own")
    log.warning("%s opens a shell of the operating system.", call.session.user)
    return {"text": "The shell of the operating system. What is typed there is not audited. `exit` returns."}


def _order(name: str) -> None:
    try:
        leave_order(name)
    except OfOthers as fault:
        raise Refused(str(fault), REMEDY) from None


def _check_own(remedy: str) -> None:
    try:
        check_own()
    except OfOthers as fault:
        raise Refused(str(fault), remedy) from None
