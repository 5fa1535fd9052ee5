"""The keys that seal tokens, kept in the state folder: STATE/sealing-keys, one line, made by the first rotation.

Without it the key of the appliance seals. The file names the key that it belongs to by a fingerprint: a node that joins
a cluster or leaves it has another one, and what the file says is of no use then. In a cluster the cluster process
writes it, elsewhere the supervisor.
"""

from __future__ import annotations

import os
import re
from hashlib import blake2s
from pathlib import Path
from typing import Final

from appliance.messages.sealing_keys import SEALING_KEY_LEN, SealingKeys, first_keys
from appliance.storage.set_aside import set_aside

FILE_NAME: Final = "sealing-keys"
_FINGERPRINT: Final = re.compile("[0-9a-f]{16}")


def sealing_keys_path(state_dir: Path) -> Path:
    """Where the file is in a state folder."""
    return state_dir / FILE_NAME


class SealingKeysDamaged(Exception):
    """The file says nothing of use; the message says why."""


def read_sealing_keys(state_dir: Path, key: bytes) -> SealingKeys:
    """What seals on an appliance with that key. Raises SealingKeysDamaged."""
    path = sealing_keys_path(state_dir)
    try:
        owner, _, text = path.read_text().partition(" ")
        if not _FINGERPRINT.fullmatch(owner):
            raise ValueError("it names no key of an appliance")
        stored = SealingKeys.from_text(text)
    except FileNotFoundError:
        return first_keys(key)
    except (OSError, ValueError) as fault:
        raise SealingKeysDamaged(f"The file {path} cannot be used ({fault}).") from fault
    return stored if owner == _fingerprint(key) else first_keys(key)


def keys_at_start(state_dir: Path, key: bytes, is_in_cluster: bool) -> tuple[SealingKeys, str]:
    """The keys that an appliance starts with; a sentence when the file was damaged. It is set aside then.

    The key of the appliance does not take the place of those that are lost: it was replaced, perhaps because it was
    disclosed, and it would let in what it has sealed. A new key does, which is kept, or in a cluster gives way to those
    in etcd.
    """
    try:
        return read_sealing_keys(state_dir, key), ""
    except SealingKeysDamaged as damage:
        keys = first_keys(os.urandom(SEALING_KEY_LEN))
        return keys, f"{damage} {_replaced(state_dir, key, keys, is_in_cluster)}"


def _replaced(state_dir: Path, key: bytes, keys: SealingKeys, is_in_cluster: bool) -> str:
    """Put new keys in the place of damaged ones; a sentence that says what it means."""
    path = sealing_keys_path(state_dir)
    lost = "calls that were up are treated as new ones."
    try:
        aside = set_aside(path)
        if is_in_cluster:
            return f"It was renamed to {aside.name}. Until etcd answers with the keys of the cluster, {lost}"
        write_sealing_keys(state_dir, key, keys)
        return f"It was renamed to {aside.name}, and a new key seals: {lost}"
    except OSError as fault:
        return f"It cannot be replaced ({fault.strerror}), so each start has a new key, and {lost}"


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
