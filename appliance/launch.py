"""What a supervisor tells a worker that it starts: the whole of it, in one document.

The document holds the key of the appliance, so it travels as an anonymous file on standard input:
command lines and files could be read by others, and a pipe would make the supervisor wait for the
worker. Sockets are inherited under their own numbers.

    launch = WorkerLaunch(...)
    with launch.to_stdin() as document:
        Popen(launch.argv(), stdin=document, pass_fds=launch.fds())

Knows nothing of processes and of what a worker does with it.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from typing import BinaryIO, Final

NO_DESCRIPTOR: Final = -1


class LaunchError(ValueError):
    """Standard input holds no launch document. The message says what was wrong."""


@dataclass(frozen=True, slots=True)
class WorkerLaunch:
    """One worker's start.

    `number`        of the worker, from 0.
    `datagram_fds`  by listener: its inherited UDP socket, bound; -1 where the listener has none.
    `stream_fds`    by listener: its inherited TCP socket, listening; -1 where the listener has none.
    `config_text`   the configuration in force, in the language of the configuration file.
    `config_name`   how messages call that text: the path of the file.
    `state_dir`     the state folder; the bus is in its `run`.
    `key_hex`       the key of the appliance, the same for all workers and over restarts.
    `recording_fd`  the inherited memory in which calls are recorded; `bank` is the worker's part of it (recorder.py).
    """

    number: int
    datagram_fds: tuple[int, ...]
    stream_fds: tuple[int, ...]
    config_text: str
    state_dir: str
    key_hex: str
    config_name: str = "configuration"
    recording_fd: int = NO_DESCRIPTOR
    bank: int = 0

    @property
    def key(self) -> bytes:
        """The key as bytes."""
        return bytes.fromhex(self.key_hex)

    def argv(self) -> list[str]:
        """The command line of the worker."""
        return [sys.executable, "-m", "appliance.workers", str(self.number)]

    def fds(self) -> tuple[int, ...]:
        """The descriptors that the worker inherits."""
        return tuple(fd for fd in (*self.datagram_fds, *self.stream_fds, self.recording_fd) if fd != NO_DESCRIPTOR)

    def to_stdin(self) -> BinaryIO:
        """An anonymous file with the document, to be the worker's standard input; the caller closes it."""
        document = os.fdopen(os.memfd_create("launch"), "w+b")
        document.write(json.dumps(asdict(self)).encode())
        document.flush()
        document.seek(0)
        return document

    @classmethod
    def from_stdin(cls, document: BinaryIO) -> WorkerLaunch:
        """The launch that standard input holds. Raises LaunchError."""
        try:
            fields = json.loads(document.read())
            launch = cls(
                **{**fields, "datagram_fds": tuple(fields["datagram_fds"]), "stream_fds": tuple(fields["stream_fds"])}
            )
            bytes.fromhex(launch.key_hex)
        except (ValueError, TypeError, KeyError) as fault:
            raise LaunchError(f"Standard input holds no launch document: {fault!r}.") from fault
        return launch
