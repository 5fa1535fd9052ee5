"""The numbers by which registrations name listeners."""

from __future__ import annotations

from appliance.catalogue.settings import GONE, ListenerSettings
from appliance.routing.listener_marks import ListenerMarks, mark_of
from appliance.transport.flow import TCP, UDP, Flow

INSIDE = ListenerSettings(name="inside", address="10.0.0.1")
OUTSIDE = ListenerSettings(name="outside", address="192.0.2.1", port=5080)
PHONE = ("198.51.100.7", 40000)


def test_a_flow_by_udp_is_found_when_the_listeners_stand_in_another_order() -> None:
    kept = ListenerMarks((INSIDE, OUTSIDE)).marked(Flow(UDP, 1, PHONE))
    assert ListenerMarks((OUTSIDE,)).flow_of(kept) == Flow(UDP, 0, PHONE)
    assert ListenerMarks((INSIDE, ListenerSettings(), OUTSIDE)).flow_of(kept) == Flow(UDP, 2, PHONE)


def test_a_flow_is_gone_with_its_listener() -> None:
    """Not by another one: the NAT of the phone lets nothing else in."""
    kept = ListenerMarks((INSIDE, OUTSIDE)).marked(Flow(UDP, 1, PHONE))
    assert ListenerMarks((INSIDE,)).flow_of(kept) is None
    ended = ListenerSettings(name="outside", address="192.0.2.1", port=5080, standing=GONE)
    assert ListenerMarks((INSIDE, ended)).flow_of(kept) is None


def test_a_connection_needs_no_name() -> None:
    marks, flow = ListenerMarks((INSIDE, OUTSIDE)), Flow(TCP, 1, PHONE, 4, 7)
    assert marks.marked(flow) is flow and marks.flow_of(flow) is flow


def test_records_of_earlier_versions_have_places() -> None:
    assert ListenerMarks((INSIDE, OUTSIDE)).flow_of(Flow(UDP, 1, PHONE)) == Flow(UDP, 1, PHONE)


def test_a_number_fits_the_field_of_a_record() -> None:
    marks = {mark_of(ListenerSettings(port=port)) for port in range(1, 3000)}
    assert min(marks) >= 256 and max(marks) < 2**15 and len(marks) > 2800
