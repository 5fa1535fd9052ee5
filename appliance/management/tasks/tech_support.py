"""One archive for support: version, state, configuration and logs of the appliance, without its secrets."""

from __future__ import annotations

import asyncio
import io
import json
import os
import tarfile
from base64 import b64encode
from pathlib import Path
from typing import Any, Final

from appliance import clock
from appliance.catalogue.errors import ConfigError
from appliance.catalogue.redaction import without_secrets
from appliance.configuration.text import parse_configuration, write_configuration
from appliance.management.appliance_client import Call
from appliance.management.tasks.show_node import show_alarms, show_counters, show_status, show_version
from appliance.messages.plain_values import plain
from appliance.messages.supervisor_requests import ListAlarmEvents
from appliance.storage.log_file import latest_lines, log_path

LOG_LINES: Final = 20_000
ARCHIVES_KEPT: Final = 5
# Of an archive that is sent; a multiple of 3, so that the pieces of base64 can be put together.
PIECE_LEN: Final = 192 * 1024


async def tech_support(call: Call) -> dict[str, Any]:
    """Write the archive into the state folder; returns its path and size."""
    client = call.client
    parts = {
        "version.json": _json(await show_version(call)),
        "status.json": _json(await show_status(call)),
        "counters.json": _json(await show_counters(call)),
        "alarms.json": _json(await show_alarms(call)),
        "alarm-history.json": _json(plain(await client.ask(ListAlarmEvents(1000)))),
        "audit.json": _json({"entries": client.audit.latest(1000)}),
        "signalbox.log": "\n".join(latest_lines(log_path(client.state_dir), LOG_LINES)),
        **_commits(call),
    }
    path = client.state_dir / "log" / f"tech-support-{int(clock.wall_time())}.tar.gz"
    size = await asyncio.to_thread(_write, path, {name: without_secrets(text) for name, text in parts.items()})
    return {"path": str(path), "size": size}


async def copy_tech_support(call: Call) -> dict[str, Any]:
    """Write the archive, and send it in pieces."""
    result = await tech_support(call)
    octets = await asyncio.to_thread(Path(result["path"]).read_bytes)
    for place in range(0, len(octets), PIECE_LEN):
        await call.event({"data": b64encode(octets[place : place + PIECE_LEN]).decode()})
    return result


def _json(value: Any) -> str:
    return json.dumps(value, indent=2)


def _commits(call: Call) -> dict[str, str]:
    found: dict[str, str] = {}
    for commit in call.client.store().latest(10):
        try:
            text = write_configuration(parse_configuration(commit.text))
        except ConfigError:
            text = commit.text
        head = f"! commit {commit.number} of {commit.user}, {commit.state}: {commit.comment}\n"
        found[f"configuration/commit-{commit.number}.conf"] = head + text
    return found


def _write(path: Path, parts: dict[str, str]) -> int:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, text in parts.items():
            octets = text.encode()
            entry = tarfile.TarInfo(f"tech-support/{name}")
            entry.size = len(octets)
            entry.mtime = int(clock.wall_time())
            archive.addfile(entry, io.BytesIO(octets))
    for old in sorted(path.parent.glob("tech-support-*.tar.gz"))[:-ARCHIVES_KEPT]:
        old.unlink(missing_ok=True)
    return path.stat().st_size
