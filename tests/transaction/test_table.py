"""The transaction table: matching (RFC 3261 17.1.3, 17.2.3), merged requests (8.2.2.2), bounds and failures."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from appliance.catalogue.counters import COUNTERS, RETRANSMISSIONS_RECEIVED, RETRANSMISSIONS_SENT
from appliance.sip.writer import write
from appliance.transaction.machines import State
from appliance.transaction.table import KeyTaken, TableFull, Transactions
from appliance.transaction.timers import TimerSettings
from appliance.transaction.transaction import cancel_request
from tests.transaction.element import BOB, UDP_FLOW, Element, request, response

TAGGED = BOB + b";tag=b5qt9xl3"


# -- matching --------------------------------------------------------------------------------------------


def test_a_cancel_means_the_invite_of_its_branch() -> None:
    """9.2: and is a transaction of its own."""
    element = Element()
    invite = element.serves(request())
    cancel = request(b"CANCEL")
    assert not element.gets(cancel)
    assert element.table.cancelled_target(cancel) is invite
    assert element.serves(cancel) is not invite
    assert element.gets(request(b"CANCEL"))


def test_a_cancel_of_nothing() -> None:
    """9.2: 481 is up to the user."""
    element = Element()
    element.serves(request())
    assert element.table.cancelled_target(request(b"CANCEL", b"z9hG4bKother")) is None
    assert element.table.cancelled_target(request(b"CANCEL", sent_by=b"other.example")) is None


def test_a_cancel_finds_its_invite_after_the_answer() -> None:
    """9.2: it has no effect then, but is answered with 200 and not with 481."""
    element = Element()
    server = element.serves(request())
    element.answers(server, 200, request())
    assert element.table.cancelled_target(request(b"CANCEL")) is server


def test_rfc_2543_invite_and_cancel() -> None:
    """17.2.3, 9.2 without the cookie."""
    element = Element()
    server = element.serves(request(branch=b""))
    assert element.gets(request(branch=b""))
    assert not element.gets(request(branch=b"", cseq=314160))
    assert element.table.cancelled_target(request(b"CANCEL", b"")) is server


def test_rfc_2543_ack_is_told_by_the_to_tag_of_the_response() -> None:
    """17.2.3: the INVITE had none, the ACK has that of the final response."""
    element = Element()
    server = element.serves(request(branch=b""))
    element.answers(server, 486, request(branch=b""), b"b5qt9xl3")
    assert not element.gets(request(b"ACK", b"", to=BOB + b";tag=another"))
    assert not element.gets(request(b"ACK", b""))
    assert server.state == State.COMPLETED
    assert element.gets(request(b"ACK", b"", to=TAGGED))
    assert server.state == State.CONFIRMED
    # 17.2.3: "a retransmission of that previous ACK".
    assert element.gets(request(b"ACK", b"", to=TAGGED))


def test_rfc_2543_ack_of_a_peer_that_knows_no_tags() -> None:
    element = Element()
    server = element.serves(request(branch=b""))
    element.answers(server, 486, request(branch=b""), b"")
    assert element.gets(request(b"ACK", b""))
    assert server.state == State.CONFIRMED


def test_rfc_2543_ack_within_a_dialog() -> None:
    """A re-INVITE has a To tag from the start."""
    element = Element()
    again = request(branch=b"", to=TAGGED)
    server = element.serves(again)
    element.answers(server, 488, again)
    assert element.gets(request(b"ACK", b"", to=TAGGED))
    assert server.state == State.CONFIRMED


def test_rfc_2543_ack_of_a_2xx_goes_to_the_user() -> None:
    """RFC 6026 section 6: it looks like one of the transaction's own."""
    element = Element()
    server = element.serves(request(branch=b""))
    element.answers(server, 200, request(branch=b""))
    assert element.gets(request(b"ACK", b"", to=TAGGED))
    assert element.heard == [(0.0, "ACK")]
    assert server.state == State.ACCEPTED
    assert not element.gets(request(b"ACK", b"", to=BOB + b";tag=fork-2"))


def test_rfc_2543_requests_to_two_dialogs_of_a_fork_are_two() -> None:
    """17.2.3: the To tag tells them apart."""
    element = Element()
    first = element.serves(request(b"BYE", b"", to=BOB + b";tag=1"))
    assert not element.gets(request(b"BYE", b"", to=BOB + b";tag=2"))
    assert element.serves(request(b"BYE", b"", to=BOB + b";tag=2")) is not first


# -- merged requests -------------------------------------------------------------------------------------


def test_a_request_that_came_by_another_way() -> None:
    """8.2.2.2."""
    element = Element()
    first = request()
    other = request(branch=b"z9hG4bKother", sent_by=b"proxy.example")
    assert not element.table.is_merged(first)
    element.serves(first)
    assert not element.table.is_merged(first)
    assert element.table.is_merged(other)


def test_no_merging_within_a_dialog_and_of_other_requests() -> None:
    """8.2.2.2: no To tag, and the CSeq the same with its method."""
    element = Element()
    element.serves(request())
    assert not element.table.is_merged(request(branch=b"z9hG4bK2", to=TAGGED))
    assert not element.table.is_merged(request(b"CANCEL", b"z9hG4bK2"))
    assert not element.table.is_merged(request(branch=b"z9hG4bK2", cseq=2))


def test_a_merged_request_is_forgotten_with_the_first() -> None:
    """Also when both had transactions: the second does not keep the first's place."""
    element = Element()
    first, second = request(), request(branch=b"z9hG4bKother")
    servers = [element.serves(first), element.serves(second)]
    element.answers(servers[0], 200, first)
    element.answers(servers[1], 482, second)
    element.gets(request(b"ACK", b"z9hG4bKother", to=TAGGED))
    element.waits_until(10.0)
    assert element.table.is_merged(second)
    element.waits_until(40.0)
    assert not element.table.is_merged(second)
    assert element.ends_within(0.0)


# -- bounds ----------------------------------------------------------------------------------------------


def test_at_the_limit_new_transactions_are_refused() -> None:
    """Clients and servers count together; nothing of the refused one stays."""
    element = Element(limit=2)
    element.serves(request())
    element.sends(request(branch=b"z9hG4bKclient"))
    with pytest.raises(TableFull):
        element.serves(request(branch=b"z9hG4bKother"))
    with pytest.raises(TableFull):
        element.sends(request(branch=b"z9hG4bKother"))
    assert len(element.table) == 2
    assert not element.table.is_merged(request(branch=b"z9hG4bKother", call_id=b"new"))
    assert [word for _, word in element.log] == ["INVITE"]


def test_at_the_limit_what_is_there_goes_on() -> None:
    """Repetitions, ACK, responses and CANCEL still find their transactions; a CANCEL gets one."""
    element = Element(limit=2)
    server, client = element.serves(request()), element.sends(request(branch=b"z9hG4bKclient"))
    assert element.gets(request())
    element.gets(response(request(branch=b"z9hG4bKclient"), 180))
    element.serves(request(b"CANCEL"))
    element.sends(cancel_request(client))
    assert len(element.table) == 4
    element.answers(server, 487, request())
    assert element.gets(request(b"ACK", to=TAGGED))
    with pytest.raises(TableFull):
        element.serves(request(b"CANCEL", b"z9hG4bKother"))
    with pytest.raises(TableFull):
        element.sends(request(b"CANCEL", b"z9hG4bKother"))


def test_there_is_room_again_when_a_transaction_has_ended() -> None:
    element = Element(limit=1)
    element.answers(element.serves(request()), 200, request())
    element.waits_until(32.0)
    element.serves(request())


def test_a_branch_is_used_once() -> None:
    """17.1.3: two requests of one branch and method could not be told apart."""
    element = Element()
    element.sends(request())
    with pytest.raises(KeyTaken):
        element.sends(request())
    element.serves(request())
    with pytest.raises(KeyTaken):
        element.serves(request())
    assert len(element.table) == 2


# -- failures, counters, settings ------------------------------------------------------------------------


def test_a_failure_without_a_transaction() -> None:
    """A sibling's, or one that has ended."""
    table = Transactions(TimerSettings(), 10)
    assert not table.fail(b"z9hG4bKgone|INVITE", 0.0)
    assert not table.fail(b"", 0.0)


def test_a_failure_of_a_client_and_of_a_server() -> None:
    element = Element()
    client, server = element.sends(request(branch=b"z9hG4bKclient")), element.serves(request())
    assert element.table.fail(client.key, 0.0)
    assert element.table.fail(server.key, 0.0)
    assert client.state == State.TERMINATED
    assert server.is_undelivered


def test_counters() -> None:
    """What came again and what was sent again, in the list of the worker."""
    counters = [0] * len(COUNTERS)
    table = Transactions(TimerSettings(), 10, counters)
    invite = request()
    server = table.new_server(invite, UDP_FLOW, None, 0.0)
    table.respond(server, 180, write(response(invite, 180)), 0.0)
    table.receive_request(server, invite, 0.1)
    table.new_client(request(branch=b"z9hG4bKclient"), b"INVITE", UDP_FLOW, None, 0.0)
    table.handle_timers(0.5)
    assert counters[RETRANSMISSIONS_RECEIVED] == 1
    assert counters[RETRANSMISSIONS_SENT] == 2
    # RFC 4780 sipCommonStatsRetryTable
    assert table.traffic.by_name() == {"received-again INVITE": 1, "sent-again INVITE 180": 1, "sent-again INVITE": 1}


def test_configured_timers() -> None:
    """The configuration has milliseconds, C in seconds."""

    @dataclass(frozen=True)
    class Configured:
        t1_ms: int = 250
        t2_ms: int = 2000
        t4_ms: int = 2500
        c_s: int = 200

    durations = Transactions(Configured(), 10).durations
    assert (durations.t1, durations.t2, durations.t4, durations.c) == (0.25, 2.0, 2.5, 200.0)


def test_a_failure_without_a_receiver() -> None:
    """A user may be None: nothing is told, and everything ends."""
    element = Element()
    element.table.new_server(request(), UDP_FLOW, None, 0.0)
    element.table.new_client(request(branch=b"z9hG4bKclient"), b"INVITE", UDP_FLOW, None, 0.0)
    server = element.table.server_for(request())
    assert server is not None
    element.answers(server, 486, request())
    assert element.ends_within(100.0)


def test_without_now_no_timer_of_rfc_4320() -> None:
    """Such a transaction lives as long as its user wants."""
    element = Element()
    server = element.table.new_server(request(b"OPTIONS"), UDP_FLOW, None)
    element.waits_until(100.0)
    assert (server.state, element.log) == (State.TRYING, [])
    element.answers(server, 200, request(b"OPTIONS"))
    assert element.ends_within(32.0)


def test_the_outbox_may_be_replaced_by_who_drains_it() -> None:
    element = Element()
    first = element.table.outbox
    element.table.outbox = []
    element.table.new_client(request(), b"INVITE", UDP_FLOW, None, 0.0)
    assert first == []
    assert len(element.table.outbox) == 1
