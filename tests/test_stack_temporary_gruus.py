"""Temporary GRUUs, from the REGISTER to the call and to their end (RFC 5627 3.1.2, 5.1, 5.3, 6.1)."""

from __future__ import annotations

import re

from appliance.stack import Stack
from tests.flows.wire import Message, read
from tests.stack_bench import ALICE, BOB, NOW, request, stack

INSTANCES = ("urn:uuid:00000000-0000-4000-8000-00000000000a", "urn:uuid:00000000-0000-4000-8000-00000000000b")


class Phones:
    """Those of alice, and a caller."""

    def __init__(self) -> None:
        self.stack: Stack = stack()
        self.now = NOW
        self._number = 0

    def register(
        self,
        call_id: str,
        device: int = 0,
        expires_s: int = 600,
        reg_id: int = 0,
        supported: str = "gruu",
        contact: str = "",
    ) -> Message:
        """The answer to the REGISTER of one device."""
        self._number += 1
        self.now += 1.0
        contact = contact or f"sip:alice@192.0.2.101:{5060 + device}"
        flow = f";reg-id={reg_id}" if reg_id else ""
        lines = (
            f'Contact: <{contact}>;expires={expires_s};+sip.instance="<{INSTANCES[device]}>"{flow}',
            f"Supported: {supported}",
        )
        data = request("REGISTER", "sip:example.com", call_id, *lines)
        data = data.replace(b"CSeq: 1 ", b"CSeq: %d " % self._number)
        data = data.replace(b"branch=z9hG4bK", b"branch=z9hG4bK%d-" % self._number)
        self.stack.receive_datagrams([(data, ALICE)], self.now)
        (outgoing,) = self.stack.datagrams_to_send(self.now)
        return read(outgoing.data)

    def gruu(self, *arguments: object, **named: object) -> str:
        """The temporary GRUU that a REGISTER gives to its device."""
        answer = self.register(*arguments, **named)  # type: ignore[arg-type]
        assert answer.status == 200, answer
        device = arguments[1] if len(arguments) > 1 else 0
        assert isinstance(device, int)
        *_, value = [value for value in answer.values("Contact") if INSTANCES[device] in value]
        return temporary_in(value)

    def call(self, uri: str) -> str | int:
        """Where an INVITE for a URI goes, or the status that it is answered with; 0 while the database is asked."""
        self._number += 1
        invite = request("INVITE", uri, f"call-{self._number}")
        self.stack.receive_datagrams([(invite, BOB)], self.now)
        messages = [read(outgoing.data) for outgoing in self.stack.datagrams_to_send(self.now)]
        forwarded = [message.uri for message in messages if message.is_request]
        return forwarded[0] if forwarded else max((message.status for message in messages), default=0)


def temporary_in(contact: str) -> str:
    found = re.search(r';temp-gruu="([^"]+)"', contact)
    assert found is not None, contact
    return found.group(1)


def test_each_register_gives_another_one_and_all_reach_the_instance() -> None:
    """RFC 5627 3.2: they accumulate as long as the Call-ID is the same."""
    phones = Phones()
    phones.register("other", device=1)
    gruus = [phones.gruu("reg") for _ in range(3)]
    assert len(set(gruus)) == 3
    for gruu in gruus:
        assert re.fullmatch(r"sip:tgruu\.[-_\w]+@example\.com;gr", gruu)
        assert "alice" not in gruu
        assert phones.call(gruu) == "sip:alice@192.0.2.101:5060"


def test_it_stands_beside_the_public_one_and_only_for_who_asks() -> None:
    """RFC 5627 5.2: for a phone that supports gruu, at a contact with an instance."""
    phones = Phones()
    (value,) = phones.register("reg").values("Contact")
    assert f';pub-gruu="sip:alice@example.com;gr={INSTANCES[0]}";temp-gruu="sip:tgruu.' in value
    assert "gruu" not in phones.register("reg", supported="path").first("Contact")


def test_a_retransmission_gives_the_same_one() -> None:
    """What can be computed again is not remembered."""
    phones = Phones()
    gruu = phones.gruu("reg")
    phones._number -= 1
    assert phones.gruu("reg") == gruu


def test_another_call_id_ends_those_before_it() -> None:
    """RFC 5627 5.1: requests for them are rejected with 404 from then on."""
    phones = Phones()
    before = [phones.gruu("first"), phones.gruu("first")]
    after = phones.gruu("second")
    assert [phones.call(gruu) for gruu in before] == [404, 404]
    assert phones.call(after) == "sip:alice@192.0.2.101:5060"
    # And the first Call-ID once more does not bring them back.
    phones.register("first")
    assert [phones.call(gruu) for gruu in (*before, after)] == [404, 404, 404]


def test_another_contact_of_the_instance_with_another_call_id_ends_them() -> None:
    """RFC 5627 5.1: the phone has restarted at another address."""
    phones = Phones()
    before = phones.gruu("first")
    after = phones.gruu("second", contact="sip:alice@192.0.2.101:7000")
    assert phones.call(before) == 404
    assert phones.call(after) == "sip:alice@192.0.2.101:7000"


def test_the_end_of_the_registration_ends_them() -> None:
    """RFC 5627 5.3: also where the phone comes back with the Call-ID that it had."""
    phones = Phones()
    gruu = phones.gruu("reg")
    phones.register("reg", expires_s=0)
    assert phones.call(gruu) == 404
    phones.register("reg")
    assert phones.call(gruu) == 404


def test_another_device_of_the_user_ends_nothing() -> None:
    phones = Phones()
    gruu = phones.gruu("first")
    phones.register("second", device=1)
    phones.register("second", device=1, expires_s=0)
    assert phones.call(gruu) == "sip:alice@192.0.2.101:5060"


def test_it_outlives_its_flow_as_long_as_another_flow_lasts() -> None:
    """RFC 5627 4.2: the GRUUs of an instance are valid as long as one of its flows is registered."""
    phones = Phones()
    supported = "gruu, outbound, path"
    phones.register("flow-2", reg_id=2, supported=supported)
    gruu = phones.gruu("flow-1", reg_id=1, supported=supported)
    assert isinstance(phones.call(gruu), str)
    phones.register("flow-1", reg_id=1, supported=supported, expires_s=0)
    assert isinstance(phones.call(gruu), str)
    phones.register("flow-2", reg_id=2, supported=supported, expires_s=0)
    assert phones.call(gruu) == 404


FLOWS = "gruu, outbound, path"


def test_another_call_id_of_one_flow_ends_those_of_all_flows() -> None:
    """RFC 5627 4.1, 5.1: all temporary GRUUs of the instance as a whole; the flows themselves go on."""
    phones = Phones()
    first = phones.gruu("flow-1", reg_id=1, supported=FLOWS)
    second = phones.gruu("flow-2", reg_id=2, supported=FLOWS)
    assert isinstance(phones.call(first), str) and isinstance(phones.call(second), str)
    answer = phones.register("again", reg_id=2, supported=FLOWS)
    assert [phones.call(gruu) for gruu in (first, second)] == [404, 404]
    # Those of the answer are valid, whichever flow they stand beside.
    after = [temporary_in(value) for value in answer.values("Contact")]
    assert len(after) == 2
    after.append(phones.gruu("flow-1", reg_id=1, supported=FLOWS))
    assert all(isinstance(phones.call(gruu), str) for gruu in after)
    # The end of that flow does not bring back what it has ended.
    phones.register("again", reg_id=2, supported=FLOWS, expires_s=0)
    assert phones.call(first) == 404
    assert isinstance(phones.call(after[2]), str)


def test_a_flow_that_joins_ends_nothing() -> None:
    """RFC 5627 5.1: it has no contact yet, so its Call-ID differs from none. The same where it joins again."""
    phones = Phones()
    gruu = phones.gruu("flow-1", reg_id=1, supported=FLOWS)
    for call_id in ("flow-2", "flow-2-later"):
        later = phones.gruu(call_id, reg_id=2, supported=FLOWS)
        assert isinstance(phones.call(gruu), str) and isinstance(phones.call(later), str)
        phones.register(call_id, reg_id=2, supported=FLOWS, expires_s=0)
        assert isinstance(phones.call(gruu), str) and isinstance(phones.call(later), str)


def test_they_outlive_the_flow_that_was_there_first() -> None:
    """RFC 5627 4.2: any flow of the instance will do, also one that was registered after they were issued."""
    phones = Phones()
    gruu = phones.gruu("flow-1", reg_id=1, supported=FLOWS)
    phones.register("flow-2", reg_id=2, supported=FLOWS)
    phones.register("flow-1", reg_id=1, supported=FLOWS, expires_s=0)
    assert isinstance(phones.call(gruu), str)
    phones.register("flow-2", reg_id=2, supported=FLOWS, expires_s=0)
    assert phones.call(gruu) == 404


def test_a_changed_one_and_one_of_another_domain_reach_no_phone() -> None:
    phones = Phones()
    gruu = phones.gruu("reg")
    assert phones.call(gruu.replace("tgruu.", "tgruu.A")) == 404
    assert phones.call("sip:tgruu.7hs==jd7vnzga5w7fajsc7-ajd6fabz0f8g5@example.com;gr") == 404
    # Without `gr` it is the address of a user, and there is none of that name.
    assert phones.call(gruu.removesuffix(";gr")) == 0


def test_it_is_no_contact_of_its_own_address() -> None:
    """RFC 5627 5.1: that would be a loop."""
    phones = Phones()
    gruu = phones.gruu("reg")
    assert phones.register("reg", contact=gruu).status == 403
