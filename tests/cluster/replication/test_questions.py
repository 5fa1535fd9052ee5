"""Questions of operators to other nodes at the replicator: what waits for a link is bounded and leaves paced."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.cluster.replication.link_user import NEVER
from appliance.cluster.replication.questions import (
    PARTS_PER_TURN,
    WAIT_MAX_S,
    WAITING_MAX,
    QuestionReplication,
)
from appliance.messages.bus_messages import BusMessage
from appliance.messages.node_questions import AskNode, NodeAnswer, NodeNotAsked

NOW = 1000.0
QUESTION = AskNode(2, 7, "show workers", "{}", "anna", False)


class Links:
    """A link to node 2."""

    def __init__(self) -> None:
        self.is_linked, self.is_full = True, False
        self.sent: list[BusMessage] = []
        self.told: list[BusMessage] = []
        self.takes = True

    members = (2,)

    def is_up(self, member: int) -> bool:
        return self.is_linked and member == 2

    def send(self, member: int, messages: Sequence[BusMessage]) -> bool:
        if self.is_full or not self.is_up(member):
            return False
        self.sent += messages
        return True

    def tell(self, message: BusMessage) -> bool:
        if self.takes:
            self.told.append(message)
        return self.takes


def part(number: int, octets: bytes = b"x") -> NodeAnswer:
    return NodeAnswer(2, 7, number, octets, False)


def test_a_question_goes_to_its_node_and_one_that_cannot_go_is_returned() -> None:
    links = Links()
    user = QuestionReplication(links, links.tell)
    user.receive_from_management(QUESTION, NOW)
    assert links.sent == [QUESTION]
    links.is_linked = False
    user.receive_from_management(QUESTION, NOW)
    assert links.told == [NodeNotAsked(2, 7)]


def test_what_arrives_bears_the_number_of_its_link() -> None:
    links = Links()
    user = QuestionReplication(links, links.tell)
    user.receive(2, AskNode(9, 7, "show workers", "{}", "anna", False), NOW)
    assert links.told == [QUESTION]


def test_a_question_that_the_management_process_does_not_take_is_refused() -> None:
    links = Links()
    links.takes = False
    user = QuestionReplication(links, links.tell)
    user.receive(2, QUESTION, NOW)
    assert links.sent == [NodeNotAsked(2, 7)]
    assert sum(user.counts().values()) == 1


def test_parts_leave_a_few_in_a_turn_and_in_their_order() -> None:
    links = Links()
    user = QuestionReplication(links, links.tell)
    parts = [part(number) for number in range(PARTS_PER_TURN + 1)]
    for each in parts:
        user.receive_from_management(each, NOW)
    assert user.tick(NOW) > NOW
    assert links.sent == parts[:PARTS_PER_TURN]
    assert user.tick(NOW) == NEVER
    assert links.sent == parts


def test_what_waits_for_a_full_link_is_bounded_in_octets_and_time() -> None:
    links = Links()
    links.is_full = True
    user = QuestionReplication(links, links.tell)
    user.receive_from_management(part(0, bytes(WAITING_MAX)), NOW)
    user.receive_from_management(part(1), NOW)
    assert user.dropped == 1
    assert user.tick(NOW) > NOW
    assert user.tick(NOW + WAIT_MAX_S + 1) == NEVER
    assert user.dropped == 2


def test_a_link_that_is_lost_ends_what_goes_by_it() -> None:
    links = Links()
    user = QuestionReplication(links, links.tell)
    links.is_full = True
    user.receive_from_management(part(0), NOW)
    user.link_lost(2, NOW)
    assert user.tick(NOW) == NEVER
    assert user.dropped == 1
    assert links.told == [NodeNotAsked(2, 0)]
