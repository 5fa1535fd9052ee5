"""Flows are values (RFC 3261 18)."""

from __future__ import annotations

from appliance.transport.flow import TCP, UDP, Flow, Outgoing


def test_flows_that_name_the_same_way_are_equal() -> None:
    one = Flow(UDP, 0, ("192.0.2.1", 5060))
    other = Flow(UDP, 0, ("192.0.2.1", 5060), -1, 0)
    assert one == other
    assert hash(one) == hash(other)
    assert len({one, other}) == 1


def test_each_part_of_a_flow_tells_it_from_others() -> None:
    flow = Flow(TCP, 1, ("192.0.2.1", 5060), 2, 7)
    others = [
        Flow(UDP, 1, ("192.0.2.1", 5060), 2, 7),
        Flow(TCP, 0, ("192.0.2.1", 5060), 2, 7),
        Flow(TCP, 1, ("192.0.2.2", 5060), 2, 7),
        Flow(TCP, 1, ("192.0.2.1", 5061), 2, 7),
        Flow(TCP, 1, ("192.0.2.1", 5060), 3, 7),
        Flow(TCP, 1, ("192.0.2.1", 5060), 2, 8),
    ]
    assert all(flow != other for other in others)


def test_a_flow_is_not_equal_to_something_else() -> None:
    assert Flow(UDP, 0, ("192.0.2.1", 5060)) != ("192.0.2.1", 5060)


def test_only_streams_are_reliable() -> None:
    assert not Flow(UDP, 0, ("192.0.2.1", 5060)).is_stream
    assert Flow(TCP, 0, ("192.0.2.1", 5060)).is_stream


def test_a_failure_of_an_outgoing_message_is_reported_only_to_its_branch() -> None:
    flow = Flow(UDP, 0, ("192.0.2.1", 5060))
    assert Outgoing(b"data", flow).branch == b""
    assert Outgoing(b"data", flow, b"z9hG4bK1").branch == b"z9hG4bK1"
