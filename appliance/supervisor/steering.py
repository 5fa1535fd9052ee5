"""Steering: a classic BPF program that gives each datagram to the worker that owns its call.

The program is attached to a group of SO_REUSEPORT sockets; the kernel runs it on the payload of each
datagram and takes the result as the index of a socket. It looks for the header field `Call-ID:` (RFC 3261
20.8), hashes the value as `slots.slot_of` does, and looks the slot up in the table. Needs no privilege.

There are no loops in classic BPF, so the search is written out: four instructions for each word of four octets. A word
that holds a line feed is found by one subtraction, for nothing else that is usual in a header is below it. What
stands after the line feed is looked at by instructions that a pair of words shares: `l-id` where it would be in
`Call-ID`, or the compact form `i:`, in any case and at every alignment. So what a sender writes is found in
all of its messages or in none. The rest of the name is compared by instructions that a segment of the search
shares. A line of less than eight octets just before may hide the header field.

What it cannot read (a Call-ID far down, odd white space) goes to the worker that a hash of the sender's address and
port names, always the same as long as the slots stay; the bus corrects. So messages of one sender and one call keep
their order: all of them are given to one worker, the owner or another one that hands them on in the order in which
they came. The order is lost where the program can read some of them and not others, and for a moment when slots move.
Correctness never depends on this program.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from appliance.messages.slots import FNV_OFFSET, FNV_PRIME, HASHED_OCTETS_MAX, SlotTable
from appliance.transport.process_id import worker_of

INSTRUCTIONS_MAX: Final = 4096
SO_ATTACH_REUSEPORT_CBPF: Final = 51
SO_DETACH_REUSEPORT_BPF: Final = 68

# The shortest start line is "SIP/2.0 200 " and CRLF: its line feed is the first that can stand before a header field.
FIRST_OCTET: Final = 13
# So many octets share the instructions that deal with a hit: a conditional jump reaches 255 instructions.
SEGMENT_OCTETS: Final = 64
# So many octets share the instructions that look at what follows a line feed.
PAIR_OCTETS: Final = 8
# A look reaches so many octets beyond the word that it is for.
LOOK_OCTETS: Final = 8
# So often the search makes sure that the payload goes on.
CHECKED_OCTETS: Final = 16
BLANKS_BEFORE_COLON_MAX: Final = 1
# One is the rule; CR, LF and a space are a folded line.
BLANKS_AFTER_COLON_MAX: Final = 4
# An index no group has: the kernel then chooses by its own hash of the addresses.
NO_SOCKET: Final = 0xFFFF

LD_WORD: Final = 0x20
LD_BYTE: Final = 0x30
LD_HALF: Final = 0x28
LD_BYTE_AT_X: Final = 0x50
LD_HALF_AT_X: Final = 0x48
LD_WORD_AT_X: Final = 0x40
LD_LENGTH: Final = 0x80
LD_CONSTANT: Final = 0x00
LD_MEMORY: Final = 0x60
LDX_CONSTANT: Final = 0x01
LDX_MEMORY: Final = 0x61
ST: Final = 0x02
STX: Final = 0x03
LDX_HEADER_LEN: Final = 0xB1
ADD: Final = 0x04
SUB: Final = 0x14
MUL: Final = 0x24
OR: Final = 0x44
AND: Final = 0x54
MOD: Final = 0x94
RSH: Final = 0x74
XOR_X: Final = 0xAC
JA: Final = 0x05
JEQ: Final = 0x15
JGT: Final = 0x25
JGE: Final = 0x35
JSET: Final = 0x45
RET: Final = 0x06
TAX: Final = 0x07
TXA: Final = 0x87
# SKF_NET_OFF: octets from here on are those of the IP header.
IP_HEADER: Final = 0xFFF00000

_FOLD_CASE: Final = 0x20202020
# What is left of an octet above the line feed, less this, is not negative.
_ABOVE_LF: Final = 0x0B0B0B0B
_NEGATIVE: Final = 0x80808080
_HASH: Final = 0
_PLACE: Final = 1


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of classic BPF; `on_true`, `on_false` and a JA's `operand` count from the next instruction."""

    code: int
    operand: int = 0
    on_true: int = 0
    on_false: int = 0


class _Program:
    """Instructions with names to jump to; names lie ahead, for classic BPF never jumps back."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, int, str, str]] = []
        self._places: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, code: int, operand: int = 0, on_true: str = "", on_false: str = "") -> None:
        self._rows.append((code, operand, on_true, on_false))

    def jump(self, name: str) -> None:
        self._rows.append((JA, 0, name, ""))

    def name(self, name: str) -> None:
        self._places[name] = len(self._rows)

    def append(self, other: _Program) -> None:
        self._places.update({name: place + len(self) for name, place in other._places.items()})
        self._rows += other._rows

    def instructions(self) -> list[Instruction]:
        """Raises KeyError for a label that is not defined, ValueError for a jump too far."""
        return [self._instruction(index, *row) for index, row in enumerate(self._rows)]

    def _instruction(self, index: int, code: int, operand: int, on_true: str, on_false: str) -> Instruction:
        if code == JA:
            return Instruction(JA, self._places[on_true] - index - 1)
        distances = [self._places[name] - index - 1 if name else 0 for name in (on_true, on_false)]
        if not all(0 <= distance <= 255 for distance in distances):
            raise ValueError(f"jump of {distances} instructions")
        return Instruction(code, operand, *distances)


def call_id_program(table: SlotTable, seed: int, sockets: Sequence[int]) -> list[Instruction]:
    """The program for a group whose socket number i belongs to worker `sockets[i]`; at most 4096 instructions.

    Slots of workers that have no socket in the group go the way of the unknown: to one by the sender.
    """
    ending = _Program()
    _add_value_start(ending)
    _add_hash(ending, seed)
    _add_choice(ending, table, sockets)
    owners = {worker_of(owner) for owner in table.owners}
    _add_any(ending, [index for index, worker in enumerate(sockets) if worker in owners])
    program = _Program()
    segment, segment_len = 0, _segment_len()
    while len(program) + segment_len + 1 + len(ending) <= INSTRUCTIONS_MAX:
        _add_segment(program, segment)
        segment += 1
    program.name(f"segment {segment}")
    program.jump("any")
    program.append(ending)
    return program.instructions()


def attach(group: socket.socket, program: Sequence[Instruction]) -> None:
    """Give the program to the SO_REUSEPORT group `group` is in, in place of the one before. Raises OSError."""
    octets = b"".join(struct.pack("HBBI", i.code, i.on_true, i.on_false, i.operand) for i in program)
    held = ctypes.create_string_buffer(octets, len(octets))
    group.setsockopt(
        socket.SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, struct.pack("HxxxxxxP", len(program), ctypes.addressof(held))
    )


def detach(group: socket.socket) -> None:
    """Back to the kernel's own hash. Raises OSError when there was no program."""
    group.setsockopt(socket.SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, 0)


def _folded(word: bytes) -> int:
    return int.from_bytes(word, "big") | _FOLD_CASE


def _segment_len() -> int:
    probe = _Program()
    _add_segment(probe, 0)
    return len(probe)


def _add_segment(program: _Program, segment: int) -> None:
    """Search SEGMENT_OCTETS octets. Found: X is the place of the LF before the name, at "long name" or "colon"."""
    here, following = f"segment {segment}", f"segment {segment + 1}"
    first = FIRST_OCTET + SEGMENT_OCTETS * segment
    program.name(here)
    for place in range(first, first + SEGMENT_OCTETS, PAIR_OCTETS):
        if (place - first) % CHECKED_OCTETS == 0:
            # A load beyond the end would end the program with socket 0, so none is made where the payload has ended.
            program.add(LD_LENGTH)
            program.add(JGE, place + CHECKED_OCTETS + LOOK_OCTETS, on_false=f"{here} end")
        _add_pair(program, here, place)
    program.jump(following)
    program.name(f"{here} end")
    program.jump("any")
    program.name(f"{here} long")
    program.add(LD_WORD_AT_X, 0)
    program.add(OR, _FOLD_CASE)
    program.add(JEQ, _folded(b"\ncal"), on_false=f"{here} other")
    program.jump("long name")
    program.name(f"{here} short")
    program.add(LD_BYTE_AT_X, 0)
    program.add(JEQ, ord("\n"), on_false=f"{here} other")
    program.jump("short name")
    program.name(f"{here} other")
    program.jump(following)


def _add_pair(program: _Program, here: str, place: int) -> None:
    """Two words. "long" and "short" are reached with X at an octet, taken for a LF, that the name seems to follow."""
    look, after = f"{here} look at {place}", f"{here} after {place}"
    for word in (place, place + 4):
        program.add(LDX_CONSTANT, word)
        program.add(LD_WORD, word)
        program.add(SUB, _ABOVE_LF)
        program.add(JSET, _NEGATIVE, on_true=look, on_false="" if word == place else after)
    program.name(look)
    # Which of the four octets it is: the first one that is below.
    for octet in range(3):
        program.add(JSET, 0x80 << 8 * (3 - octet), on_true=f"{look} octet {octet}")
    for octet in (2, 1, 0):
        _add_to_x(program, 1)
        program.name(f"{look} octet {octet}")
    program.add(LD_WORD_AT_X, 4)
    program.add(OR, _FOLD_CASE)
    program.add(JEQ, _folded(b"l-id"), on_true=f"{here} long")
    program.add(LD_HALF_AT_X, 1)
    program.add(OR, _FOLD_CASE & 0xFFFF)
    program.add(JEQ, _folded(b"i:") & 0xFFFF, on_true=f"{here} short")
    program.name(after)


def _add_value_start(program: _Program) -> None:
    """Make X + 9 the place where the value starts. RFC 3261 25.1: HCOLON = *( SP / HTAB ) ":" SWS, which may fold."""
    program.name("short name")
    # As if the long name ended where `i` does.
    program.add(TXA)
    program.add(SUB, len("Call-ID") - len("i"))
    program.add(TAX)
    program.jump("colon")
    program.name("long name")
    for _ in range(BLANKS_BEFORE_COLON_MAX):
        program.add(LD_BYTE_AT_X, 8)
        program.add(JEQ, ord(":"), on_true="colon")
        program.add(JGT, ord(" "), on_true="odd")
        _add_to_x(program, 1)
    program.add(LD_BYTE_AT_X, 8)
    program.add(JEQ, ord(":"), on_false="odd")
    program.name("colon")
    for _ in range(BLANKS_AFTER_COLON_MAX):
        program.add(LD_BYTE_AT_X, 9)
        program.add(JGT, ord(" "), on_true="value")
        _add_to_x(program, 1)
    program.add(LD_BYTE_AT_X, 9)
    program.add(JGT, ord(" "), on_true="value")
    program.name("odd")
    program.jump("any")


def _add_to_x(program: _Program, amount: int) -> None:
    program.add(TXA)
    program.add(ADD, amount)
    program.add(TAX)


def _add_hash(program: _Program, seed: int) -> None:
    """A = the hash of the value; the same arithmetic as `slots.slot_of`."""
    program.name("value")
    program.add(STX, _PLACE)
    program.add(LD_CONSTANT, FNV_OFFSET ^ seed)
    program.add(ST, _HASH)
    for octet in range(HASHED_OCTETS_MAX):
        program.add(LDX_MEMORY, _PLACE)
        program.add(LD_BYTE_AT_X, 9 + octet)
        program.add(JGT, ord(" "), on_false="hashed")
        program.add(LDX_MEMORY, _HASH)
        program.add(XOR_X)
        program.add(MUL, FNV_PRIME)
        program.add(ST, _HASH)
    program.name("hashed")
    program.add(LD_MEMORY, _HASH)


def _add_choice(program: _Program, table: SlotTable, sockets: Sequence[int]) -> None:
    """From the hash to the slot, to its run, to the socket of the owner."""
    program.add(RSH, 8)
    program.add(AND, 255)
    for first, _, owner in reversed(table.runs()):
        if first > 0:
            program.add(JGE, first, on_false=f"below {first}")
        if worker_of(owner) in sockets:
            program.add(RET, sockets.index(worker_of(owner)))
        else:
            program.jump("any")
        program.name(f"below {first}")


def _add_any(program: _Program, indexes: Sequence[int]) -> None:
    """One of these sockets, by the address and port of the sender: what it sends keeps its order."""
    program.name("any")
    if not indexes:
        program.add(RET, NO_SOCKET)
        return
    _add_sender_hash(program)
    program.add(MOD, len(indexes))
    for number, index in enumerate(indexes[:-1]):
        program.add(JEQ, number, on_false=f"not {number}")
        program.add(RET, index)
        program.name(f"not {number}")
    program.add(RET, indexes[-1])


def _add_sender_hash(program: _Program) -> None:
    """A = a hash of the source address and port in the IP and UDP headers (RFC 791, RFC 8200, RFC 768)."""
    program.add(LD_BYTE, IP_HEADER)
    program.add(RSH, 4)
    program.add(JEQ, 6, on_false="ipv4")
    # One word of the address is of the network, one of the host; the port follows a header without extensions.
    program.add(LD_WORD, IP_HEADER + 12)
    program.add(TAX)
    program.add(LD_WORD, IP_HEADER + 20)
    program.add(XOR_X)
    program.add(TAX)
    program.add(LD_HALF, IP_HEADER + 40)
    program.jump("sender")
    program.name("ipv4")
    program.add(LDX_HEADER_LEN, IP_HEADER)
    program.add(LD_HALF_AT_X, IP_HEADER)
    program.add(TAX)
    program.add(LD_WORD, IP_HEADER + 12)
    program.name("sender")
    program.add(XOR_X)
    program.add(MUL, FNV_PRIME)
    program.add(RSH, 16)
