"""What each process of a node gets from the supervisor that starts it (ipc/launch_document.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

from appliance.ipc.launch_document import Launch, python_module
from appliance.messages.sealing_keys import SealingKeys, first_keys
from appliance.transport.process_id import SINGLE_NODE, ProcessId, process_id

NO_DESCRIPTOR: Final = -1


@dataclass(frozen=True, slots=True)
class WorkerLaunch(Launch):
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

    module = "appliance.workers"

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
        """The command line; its number is for who reads the list of processes."""
        return python_module(self.module, str(self.number))

    def fds(self) -> tuple[int, ...]:
        """The descriptors that the worker inherits."""
        shared = self.recording_fd, self.nonces_fd, self.door_fd, self.call_log_fd, self.copied_calls_fd
        fds = (*(fd for _, _, fd in self.sockets), *shared, self.page_fd, self.event_fd)
        return tuple(fd for fd in fds if fd != NO_DESCRIPTOR)

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Self:
        """The launch of the fields of a document. Raises ValueError, TypeError, KeyError."""
        lists = {name: tuple(fields[name]) for name in ("places", "addresses")}
        lists["sockets"] = tuple(map(tuple, fields["sockets"]))
        launch = cls(**{**fields, **lists})
        bytes.fromhex(launch.key_hex)
        bytes.fromhex(launch.boot_hex)
        # It is read once, to be sure that it can be.
        _ = launch.sealing
        return launch


@dataclass(frozen=True, slots=True)
class ManagementLaunch(Launch):
    """The start of the process that serves operators.

    `state_dir`    the state folder: the control socket and the bus are in its `run`.
    `config_text`  the configuration in force.
    `node`         the number of its node.
    """

    module = "appliance.management"

    state_dir: str
    config_text: str
    node: int = SINGLE_NODE


@dataclass(frozen=True, slots=True)
class PersisterLaunch(Launch):
    """The start of the process that carries the registration table to the disk.

    `state_dir`    the state folder: registrations are in its `registrations`, the bus in its `run`.
    `table_dir`    the folder in memory with the tables (storage/table_folder.py).
    `config_text`  the configuration in force.
    `node`         the number of the node.
    `lifetime_offset_s`  as for a worker.
    `is_in_cluster`  are there other nodes, which read the change log as well?
    """

    module = "appliance.persister"

    state_dir: str
    table_dir: str
    config_text: str
    node: int = SINGLE_NODE
    lifetime_offset_s: float | None = None
    is_in_cluster: bool = False


@dataclass(frozen=True, slots=True)
class ReplicatorLaunch(Launch):
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

    module = "appliance.cluster.replication"

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

    def fds(self) -> tuple[int, ...]:
        """The page, the event, and the memory for calls."""
        fds = self.page_fd, self.event_fd, self.call_log_fd, self.copied_calls_fd
        return tuple(fd for fd in fds if fd != NO_DESCRIPTOR)


@dataclass(frozen=True, slots=True)
class SnmpLaunch(Launch):
    """The start of the SNMP agent.

    `state_dir`    the state folder: the bus is in its `run`, what the agent keeps is in its `snmp`.
    `config_text`  the configuration in force.
    `sockets`      (address, port, descriptor) of each inherited UDP socket.
    `boot_hex`     random octets of this start of the appliance: alarms are numbered from 1 in each.
    `node`         the number of the node.
    `table_dir`    the folder in memory with the registration tables (storage/table_folder.py).
    `lifetime_offset_s`  as for a worker.
    """

    module = "appliance.management.snmp"

    state_dir: str
    config_text: str
    sockets: tuple[tuple[str, int, int], ...] = ()
    boot_hex: str = ""
    node: int = SINGLE_NODE
    table_dir: str = ""
    lifetime_offset_s: float | None = None

    def fds(self) -> tuple[int, ...]:
        """The sockets that it inherits."""
        return tuple(fd for _, _, fd in self.sockets)

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Self:
        """The launch of the fields of a document. Raises ValueError, TypeError, KeyError."""
        return cls(**{**fields, "sockets": tuple(map(tuple, fields["sockets"]))})


@dataclass(frozen=True, slots=True)
class LookupServerLaunch(Launch):
    """The start of the lookup server.

    `state_dir`    the state folder: route tables are in its `routes`, the bus in its `run`.
    `config_text`  the configuration in force.
    `node`         the number of the node.
    """

    module = "appliance.lookup_server"

    state_dir: str
    config_text: str
    node: int = SINGLE_NODE


@dataclass(frozen=True, slots=True)
class ClusterLaunch(Launch):
    """The start of the cluster process.

    `state_dir`    the state folder: the cluster file and the bus are in it.
    `config_text`  the configuration in force.
    `node`         the number of the node.
    """

    module = "appliance.cluster.coordination"

    state_dir: str
    config_text: str
    node: int
