"""Which nodes may own a virtual address, as the replicator knows it."""

from __future__ import annotations

from appliance.catalogue.cluster_values import number_of
from appliance.cluster.replication.address_preferences import preferences
from appliance.configuration.text import parse_configuration
from appliance.messages.membership import Member, Membership

TEXT = """virtual-address sip
  address 10.0.0.50/24
!
virtual-address inside
  address 10.0.0.51/24
  node b
  node a
  node unknown
!
"""
MEMBERS = Membership(1, (Member(1, "a"), Member(2, "b"), Member(3, "w", is_witness=True), Member(4, "c")))


def test_nodes_are_in_the_order_of_the_configuration_else_of_their_numbers() -> None:
    assert preferences(parse_configuration(TEXT), MEMBERS) == {
        number_of("sip"): (1, 2, 4),
        number_of("inside"): (2, 1),
    }
