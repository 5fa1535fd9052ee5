"""The one file that imports LMDB: its names, the keys of addresses, and the word of its lock.

A write transaction locks a robust mutex in lock.mdb. It holds the thread id of its owner, so others can see who has the
lock without asking for it: `WriteLock`. The layout is that of LMDB 0.9 on Linux; `verify` compares it with what LMDB
does.
"""

from __future__ import annotations

import mmap
import os
import threading
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING, Final

from lmdb import BadRslotError as BadRslotError
from lmdb import CorruptedError as CorruptedError
from lmdb import Cursor as Cursor
from lmdb import DiskError as DiskError
from lmdb import Environment as Environment
from lmdb import Error as Error
from lmdb import InvalidError as InvalidError
from lmdb import MapFullError as MapFullError
from lmdb import MapResizedError as MapResizedError
from lmdb import PageNotFoundError as PageNotFoundError
from lmdb import PanicError as PanicError
from lmdb import ReadersFullError as ReadersFullError
from lmdb import Transaction as Transaction
from lmdb import VersionMismatchError as VersionMismatchError

if TYPE_CHECKING:
    from lmdb import _Database as Database

    __all__ = ["Database"]

DAMAGE: Final = (CorruptedError, PageNotFoundError, InvalidError, VersionMismatchError, PanicError)
KEY_MAX: Final = 400  # octets of an address that are its key as they are; LMDB takes keys of up to 511
DIGEST_LEN: Final = 32
LOCK_FILE: Final = "lock.mdb"
_LAST_TRANSACTION: Final = Struct("=Q")
_LAST_TRANSACTION_AT: Final = 48
_HOLDER: Final = Struct("=I")
_HOLDER_AT: Final = 64
_TID_MASK: Final = 0x3FFFFFFF  # the kernel's: the other two bits say that threads wait, and that the owner died
_LOCK_LEN: Final = 128


def address_key(aor: bytes) -> bytes:
    """The key of an address-of-record; a long one ends in a digest of the whole."""
    if len(aor) <= KEY_MAX:
        return aor
    return aor[:KEY_MAX] + blake2b(aor, digest_size=DIGEST_LEN).digest()


class LockLayoutUnknown(OSError):
    """The lock file does not lie as this version of the appliance expects; the message says so."""


class WriteLock:
    """Who holds the write lock of an environment: a look at mapped memory, no system call.

    A process that has the environment open must not close this before: when a process closes any descriptor of a file,
    all of its record locks on the file go (POSIX), and LMDB tells by those whether the lock file is in use. The next
    one to open the environment would make the mutexes anew, under those who hold them.
    """

    __slots__ = ("_fd", "_memory")

    def __init__(self, directory: Path) -> None:
        """`directory`: of the environment, which exists. Raises OSError."""
        self._fd = os.open(directory / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
        if os.fstat(self._fd).st_size < _LOCK_LEN:
            os.close(self._fd)
            raise LockLayoutUnknown(f"{directory / LOCK_FILE} is not a lock file of LMDB.")
        self._memory = mmap.mmap(self._fd, _LOCK_LEN, mmap.MAP_SHARED, mmap.PROT_READ)

    def holder(self) -> int:
        """The thread that is in a write transaction; 0 for none."""
        (word,) = _HOLDER.unpack_from(self._memory, _HOLDER_AT)
        return int(word) & _TID_MASK

    def last_transaction(self) -> int:
        """The number of the last write transaction that was committed."""
        (number,) = _LAST_TRANSACTION.unpack_from(self._memory, _LAST_TRANSACTION_AT)
        return int(number)

    def verify(self, environment: Environment) -> None:
        """See that both words mean what we think. Takes the write lock. Raises LockLayoutUnknown."""
        with environment.begin(write=True) as transaction:
            holder, last = self.holder(), self.last_transaction()
            begun = transaction.id()
            transaction.abort()
        if holder != threading.get_native_id() or last != begun - 1:
            raise LockLayoutUnknown(
                f"The lock file {environment.path()}/{LOCK_FILE} has an unknown layout: this version of LMDB is not "
                "supported."
            )

    def close(self) -> None:
        """Leave the lock file: after the environment, where this process has it open. May be called again."""
        self._memory.close()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
