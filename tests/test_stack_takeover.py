"""Calls that ring when their node dies are completed by the node that takes the virtual address over (design 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from appliance.catalogue import counters
from appliance.catalogue.cluster_settings import NodeSettings
from appliance.catalogue.settings import ListenerSettings, Settings
from appliance.location.dict_table import DictStore
from appliance.messages.call_copies import CallCopy
from appliance.messages.node_start import NodeStart
from appliance.messages.slots import seed_of, slot_of
from appliance.proxy.address_takeover import KEPT_S
from appliance.routing.lookup_questions import SubscriberAnswer
from appliance.stack import Stack
from appliance.transport.flow import TCP, UDP, Flow
from appliance.transport.process_id import process_id
from tests.flows.wire import Message, read
from tests.stack_bench import ALICE, BOB, KEY, NOW, SETTINGS, answer, request
from tests.tables import new_table

ADDRESS = 1
WALL_TIME = 1_700_000_000.0
# The clocks of two machines began to run at different times.
LATER = NOW + 50_000.0
CAROL = Flow(UDP, 0, ("192.0.2.61", 5060))
INSIDE = ListenerSettings(name="inside", address="198.51.100.1", relay="any", authenticate=False)


class Node:
    """One worker of a node: `is_owner` of the virtual address, which all its listeners are at."""

    def __init__(
        self, number: int, is_owner: bool, settings: Settings = SETTINGS, store: DictStore | None = None
    ) -> None:
        self.now = NOW if number == 1 else LATER
        self.boot = b"node %d" % number
        self.stack = Stack(
            settings, process_id(number, 0), KEY, new_table(store), self.now, WALL_TIME, NodeStart(boot=self.boot)
        )
        self.stack.takeover.use([ADDRESS] * len(settings.listeners))
        if is_owner:
            self.stack.takeover.owned(ADDRESS, False, self.now)
        self.copies: dict[bytes, CallCopy] = {}

    def receive(self, *batch: tuple[bytes, Flow]) -> list[Message]:
        """Datagrams arrive; what it sends for them."""
        self.stack.receive_datagrams(batch, self.now)
        return self.sent()

    def sent(self) -> list[Message]:
        """What it sends now; the other node has the copies before that leaves."""
        outputs = self.stack.outputs(self.now)
        assert self.stack.faults_to_log() == []
        for copy in outputs.copies:
            self.copies[copy[0]] = copy
        self.questions = outputs.questions
        self.flows = [outgoing.flow for outgoing in outputs.outgoings]
        return [read(outgoing.data) for outgoing in outputs.outgoings]

    def pass_time(self, seconds: float) -> list[Message]:
        """What it sends by itself, a quarter of a second after the other."""
        messages = []
        for _ in range(int(seconds * 4)):
            self.now += 0.25
            self.stack.handle_timers(self.now)
            messages += self.sent()
        return messages

    def take_over(self, dead: Node) -> list[Message]:
        """This node owns the address: it goes on with the calls of the dead one."""
        self.stack.takeover.owned(ADDRESS, True, self.now)
        self.stack.takeover.adopt([copy[3] for copy in dead.copies.values() if copy[3]], self.now)
        return self.sent()


def statuses(messages: Sequence[Message]) -> list[int]:
    return [message.status for message in messages if not message.is_request]


def methods(messages: Sequence[Message]) -> list[str]:
    return [message.method for message in messages if message.is_request]


def ringing(node: Node, settings: Settings = SETTINGS) -> Message:
    """A call that rings at Bob's; the INVITE that he got."""
    (trying, invite) = node.receive((request("INVITE", "sip:bob@192.0.2.60"), ALICE))
    assert trying.status == 100
    assert statuses(node.receive((answer(invite, 180), BOB))) == [180]
    return invite


def after_death(second: Settings = SETTINGS) -> tuple[Message, Node]:
    """A call rings at node 1, which dies; the INVITE that Bob got, and node 2, which has taken the address over."""
    one, two = Node(1, True), Node(2, False, second)
    invite = ringing(one)
    assert two.take_over(one) == []
    return invite, two


def in_dialog(method: str, success: Message, number: int) -> bytes:
    """A request of Alice's in the dialog that a 2xx has made (RFC 3261 12.2.1.1)."""
    routes = [f"Route: {route}" for route in reversed(success.values("Record-Route"))]
    lines = [
        f"{method} sip:bob@192.0.2.60 SIP/2.0",
        f"Via: SIP/2.0/UDP 192.0.2.101:5060;branch=z9hG4bK-{method}",
        *routes,
        "Max-Forwards: 70",
        f"From: {success.first('From')}",
        f"To: {success.first('To')}",
        f"Call-ID: {success.first('Call-ID')}",
        f"CSeq: {number} {method}",
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def of_the_invite(method: str) -> bytes:
    """The CANCEL or the ACK with the branch of Alice's INVITE (RFC 3261 9.1, 17.1.1.3)."""
    invite = request("INVITE", "sip:bob@192.0.2.60").decode()
    return invite.replace("INVITE sip", f"{method} sip").replace("1 INVITE", f"1 {method}").encode()


def accepted(invite: Message) -> bytes:
    """Bob's 200."""
    return answer(invite, 200).replace(
        b"Content-Length", b"Contact: <sip:bob@192.0.2.60>\r\nContent-Length"
    ).replace(b"To: <sip:bob@192.0.2.60>", b"To: <sip:bob@192.0.2.60>;tag=b")


def test_the_answer_to_a_call_goes_up_by_the_node_that_took_over() -> None:
    """RFC 3261 16.7: its Via has the branch that node 1 made; the ACK and the BYE come to node 2 as well."""
    invite, two = after_death()
    (success,) = two.receive((accepted(invite), BOB))
    assert (success.status, two.flows) == (200, [ALICE])
    assert two.stack.counters[counters.CALLS_ADOPTED] == two.stack.counters[counters.CALLS_ANSWERED] == 1
    assert two.stack.counters[counters.STRAY_RESPONSES_FORWARDED] == 0
    assert methods(two.receive((in_dialog("ACK", success, 1), ALICE))) == ["ACK"]
    assert two.flows == [BOB]
    (bye,) = two.receive((in_dialog("BYE", success, 2), ALICE))
    assert bye.method == "BYE"
    assert statuses(two.receive((answer(bye, 200), BOB))) == [200]


def test_a_dialog_that_was_made_at_the_dead_node_goes_on() -> None:
    """Tokens are sealed with the key of the cluster: nothing of an established call has to be known."""
    one, two = Node(1, True), Node(2, False)
    (success,) = one.receive((accepted(ringing(one)), BOB))
    assert two.take_over(one) == []
    assert methods(two.receive((in_dialog("ACK", success, 1), ALICE))) == ["ACK"]
    assert methods(two.receive((in_dialog("BYE", success, 2), ALICE))) == ["BYE"]
    assert two.flows == [BOB]


def test_a_call_can_be_taken_back_after_the_death() -> None:
    """RFC 3261 9.2, 16.10: the CANCEL is answered, goes on with the branch of the INVITE, and the 487 goes up."""
    invite, two = after_death()
    messages = two.receive((of_the_invite("CANCEL"), ALICE))
    assert (statuses(messages), methods(messages)) == ([200], ["CANCEL"])
    assert messages[-1].first("Via") == invite.first("Via")
    messages = two.receive((answer(invite, 487), BOB))
    assert (statuses(messages), methods(messages)) == ([487], ["ACK"])


def test_the_invite_that_comes_again_is_known() -> None:
    """RFC 3261 17.2.1: the caller, who has not heard anything yet, repeats it; Bob is not asked again."""
    _, two = after_death()
    messages = two.receive((request("INVITE", "sip:bob@192.0.2.60"), ALICE))
    assert (statuses(messages), methods(messages)) == ([100], [])


def test_a_refusal_is_repeated_until_it_is_acknowledged() -> None:
    """RFC 3261 17.2.1 timer G, 17.1.1.3: sent at node 1, repeated by node 2, which takes its ACK."""
    one, two = Node(1, True), Node(2, False)
    assert statuses(one.receive((answer(ringing(one), 486), BOB))) == [486]
    two.take_over(one)
    assert 486 in statuses(two.pass_time(4))
    assert two.receive((of_the_invite("ACK"), ALICE)) == []
    assert statuses(two.pass_time(4)) == []


def test_an_invite_without_an_answer_goes_out_again() -> None:
    """RFC 3261 17.1.1.2: what the dead node had sent may be lost; the same branch, after T1."""
    one, two = Node(1, True), Node(2, False)
    (_, invite) = one.receive((request("INVITE", "sip:bob@192.0.2.60"), ALICE))
    assert two.take_over(one) == []
    (again, *_) = two.pass_time(1)
    assert (again.method, again.first("Via")) == ("INVITE", invite.first("Via"))


def test_a_call_without_an_answer_ends() -> None:
    """RFC 3261 16.8 timer C, and 9.1 where the CANCEL is not answered either: by the clock of the new node."""
    _, two = after_death()
    messages = two.pass_time(SETTINGS.timers.c_s + 200)
    assert methods(messages)[0] == "CANCEL"
    assert set(statuses(messages)) == {487}
    assert two.stack.gauges()["transactions"] == 0


def registration(contacts: Sequence[str]) -> bytes:
    lines = [f"Contact: <{contact}>" for contact in contacts]
    return request("REGISTER", "sip:example.com", "reg", *lines).replace(b"alice@example.com", b"bob@example.com")


def test_the_other_branches_of_a_fork_are_cancelled_at_the_new_node() -> None:
    """RFC 3261 16.7 step 10: both phones rang at node 1."""
    store = DictStore()
    one, two = Node(1, True, store=store), Node(2, False, store=store)
    assert statuses(one.receive((registration(["sip:bob@192.0.2.60", "sip:bob@192.0.2.61"]), ALICE))) == [200]
    (_, *invites) = one.receive((request("INVITE", "sip:bob@example.com"), ALICE))
    by_host = dict(zip([flow.remote[0] for flow in one.flows[1:]], invites, strict=True))
    one.receive((answer(by_host["192.0.2.60"], 180), BOB), (answer(by_host["192.0.2.61"], 180), CAROL))
    two.take_over(one)
    messages = two.receive((answer(by_host["192.0.2.61"], 200), CAROL))
    assert (statuses(messages), methods(messages)) == ([200], ["CANCEL"])
    assert BOB in two.flows


def test_a_request_that_waits_for_the_database_begins_anew() -> None:
    """Nothing is proved and nothing answered yet: its sender repeats it, and node 2 asks for itself."""
    one, two = Node(1, True), Node(2, False)
    invite = request("INVITE", "sip:bob@example.com")
    assert one.receive((invite, ALICE)) == []
    assert one.stack.gauges()["waiting"] == 1
    assert one.copies == {}
    two.take_over(one)
    assert two.receive((invite, ALICE)) == []
    (question,) = two.questions
    two.stack.receive_answers([SubscriberAnswer(question.id, True, False)], two.now)
    assert statuses(two.sent()) == [480]


def test_listeners_are_found_by_their_names() -> None:
    """The other node has another one first: places are one node's."""
    invite, two = after_death(replace(SETTINGS, listeners=(INSIDE, SETTINGS.listeners[0])))
    here = Flow(UDP, 1, BOB.remote)
    (success,) = two.receive((accepted(invite), here))
    assert (success.status, two.flows) == (200, [Flow(UDP, 1, ALICE.remote)])


def test_a_call_of_a_listener_that_is_not_here_is_counted() -> None:
    _, two = after_death(replace(SETTINGS, listeners=(INSIDE,)))
    assert two.stack.counters[counters.CALLS_WITHOUT_LISTENER] == 1
    assert two.stack.counters[counters.CALLS_ADOPTED] == two.stack.counters[counters.CALLS_NOT_ADOPTED] == 0
    assert two.stack.gauges()["transactions"] == 0


def test_a_hop_of_a_listener_that_is_not_here_is_tried_anew() -> None:
    """RFC 3261 16.6 step 7: the request left node 1 by a listener that node 2 does not have."""
    udp, tcp = replace(SETTINGS.listeners[0], transports=(UDP,)), replace(INSIDE, transports=(TCP,))
    one = Node(1, True, replace(SETTINGS, listeners=(udp, tcp)))
    two = Node(2, False, replace(SETTINGS, listeners=(replace(udp, transports=(UDP, TCP)),)))
    one.receive((request("INVITE", "sip:bob@192.0.2.60;transport=tcp"), ALICE))
    assert [flow.listener for flow in one.flows] == [0, 1]
    assert methods(two.take_over(one)) == ["INVITE"]
    assert two.flows == [Flow(TCP, 0, BOB.remote)]


def test_a_hop_of_a_listener_that_is_not_here_is_not_tried_anew_for_a_caller_who_has_given_up() -> None:
    udp, tcp = replace(SETTINGS.listeners[0], transports=(UDP,)), replace(INSIDE, transports=(TCP,))
    one = Node(1, True, replace(SETTINGS, listeners=(udp, tcp)))
    two = Node(2, False, replace(SETTINGS, listeners=(replace(udp, transports=(UDP, TCP)),)))
    one.receive((request("INVITE", "sip:bob@192.0.2.60;transport=tcp"), ALICE))
    one.receive((of_the_invite("CANCEL").replace(b"60 SIP", b"60;transport=tcp SIP"), ALICE))
    messages = two.take_over(one)
    assert (statuses(messages), methods(messages)) == ([487], [])


def test_what_comes_before_the_news_waits_for_its_call() -> None:
    """The kernel opens the address first; the worker hears of it some milliseconds later."""
    one, two = Node(1, True), Node(2, False)
    invite = ringing(one)
    assert two.receive((accepted(invite), BOB)) == []
    assert statuses(two.take_over(one)) == [200]
    assert two.stack.counters[counters.STRAY_RESPONSES_FORWARDED] == 0


def test_an_owner_that_loses_its_address_and_gets_it_back_keeps_its_calls() -> None:
    one = Node(1, True)
    invite = ringing(one)
    one.stack.takeover.lost(ADDRESS, one.now)
    one.pass_time(2)
    one.stack.takeover.owned(ADDRESS, False, one.now)
    assert statuses(one.receive((accepted(invite), BOB))) == [200]


def test_an_owner_that_has_lost_its_address_ends_its_calls_without_a_message() -> None:
    """They are another node's by now. That one has taken its copies long before it hears that none is needed."""
    one = Node(1, True)
    ringing(one)
    copies = dict(one.copies)
    one.stack.takeover.lost(ADDRESS, one.now)
    assert one.pass_time(KEPT_S - 1) == []
    assert one.copies == copies
    assert one.pass_time(3) == []
    assert one.stack.gauges()["transactions"] == 0
    assert [copy[3] for copy in one.copies.values()] == [b""]


def test_an_address_that_another_node_had_meanwhile_comes_with_the_calls_of_that_node() -> None:
    """What is here is old: the other node has answered the call."""
    one, two = Node(1, True), Node(2, False)
    invite = ringing(one)
    one.stack.takeover.lost(ADDRESS, one.now)
    two.take_over(one)
    two.receive((accepted(invite), BOB))
    one.take_over(two)
    assert one.stack.gauges()["transactions"] == 0


def test_a_call_whose_address_was_lost_sends_nothing_until_the_address_returns() -> None:
    """RFC 3261 17.1.1.2: the other node has the call, and by that node's address this one could send still."""
    one = Node(1, True)
    (_, invite) = one.receive((request("INVITE", "sip:bob@192.0.2.60"), ALICE))
    one.stack.takeover.lost(ADDRESS, one.now)
    assert one.pass_time(4) == []
    one.stack.takeover.owned(ADDRESS, False, one.now)
    (again, *_) = one.pass_time(1)
    assert (again.method, again.first("Via")) == ("INVITE", invite.first("Via"))


def test_a_call_that_begins_anew_after_the_loss_keeps_its_copy() -> None:
    """Alice has repeated her INVITE, and it came before the news that the address is here again."""
    one = Node(1, True)
    ringing(one)
    one.stack.takeover.lost(ADDRESS, one.now)
    one.pass_time(1)
    ringing(one)
    one.stack.takeover.owned(ADDRESS, True, one.now)
    assert one.pass_time(1) == []
    ((_, call_id, _, snapshot),) = one.copies.values()
    assert call_id == b"call-1"
    assert snapshot


def test_a_copy_says_what_the_other_node_has_to_know_of_it() -> None:
    """The Call-ID names the slot, by another seed on each node; the address says who takes the call over."""
    one, two = Node(1, True), Node(2, False)
    ringing(one)
    ((_, call_id, address, snapshot),) = one.copies.values()
    assert (call_id, address) == (b"call-1", ADDRESS)
    assert snapshot
    assert seed_of(KEY, one.boot) != seed_of(KEY, two.boot)
    assert 0 <= slot_of(call_id, seed_of(KEY, two.boot)) < 256


def test_a_call_that_begins_before_the_news_is_kept_and_copied() -> None:
    """It came to this node, so the address was here: nothing of it is old."""
    one, two = Node(1, True), Node(2, False)
    ringing(two)
    assert len(two.copies) == 1
    two.take_over(one)
    assert two.stack.gauges()["transactions"] > 0


@pytest.mark.parametrize("numbers", [[], [0]], ids=["none", "at no address"])
def test_calls_that_are_at_no_virtual_address_are_not_copied(numbers: list[int]) -> None:
    one = Node(1, True)
    one.stack.takeover.use(numbers)
    ringing(one)
    assert one.copies == {}


def test_a_snapshot_that_cannot_be_read_harms_nothing() -> None:
    two = Node(2, True)
    two.stack.takeover.adopt([b"", b"\x91\x63", b"no snapshot"], two.now)
    assert two.stack.counters[counters.CALLS_NOT_ADOPTED] == 3
    assert two.sent() == []


OWN = ListenerSettings(name="own", address="198.51.100.1", relay="any", authenticate=False, transports=(TCP,))


def at(address: str) -> Settings:
    """Those of a node whose listener `own` has this address; the other node has 198.51.100.1 or .2."""
    other = "198.51.100.2" if address.endswith("1") else "198.51.100.1"
    (main,) = SETTINGS.listeners
    listeners = (replace(main, transports=(UDP,)), replace(OWN, address=address))
    return replace(SETTINGS, listeners=listeners, nodes=(NodeSettings("other", listeners=(f"own {other}",)),))


def test_the_own_address_of_a_dead_node_in_a_route_is_ours() -> None:
    """RFC 3261 16.4, RFC 5658: the call left node 1 by its own address, which the second entry of the dialog names."""
    one, two = Node(1, True, at("198.51.100.1")), Node(2, False, at("198.51.100.2"))
    bob = Flow(TCP, 1, BOB.remote)
    (_, invite) = one.receive((request("INVITE", "sip:bob@192.0.2.60;transport=tcp"), ALICE))
    assert one.flows[1] == bob
    contact = b"Contact: <sip:bob@192.0.2.60"
    (success,) = one.receive((accepted(invite).replace(contact, contact + b";transport=tcp"), bob))
    assert [b"198.51.100.1" in value.encode() for value in success.values("Record-Route")].count(True) == 1
    two.take_over(one)
    bye = in_dialog("BYE", success, 2).replace(b"sip:bob@192.0.2.60 ", b"sip:bob@192.0.2.60;transport=tcp ")
    (forwarded,) = two.receive((bye, ALICE))
    assert (forwarded.method, two.flows) == ("BYE", [bob])
    assert forwarded.values("Route") == []
    assert "198.51.100.2" in forwarded.first("Via")


@pytest.mark.parametrize(("transport", "is_here"), [(UDP, True), (TCP, False)])
def test_a_datagram_says_that_the_address_is_here_and_what_waited_in_a_connection_does_not(
    transport: int, is_here: bool
) -> None:
    """A connection may hold messages from before the loss; a datagram was let in by the kernel, and none has waited."""
    one = Node(1, True)
    one.stack.takeover.lost(ADDRESS, one.now)
    one.receive((request("OPTIONS", "sip:example.com"), Flow(transport, 0, ("192.0.2.77", 5060))))
    assert one.stack.takeover.is_owned(0) is is_here
