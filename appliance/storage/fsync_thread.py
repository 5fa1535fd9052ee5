"""Forces files to the disk in a thread, so that nobody who serves waits for it.

Any number of requests between two rounds are one; a round begins no sooner than the interval after the last one ended.
Only the first of them wakes the thread, and none does during the interval: each time it wakes, who serves waits for the
interpreter.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from threading import Condition, Event, Thread


class FsyncThread:
    """One thread, started by the first request. `completed` and `fault` may be read at any time."""

    def __init__(self, interval_s: float) -> None:
        self.interval_s = interval_s
        self._condition = Condition()
        self._files: dict[int, int] = {}  # the number of an open file, and of our own copy of it
        self._released: list[int] = []
        self._closing = Event()
        self._thread: Thread | None = None
        self._requested = 0
        self.completed = 0
        self.fault = ""

    def request(self, fd: int) -> int:
        """Have what was written to this file so far forced soon. Returns the number `completed` reaches when it is."""
        # Counted before the look: a round that begins in between has either taken the file with this request, or not.
        self._requested += 1
        if fd in self._files:
            return self._requested
        with self._condition:
            if fd not in self._files:
                self._files[fd] = os.dup(fd)
                self._condition.notify()
            if self._thread is None:
                self._thread = Thread(target=self._run, name="journal-sync", daemon=True)
                self._thread.start()
            return self._requested

    def release(self, fd: int) -> None:
        """`fd` is about to be closed, and will be another file's number. What was requested is done all the same."""
        with self._condition:
            if fd in self._files:
                self._released.append(self._files.pop(fd))

    def close(self) -> None:
        """Force what was asked for, and end."""
        with self._condition:
            self._closing.set()
            self._condition.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._condition:
                while not (self._files or self._released or self._closing.is_set()):
                    self._condition.wait()
                fds = [*self._files.values(), *self._released]
                self._files.clear()
                self._released.clear()
                number = self._requested
            if not fds:
                return
            fault = _force(fds)
            with self._condition:
                self.fault = self.fault or fault
                self.completed = number
            self._closing.wait(self.interval_s)


def _force(fds: Iterable[int]) -> str:
    fault = ""
    for fd in fds:
        # Either may tell that the disk did not keep what it took.
        for end in (os.fsync, os.close):
            try:
                end(fd)
            except OSError as error:
                fault = error.strerror or str(error)
    return fault
