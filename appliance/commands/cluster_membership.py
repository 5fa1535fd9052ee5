"""What `signalbox cluster` and `signalbox witness` do: etcd is changed first, then the cluster file."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final, TypeVar

from appliance import clock
from appliance.cluster.coordination.cluster_records import KEY_LEN
from appliance.cluster.coordination.join_token import SECRET_LEN, JoinToken, TokenUnusable
from appliance.cluster.coordination.key_store import StoreFault
from appliance.cluster.coordination.keys import NAME_PATTERN, NAME_RULE
from appliance.cluster.coordination.membership_changes import (
    ChangeRefused,
    Joined,
    LastChangeUnderWay,
    create_cluster,
    create_token,
    end_cluster,
    join_cluster,
    leave_cluster,
    remove_member,
)
from appliance.cluster.coordination.store import EtcdStore
from appliance.commands.state_option import make_folder
from appliance.ipc.bus import BusUnavailable, ask_supervisor
from appliance.ipc.link_keys import new_link_keys
from appliance.management.errors import CommandFailed
from appliance.messages.bus_messages import Refusal
from appliance.messages.cluster_messages import ShowCluster
from appliance.messages.membership import NO_MEMBER, Member
from appliance.messages.plain_values import plain
from appliance.privileges import acting_as_owner
from appliance.storage.cluster_file import (
    ClusterFile,
    ClusterFileUnusable,
    EtcdAccess,
    cluster_path,
    read_cluster,
    write_cluster,
)
from appliance.storage.sealing_key_file import write_sealing_keys
from appliance.storage.state_format import NewerFormat, refuse_newer
from appliance.storage.state_lock import StateInUse, held
from cli.views.cluster import draw_cluster

STATUS_TIMEOUT_S: Final = 3.0
LAST_CHANGE_MAX_S: Final = 20.0
"""So long after a change of the members, those that live go by it."""
ASK_AGAIN_S: Final = 0.5
NODE_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,31})")

Changed = TypeVar("Changed")


@dataclass(frozen=True, slots=True)
class Joining:
    """What the command line says of a machine that becomes a member.

    `name`: "" for that of the host; `ca`, `certificate`, `key`: absolute paths of files for TLS to etcd, "" for none.
    """

    name: str
    address: str
    heartbeat_port: int
    link_port: int
    ca: str = ""
    certificate: str = ""
    key: str = ""
    is_witness: bool = False

    def access(self, urls: Iterable[str]) -> EtcdAccess:
        """How it reaches etcd."""
        return EtcdAccess(tuple(url.strip() for url in urls), self.ca, self.certificate, self.key)


def create(state: Path, name: str, urls: Iterable[str], machine: Joining) -> str:
    """A new cluster with this machine as its first node; what was done, as text. Raises CommandFailed."""
    if not NAME_PATTERN.fullmatch(name):
        raise CommandFailed(f"{name!r} cannot be the name of a cluster: {NAME_RULE}.")
    make_folder(state)
    access = machine.access(urls)
    with _stopped(state), _etcd(access) as store:
        _refuse_member(state)
        me, secret = _new_member(machine)
        joined = create_cluster(store, name, os.urandom(KEY_LEN), me, clock.wall_time())
        try:
            _write(state, name, joined, access, secret)
        except OSError as fault:
            with suppress(StoreFault, ChangeRefused):
                end_cluster(store, name, joined.me)
            raise _unwritten(state, fault) from None
    return (
        f"The cluster {name} is created; {joined.me.name} is its first node. Start the appliance, then type `signalbox "
        "cluster token` here for each machine that shall join."
    )


def make_token(state: Path, minutes: int, minutes_max: int) -> str:
    """A token by which one machine may join. Raises CommandFailed."""
    if not 1 <= minutes <= minutes_max:
        raise CommandFailed(f"A token lives for 1 to {minutes_max} minutes.")
    with _member(state) as known, _etcd(known.etcd) as store:
        token = JoinToken(known.name, known.etcd.urls, os.urandom(SECRET_LEN))
        create_token(store, known.name, token, 60 * minutes, clock.wall_time())
    return token.to_text()


def join(state: Path, token_text: str, machine: Joining) -> str:
    """Make this machine a member; what was done, as text. Raises CommandFailed."""
    try:
        token = JoinToken.from_text(token_text)
    except TokenUnusable as fault:
        raise CommandFailed(str(fault)) from None
    make_folder(state)
    access = machine.access(token.urls)
    with _stopped(state), _etcd(access) as store:
        _refuse_member(state)
        me, secret = _new_member(machine)
        joined = _after_last_change(lambda: join_cluster(store, token, me, clock.wall_time))
        try:
            _write(state, token.cluster, joined, access, secret)
        except OSError as fault:
            with suppress(StoreFault, ChangeRefused):
                remove_member(store, token.cluster, joined.me.name)
            raise _unwritten(state, fault) from None
    names = ", ".join(each.name for each in joined.record.membership.members)
    start = "`signalbox witness run`" if joined.me.is_witness else "the appliance"
    return f"{joined.me.name} is member {joined.me.number} of the cluster {token.cluster}: {names}. Start {start}."


def leave(state: Path) -> str:
    """Take this machine out of its cluster; what was done, as text. Raises CommandFailed."""
    with _member(state) as known, _stopped(state), _etcd(known.etcd) as store:
        is_ended = _after_last_change(lambda: leave_cluster(store, known.name, known.member))
        cluster_path(state).unlink()
    if is_ended:
        return f"{known.member.name} was the last member: the cluster {known.name} is ended and deleted from etcd."
    return f"{known.member.name} has left the cluster {known.name}."


def remove(state: Path, node: str, is_off: bool) -> str:
    """Take another member out; what was done, as text. `is_off`: it is switched off for good. Raises CommandFailed."""
    with _member(state) as known, _etcd(known.etcd) as store:
        if node == known.member.name:
            raise CommandFailed(f"{node} is this machine: stop the appliance and type `signalbox cluster leave`.")
        record = _after_last_change(lambda: remove_member(store, known.name, node, is_off))
    names = ", ".join(member.name for member in record.membership.members)
    return f"{node} is removed. The members of the cluster {known.name} are {names}."


def status_lines(state: Path, is_json: bool) -> Iterator[str]:
    """The cluster as the node or witness that runs here sees it. Raises CommandFailed."""
    try:
        reply = ask_supervisor(state / "run", ShowCluster(), STATUS_TIMEOUT_S)
    except BusUnavailable as fault:
        raise CommandFailed(str(fault)) from None
    if isinstance(reply, Refusal):
        raise CommandFailed(reply.sentence)
    if is_json:
        yield json.dumps(plain(reply.status), indent=2)
    else:
        yield from draw_cluster(plain(reply.status), {})


def _after_last_change(change: Callable[[], Changed]) -> Changed:
    """Make a change of the members, as soon as the last one is in force. Raises ChangeRefused, StoreFault."""
    give_up_at = clock.monotonic() + LAST_CHANGE_MAX_S
    while True:
        try:
            return change()
        except LastChangeUnderWay as refusal:
            if clock.monotonic() > give_up_at:
                raise ChangeRefused(f"Nothing was changed: {refusal}") from None
        time.sleep(ASK_AGAIN_S)


def _new_member(machine: Joining) -> tuple[Member, str]:
    """This machine as a member that has no number yet, and the secret key of its links. Raises CommandFailed."""
    name = machine.name or socket.gethostname().partition(".")[0]
    if not NODE_NAME.fullmatch(name):
        rule = "up to 32 letters, digits, hyphens, dots and underscores"
        raise CommandFailed(f"{name!r} cannot be the name of a member: it has {rule}. Use --node NAME.")
    try:
        host = str(ip_address(machine.address))
    except ValueError:
        raise CommandFailed(
            f"{machine.address} is no IP address. Use --address with an IPv4 or IPv6 address."
        ) from None
    _try_to_bind(host, machine.heartbeat_port, socket.SOCK_DGRAM)
    _try_to_bind(host, machine.link_port, socket.SOCK_STREAM)
    public, secret = new_link_keys()
    member = Member(NO_MEMBER, name, host, machine.heartbeat_port, machine.is_witness, machine.link_port, public)
    return member, secret


def _try_to_bind(host: str, port: int, kind: socket.SocketKind) -> None:
    if not 0 < port < 65536:
        raise CommandFailed(f"{port} is no port: use 1 to 65535.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as trial:
        if kind == socket.SOCK_STREAM:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as fault:
            raise CommandFailed(
                f"The address {host} port {port} cannot be used on this machine: {fault.strerror}. Use an address of "
                "this machine that the others reach, and free ports (--heartbeat-port, --link-port)."
            ) from None


# -- the state folder and etcd -------------------------------------------------------------------------------


@contextmanager
def _stopped(state: Path) -> Iterator[None]:
    """Act as the owner of the state folder while no appliance runs on it. Raises CommandFailed."""
    try:
        refuse_newer(state)
        with acting_as_owner(state), held(state):
            yield
    except NewerFormat as fault:
        raise CommandFailed(str(fault)) from None
    except StateInUse as fault:
        raise CommandFailed(f"{fault} Stop it first: `systemctl stop signalbox`.") from None


@contextmanager
def _member(state: Path) -> Iterator[ClusterFile]:
    """What a member knows. Raises CommandFailed."""
    try:
        with acting_as_owner(state):
            known = read_cluster(state)
            if known is None:
                raise CommandFailed(
                    f"The machine is in no cluster: {cluster_path(state)} does not exist. Use `signalbox cluster "
                    "create` or `signalbox cluster join`; --state DIR selects another state folder."
                )
            yield known
    except ClusterFileUnusable as fault:
        raise CommandFailed(str(fault)) from None


@contextmanager
def _etcd(access: EtcdAccess) -> Iterator[EtcdStore]:
    """etcd. Raises CommandFailed for what it does not do."""
    try:
        with closing(EtcdStore(access)) as store:
            yield store
    except (StoreFault, ChangeRefused) as fault:
        raise CommandFailed(str(fault)) from None


def _refuse_member(state: Path) -> None:
    try:
        known = read_cluster(state)
    except ClusterFileUnusable as fault:
        raise CommandFailed(str(fault)) from None
    if known is not None:
        raise CommandFailed(
            f"The machine is in the cluster {known.name} already, as {known.member.name}. Leave it first: `signalbox "
            "cluster leave`."
        )


def _write(state: Path, name: str, joined: Joined, access: EtcdAccess, secret: str) -> None:
    known = ClusterFile(name, joined.me.number, joined.cluster.key_hex, secret, joined.record.membership, access)
    if joined.sealing is not None:
        write_sealing_keys(state, known.key, joined.sealing)
    write_cluster(state, known)


def _unwritten(state: Path, fault: OSError) -> CommandFailed:
    return CommandFailed(
        f"The file {cluster_path(state)} cannot be written: {fault.strerror}. The machine is in no cluster; nothing "
        "was changed in etcd, or it was taken back."
    )
