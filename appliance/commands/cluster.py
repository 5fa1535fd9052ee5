"""`signalbox cluster`: create, join or leave a cluster, remove a member. These commands need etcd."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from appliance.commands.password_prompt import ASKED, read_token
from appliance.commands.state_option import add_state, state_of

if TYPE_CHECKING:
    from appliance.commands.cluster_membership import Joining
    from appliance.commands.command_line import Commands

HEARTBEAT_PORT: Final = 7560
LINK_PORT: Final = 7561
TOKEN_MINUTES: Final = 60
TOKEN_MINUTES_MAX: Final = 7 * 24 * 60


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command line."""
    cluster = commands.add_parser(
        "cluster",
        help="create a cluster, join or leave one, remove a member",
        description="Create a cluster, let machines join it, leave it, remove a member. The members are kept in etcd, "
        "which has to answer. `create`, `join` and `leave` need a stopped appliance.",
    )
    actions = cluster.add_subparsers(metavar="ACTION", required=True)
    create = actions.add_parser(
        "create",
        help="make this machine the first node of a new cluster",
        description="Make this machine the first node of a new cluster: its key and the keys of this node are created, "
        "and written to etcd and to the state folder. The appliance must be stopped.",
    )
    create.add_argument("name", metavar="NAME", help="the name of the cluster; other clusters can use the same etcd")
    help = "http:// or https:// addresses of the members of etcd, separated by commas"
    create.add_argument("--etcd", required=True, metavar="URL,...", help=help)
    create.set_defaults(command=_create)
    token = actions.add_parser(
        "token",
        help="create a token by which one machine can join",
        description="Print a token by which one machine can join the cluster, once, within its lifetime. A machine "
        "with the token and access to etcd can join: treat it as a password.",
    )
    help = f"lifetime of the token in minutes, 1 to {TOKEN_MINUTES_MAX} (default: {TOKEN_MINUTES})"
    token.add_argument("--minutes", type=int, default=TOKEN_MINUTES, metavar="MINUTES", help=help)
    token.set_defaults(command=_token)
    join = actions.add_parser(
        "join",
        help="make this machine a node of a cluster",
        description="Make this machine a node of the cluster that a token is for. Its keys are created here. The "
        "appliance must be stopped.",
    )
    join.set_defaults(command=_join)
    leave = actions.add_parser(
        "leave",
        help="take this machine out of its cluster",
        description="Take this machine out of its cluster. The last member ends the cluster and deletes its keys from "
        "etcd. The appliance must be stopped.",
    )
    leave.set_defaults(command=_leave)
    remove = actions.add_parser(
        "remove",
        help="take another member out of the cluster",
        description="Take another member, such as a machine that will not return, out of the cluster. If it runs and "
        "reaches etcd, it stops taking part by itself. The appliance may run meanwhile.",
    )
    remove.add_argument("node", metavar="NODE", help="the name of the member")
    help = "the machine is switched off for good, or its state folder is deleted: it will not take part again"
    remove.add_argument("--off", action="store_true", help=help)
    remove.set_defaults(command=_remove)
    status = actions.add_parser(
        "status",
        help="show the members and etcd",
        description="Show the members and etcd, as the node or witness that runs on a state folder sees them.",
    )
    status.add_argument("--json", action="store_true", help="show the report as JSON")
    status.set_defaults(command=_status)
    add_join_options(join)
    add_member_options(create)
    for action in (create, token, join, leave, remove, status):
        add_state(action)


def add_join_options(parser: argparse.ArgumentParser) -> None:
    """What a machine needs to join, as a node or as a witness."""
    help = (
        "from `signalbox cluster token` on a member; without it, or with -, it is asked for, or read from standard "
        "input where that is no terminal: what stands here, other users of the machine see in `ps`"
    )
    parser.add_argument("token", metavar="TOKEN", nargs="?", default=ASKED, help=help)
    add_member_options(parser)


def add_member_options(parser: argparse.ArgumentParser) -> None:
    """What a member says of itself."""
    help = "the address of this machine that the other members reach it by"
    parser.add_argument("--address", required=True, metavar="ADDRESS", help=help)
    parser.add_argument("--node", metavar="NAME", default="", help="the name of this member (default: the host name)")
    help = "UDP port for heartbeats (default: %(default)s)"
    parser.add_argument("--heartbeat-port", type=int, metavar="PORT", default=HEARTBEAT_PORT, help=help)
    help = "TCP port for links of other nodes (default: %(default)s)"
    parser.add_argument("--link-port", type=int, metavar="PORT", default=LINK_PORT, help=help)
    help = "certificate of the authority of etcd's certificates (PEM)"
    parser.add_argument("--ca", type=Path, metavar="FILE", help=help)
    help = "certificate of this machine for etcd (PEM); its common name is the user of etcd"
    parser.add_argument("--certificate", type=Path, metavar="FILE", help=help)
    parser.add_argument("--key", type=Path, metavar="FILE", help="private key of that certificate (PEM)")


def _create(options: argparse.Namespace) -> int:
    from appliance.commands.cluster_membership import create

    return _said(create(state_of(options), options.name, options.etcd.split(","), _machine(options)))


def _join(options: argparse.Namespace) -> int:
    return join_as(options, is_witness=False)


def join_as(options: argparse.Namespace, is_witness: bool) -> int:
    """Join the cluster of the token."""
    from appliance.commands.cluster_membership import join

    return _said(join(state_of(options), read_token(options.token), _machine(options, is_witness)))


def _token(options: argparse.Namespace) -> int:
    from appliance.commands.cluster_membership import make_token

    return _said(make_token(state_of(options), options.minutes, TOKEN_MINUTES_MAX))


def _leave(options: argparse.Namespace) -> int:
    from appliance.commands.cluster_membership import leave

    return _said(leave(state_of(options)))


def _remove(options: argparse.Namespace) -> int:
    from appliance.commands.cluster_membership import remove

    return _said(remove(state_of(options), options.node, options.off))


def _status(options: argparse.Namespace) -> int:
    from appliance.commands.cluster_membership import status_lines

    return _said("\n".join(status_lines(state_of(options), options.json)))


def _machine(options: argparse.Namespace, is_witness: bool = False) -> Joining:
    from appliance.commands.cluster_membership import Joining

    ca, certificate, key = (
        str(path.absolute()) if path else "" for path in (options.ca, options.certificate, options.key)
    )
    ports = options.heartbeat_port, options.link_port
    return Joining(options.node, options.address, *ports, ca, certificate, key, is_witness)


def _said(sentence: str) -> int:
    print(sentence)
    return 0
