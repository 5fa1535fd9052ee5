"""What the engine keeps over restarts: its identity, and how often it has started (RFC 3411 5, RFC 3414 2.2)."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.catalogue.mib_objects import ROOT

# RFC 3411 5 SnmpEngineID: an enterprise, and octets of its own choice.
_OCTETS_FORMAT: Final = 5
_RANDOM_LEN: Final = 8
# RFC 3414 2.2.2: at the limit, keys have to be changed.
BOOTS_MAX: Final = 2147483647


@dataclass(frozen=True, slots=True)
class EngineState:
    """The engine of this start."""

    engine_id: bytes
    boots: int


def started_engine(folder: Path) -> EngineState:
    """The engine with its count of starts raised by one, on the disk before it answers. Raises OSError."""
    path = folder / "engine.json"
    try:
        fields = json.loads(path.read_text())
        former = EngineState(bytes.fromhex(fields["engine_id"]), int(fields["boots"]))
    except (OSError, ValueError, KeyError, TypeError):
        # Another engine from now on: with an old name and a count from 1, old messages could be replayed.
        former = EngineState(_new_engine_id(), 0)
    state = EngineState(former.engine_id, min(former.boots + 1, BOOTS_MAX))
    write_whole(path, json.dumps({"engine_id": state.engine_id.hex(), "boots": state.boots}))
    return state


def write_whole(path: Path, text: str) -> None:
    """Replace a file by another, so that it is never there in part. Raises OSError."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    new = path.with_suffix(".new")
    with new.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _new_engine_id() -> bytes:
    return (0x80000000 | ROOT[-1]).to_bytes(4, "big") + bytes([_OCTETS_FORMAT]) + os.urandom(_RANDOM_LEN)
