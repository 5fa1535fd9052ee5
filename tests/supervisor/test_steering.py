"""Steering by Call-ID: the program agrees with `slot_of`, by an interpreter of classic BPF and in the kernel."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterator, Sequence

import pytest

from appliance.messages.slots import SlotTable, deal, move, slot_of
from appliance.supervisor import steering
from appliance.supervisor.steering import INSTRUCTIONS_MAX, Instruction, call_id_program

SEED = 0x1234ABCD
MASK = 0xFFFFFFFF
# Of each load: how many octets, and whether X is added to the place.
LOADS = {
    steering.LD_WORD: (4, False),
    steering.LD_HALF: (2, False),
    steering.LD_BYTE: (1, False),
    steering.LD_WORD_AT_X: (4, True),
    steering.LD_HALF_AT_X: (2, True),
    steering.LD_BYTE_AT_X: (1, True),
}
# Ports of one host: enough to reach each worker of a few.
SENDERS = range(5060, 5074)


def ip_header(port: int, is_ipv6: bool = False) -> bytes:
    """The headers of IP and UDP, as far as they name the sender."""
    if is_ipv6:
        return bytes([0x60]) + bytes(7) + bytes(range(32)) + port.to_bytes(2, "big") + bytes(6)
    addresses = bytes([192, 0, 2, 1, 192, 0, 2, 2])
    return bytes([0x46]) + bytes(11) + addresses + bytes(4) + port.to_bytes(2, "big") + bytes(6)


def run(program: Sequence[Instruction], payload: bytes, port: int = 5060, is_ipv6: bool = False) -> int:
    """What the program returns for a payload from this port."""
    header = ip_header(port, is_ipv6)
    a = x = place = 0
    memory = [0] * 16
    while True:
        code, k, on_true, on_false = (
            program[place].code,
            program[place].operand,
            program[place].on_true,
            program[place].on_false,
        )
        place += 1
        if code in LOADS:
            width, is_at_x = LOADS[code]
            start = (x + k) & MASK if is_at_x else k
            octets = payload
            if start >= steering.IP_HEADER:
                start, octets = start - steering.IP_HEADER, header
            if start + width > len(octets):
                return 0
            a = int.from_bytes(octets[start : start + width], "big")
        elif code == steering.LDX_HEADER_LEN:
            x = 4 * (header[k - steering.IP_HEADER] & 15)
        elif code == steering.RET:
            return k
        elif code == steering.JA:
            place += k
        elif code in (steering.JEQ, steering.JGT, steering.JGE, steering.JSET):
            holds = {steering.JEQ: a == k, steering.JGT: a > k, steering.JGE: a >= k, steering.JSET: bool(a & k)}[code]
            place += on_true if holds else on_false
        elif code in (steering.ST, steering.STX):
            memory[k] = a if code == steering.ST else x
        else:
            a, x = arithmetic(code, k, a, x, memory, len(payload))


def arithmetic(code: int, k: int, a: int, x: int, memory: list[int], length: int) -> tuple[int, int]:
    """A and X after an instruction that neither jumps nor looks at the payload."""
    results = {
        steering.LD_LENGTH: (length, x),
        steering.LD_CONSTANT: (k, x),
        steering.LD_MEMORY: (memory[k & 15], x),
        steering.LDX_CONSTANT: (a, k),
        steering.LDX_MEMORY: (a, memory[k & 15]),
        steering.ADD: (a + k & MASK, x),
        steering.SUB: (a - k & MASK, x),
        steering.MUL: (a * k & MASK, x),
        steering.OR: (a | k, x),
        steering.AND: (a & k, x),
        steering.MOD: (a % k if k else 0, x),
        steering.RSH: (a >> (k & 31), x),
        steering.XOR_X: (a ^ x, x),
        steering.TAX: (a, a),
        steering.TXA: (x, x),
    }
    return results[code]


def message(
    call_id_line: bytes, before: bytes = b"", after: bytes = b"CSeq: 1 INVITE\r\nContent-Length: 0\r\n"
) -> bytes:
    return (
        b"INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKnashds8\r\n"
        + before
        + call_id_line
        + after
        + b"\r\n"
    )


def random_call_id(draw: random.Random) -> bytes:
    alphabet = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._%+~"
    word = bytes(draw.choices(alphabet, k=draw.randint(1, 40)))
    return word + (b"@192.0.2.%d" % draw.randint(1, 254) if draw.random() < 0.5 else b"")


def random_table(draw: random.Random, workers: int) -> SlotTable:
    table = deal(range(workers))
    live = list(range(workers))
    for _ in range(draw.randint(0, workers - 1)):
        live.remove(dead := draw.choice(live))
        table = move(table, dead, live)
    return table


def test_random_messages_reach_the_owner_of_their_slot() -> None:
    draw = random.Random(2718)
    for workers in (1, 2, 3, 4, 7, 16, 64):
        table = random_table(draw, workers)
        program = call_id_program(table, SEED, range(workers))
        for _ in range(150):
            call_id = random_call_id(draw)
            filler = b"X-Filler: " + bytes(draw.choices(b"abcid-:; =", k=draw.randint(0, 780))) + b"\r\n"
            payload = message(b"Call-ID: " + call_id + b"\r\n", before=filler)
            assert run(program, payload) == table.owner_of(slot_of(call_id, SEED)), payload


def test_a_message_full_of_look_alikes_is_never_given_to_a_wrong_owner() -> None:
    """After a hit that was none the search may miss the header; then any worker gets it, and none is named."""
    draw = random.Random(1618)
    table = deal([0, 1, 2])
    program = call_id_program(table, SEED, [0, 1, 2])
    for _ in range(200):
        call_id = random_call_id(draw)
        filler = b"X-Filler: " + bytes(draw.choices(b"acl-id", k=draw.randint(0, 900))) + b"\r\n"
        payload = message(b"Call-ID: " + call_id + b"\r\n", before=filler)
        given = {run(program, payload, port) for port in SENDERS}
        assert given in ({table.owner_of(slot_of(call_id, SEED))}, {0, 1, 2})


@pytest.mark.parametrize("alignment", range(8))
def test_the_name_is_found_at_every_alignment(alignment: int) -> None:
    table = deal([0, 1])
    program = call_id_program(table, SEED, [0, 1])
    for name in (b"Call-ID", b"Call-Id", b"Call-id", b"CALL-ID", b"call-id", b"CaLl-iD", b"i", b"I"):
        for call_id in (b"a84b4c76e66710@pc33", b"x", b"f81d4fae-7dec-11d0-a765-00a0c91e6bf6@foo.bar.com"):
            payload = message(name + b": " + call_id + b"\r\n", before=b"Path: " + b"x" * alignment + b"\r\n")
            given = {run(program, payload, port) for port in SENDERS}
            assert given == {table.owner_of(slot_of(call_id, SEED))}


@pytest.mark.parametrize("alignment", range(4))
def test_a_caller_is_not_taken_for_a_call_id(alignment: int) -> None:
    table = deal([0, 1])
    program = call_id_program(table, SEED, [0, 1])
    for number in range(20):
        call_id = b"%d@caller" % number
        before = b"From: <sip:" + b"x" * alignment + b"caller@example.com>;tag=1\r\nTo: <sip:caller@example.com>\r\n"
        payload = message(b"Call-ID: " + call_id + b"\r\n", before=before)
        assert {run(program, payload, port) for port in SENDERS} == {table.owner_of(slot_of(call_id, SEED))}


@pytest.mark.parametrize("word", b"call-1 firewall-1 Call-1 call-id-1 small-island ALL- call-id".split())
@pytest.mark.parametrize("alignment", range(8))
def test_no_tag_and_no_host_is_taken_for_a_call_id(alignment: int, word: bytes) -> None:
    """RFC 3261 25.1: a tag is any token. A 180 by a hop would be overtaken by the 200 that needs none."""
    table = deal([0, 1])
    program = call_id_program(table, SEED, [0, 1])
    for number in range(6):
        call_id = b"%d@%b" % (number, word)
        for between in (b"", b"To: <sip:bob@%b.example.com>;tag=%b\r\n" % (word, word)):
            before = b"From: <sip:a@b>;x=" + b"x" * alignment + b";tag=" + word + b"\r\n" + between
            payload = message(b"Call-ID: " + call_id + b"\r\n", before=before)
            assert {run(program, payload, port) for port in SENDERS} == {table.owner_of(slot_of(call_id, SEED))}


@pytest.mark.parametrize("colon", [b":", b": ", b":  ", b" : ", b"\t:\t", b":\r\n ", b" :\r\n\t"])
def test_white_space_about_the_colon(colon: bytes) -> None:
    """RFC 3261 25.1: HCOLON lets white space stand before the colon, and a fold after it."""
    for call_id in (b"one@a", b"two@b", b"three@c", b"four@d"):
        table = deal([0, 1, 2])
        payload = message(b"Call-ID" + colon + call_id + b"\r\n")
        assert run(call_id_program(table, SEED, [0, 1, 2]), payload) == table.owner_of(slot_of(call_id, SEED))


def test_more_white_space_than_that_is_for_the_bus_to_correct() -> None:
    table = deal([0, 1])
    payload = message(b"Call-ID  :       x\r\n")
    assert {run(call_id_program(table, SEED, [0, 1]), payload, port) for port in SENDERS} == {0, 1}


def test_headers_that_look_alike_do_not_mislead() -> None:
    table = deal([0, 1])
    program = call_id_program(table, SEED, [0, 1])
    for number in range(40):
        call_id = b"%d@alike" % number
        for before in (
            b"Call-Info: <http://example.com/x>;purpose=info\r\n" + b"X: " + b"y" * 100 + b"\r\n",
            b"Original-Call-ID: another@place\r\n" + b"X: " + b"y" * 100 + b"\r\n",
            b"Session-ID: ab30317f1a784dc48ff824d0d3715d86\r\n",
            b"Subject: call-id: not this\r\n" + b"X: " + b"y" * 100 + b"\r\n",
        ):
            payload = message(b"Call-ID: " + call_id + b"\r\n", before=before)
            assert run(program, payload) == table.owner_of(slot_of(call_id, SEED)), before


def test_a_call_id_is_found_in_the_first_1000_octets_and_any_worker_gets_what_lies_beyond() -> None:
    table = deal([0, 1])
    program = call_id_program(table, SEED, [0, 1])
    near = message(b"Call-ID: near@x\r\n", before=b"X: " + b"y" * 900 + b"\r\n")
    far = message(b"Call-ID: far@x\r\n", before=b"X: " + b"y" * 1700 + b"\r\n")
    assert {run(program, near, port) for port in SENDERS} == {table.owner_of(slot_of(b"near@x", SEED))}
    assert {run(program, far, port) for port in SENDERS} == {0, 1}


@pytest.mark.parametrize(
    "payload", [b"", b"\r\n\r\n", b"\x00", b"x" * 100, message(b"i : compact@x\r\n"), message(b"Call-IDs: x\r\n")]
)
def test_what_it_cannot_know_goes_to_any_worker_that_owns_slots(payload: bytes) -> None:
    table = move(deal(range(4)), 2, [0, 1, 3])
    program = call_id_program(table, SEED, range(4))
    assert {run(program, payload, port) for port in SENDERS} == {0, 1, 3}
    assert {run(program, payload, port, is_ipv6=True) for port in SENDERS} == {0, 1, 3}


def test_what_it_cannot_know_goes_to_one_worker_for_each_sender() -> None:
    """What one sender writes keeps its order: the worker that is chosen hands over in the order in which it reads."""
    program = call_id_program(deal(range(4)), SEED, range(4))
    unreadable = [message(b"Call-ID   :  %d\r\n" % number) for number in range(20)]
    for is_ipv6 in (False, True):
        for port in SENDERS:
            assert len({run(program, payload, port, is_ipv6) for payload in unreadable}) == 1


def test_sockets_and_workers_need_not_have_the_same_numbers() -> None:
    table = deal([5, 3])
    program = call_id_program(table, SEED, [3, 5])
    owner = table.owner_of(slot_of(b"x@y", SEED))
    assert run(program, message(b"Call-ID: x@y\r\n")) == {3: 0, 5: 1}[owner]


def test_an_owner_without_a_socket_here_leaves_the_choice_open() -> None:
    table = deal([0, 1])
    program = call_id_program(table, SEED, [0])
    assert {run(program, message(b"Call-ID: %d\r\n" % number)) for number in range(30)} == {0}


def test_the_program_fits_the_kernel_however_scattered_the_slots_are() -> None:
    scattered = SlotTable(bytes(slot % 64 for slot in range(256)), 1)
    program = call_id_program(scattered, SEED, range(64))
    assert len(program) <= INSTRUCTIONS_MAX
    payload = message(b"Call-ID: a@b\r\n")
    assert run(program, payload) == scattered.owner_of(slot_of(b"a@b", SEED))


class Group:
    """An SO_REUSEPORT group of UDP sockets on loopback."""

    def __init__(self, family: int, count: int) -> None:
        self.sockets: list[socket.socket] = []
        host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
        self.address = (host, 0)
        for _ in range(count):
            member = socket.socket(family, socket.SOCK_DGRAM)
            member.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            member.bind(self.address)
            member.setblocking(False)
            self.address = member.getsockname()[:2]
            self.sockets.append(member)
        self.sender = socket.socket(family, socket.SOCK_DGRAM)

    def receiver_of(self, payload: bytes) -> int:
        """The index of the socket that gets the payload; loopback delivers before send returns."""
        self.sender.sendto(payload, self.address)
        for index, member in enumerate(self.sockets):
            try:
                member.recv(65_535)
            except BlockingIOError:
                continue
            return index
        raise AssertionError("the datagram went nowhere")

    def another_sender(self) -> None:
        """From now on datagrams come from another port."""
        family = self.sender.family
        self.sender.close()
        self.sender = socket.socket(family, socket.SOCK_DGRAM)

    def attach(self, program: Sequence[Instruction]) -> None:
        try:
            steering.attach(self.sockets[0], program)
        except OSError as refusal:
            pytest.skip(f"this kernel takes no BPF program for a group of sockets: {refusal}")

    def close(self) -> None:
        for member in [*self.sockets, self.sender]:
            member.close()


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6], ids=["IPv4", "IPv6"])
def group(request: pytest.FixtureRequest) -> Iterator[Group]:
    try:
        members = Group(request.param, 4)
    except OSError as refusal:
        pytest.skip(f"no loopback address of this family: {refusal}")
    yield members
    members.close()


def test_the_kernel_gives_each_datagram_to_the_owner(group: Group) -> None:
    draw = random.Random(3141)
    table = random_table(draw, 4)
    group.attach(call_id_program(table, SEED, range(4)))
    for _ in range(500):
        call_id = random_call_id(draw)
        filler = b"X-Filler: " + bytes(draw.choices(b"abcid-:; =", k=draw.randint(0, 900))) + b"\r\n"
        payload = message(b"Call-ID: " + call_id + b"\r\n", before=filler)
        assert group.receiver_of(payload) == table.owner_of(slot_of(call_id, SEED))


def test_a_new_table_takes_the_place_of_the_old_one(group: Group) -> None:
    table = deal(range(4))
    group.attach(call_id_program(table, SEED, range(4)))
    payload = message(b"Call-ID: moved@x\r\n")
    owner = table.owner_of(slot_of(b"moved@x", SEED))
    assert group.receiver_of(payload) == owner
    moved = move(table, owner, [worker for worker in range(4) if worker != owner])
    group.attach(call_id_program(moved, SEED, range(4)))
    assert group.receiver_of(payload) == moved.owner_of(slot_of(b"moved@x", SEED)) != owner


def test_unreadable_datagrams_load_all_live_workers_and_no_dead_one(group: Group) -> None:
    group.attach(call_id_program(move(deal(range(4)), 1, [0, 2, 3]), SEED, range(4)))
    given = set()
    for _ in range(200):
        given.add(group.receiver_of(b"\r\n\r\n"))
        group.another_sender()
    assert given == {0, 2, 3}


def test_what_the_kernel_cannot_read_of_one_sender_goes_to_one_worker(group: Group) -> None:
    """The order of a call: a 180 that takes a hop between workers is not overtaken by the 200 behind it."""
    group.attach(call_id_program(deal(range(4)), SEED, range(4)))
    for _ in range(20):
        unreadable = [message(b"Call-ID   :  %d\r\n" % number) for number in range(10)]
        assert len({group.receiver_of(payload) for payload in unreadable}) == 1
        group.another_sender()


@pytest.mark.parametrize("name", [b"Call-ID", b"call-id", b"CALL-ID", b"i", b"I"])
def test_the_kernel_reads_every_form_at_every_alignment(group: Group, name: bytes) -> None:
    """RFC 3261 7.3.1, 7.3.3: so the 180 and the 200 of a call go to its owner, however much stands before the name."""
    table = deal(range(4))
    group.attach(call_id_program(table, SEED, range(4)))
    for before in range(40):
        call_id = b"%d@order" % before
        payload = message(name + b": " + call_id + b"\r\n", before=b"Path: " + b"x" * before + b"\r\n")
        assert group.receiver_of(payload) == table.owner_of(slot_of(call_id, SEED))


def test_detached_the_kernel_chooses_by_the_addresses_again(group: Group) -> None:
    group.attach(call_id_program(deal([2]), SEED, range(4)))
    assert {group.receiver_of(b"x") for _ in range(20)} == {2}
    steering.detach(group.sockets[0])
    chosen = {group.receiver_of(struct.pack("I", number)) for number in range(20)}
    assert len(chosen) == 1
