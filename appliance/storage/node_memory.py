"""The memory of a node that outlives its processes: recorded calls and the uses of nonces.

Both belong to one start of the appliance, whose random octets count its slots and seal its nonces. So they are used
again together and with these octets, or not at all. A service manager keeps the descriptors while the service is
restarted (appliance/service_manager.py); the workers of the next start go on with the calls.

    signalbox-start    a JSON document: `format` of all that is kept, `boot` in hexadecimal
    signalbox-calls    flight_recorder.py
    signalbox-nonces   nonce_memory.py
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

from appliance.storage.flight_recorder import Recording
from appliance.storage.nonce_memory import NonceMemory

START: Final = "signalbox-start"
CALLS: Final = "signalbox-calls"
NONCES: Final = "signalbox-nonces"
# Another one when the table of nonces or the hash of slots changes. Cells of calls have a format of their own.
FORMAT: Final = 1
# Random octets that tell one start of the appliance from another.
BOOT_LEN: Final = 16
_DOCUMENT_LEN_MAX: Final = 4096


class NodeMemory:
    """`boot`: the octets of the start that it is of. `is_former`: a start before this one has made it."""

    def __init__(self, bank_mib: int, nonces_max: int, kept: Mapping[str, int]) -> None:
        """`kept`: descriptors by name that are there already, and become ours; what does not fit the sizes is let go.

        Raises OSError when there is no memory for it.
        """
        boot = _boot_of(kept, (bank_mib, nonces_max))
        self.is_former = boot is not None
        if boot is None:
            _close(kept.values())
            boot = os.urandom(BOOT_LEN)
        former = kept if self.is_former else {}
        _close(fd for name, fd in former.items() if name not in (START, CALLS, NONCES))
        self.boot = boot
        self.recording = Recording(bank_mib, former.get(CALLS))
        self.nonces = NonceMemory(nonces_max, former.get(NONCES))
        self._start_fd = former[START] if self.is_former else _new_document(boot)

    @property
    def descriptors(self) -> dict[str, int]:
        """What has to be kept, by name."""
        return {START: self._start_fd, CALLS: self.recording.fd, NONCES: self.nonces.fd}

    def calls_since(self, moment: float) -> dict[int, int]:
        """By worker of the former start, the bank that it wrote to last; none that was dead before that moment."""
        return self.recording.last_banks(moment) if self.is_former else {}

    def close(self) -> None:
        self.recording.close()
        self.nonces.close()
        os.close(self._start_fd)


def _boot_of(kept: Mapping[str, int], sizes: tuple[int, int]) -> bytes | None:
    """The octets of the former start; None when what is kept is not whole, or of other sizes or another format."""
    bank_mib, nonces_max = sizes
    if not {START, CALLS, NONCES} <= set(kept):
        return None
    try:
        if os.fstat(kept[CALLS]).st_size != Recording.len_of(bank_mib):
            return None
        if os.fstat(kept[NONCES]).st_size != NonceMemory.len_of(nonces_max):
            return None
        document = json.loads(os.pread(kept[START], _DOCUMENT_LEN_MAX, 0))
        boot = bytes.fromhex(document["boot"])
        return boot if document["format"] == FORMAT and len(boot) == BOOT_LEN else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _new_document(boot: bytes) -> int:
    fd = os.memfd_create(START)
    os.write(fd, json.dumps({"format": FORMAT, "boot": boot.hex()}).encode())
    return fd


def _close(fds: Iterable[int]) -> None:
    for fd in list(fds):
        with suppress(OSError):
            os.close(fd)
