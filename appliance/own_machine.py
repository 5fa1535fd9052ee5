"""The machine as far as the appliance may administer it: all of it where it was made from the disk image, else nothing.

The appliance has no right to restart the machine or to change its network. It leaves a file in its runtime directory,
for which units of the image wait (packaging/image/). On any other machine, which others administer, there are none.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from appliance.catalogue.machine_values import interfaces_of
from appliance.catalogue.settings import Settings
from appliance.machine import interface_addresses

# The programs of the image; the Debian package alone has not got them.
IMAGE: Final = Path("/usr/lib/signalbox-image")
RUNTIME_VARIABLE: Final = "RUNTIME_DIRECTORY"  # systemd.exec(5)
WANTED: Final = "system.json"


class OfOthers(Exception):
    """The machine is not the appliance's own, or the order cannot be left; the message is a sentence."""


def leave_order(name: str, environment: Mapping[str, str] = os.environ, image: Path = IMAGE) -> None:
    """Have a unit of the image do it. Raises OfOthers."""
    check_own(environment, image)
    try:
        (_runtime_dir(environment) / f"order-{name}").touch()
    except OSError as fault:
        raise OfOthers(f"The order cannot be written: {fault.strerror}.") from None


def check_own(environment: Mapping[str, str] = os.environ, image: Path = IMAGE) -> None:
    """Raises OfOthers where others administer the machine."""
    if not image.exists() or not environment.get(RUNTIME_VARIABLE):
        raise OfOthers("This machine is not the appliance's own; others administer it.")


def _runtime_dir(environment: Mapping[str, str]) -> Path:
    return Path(environment.get(RUNTIME_VARIABLE, "").partition(":")[0])


# -- its name, addresses, DNS and NTP servers ------------------------------------------------------------


def want_system(settings: Settings, environment: Mapping[str, str] = os.environ, image: Path = IMAGE) -> None:
    """Let the unit of the image make the machine what the settings say. Raises OfOthers, OSError."""
    check_own(environment, image)
    path = _runtime_dir(environment) / WANTED
    text = system_document(settings)
    if path.exists() and path.read_text() == text:
        return
    unfinished = path.with_suffix(".new")
    unfinished.write_text(text)
    unfinished.rename(path)


def system_document(settings: Settings) -> str:
    """What packaging/image/system_files.py reads. Without `interface` the network stays as it is."""
    interfaces = [
        {"name": each.name, "addresses": each.addresses, "gateways": each.gateways}
        for each in interfaces_of(settings.interfaces)
    ]
    wanted = {"hostname": settings.hostname, "interfaces": interfaces}
    return json.dumps({**wanted, "dns": settings.name_servers, "ntp": settings.ntp_servers})


def system_warnings(settings: Settings, image: Path = IMAGE) -> Iterator[str]:
    """What of the settings has no effect on this machine: a sentence for each."""
    names = {"interface": settings.interfaces, "name-server": settings.name_servers, "ntp server": settings.ntp_servers}
    given = [f"`{name}`" for name, values in names.items() if values]
    if given and not image.exists():
        have = "has" if len(given) == 1 else "have"
        yield f"The network of this machine is the host's: {' and '.join(given)} {have} no effect here."
    elif given:
        present = interface_addresses()
        for interface in interfaces_of(settings.interfaces):
            if interface.name not in present:
                yield f"This machine has no interface {interface.name}: it gets its addresses when it comes."
