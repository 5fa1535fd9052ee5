"""The octets of the bus: every message comes back as it was, and nothing else gets in."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import msgpack  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.catalogue.alarms import Condition
from appliance.catalogue.cluster_status import ClusterStatus, EtcdServerStatus, MemberStatus, TakeOverRow
from appliance.catalogue.node_status import (
    ListenerStatus,
    NodeStatus,
    ProcessStatus,
    SlotRange,
    SupervisorStatus,
    WorkerStatus,
)
from appliance.messages.address_messages import (
    AddressLost,
    AddressOwned,
    DrainNode,
    MaintainCluster,
    SwitchAddress,
)
from appliance.messages.bus_messages import (
    Abandon,
    Abandoned,
    BusMessage,
    CallsMoved,
    Cleared,
    CloseListeners,
    ConfigurationFault,
    ConnectionsChanged,
    Drain,
    FailuresCounted,
    HandedOver,
    HandedOverTaken,
    Heartbeat,
    ListeningSocket,
    PeerStarted,
    Prepared,
    RateDemand,
    RateShares,
    Refusal,
    SendByConnection,
    SendFailed,
    SlotsChanged,
    Stop,
    TakeEffect,
    TookEffect,
)
from appliance.messages.call_messages import CopiesSent, CopiesTaken
from appliance.messages.cluster_commits import (
    PREPARED,
    ClusterCommit,
    CommitKept,
    CommitProposal,
    CommitState,
    ConfirmationAsked,
    ConfirmationRefused,
    EndCommit,
    PrepareCommit,
    SetCommitsAside,
    TakeCommit,
)
from appliance.messages.cluster_messages import (
    ClusterConfiguration,
    ClusterReply,
    ClusterReport,
    ListTakeOvers,
    ShowCluster,
    TakeOver,
    TakeOverHistory,
    TakeOverKey,
    TakeOverRows,
    TakeOversRecorded,
)
from appliance.messages.codec import CODECS, FORMAT, BusProtocolError, UnknownMessage, decode, decode_of_node, encode
from appliance.messages.count_messages import NodeDemand, NodeFailures, NodeFailuresCleared, NodeLost, NodeReached
from appliance.messages.dns_messages import (
    ClearDnsCache,
    DnsCacheRow,
    DnsCacheRows,
    HopRow,
    HopRows,
    ListDnsCache,
    ListHops,
)
from appliance.messages.field_codecs import codec_of
from appliance.messages.flow_messages import (
    ConnectionsWanted,
    NamedFlow,
    ResponseReturned,
    SendByNode,
    SendByNodeFailed,
    WorkerConnections,
)
from appliance.messages.link_messages import (
    Greeting,
    LinkLost,
    LinkUp,
    PeerReplication,
    RangeAnswer,
    RangeDigest,
    RangeRecords,
    RecordsChanged,
    RecordsTaken,
    ReplicationAlarm,
    ReplicationReport,
    WalkEnded,
)
from appliance.messages.routing_messages import (
    ListLookupCaches,
    ListLookups,
    ListRoutingFailures,
    LookupCacheRow,
    LookupCacheRows,
    LookupRow,
    LookupRows,
    RoutingFailureRow,
    RoutingFailureRows,
)
from appliance.messages.slots import deal
from appliance.messages.snmp_messages import (
    AlarmsChanged,
    NotifyTest,
    RequestTestNotification,
    ShowSnmp,
    SnmpConfiguration,
    SnmpReport,
    SnmpState,
    SnmpTargetReport,
)
from appliance.messages.supervisor_requests import (
    AcknowledgeAlarm,
    AlarmEvent,
    AlarmEvents,
    AlarmRow,
    AlarmRows,
    AlarmsAcknowledged,
    CancelReload,
    ClearFailures,
    CommitConfiguration,
    Committed,
    ConfirmCommit,
    Confirmed,
    Done,
    DrainWorker,
    EndRegistrations,
    FailureRow,
    FailureRows,
    ForgetSubscriber,
    ListAlarmEvents,
    ListAlarms,
    ListFailures,
    Reload,
    RestartWorker,
    SettingChange,
    StatusReply,
    StatusRequest,
    UndrainWorker,
    WorkerChanged,
    WorkersTold,
)
from appliance.messages.table_messages import PersisterSettings, ReplicatorSettings, TableReplaced, TableUnsound
from appliance.messages.worker_requests import (
    CallRow,
    CallRows,
    CapturedMessage,
    CapturedMessages,
    ClearRegistration,
    ConnectionRow,
    ConnectionRows,
    DryRun,
    EventRow,
    Hello,
    HelloReply,
    LimitedKey,
    ListCalls,
    ListConnections,
    ListRateLimits,
    ListRegistrations,
    ListTransactions,
    LookupNeeded,
    LookupResult,
    Ping,
    PingSent,
    RateLimitRow,
    RateLimitRows,
    RegistrationRow,
    RegistrationRows,
    Route,
    StageRow,
    StartCapture,
    StopCapture,
    StopEvents,
    TargetRow,
    TransactionRow,
    TransactionRows,
    WatchedEvents,
    WatchEvents,
)
from appliance.transport.flow import TCP, UDP, Flow, Outgoing
from appliance.transport.process_id import process_id

UDP_FLOW = Flow(UDP, 0, ("2001:db8::1", 5060), -1, 0)
TCP_FLOW = Flow(TCP, 1, ("192.0.2.7", 40001), 1, 77)

STATUS = NodeStatus(
    "box",
    3,
    supervisor=SupervisorStatus(100, 3600.5, "Worker 0 accepts calls."),
    workers=[WorkerStatus(0, 101, "live", gauges={"transactions": 4})],
    listeners=[ListenerStatus(0, "main", "192.0.2.1", 5060, ["udp", "tcp"], "user", True, "open", True)],
    processes=[ProcessStatus("worker 0", 101, 3600.0, 0, 1.5, 2.5, 50_000_000)],
    slots=[SlotRange(0, 255, 0)],
    counters={"requests-received": 5},
    alarms=["Replication lags."],
)

PROPOSAL = CommitProposal("id1", 7, "hostname box\n", "anna", "why", 60.0, "")
MESSAGES: list[BusMessage] = [
    HandedOver(b"INVITE sip:bob@example.com SIP/2.0\r\n\xff\x00", UDP_FLOW, 2),
    SendByConnection(Outgoing(b"SIP/2.0 200 OK\r\n", TCP_FLOW, b"z9hG4bK1")),
    SendFailed(b"z9hG4bK1"),
    PeerStarted(),
    ConnectionsChanged([TCP_FLOW, TCP_FLOW], [UDP_FLOW]),
    Heartbeat(1, [0, 5, 2**40], {"transactions": 12}, 99, ["registration-table-full It is."]),
    SlotsChanged(deal([0, 1, 2]), [0, 2]),
    SlotsChanged(deal([0]), [0], [1, 0, 2, 1]),
    CallsMoved([b"one", b"another"], 7),
    Drain(),
    Stop(),
    TakeEffect(8),
    Abandon(8),
    CloseListeners([1], [ListeningSocket(1, UDP)]),
    Prepared(8, "no"),
    TookEffect(8),
    Abandoned(8),
    RateDemand({"few": {"192.0.2.1": [3, 2]}}),
    RateShares({"few": {"192.0.2.1": 1.5}}),
    FailuresCounted({"192.0.2.1": {"alice@example.com": 2}}),
    Refusal("No.", "try again", [ConfigurationFault(3, 1, "unknown", "see `?`")], id=7),
    StatusRequest(),
    StatusReply(STATUS),
    ListAlarms(),
    AlarmRows([AlarmRow("overload", "worker 1", "major", 1.5, "cause", "effect", "action", "text", "")]),
    ListAlarmEvents(10),
    AlarmEvents([AlarmEvent(1.5, "overload", "worker 1", "major", "raised", "text")]),
    AcknowledgeAlarm("overload", "", "anna"),
    AlarmsAcknowledged(1),
    ListFailures(10),
    FailureRows(1, [FailureRow("192.0.2.1", "alice@example.com", 3, 1000.0, 1)]),
    ClearFailures("192.0.2.1"),
    ForgetSubscriber(b"alice"),
    EndRegistrations("alice", "example.com"),
    WorkersTold([0, 2]),
    DrainWorker(1),
    UndrainWorker(1),
    RestartWorker(1),
    WorkerChanged(1, "drained", 4),
    Reload(5, "anna"),
    CancelReload("anna"),
    Done("The reload is cancelled."),
    CommitConfiguration("domain example.com\n", 3, "anna", "why", 60.0, True),
    Committed(4, [SettingChange("timers t1", "immediately", "500", "400")]),
    ConfirmCommit("anna"),
    Confirmed(4),
    Hello(id=1),
    HelloReply(id=1),
    ListRegistrations("alice", 10, "3 sip:alice@example.com", id=7),
    ListRegistrations(),
    RegistrationRows(2, [RegistrationRow("a@b", "sip:a@c", 60, 0.5, "192.0.2.1:5060", 0, -1, "", "", ["<sip:p;lr>"])]),
    ClearRegistration("alice@example.com"),
    Cleared(1),
    ListTransactions(10, 20),
    TransactionRows(1, [TransactionRow("server", "INVITE", "proceeding", "udp 192.0.2.1:5060", "180", "key")]),
    ListCalls(),
    CallRows(1, [CallRow("call-1", "sip:a@b", "sip:c@d", "sip:c@d", "udp 192.0.2.1:5060", "proceeding", "180")]),
    ListConnections(),
    ConnectionRows(1, [ConnectionRow(5, 0, "192.0.2.1:5060", "us", "open", True)]),
    ListRateLimits(),
    ListDnsCache(),
    DnsCacheRows(1, [DnsCacheRow("servers", "SRV _sip._udp.example.com", ["1 1 5060 a.example.com"], 60, "valid")]),
    ClearDnsCache("example.com"),
    ListHops(),
    HopRows(1, [HopRow("udp", "192.0.2.9", 5060, "no response", 12)]),
    ListLookups(),
    LookupRows([LookupRow("customers", 5, 3, 1, 1, 0, 0.5, "connection refused", 1_700_000_000.5)]),
    ListLookupCaches(),
    LookupCacheRows([LookupCacheRow("customers", 3, 12)]),
    ListRoutingFailures(),
    RoutingFailureRows(1, [RoutingFailureRow(1.5, "id", "192.0.2.1", "sip:a@b", "sip:1@b", 503, "Failed", ["a"])]),
    RateLimitRows([RateLimitRow("few", 5, 2, 1, [LimitedKey("192.0.2.1", 2)])]),
    DryRun("4711", known=[LookupResult("host", "a.test", None), LookupResult("host", "b.test", ["192.0.2.1"])]),
    Route(
        [StageRow("locate", "ask", "")],
        [TargetRow("sip:a@b", 1.0, ["udp"], [])],
        "It waits.",
        [LookupNeeded("host", "x", {"host": "x"})],
    ),
    Ping("sip:a@b", "127.0.0.1", 5061, 0, "feed", 3),
    PingSent("tag"),
    StartCapture("192.0.2.1", "", 100, 30.0),
    CapturedMessages([CapturedMessage(1.5, "in", "udp", "a:1", "b:2", "OPTIONS", "call", 20, "text")], 0, False, id=9),
    StopCapture(9),
    WatchEvents("alice@example.com", 30.0),
    WatchedEvents([EventRow(1.5, "call-started", "call", from_uri="sip:a@b", status=0)], 2, True, id=9),
    StopEvents(9),
    HandedOverTaken(64),
    TableReplaced("/dev/shm/table/generation-7"),
    TableUnsound("/dev/shm/table/generation-7", "a page is missing"),
    PersisterSettings("hostname a"),
    ReplicatorSettings("hostname a"),
    SnmpConfiguration("hostname a"),
    AlarmsChanged(3),
    NotifyTest("root"),
    SnmpReport("80", 2, 1.5, {"snmpInPkts": 1}, [SnmpTargetReport("noc", "192.0.2.9", 162, "trap", 1, 0, 0, "")]),
    SnmpState(True, "", SnmpReport()),
    ShowSnmp(),
    RequestTestNotification("root"),
    ClusterReport(
        ClusterStatus(
            "west", "a", 3, "etcd answers.", 1,
            [MemberStatus(1, "a", "node", True, "present", "192.0.2.1", 7560, 7561, "0.4.0", 1.5), MemberStatus()],
            [EtcdServerStatus("http://192.0.2.1:2379", "leader", "3.4.23", 20480)],
        ),
        True,
        [Condition("etcd-degraded", "etcd", "It is full.")],
    ),
    TakeOver(1, "v1", 7, 2, 1, "a was not heard", 631, 1.5),
    CommitState([CommitKept(7, "ab")]),
    CommitState([], "id1", PREPARED, "", PROPOSAL, ConfirmationAsked(7, "anna")),
    PrepareCommit(PROPOSAL, "sip1"),
    EndCommit("id1", "It was withdrawn.", "", 8),
    TakeCommit(ClusterCommit(8, "anna", 17.5, "why", "confirmed", 0.0, "", "hostname box\n"), True, "id1"),
    SetCommitsAside([1, 2]),
    ConfirmationRefused(7, "Commit 8 was made in the meantime."),
    TakeOversRecorded([TakeOverKey(1, 7)]),
    TakeOverHistory([TakeOverRow(1.5, "v1", 7, "b", "a", "a was not heard", 631, True)]),
    ClusterConfiguration("hostname a"),
    ClusterReply(ClusterStatus(members=[MemberStatus(clock_ms=-3)])),
    ShowCluster(),
    TakeOverRows(1, [TakeOverRow()]),
    ListTakeOvers(100),
    CopiesSent(1, True, b"copies"),
    WorkerConnections(process_id(2, 1), [NamedFlow(1, "phones", "192.0.2.7", 40001, 77)], [76], is_anew=True),
    ConnectionsWanted(),
    SendByNode(process_id(2, 1), process_id(3, 0), NamedFlow(1, "phones", "192.0.2.7", 40001, 77), b"INVITE", b"br"),
    SendByNodeFailed(process_id(2, 1), b"z9hG4bK1"),
    ResponseReturned(process_id(2, 1), b"SIP/2.0 200 OK"),
    NodeDemand(2, {"calls": {"192.0.2.7": 12.5}}),
    NodeFailures(2, {"192.0.2.7": {"bob@example.com": 3}}, is_all=True, to=3),
    NodeFailuresCleared(2, "192.0.2.7"),
    NodeReached(2),
    NodeLost(2),
    CopiesTaken(1),
    AddressOwned(40123, "sip", 17, 2),
    AddressLost(40123, "sip"),
    SwitchAddress("sip", "b", "ann"),
    DrainNode("b", True, "ann"),
    MaintainCluster(True, "ann"),
    LinkUp(),
    LinkLost(),
    Greeting(1.7e9, 7, 8, 9, True, True),
    RecordsChanged(7, 1, 3, [b"\x02record"], True),
    RecordsTaken(7, 3),
    RangeDigest(1, b"sip:a@b", b"", 1.7e9, 3, bytes(8)),
    RangeAnswer(1, b"", b"sip:a@b", False, [b"sip:a@b"], bytes(8)),
    RangeRecords(1, b"", [b"\x02record"], [b"sip:a@b"], True, "full"),
    WalkEnded(1, True),
    ReplicationReport(
        [PeerReplication(2, "south", True, True, 3, 4, 5, 6, 7, "full")],
        True,
        [ReplicationAlarm("not-in-sync", "south", "They differ.")],
    ),
]
@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_comes_back_as_it_was(message: BusMessage) -> None:
    octets = encode(message)
    # Not by `==`, for Outgoing has none.
    assert repr(decode(octets)) == repr(message)
    assert encode(decode(octets)) == octets


def test_every_message_is_tried_here() -> None:
    assert {type(message) for message in MESSAGES} == set(CODECS)


def test_every_class_has_a_number_of_its_own() -> None:
    kinds = [message_class.kind for message_class in CODECS]
    assert sorted(kinds) == sorted(set(kinds))


def test_what_no_codec_is_known_for_is_found_when_the_module_is_loaded() -> None:
    with pytest.raises(TypeError, match="cannot travel on the bus"):
        codec_of(set[int])


@dataclass(slots=True)
class Row:
    name: str
    sizes: list[float]
    by_name: dict[str, list[int]]
    note: str | None = None


def test_a_record_within_a_message_is_an_array_of_its_fields() -> None:
    codec = codec_of(list[Row])
    rows = [Row("a", [1.5], {"x": [1]}), Row("b", [], {}, "late")]
    assert codec.write(rows) == [["a", [1.5], {"x": [1]}, None], ["b", [], {}, "late"]]
    assert codec.read(codec.write(rows)) == rows


@pytest.mark.parametrize(
    "values",
    [["a", [], {}], ["a", [1], {}, None], ["a", [], {"x": ["1"]}, None], ["a", [], {}, 5], [b"a", [], {}, None]],
)
def test_a_record_that_does_not_fit_is_refused(values: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        codec_of(Row).read(values)


def test_a_flow_comes_back_as_a_flow() -> None:
    handed_over = decode(encode(HandedOver(b"x", TCP_FLOW)))
    assert isinstance(handed_over, HandedOver)
    assert handed_over.flow == TCP_FLOW and handed_over.flow.remote == ("192.0.2.7", 40001)


@pytest.mark.parametrize(
    "header", [[FORMAT + 1, Stop.kind, Stop.version], [FORMAT, 999, 1], [FORMAT, -1, 1], [FORMAT, Stop.kind, 2, "more"]]
)
def test_a_message_of_another_version_is_told_from_a_damaged_one(header: list[object]) -> None:
    with pytest.raises(UnknownMessage):
        decode(msgpack.packb(header))


@pytest.mark.parametrize("kind", ["13", None, [13], True])
def test_a_kind_that_is_no_number_is_refused(kind: object) -> None:
    with pytest.raises(BusProtocolError, match="no number") as found:
        decode(msgpack.packb([FORMAT, kind, 1]))
    assert not isinstance(found.value, UnknownMessage)


@pytest.mark.parametrize(
    ("message_class", "fields"),
    [
        (Stop, [1]),
        (SendFailed, []),
        (SendFailed, ["text"]),
        (HandedOverTaken, [True]),
        (CallsMoved, [[b"a"], b"1"]),
        (CallsMoved, [["one"], 1]),
        (HandedOver, [b"x", [0, 0, "192.0.2.1", 5060, 0]]),
        (HandedOver, [b"x", [0, 0, b"192.0.2.1", 5060, 0, 0]]),
        (SlotsChanged, [[b"short", 1], []]),
        (Heartbeat, [0, [], {"a": "b"}, 1, []]),
    ],
)
def test_fields_that_do_not_fit_are_refused(message_class: type[BusMessage], fields: list[object]) -> None:
    with pytest.raises(BusProtocolError):
        decode(msgpack.packb([FORMAT, message_class.kind, message_class.version, *fields]))


def test_a_message_of_a_newer_node_is_read_as_far_as_it_is_known() -> None:
    """Version N and N + 1 of a cluster that is being upgraded: what was added stands at the end."""
    fields = [7, 1024, ["more"], {"and": "more"}]
    octets = msgpack.packb([FORMAT, RecordsTaken.kind, RecordsTaken.version + 1, *fields])
    assert decode_of_node(octets) == RecordsTaken(7, 1024)
    with pytest.raises(UnknownMessage):
        decode(octets)


def test_what_an_older_node_does_not_send_has_its_default() -> None:
    octets = msgpack.packb([FORMAT, Greeting.kind, Greeting.version - 1, 1.5, 7])
    assert decode_of_node(octets) == Greeting(1.5, 7)
    with pytest.raises(UnknownMessage):
        decode_of_node(msgpack.packb([FORMAT, Greeting.kind, Greeting.version - 1, 1.5]))


def test_a_message_of_the_same_version_is_read_strictly() -> None:
    with pytest.raises(BusProtocolError):
        decode_of_node(msgpack.packb([FORMAT, RecordsTaken.kind, RecordsTaken.version, 7, 1024, 5]))


def test_an_unknown_message_of_another_node_is_told_from_a_damaged_one() -> None:
    with pytest.raises(UnknownMessage):
        decode_of_node(msgpack.packb([FORMAT, 999, 1, "anything"]))


@given(st.binary(max_size=200))
def test_no_octets_raise_anything_else(octets: bytes) -> None:
    with suppress(BusProtocolError):
        decode(octets)


@given(st.sampled_from(MESSAGES), st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_message_raises_nothing_else(message: BusMessage, place: int, octet: int) -> None:
    octets = bytearray(encode(message))
    octets[place % len(octets)] = octet
    with suppress(BusProtocolError):
        decode(bytes(octets))
