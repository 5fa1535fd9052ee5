"""What the replicators of two nodes tell each other, and what they tell their supervisors.

"Log" is the change log of the registration table: (sequence number, address). A node sends what was made on it; the
other one acknowledges by sequence numbers of the sender's log. A log belongs to a table, which has a generation: one
that was made anew begins anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from appliance.messages.bus_messages import BusMessage

NO_GENERATION: Final = 0


@dataclass(slots=True)
class LinkUp(BusMessage):
    """Made by the links, before the first message of a session: what was not acknowledged is to be sent again."""

    kind = 160


@dataclass(slots=True)
class LinkLost(BusMessage):
    """Made by the links: the session is over. Messages that were on their way may be lost."""

    kind = 161


@dataclass(slots=True)
class Greeting(BusMessage):
    """The first message of a session, and then one each second.

    `clock`       by which registrations of the sender live, unix time.
    `generation`  of the sender's table.
    `taken_generation`, `taken_seq`  how far in the receiver's log the sender has taken all changes.
    `is_answer`   has the sender had a greeting of this session?
    `is_sound`    were both tables found equal, and has the sender lost no change of either since?
    """

    kind = 162
    clock: float
    generation: int
    taken_generation: int = NO_GENERATION
    taken_seq: int = 0
    is_answer: bool = False
    is_sound: bool = False


@dataclass(slots=True)
class RecordsChanged(BusMessage):
    """What was made on the sender, up to `seq` of its log: records of addresses or of changes. `after`: where the last
    batch ended.

    `is_start`: the first of a session. The receiver goes on from `after`, whatever it has taken before.
    """

    kind = 163
    generation: int
    after: int
    seq: int
    records: list[bytes]
    is_start: bool = False


@dataclass(slots=True)
class RecordsTaken(BusMessage):
    """The sender's table has all changes of the receiver's log up to `seq`."""

    kind = 164
    generation: int
    seq: int


# -- the comparison of two tables (cluster/replication/table_walk.py) --------------------------------


@dataclass(slots=True)
class RangeDigest(BusMessage):
    """What the sender has of the addresses after one key, up to another (b"": to the end): how many, and their digest.

    `walk` numbers the comparison. What is forgotten by `over_at` (the sender's clock) is not counted.
    """

    kind = 165
    walk: int
    after: bytes
    until: bytes
    over_at: float
    count: int
    digest: bytes


@dataclass(slots=True)
class RangeAnswer(BusMessage):
    """The sender has the same from `after` to `until`; or these keys with these digests (8 octets each).

    Where it has too many, `until` comes sooner than it was asked for.
    """

    kind = 166
    walk: int
    after: bytes
    until: bytes
    is_equal: bool
    keys: list[bytes] = field(default_factory=list)
    digests: bytes = b""


@dataclass(slots=True)
class RangeRecords(BusMessage):
    """Records that the receiver does not have as they are, and keys of which it shall send its own.

    `is_answer`: these are the records that were asked for; the sender has taken those that came with the question.
    `fault`: why it could not.
    """

    kind = 167
    walk: int
    after: bytes
    records: list[bytes]
    wanted: list[bytes] = field(default_factory=list)
    is_answer: bool = False
    fault: str = ""


@dataclass(slots=True)
class WalkEnded(BusMessage):
    """The comparison came to its end: were both tables equal then?"""

    kind = 168
    walk: int
    is_equal: bool


@dataclass(slots=True)
class IdleProcessors(BusMessage):
    """With each RangeAnswer: so much of the sender's processors was idle lately. Who compares goes by it."""

    kind = 172
    percent: int


# -- what the supervisor is told ---------------------------------------------------------------------


@dataclass(slots=True)
class PeerReplication:
    """How it is between this node and another one.

    `is_connected`   is there a link, in both directions?
    `is_in_sync`     were both tables found equal, and has no change been lost since?
    `lag`            entries of the change log of this node that the other one has not acknowledged.
    `acknowledged`   the sequence number that it has.
    `walked`         addresses that were compared in the comparison under way, or in the last one.
    `last_error`     a sentence; "" for none.
    """

    node: int
    name: str
    is_connected: bool = False
    is_in_sync: bool = False
    lag: int = 0
    acknowledged: int = 0
    octets_sent: int = 0
    octets_received: int = 0
    walked: int = 0
    last_error: str = ""


@dataclass(slots=True)
class ReplicationAlarm:
    """The name of an alarm, the node that it is about, and a sentence."""

    name: str
    node: str
    sentence: str


@dataclass(slots=True)
class ReplicationReport(BusMessage):
    """To the supervisor, each second and when a link or a sync has changed.

    `is_ready`: this node is in sync with each node that it reaches, or it reaches none.
    """

    kind = 169
    peers: list[PeerReplication]
    is_ready: bool
    alarms: list[ReplicationAlarm] = field(default_factory=list)
