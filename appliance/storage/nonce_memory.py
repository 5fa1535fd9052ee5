"""The memory in which the workers of a node remember the uses of nonces (security/nonce_counts.pyx).

One anonymous file, made by the supervisor and inherited by every worker. It outlives each of them: the successor of a
dead worker refuses the replays that its predecessor would have refused. It can be kept from one start of the appliance
to the next (node_memory.py).
"""

from __future__ import annotations

import mmap
import os

from appliance.security.nonce_table import memory_len


class NonceMemory:
    """The memory of a node, for so many uses."""

    def __init__(self, limit: int, fd: int | None = None) -> None:
        """`fd`: that of a former start, of the same length. Raises OSError when there is no memory for it."""
        self.fd = os.memfd_create("signalbox-nonces") if fd is None else fd
        # Pages come into being when they are written to.
        os.ftruncate(self.fd, self.len_of(limit))

    @staticmethod
    def len_of(limit: int) -> int:
        """Octets of the memory for so many uses."""
        return memory_len(limit)

    def close(self) -> None:
        os.close(self.fd)


def shared_memory(fd: int) -> memoryview:
    """The whole of an inherited memory. Raises OSError, ValueError."""
    return memoryview(mmap.mmap(fd, 0))
