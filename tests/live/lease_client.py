"""The client in the tests of the leases: sends to each virtual address every 2 ms, notes the answers, and captures
every frame from a virtual address, ARP and IP, with its hardware address. Ends with standard input.

    python lease_client.py RESULT PORT [--sip] ADDRESS...

With --sip each datagram is an OPTIONS request, and any response is an answer.

The result: for each address the gaps between answers (begin and length, seconds), who answered when it changed, and
`overlaps`: pairs of hardware addresses of which one spoke for the address after the other one had taken it.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import struct
import sys
import time
from ipaddress import ip_address

EVERY_S = 0.002
SIP_EVERY_S = 0.005
ASK_EVERY_S = 0.01
GAP_LEAST_S = 0.003
# It goes on for so long after its input has ended, to see what became of the addresses.
LAST_S = 0.3
ETH_ALL = 3
BROADCAST = b"\xff" * 6


class Seen:
    """What was seen of one address."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.packed = ip_address(text).packed
        self.answered_at = 0.0
        self.answers = 0
        self.gaps: list[tuple[float, float]] = []
        self.answering: list[tuple[float, str]] = []
        self.speakers: list[tuple[float, str]] = []

    def answer(self, octets: bytes, now: float) -> None:
        """An answer arrived."""
        if self.answered_at and now - self.answered_at > GAP_LEAST_S:
            self.gaps.append((self.answered_at, now - self.answered_at))
        self.answered_at = now
        self.answers += 1
        node = "sip" if octets.startswith(b"SIP/2.0") else octets[8:].decode()
        if not self.answering or self.answering[-1][1] != node:
            self.answering.append((now, node))

    def speaker(self, hardware: str, now: float) -> None:
        """A frame from the address arrived."""
        if not self.speakers or self.speakers[-1][1] != hardware:
            self.speakers.append((now, hardware))

    def report(self, now: float) -> dict[str, object]:
        """For the test. The last gap may still last."""
        gaps = [*self.gaps]
        if now - self.answered_at > 0.1:
            gaps.append((self.answered_at, now - self.answered_at))
        return {"gaps": gaps, "answers": self.answers, "answering": self.answering, "speakers": self.speakers}


def speaks_for(frame: bytes) -> bytes:
    """The address that a frame comes from: of an IP packet, of an ARP message, or the target of an advertisement."""
    kind = frame[12:14]
    if kind == b"\x08\x00":
        return frame[26:30]
    if kind == b"\x08\x06":
        return frame[28:32]
    if kind == b"\x86\xdd":
        is_advertisement = frame[20] == 58 and len(frame) >= 78 and frame[54] == 136
        return frame[62:78] if is_advertisement else frame[22:38]
    return b""


def who_has(hardware: bytes, own: bytes, target: bytes) -> bytes:
    """An ARP request by broadcast: every machine that thinks it has the address answers."""
    packet = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, hardware, own, b"\0" * 6, target)
    return BROADCAST + hardware + b"\x08\x06" + packet


def read_all(capture: socket.socket, seen: dict[bytes, Seen], own: bytes) -> None:
    """Note the frames that have come."""
    while True:
        try:
            frame = capture.recv(2048)
        except BlockingIOError:
            return
        found = seen.get(speaks_for(frame))
        if found is not None and frame[6:12] != own:
            found.speaker(frame[6:12].hex(":"), time.monotonic())


def echo_request(count: int, address: str, local: tuple[str, int]) -> bytes:
    """For lease_echo.py."""
    return struct.pack("!Q", count)


def options_request(count: int, address: str, local: tuple[str, int]) -> bytes:
    """RFC 3261 11: an OPTIONS request to the server itself, a new one each time."""
    host, sent_by = (f"[{text}]" if ":" in text else text for text in (address, local[0]))
    unique = f"{os.getpid()}-{count}-{local[1]}"
    return (
        f"OPTIONS sip:{host} SIP/2.0\r\nVia: SIP/2.0/UDP {sent_by}:{local[1]};branch=z9hG4bK{unique};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:probe@{sent_by}>;tag=1\r\nTo: <sip:{host}>\r\nCall-ID: {unique}\r\n"
        "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def main(result: str, port: int, addresses: list[str]) -> None:
    """Send, note, capture, until standard input ends."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(5))
    is_sip = "--sip" in addresses
    request, every_s = (options_request, SIP_EVERY_S) if is_sip else (echo_request, EVERY_S)
    addresses = [text for text in addresses if text != "--sip"]
    seen = {ip_address(text).packed: Seen(text) for text in addresses}
    capture = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_ALL))
    capture.bind(("eth0", ETH_ALL))
    capture.setblocking(False)
    capture.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    own = capture.getsockname()[4]
    sockets = {}
    for text in addresses:
        each = socket.socket(socket.AF_INET6 if ":" in text else socket.AF_INET, socket.SOCK_DGRAM)
        each.setblocking(False)
        each.connect((text, port))
        sockets[each] = (text, seen[ip_address(text).packed])
    send_at = ask_at = time.monotonic()
    end_at = float("inf")
    is_ready = False
    count = 0
    while time.monotonic() < end_at:
        wait_s = max(send_at - time.monotonic(), 0.0)
        waiting = [*sockets, capture] if end_at < float("inf") else [*sockets, capture, sys.stdin]
        ready, _, _ = select.select(waiting, [], [], wait_s)
        if not is_ready and all(found.answers for found in seen.values()):
            is_ready = True
            sys.stdout.write("ready\n")
            sys.stdout.flush()
        if sys.stdin in ready:
            end_at = time.monotonic() + LAST_S
            ready.remove(sys.stdin)
        for each in ready:
            if each is capture:
                read_all(capture, seen, own)
            else:
                with contextlib.suppress(OSError):
                    sockets[each][1].answer(each.recv(2048), time.monotonic())
        now = time.monotonic()
        if now >= send_at:
            send_at = now + every_s
            count += 1
            for each, (text, _) in sockets.items():
                with contextlib.suppress(OSError):
                    each.send(request(count, text, each.getsockname()[:2]))
        if now >= ask_at:
            ask_at = now + ASK_EVERY_S
            for packed in seen:
                if len(packed) == 4:
                    with contextlib.suppress(OSError):
                        capture.send(who_has(own, bytes([10, 77, 0, 100]), packed))
    now = time.monotonic()
    with open(result, "w", encoding="utf-8") as file:
        json.dump({found.text: found.report(now) for found in seen.values()}, file)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
