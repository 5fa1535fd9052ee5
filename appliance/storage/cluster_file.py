"""What a node knows of its cluster, kept in the state folder: STATE/cluster, one line of JSON.

A node without this file is in no cluster. `signalbox cluster create` and `join` make it; afterwards the cluster process
writes it whenever the membership in etcd has changed, and all others only read it. So a node starts, votes and takes
addresses over without etcd.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from appliance.messages.membership import Member, Membership

FILE_NAME: Final = "cluster"
FORMAT: Final = 1
KEY_LEN: Final = 32


class ClusterFileUnusable(Exception):
    """The file cannot be read, or holds nothing that this version understands. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class EtcdAccess:
    """How etcd is reached. `urls`: http(s)://host:port. The others are paths of PEM files, "" for none."""

    urls: tuple[str, ...]
    ca: str = ""
    certificate: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class ClusterFile:
    """One node's knowledge of its cluster.

    `name`        of the cluster.
    `me`          the number of this member.
    `key_hex`     the key of the cluster, 32 octets: dialog tokens, branches and challenges are made with it on every
                  node, and the keys of heartbeats are derived from it.
    `secret_key`  of this node's links, 40 characters (Z85).
    `epochs`      (number of a virtual address, epoch) of earlier owners, as far as they are recorded.
    """

    name: str
    me: int
    key_hex: str
    secret_key: str
    membership: Membership
    etcd: EtcdAccess
    epochs: tuple[tuple[int, int], ...] = ()

    @property
    def key(self) -> bytes:
        """The key of the cluster as octets."""
        return bytes.fromhex(self.key_hex)

    @property
    def member(self) -> Member:
        """This member."""
        return self.membership.member(self.me)


def cluster_path(state_dir: Path) -> Path:
    """Where the file is in a state folder."""
    return state_dir / FILE_NAME


def read_cluster(state_dir: Path) -> ClusterFile | None:
    """What the state folder says; None for a node that is in no cluster. Raises ClusterFileUnusable."""
    path = cluster_path(state_dir)
    try:
        octets = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise ClusterFileUnusable(f"The file {path} cannot be read: {fault.strerror}.") from fault
    try:
        return _from_fields(json.loads(octets))
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise ClusterFileUnusable(
            f"The file {path} is damaged ({fault!r}). Remove this node from the cluster on another member (`signalbox "
            "cluster remove NODE`), delete the file, and join the cluster anew."
        ) from fault


def write_cluster(state_dir: Path, known: ClusterFile) -> None:
    """Replace the file as a whole: a power cut leaves the old one or the new one. Raises OSError."""
    path = cluster_path(state_dir)
    unfinished = path.with_name(f"{FILE_NAME}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    with open(os.open(unfinished, flags, 0o600), "w") as file:
        file.write(f"{json.dumps({'format': FORMAT, **asdict(known)})}\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)


def _from_fields(fields: dict[str, Any]) -> ClusterFile:
    if fields.pop("format") != FORMAT:
        raise ValueError("another format")
    membership, etcd = fields["membership"], fields["etcd"]
    members = tuple(Member(**member) for member in membership["members"])
    read: dict[str, Any] = {
        **fields,
        "membership": Membership(membership["version"], members),
        "etcd": EtcdAccess(**{**etcd, "urls": tuple(etcd["urls"])}),
        "epochs": tuple((address, epoch) for address, epoch in fields["epochs"]),
    }
    known = ClusterFile(**read)
    if len(known.key) != KEY_LEN:
        raise ValueError(f"the key has not {KEY_LEN} octets")
    known.membership.member(known.me)
    return known
