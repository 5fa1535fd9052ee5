"""Who holds the connection to a phone: told, retold to newcomers, forgotten with the dead (RFC 3261 18.1.1)."""

from __future__ import annotations

from appliance.messages.bus_messages import ConnectionsChanged
from appliance.transport.flow import TCP, UDP, Flow
from appliance.worker_group.connection_directory import AGAIN_S, ConnectionDirectory

PHONE = ("192.0.2.7", 40123)
HELD = Flow(TCP, 0, PHONE, 1, 77)
WANTED = Flow(TCP, 0, PHONE)
NOW = 100.0


def tell(sender: ConnectionDirectory, number: int, receiver: ConnectionDirectory, now: float = NOW) -> None:
    for _, message in sender.messages_to_send(now):
        assert isinstance(message, ConnectionsChanged)
        receiver.receive(number, message)


def pair() -> tuple[ConnectionDirectory, ConnectionDirectory]:
    here, there = ConnectionDirectory(0), ConnectionDirectory(1)
    here.set_siblings([1])
    there.set_siblings([0])
    return here, there


def test_a_message_goes_by_the_sibling_who_holds_the_connection() -> None:
    here, there = pair()
    there.opened(HELD)
    tell(there, 1, here)
    assert here.way_by(WANTED) == Flow(TCP, 0, PHONE, 1, 0)


def test_a_connection_of_one_s_own_comes_first() -> None:
    here, there = pair()
    there.opened(HELD)
    tell(there, 1, here)
    here.opened(Flow(TCP, 0, PHONE, 0, 5))
    assert here.way_by(WANTED) == WANTED


def test_datagrams_and_named_connections_are_left_alone() -> None:
    here, there = pair()
    there.opened(HELD)
    tell(there, 1, here)
    for flow in (Flow(UDP, 0, PHONE), Flow(TCP, 0, PHONE, 1, 76), Flow(TCP, 1, PHONE)):
        assert here.way_by(flow) == flow


def test_a_closed_connection_has_no_holder() -> None:
    here, there = pair()
    there.opened(HELD)
    tell(there, 1, here)
    there.closed(HELD)
    tell(there, 1, here)
    assert here.way_by(WANTED) == WANTED and len(here) == 0


def test_the_end_of_an_older_connection_to_the_same_place_changes_nothing() -> None:
    here, there = pair()
    there.opened(HELD)
    newer = Flow(TCP, 0, PHONE, 1, 78)
    there.opened(newer)
    there.closed(HELD)
    tell(there, 1, here)
    assert here.way_by(WANTED).process == 1


def test_a_newcomer_hears_of_all_connections() -> None:
    here, there = pair()
    there.opened(HELD)
    tell(there, 1, here)
    newcomer = ConnectionDirectory(2)
    there.set_siblings([0, 2])
    tell(there, 1, newcomer)
    assert newcomer.way_by(WANTED).process == 1


def refuse(sender: ConnectionDirectory, now: float = NOW) -> None:
    """The bus has no room for what it would be told."""
    for _, message in sender.messages_to_send(now):
        assert isinstance(message, ConnectionsChanged)
        sender.untold(message, now)


def test_news_that_the_bus_did_not_take_are_told_again() -> None:
    """As when a sibling is just being met: the first news of it come before there is a connection to it."""
    here, there = pair()
    there.opened(HELD)
    refuse(there)
    tell(there, 1, here)
    assert here.way_by(WANTED) == WANTED
    refuse(there, NOW + AGAIN_S)
    tell(there, 1, here, NOW + 2 * AGAIN_S)
    assert here.way_by(WANTED).process == 1
    assert there.messages_to_send(NOW + 60.0) == []


def test_news_that_are_told_again_are_those_of_the_day() -> None:
    here, there = pair()
    there.opened(HELD)
    tell(there, 1, here)
    there.closed(HELD)
    refuse(there)
    other = Flow(TCP, 0, ("192.0.2.8", 40124), 1, 78)
    there.opened(other)
    refuse(there)
    there.closed(other)
    refuse(there)
    tell(there, 1, here, NOW + AGAIN_S)
    assert len(here) == 0


def test_the_connections_of_a_dead_worker_are_forgotten() -> None:
    here, there = pair()
    there.opened(HELD)
    tell(there, 1, here)
    here.set_siblings([2])
    assert here.way_by(WANTED) == WANTED


def test_a_lonely_worker_says_nothing() -> None:
    alone = ConnectionDirectory(0)
    alone.opened(HELD)
    assert alone.messages_to_send(NOW) == []


def test_thousands_go_in_portions() -> None:
    here, there = pair()
    for number in range(2500):
        there.opened(Flow(TCP, 0, ("192.0.2.8", 1024 + number), 1, number + 1))
    messages = there.messages_to_send(NOW)
    assert len(messages) == 3
    for _, message in messages:
        assert isinstance(message, ConnectionsChanged)
        here.receive(1, message)
    assert len(here) == 2500


def test_a_flow_may_be_used_as_long_as_its_worker_lives() -> None:
    """RFC 5626 7: the news of a sibling's connection may not be here yet; those of its death are."""
    here, there = pair()
    assert here.carrier(HELD)
    here.set_siblings([])
    assert not here.carrier(HELD)
    there.opened(HELD)
    assert there.carrier(HELD)
    assert not there.carrier(Flow(TCP, 0, PHONE, 1, 76))
    there.closed(HELD)
    assert not there.carrier(HELD)
