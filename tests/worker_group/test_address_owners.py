"""Which way a datagram takes that leaves from a virtual address (design 4)."""

from __future__ import annotations

import pytest

from appliance.transport.flow import UDP, Flow
from appliance.transport.process_id import NO_PROCESS, node_of, process_id
from appliance.worker_group.address_owners import AddressOwners
from appliance.worker_group.node_connections import NodeConnections

HERE = process_id(1, 3)
ADDRESS = 7
# Its listener is at the second place.
FROM_ADDRESS = Flow(UDP, 1, ("198.51.100.7", 40000))


class Links:
    """Those of node 1."""

    def __init__(self) -> None:
        self.up = {2, 3}
        nodes = NodeConnections(HERE)
        nodes.use_links(lambda node: node in self.up)
        self.owners = AddressOwners(HERE, nodes)
        self.owners.use((0, ADDRESS))

    def process(self, flow: Flow = FROM_ADDRESS) -> int | None:
        """By which process it goes; None: by none."""
        way = self.owners.way(flow)
        return None if way is None else way.process


@pytest.fixture
def links() -> Links:
    return Links()


def test_until_owners_are_told_datagrams_leave_from_here(links: Links) -> None:
    assert links.owners.way(FROM_ADDRESS) is FROM_ADDRESS


def test_it_goes_by_the_owner_and_from_here_where_that_is_this_node(links: Links) -> None:
    links.owners.told([ADDRESS], [2])
    assert links.process() == process_id(2, 3)
    links.owners.gained(ADDRESS)
    assert links.process() == NO_PROCESS
    links.owners.lost(ADDRESS)
    assert links.process() is None


def test_a_flow_that_names_the_former_owner_goes_by_the_present_one(links: Links) -> None:
    links.owners.told([ADDRESS], [2])
    former = links.owners.way(FROM_ADDRESS)
    assert former is not None and node_of(former.process) == 2
    links.owners.told([ADDRESS], [3])
    assert links.process(former) == process_id(3, 3)
    links.owners.told([ADDRESS], [1])
    assert links.owners.way(former) == FROM_ADDRESS


def test_an_owner_that_is_unknown_or_not_linked_is_no_way(links: Links) -> None:
    links.owners.told([ADDRESS], [0])
    assert links.process() is None
    links.owners.told([ADDRESS], [2])
    links.up.clear()
    assert links.process() is None


def test_what_is_at_no_virtual_address_leaves_from_here(links: Links) -> None:
    links.owners.told([ADDRESS], [2])
    assert links.process(Flow(UDP, 0, FROM_ADDRESS.remote)) == NO_PROCESS
    assert links.process(Flow(UDP, 9, FROM_ADDRESS.remote)) == NO_PROCESS


def test_other_news_of_an_owner_that_has_lost_another_address_change_nothing(links: Links) -> None:
    links.owners.told([ADDRESS], [2])
    links.owners.lost(ADDRESS)
    assert links.process() == process_id(2, 3)
