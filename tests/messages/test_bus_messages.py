"""The messages of the bus as values: what makes two equal, and how they read in a log."""

from __future__ import annotations

from appliance.messages.bus_messages import CallsMoved, Drain, Heartbeat, SendFailed, SlotsChanged, Stop
from appliance.messages.slots import deal


def test_messages_of_the_same_content_are_equal() -> None:
    assert SendFailed(b"a") == SendFailed(b"a")
    assert SendFailed(b"a") != SendFailed(b"b")


def test_messages_of_different_kinds_are_not_equal() -> None:
    assert Drain() == Drain()
    assert Drain() != Stop()


def test_a_message_shows_its_fields_in_their_order() -> None:
    assert repr(CallsMoved([b"one"], 3)) == "CallsMoved(snapshots=[b'one'], epoch=3)"


def test_two_messages_never_share_what_was_left_out() -> None:
    assert Heartbeat(0, [], {}, 0).alarms is not Heartbeat(0, [], {}, 0).alarms
    assert SlotsChanged(deal([0]), [0]).orphans is not SlotsChanged(deal([0]), [0]).orphans
