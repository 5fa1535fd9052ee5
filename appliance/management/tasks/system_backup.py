"""`system backup`: the archive of `signalbox backup`, sent to the shell in pieces."""

from __future__ import annotations

import asyncio
import os
import tempfile
from base64 import b64encode
from pathlib import Path
from typing import Any, Final

from appliance.management.appliance_client import Call
from appliance.management.errors import Refused
from appliance.storage.backup import PASSPHRASE_LEN_MIN, write_backup

# The configuration folder of the service (systemd.exec(5)); an appliance that is no service has none.
CONFIGURATION_VARIABLE: Final = "CONFIGURATION_DIRECTORY"
# A multiple of 3, so that the pieces of base64 can be put together.
PIECE_LEN: Final = 192 * 1024


async def backup(call: Call) -> dict[str, Any]:
    """Write the archive beside the state, send it, and remove it."""
    passphrase = call.args.text("passphrase")
    if len(passphrase) < PASSPHRASE_LEN_MIN:
        raise Refused("The passphrase is too short.", f"type {PASSPHRASE_LEN_MIN} characters or more")
    state_dir = call.client.state_dir
    folder = os.environ.get(CONFIGURATION_VARIABLE, "").partition(":")[0]
    # Where there is no such folder, nothing of it is found.
    config_dir = Path(folder) if folder else state_dir / "no-configuration-folder"
    try:
        with tempfile.TemporaryFile(dir=state_dir) as file:
            names = await asyncio.to_thread(write_backup, file, passphrase, state_dir, config_dir)
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            while piece := file.read(PIECE_LEN):
                await call.event({"data": b64encode(piece).decode()})
    except OSError as fault:
        sentence = f"The backup cannot be written: {fault.strerror or fault}."
        raise Refused(sentence, "make room in the state folder") from None
    return {"files": len(names), "size": size}
