"""What a process gets from the supervisor that starts it, in one document; and the door by which a running worker gets
more of the kind.

The document holds the key of the appliance, so it travels as an anonymous file on standard input: command lines and
files could be read by others, and a pipe would make the supervisor wait for the process. Sockets are inherited under
their own numbers.

    launch = WorkerLaunch(...)
    with launch.to_stdin() as document:
        Popen(launch.argv(), stdin=document, pass_fds=launch.fds())

ZeroMQ carries no descriptors, so a document that comes with sockets travels by a Unix socket (SCM_RIGHTS), as an
anonymous file like the first one.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, ClassVar, Final, Self

# Sockets that go with one document; the kernel takes 253 descriptors in all.
FDS_MAX: Final = 200


class LaunchError(ValueError):
    """Standard input holds no launch document. The message says what was wrong."""


@dataclass(frozen=True, slots=True)
class Launch:
    """The start of a process: a dataclass whose fields are its launch document."""

    module: ClassVar[str]
    """What the process runs."""

    def argv(self) -> list[str]:
        """The command line."""
        return python_module(self.module)

    def fds(self) -> tuple[int, ...]:
        """The descriptors that the process inherits."""
        return ()

    def to_stdin(self) -> BinaryIO:
        """An anonymous file with the document, to be its standard input; the caller closes it."""
        return anonymous_file(asdict(self))

    @classmethod
    def from_stdin(cls, document: BinaryIO) -> Self:
        """The launch that standard input holds. Raises LaunchError."""
        try:
            return cls.from_fields(json.loads(document.read()))
        except (ValueError, TypeError, KeyError) as fault:
            raise LaunchError(f"Standard input holds no launch document: {fault!r}.") from fault

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Self:
        """The launch of the fields of a document. Raises ValueError, TypeError, KeyError."""
        return cls(**fields)


def python_module(name: str, *arguments: str) -> list[str]:
    """The command line that runs a module of this package: never one of that name in the working directory (-P)."""
    return [sys.executable, "-P", "-m", name, *arguments]


def anonymous_file(document: dict[str, Any]) -> BinaryIO:
    """A file without a name that holds the document as JSON; its descriptor may be passed to another process."""
    file = os.fdopen(os.memfd_create("launch"), "w+b")
    file.write(json.dumps(document).encode())
    file.flush()
    file.seek(0)
    return file


def new_door() -> tuple[socket.socket, socket.socket]:
    """The two ends of a door: the supervisor's, which never waits, and the worker's."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    return ours, theirs


def send_document(door: socket.socket, document: dict[str, Any], fds: Sequence[int] = ()) -> None:
    """Pass a document and sockets on. Raises OSError when it is not taken, or there are too many sockets."""
    with anonymous_file(document) as file:
        socket.send_fds(door, [b"document"], [file.fileno(), *fds])


def receive_document(door: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """A document and the sockets that came with it, which are the caller's. Raises EOFError at the end, LaunchError."""
    octets, fds, _flags, _address = socket.recv_fds(door, 64, FDS_MAX + 1)
    if not octets:
        raise EOFError
    if not fds:
        raise LaunchError("What came by the door is no document.")
    with os.fdopen(fds[0], "rb") as file:
        # The writer left its place at the beginning, and the place is shared.
        file.seek(0)
        octets = file.read()
    try:
        return dict(json.loads(octets)), list(fds[1:])
    except (ValueError, TypeError) as fault:
        raise LaunchError(f"What came by the door is no document: {fault!r}.") from fault
