"""The keys that seal tokens, kept in the state folder: STATE/sealing-keys, one line, made by the first rotation.

Without it the key of the appliance seals. The file names the key that it belongs to by a fingerprint: a node that joins
a cluster or leaves it has another one, and what the file says is of no use then. In a cluster the cluster process
writes it, elsewhere the supervisor.
"""

from __future__ import annotations

import os
from hashlib import blake2s
from pathlib import Path
from typing import Final

from appliance.messages.sealing_keys import SealingKeys, first_keys

FILE_NAME: Final = "sealing-keys"


def sealing_keys_path(state_dir: Path) -> Path:
    """Where the file is in a state folder."""
    return state_dir / FILE_NAME


def read_sealing_keys(state_dir: Path, key: bytes) -> tuple[SealingKeys, str]:
    """What seals on an appliance with that key; a sentence when the file cannot be used."""
    path = sealing_keys_path(state_dir)
    try:
        owner, _, text = path.read_text().partition(" ")
        return (SealingKeys.from_text(text) if owner == _fingerprint(key) else first_keys(key)), ""
    except FileNotFoundError:
        return first_keys(key), ""
    except (OSError, ValueError) as fault:
        return first_keys(key), (
            f"The file {path} cannot be used ({fault}). In a cluster it is written anew; elsewhere calls that are up "
            "are treated as new ones: type `cluster rotate-key` to have a file again."
        )


def write_sealing_keys(state_dir: Path, key: bytes, keys: SealingKeys) -> None:
    """Replace the file as a whole: a power cut leaves the old one or the new one. Raises OSError."""
    path = sealing_keys_path(state_dir)
    unfinished = path.with_name(f"{FILE_NAME}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    with open(os.open(unfinished, flags, 0o600), "w") as file:
        file.write(f"{_fingerprint(key)} {keys.to_text()}\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)


def _fingerprint(key: bytes) -> str:
    return blake2s(key=key, digest_size=8, person=b"sealing").hexdigest()
