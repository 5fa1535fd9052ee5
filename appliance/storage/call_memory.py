"""The memory that a node in a cluster has for calls: copies that leave for another node, and those of other nodes."""

from __future__ import annotations

from typing import Any, Final

from appliance.storage.call_log import CallLog
from appliance.storage.copied_calls import CopiedCalls

# Copies of some seconds at a thousand calls a second; the replicator reads them every 20 ms.
RING_MIB: Final = 4


class CallMemory:
    """The supervisor's; its children inherit it."""

    def __init__(self, bank_mib: int) -> None:
        """`bank_mib`: mebibytes for the calls of each other node. Raises OSError when there is no memory for it."""
        self._log = CallLog(RING_MIB)
        self._copied = CopiedCalls(bank_mib)
        self._is_closed = False

    @property
    def launch_fields(self) -> dict[str, Any]:
        """What a worker and the replicator have to know of it (ipc/launch.py)."""
        copied = self._copied.recording
        return {
            "call_log_fd": self._log.fd,
            "call_log_len": self._log.ring_len,
            "copied_calls_fd": copied.fd,
            "copied_calls_len": copied.bank_len,
        }

    def close(self) -> None:
        """Once more does no harm."""
        if not self._is_closed:
            self._is_closed = True
            self._log.close()
            self._copied.close()
