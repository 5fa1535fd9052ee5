"""What a process gets from the supervisor that starts it, in one document; and the door by which
a running worker gets more of the kind.

The document holds the key of the appliance, so it travels as an anonymous file on standard input:
command lines and files could be read by others, and a pipe would make the supervisor wait for the
worker. Sockets are inherited under their own numbers.

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
from typing import Any, BinaryIO, Final

from appliance.messages.sealing_keys import SealingKeys, first_keys
from appliance.transport.process_id import SINGLE_NODE, ProcessId, process_id

NO_DESCRIPTOR: Final = -1
# Sockets that go with one document; the kernel takes 253 descriptors in all.
FDS_MAX: Final = 200


class LaunchError(ValueError):
    """Standard input holds no launch document. The message says what was wrong."""


@dataclass(frozen=True, slots=True)
class WorkerLaunch:
    """One worker's start.

    `number`        of the worker, from 0.
    `node`          the number of its node.
    `sockets`       (place of a listener, transport, descriptor) of each inherited socket, bound and, for streams,
                    listening.
    `config_text`   the configuration in force, in the language of the configuration file.
    `config_name`   how messages call that text: the path of the file.
    `places`        the names of the listeners at their places, "" where none is open (see catalogue/listener_ids.py).
    `door_fd`       the inherited end of the door by which documents and sockets come while it runs; -1 for none.
    `state_dir`     the state folder; the bus is in its `run`.
    `key_hex`       the key of the appliance, the same for all workers and over restarts.
    `sealing_keys`  what seals tokens, as text (messages/sealing_keys.py); "" for the key of the appliance.
    `recording_fd`  the inherited memory in which calls are recorded (recorder.py).
    `lifetime_offset_s`  what the clock of registrations is ahead of the boot clock (clock.lifetime_clock).
    `bank`          the worker's part of it, of `bank_len` octets.
    `boot_hex`      random octets of this start of the appliance, the same for all workers.
    `nonces_fd`     the inherited memory in which uses of nonces are remembered (nonce_memory.py); -1 for none.
    `addresses`     all addresses of the machine: a contact may not lead to them.
    `call_log_fd`, `call_log_len`  the inherited memory for copies of calls (storage/call_log.py), and the octets of one
                    worker's ring; -1 for a node in no cluster.
    `copied_calls_fd`, `copied_calls_len`  the same for the calls of other nodes (storage/copied_calls.py), and the
                    octets of one bank.
    `table_dir`     the directory of the registration table (storage/registrations.py); "" for none.
    `page_fd`, `event_fd`  the inherited page and event that it shares with the replicator; -1 for none.
    """

    number: int
    sockets: tuple[tuple[int, int, int], ...]
    config_text: str
    state_dir: str
    key_hex: str
    config_name: str = "configuration"
    recording_fd: int = NO_DESCRIPTOR
    bank: int = 0
    bank_len: int = 0
    places: tuple[str, ...] = ()
    door_fd: int = NO_DESCRIPTOR
    lifetime_offset_s: float | None = None
    boot_hex: str = ""
    nonces_fd: int = NO_DESCRIPTOR
    addresses: tuple[str, ...] = ()
    table_dir: str = ""
    node: int = SINGLE_NODE
    call_log_fd: int = NO_DESCRIPTOR
    call_log_len: int = 0
    copied_calls_fd: int = NO_DESCRIPTOR
    copied_calls_len: int = 0
    page_fd: int = NO_DESCRIPTOR
    event_fd: int = NO_DESCRIPTOR
    sealing_keys: str = ""

    @property
    def process(self) -> ProcessId:
        """The address of the worker."""
        return process_id(self.node, self.number)

    @property
    def key(self) -> bytes:
        """The key as bytes."""
        return bytes.fromhex(self.key_hex)

    @property
    def sealing(self) -> SealingKeys:
        """What seals tokens. Raises ValueError."""
        return SealingKeys.from_text(self.sealing_keys) if self.sealing_keys else first_keys(self.key)

    @property
    def boot(self) -> bytes:
        """The octets of this start as bytes."""
        return bytes.fromhex(self.boot_hex)

    def argv(self) -> list[str]:
        """The command line of the worker."""
        return python_module("appliance.workers", str(self.number))

    def fds(self) -> tuple[int, ...]:
        """The descriptors that the worker inherits."""
        shared = self.recording_fd, self.nonces_fd, self.door_fd, self.call_log_fd, self.copied_calls_fd
        fds = (*(fd for _, _, fd in self.sockets), *shared, self.page_fd, self.event_fd)
        return tuple(fd for fd in fds if fd != NO_DESCRIPTOR)

    def to_stdin(self) -> BinaryIO:
        """An anonymous file with the document, to be the worker's standard input; the caller closes it."""
        return anonymous_file(asdict(self))

    @classmethod
    def from_stdin(cls, document: BinaryIO) -> WorkerLaunch:
        """The launch that standard input holds. Raises LaunchError."""
        try:
            fields = json.loads(document.read())
            lists = {name: tuple(fields[name]) for name in ("places", "addresses")}
            lists["sockets"] = tuple(map(tuple, fields["sockets"]))
            launch = cls(**{**fields, **lists})
            bytes.fromhex(launch.key_hex)
            bytes.fromhex(launch.boot_hex)
            # It is read once, to be sure that it can be.
            _ = launch.sealing
        except (ValueError, TypeError, KeyError) as fault:
            raise LaunchError(f"Standard input holds no launch document: {fault!r}.") from fault
        return launch


@dataclass(frozen=True, slots=True)
class ManagementLaunch:
    """The start of the process that serves operators.

    `state_dir`    the state folder: the control socket and the bus are in its `run`.
    `config_text`  the configuration in force.
    `node`         the number of its node.
    """

    state_dir: str
    config_text: str
    node: int = SINGLE_NODE

    def argv(self) -> list[str]:
        """The command line."""
        return python_module("appliance.management")

    def fds(self) -> tuple[int, ...]:
        """It inherits no sockets."""
        return ()

    def to_stdin(self) -> BinaryIO:
        """An anonymous file with the document, to be its standard input; the caller closes it."""
        return anonymous_file(asdict(self))

    @classmethod
    def from_stdin(cls, document: BinaryIO) -> ManagementLaunch:
        """The launch that standard input holds. Raises LaunchError."""
        try:
            return cls(**json.loads(document.read()))
        except (ValueError, TypeError) as fault:
            raise LaunchError(f"Standard input holds no launch document: {fault!r}.") from fault


@dataclass(frozen=True, slots=True)
class PersisterLaunch:
    """The start of the process that carries the registration table to the disk.

    `state_dir`    the state folder: registrations are in its `registrations`, the bus in its `run`.
    `table_dir`    the folder in memory with the tables (storage/table_folder.py).
    `config_text`  the configuration in force.
    `node`         the number of the node.
    `lifetime_offset_s`  as for a worker.
    `is_in_cluster`  are there other nodes, which read the change log as well?
    """

    state_dir: str
    table_dir: str
    config_text: str
    node: int = SINGLE_NODE
    lifetime_offset_s: float | None = None
    is_in_cluster: bool = False

    def argv(self) -> list[str]:
        """The command line."""
        return python_module("appliance.persister")

    def fds(self) -> tuple[int, ...]:
        """It inherits no sockets."""
        return ()

    def to_stdin(self) -> BinaryIO:
        """An anonymous file with the document, to be its standard input; the caller closes it."""
        return anonymous_file(asdict(self))

    @classmethod
    def from_stdin(cls, document: BinaryIO) -> PersisterLaunch:
        """The launch that standard input holds. Raises LaunchError."""
        try:
            return cls(**json.loads(document.read()))
        except (ValueError, TypeError) as fault:
            raise LaunchError(f"Standard input holds no launch document: {fault!r}.") from fault


@dataclass(frozen=True, slots=True)
class ReplicatorLaunch:
    """The start of the process that has the links to the other nodes (cluster/replication/).

    `state_dir`    the state folder: the cluster file and the bus are there.
    `table_dir`    the folder in memory with the tables (storage/table_folder.py).
    `config_text`  the configuration in force.
    `node`         the number of the node.
    `lifetime_offset_s`  as for a worker.
    `page_fd`, `event_fd`  the inherited page and event that it shares with the workers (storage/replication_page.py).
    `boot_hex`     random octets of this start of the appliance, by which slots are counted.
    `call_log_fd`, `call_log_len`, `copied_calls_fd`, `copied_calls_len`  as for a worker.
    """

    state_dir: str
    table_dir: str
    config_text: str
    node: int
    page_fd: int
    event_fd: int
    lifetime_offset_s: float | None = None
    boot_hex: str = ""
    call_log_fd: int = NO_DESCRIPTOR
    call_log_len: int = 0
    copied_calls_fd: int = NO_DESCRIPTOR
    copied_calls_len: int = 0

    def argv(self) -> list[str]:
        """The command line."""
        return python_module("appliance.cluster.replication")

    def fds(self) -> tuple[int, ...]:
        """The page, the event, and the memory for calls."""
        fds = self.page_fd, self.event_fd, self.call_log_fd, self.copied_calls_fd
        return tuple(fd for fd in fds if fd != NO_DESCRIPTOR)

    def to_stdin(self) -> BinaryIO:
        """An anonymous file with the document, to be its standard input; the caller closes it."""
        return anonymous_file(asdict(self))

    @classmethod
    def from_stdin(cls, document: BinaryIO) -> ReplicatorLaunch:
        """The launch that standard input holds. Raises LaunchError."""
        try:
            return cls(**json.loads(document.read()))
        except (ValueError, TypeError) as fault:
            raise LaunchError(f"Standard input holds no launch document: {fault!r}.") from fault


@dataclass(frozen=True, slots=True)
class SnmpLaunch:
    """The start of the SNMP agent.

    `state_dir`    the state folder: the bus is in its `run`, what the agent keeps is in its `snmp`.
    `config_text`  the configuration in force.
    `sockets`      (address, port, descriptor) of each inherited UDP socket.
    `boot_hex`     random octets of this start of the appliance: alarms are numbered from 1 in each.
    `node`         the number of the node.
    `table_dir`    the folder in memory with the registration tables (storage/table_folder.py).
    `lifetime_offset_s`  as for a worker.
    """

    state_dir: str
    config_text: str
    sockets: tuple[tuple[str, int, int], ...] = ()
    boot_hex: str = ""
    node: int = SINGLE_NODE
    table_dir: str = ""
    lifetime_offset_s: float | None = None

    def argv(self) -> list[str]:
        """The command line."""
        return python_module("appliance.management.snmp")

    def fds(self) -> tuple[int, ...]:
        """The sockets that it inherits."""
        return tuple(fd for _, _, fd in self.sockets)

    def to_stdin(self) -> BinaryIO:
        """An anonymous file with the document, to be its standard input; the caller closes it."""
        return anonymous_file(asdict(self))

    @classmethod
    def from_stdin(cls, document: BinaryIO) -> SnmpLaunch:
        """The launch that standard input holds. Raises LaunchError."""
        try:
            fields = json.loads(document.read())
            return cls(**{**fields, "sockets": tuple(map(tuple, fields["sockets"]))})
        except (ValueError, TypeError, KeyError) as fault:
            raise LaunchError(f"Standard input holds no launch document: {fault!r}.") from fault


@dataclass(frozen=True, slots=True)
class LookupServerLaunch:
    """The start of the lookup server.

    `state_dir`    the state folder: route tables are in its `routes`, the bus in its `run`.
    `config_text`  the configuration in force.
    `node`         the number of the node.
    """

    state_dir: str
    config_text: str
    node: int = SINGLE_NODE

    def argv(self) -> list[str]:
        """The command line."""
        return python_module("appliance.lookup_server")

    def fds(self) -> tuple[int, ...]:
        """It inherits no sockets."""
        return ()

    def to_stdin(self) -> BinaryIO:
        """An anonymous file with the document, to be its standard input; the caller closes it."""
        return anonymous_file(asdict(self))

    @classmethod
    def from_stdin(cls, document: BinaryIO) -> LookupServerLaunch:
        """The launch that standard input holds. Raises LaunchError."""
        try:
            return cls(**json.loads(document.read()))
        except (ValueError, TypeError) as fault:
            raise LaunchError(f"Standard input holds no launch document: {fault!r}.") from fault


@dataclass(frozen=True, slots=True)
class ClusterLaunch:
    """The start of the cluster process.

    `state_dir`    the state folder: the cluster file and the bus are in it.
    `config_text`  the configuration in force.
    `node`         the number of the node.
    """

    state_dir: str
    config_text: str
    node: int

    def argv(self) -> list[str]:
        """The command line."""
        return python_module("appliance.cluster.coordination")

    def fds(self) -> tuple[int, ...]:
        """It inherits no sockets."""
        return ()

    def to_stdin(self) -> BinaryIO:
        """An anonymous file with the document, to be its standard input; the caller closes it."""
        return anonymous_file(asdict(self))

    @classmethod
    def from_stdin(cls, document: BinaryIO) -> ClusterLaunch:
        """The launch that standard input holds. Raises LaunchError."""
        try:
            return cls(**json.loads(document.read()))
        except (ValueError, TypeError) as fault:
            raise LaunchError(f"Standard input holds no launch document: {fault!r}.") from fault


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
