"""The commands about the cluster, and the fields of their results."""

from __future__ import annotations

from typing import Final

from appliance.catalogue.command_declaration import Command, Field, Parameter, Shape, show
from appliance.catalogue.value_types import Integer

TEXT, INTEGER, NUMBER, BOOLEAN, TEXTS, ROWS, _ = Shape
LIMIT: Final = Parameter("limit", Integer(1, 1000), "Maximum number of rows (default 100).", "limit", is_optional=True)

# fmt: off
CLUSTER: Final = (
    Field("name", TEXT, "The name of the cluster.", "cluster"),
    Field("node", TEXT, "The name of this node.", "node"),
    Field("membership", INTEGER, "The version of the membership.", "membership"),
    Field("etcd", TEXT, "Whether etcd answers.", "etcd"),
    Field("unrecorded", INTEGER, "Take-overs that are not in etcd yet.", "unrecorded take-overs"),
    Field("drained", TEXTS, "Nodes that shall own no virtual address.", "drained nodes"),
    Field("is_maintained", BOOLEAN, "Whether virtual addresses move by order only.", "maintenance"),
    Field("sealing_key", INTEGER, "Number of the key that seals tokens; it grows with each rotation.", "sealing key"),
    Field("sealing_key_since", NUMBER, "Time since which it seals; 0 for since the cluster was created.",
          "sealing key since"),
    Field("sealing_key_waits_for", TEXTS, "Nodes that have not taken the last step of a rotation.",
          "rotation waits for"),
    Field("members", ROWS, "The members.", fields=(
        Field("name", TEXT, "Its name.", "member"),
        Field("number", INTEGER, "Its number; never used for another member.", "number"),
        Field("kind", TEXT, "`node` or `witness`.", "kind"),
        Field("is_self", BOOLEAN, "Whether it is this node.", "this node"),
        Field("state", TEXT, "`present`, `absent`, or `unknown` while etcd does not answer.", "state"),
        Field("host", TEXT, "Its address.", "address"),
        Field("port", INTEGER, "Its UDP port for heartbeats.", "heartbeats"),
        Field("link_port", INTEGER, "Its TCP port for links.", "links"),
        Field("version", TEXT, "The version of its software.", "version"),
        Field("since", NUMBER, "Time of its start; 0 for unknown.", "started"),
        Field("clock_ms", INTEGER, "Milliseconds by which its clock is ahead of ours; null for unknown.", "clock ms"),
        Field("commit", INTEGER, "Number of the configuration in force on it; 0 for unknown.", "commit"),
        Field("link", TEXT, "`up` or `down`: the link from this node; empty for itself and a witness.", "link"),
        Field("is_in_sync", BOOLEAN, "Whether both have the same registrations; null for unknown.", "in sync"),
        Field("lag", INTEGER, "Registration changes of this node that it has not acknowledged; null without a link.",
              "lag"),
        Field("sealing_key", INTEGER, "Number of the newest sealing key that all its workers have; null for unknown.",
              "sealing key"),
    )),
    Field("addresses", ROWS, "The virtual addresses.", fields=(
        Field("name", TEXT, "Its name.", "virtual address"),
        Field("owner", TEXT, "The node that owns it; empty for none.", "owner"),
        Field("since", NUMBER, "Time since which this node knows of that owner.", "since"),
        Field("epoch", INTEGER, "A number that grows with each take-over.", "epoch"),
        Field("stance", TEXT, "What this node does about it.", "this node"),
        Field("addresses", TEXTS, "Its addresses.", "addresses"),
        Field("interface", TEXT, "The interface of this node that gets them.", "interface"),
        Field("is_elsewhere", BOOLEAN, "Whether a machine outside of the cluster answers for it.", "elsewhere"),
    )),
    Field("etcd_servers", ROWS, "The servers of etcd.", fields=(
        Field("url", TEXT, "Its address.", "etcd"),
        Field("state", TEXT, "`leader`, `healthy`, or why it does not answer.", "state"),
        Field("version", TEXT, "Its version.", "version"),
        Field("size", INTEGER, "Bytes of its database.", "MiB"),
    )),
)
HISTORY: Final = (
    Field("total", INTEGER, "Total number of rows."),
    Field("shown", INTEGER, "Number of rows in `rows`."),
    Field("rows", ROWS, "Take-overs, newest last.", fields=(
        Field("wall_time", NUMBER, "Time.", "time"),
        Field("address", TEXT, "The virtual address.", "address"),
        Field("epoch", INTEGER, "Its epoch, a number that grows with each take-over.", "epoch"),
        Field("last_owner", TEXT, "The node that owned it before.", "from"),
        Field("owner", TEXT, "The node that owns it since.", "to"),
        Field("reason", TEXT, "Why.", "reason"),
        Field("gap_ms", INTEGER, "Milliseconds without an owner.", "gap ms"),
        Field("is_recorded", BOOLEAN, "Whether it is in etcd.", "recorded"),
    )),
)
CLUSTER_COMMANDS: Final[tuple[Command, ...]] = (
    show("show cluster", "The cluster: members, replication, etcd, clocks.", "show cluster", (), CLUSTER),
    show("show cluster history", "Take-overs of virtual addresses.", "show cluster history", (LIMIT,), HISTORY),
)
# fmt: on
