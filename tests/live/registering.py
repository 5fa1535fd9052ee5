"""Phones that register again and again, and a model of what the registrar has promised to each of them.

Each phone has one contact. Its q is a number of this model, 1 to 999, and changes with each REGISTER; one in eight
removes the contact. An answer of 200 is a promise; a request without one, or with 5xx, may have had its effect or not.
"""

from __future__ import annotations

import re
import secrets
import select
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from tests.live.processes import LOOPBACK

RESEND_S = 0.5
GIVE_UP_S = 32.0
STEPS = 999
REMOVED = 0
_Q = re.compile(rb";q=([01]\.?\d*)", re.IGNORECASE)


@dataclass(slots=True)
class Phone:
    """One phone. `allowed`: the q that its contact may have now, in thousandths; REMOVED for none."""

    user: str
    call_id: str
    allowed: set[int] = field(default_factory=lambda: {REMOVED})
    cseq: int = 0
    wanted: int = REMOVED
    request: bytes = b""
    begun_at: float = 0.0
    due: float = 0.0


class Registering(threading.Thread):
    """Sends `per_s` REGISTERs a second to an address until `end` is called; `statuses` counts the answers.

    Its socket belongs to the network namespace of who makes it.
    """

    def __init__(
        self, port: int, domain: str, phones: int, per_s: int, address: str = LOOPBACK, local: str = LOOPBACK
    ) -> None:
        super().__init__(daemon=True)
        self.statuses: Counter[int] = Counter()
        self.unanswered = 0
        self._domain, self._local = domain, local
        self._per_s = per_s
        run = secrets.token_hex(4)
        self._idle = [Phone(f"phone{number}", f"{number}-{run}") for number in range(phones)]
        self._open: dict[bytes, Phone] = {}
        self._last_cseq: dict[bytes, int] = {}
        self._fetched: dict[bytes, list[int]] = {}
        self._phones = list(self._idle)
        self._is_ending = threading.Event()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        self._socket.bind((local, 0))
        # Not connected: no socket listens while the appliance starts anew.
        self._target = (address, port)
        self._socket.setblocking(False)

    def run(self) -> None:
        begun = time.monotonic()
        sent = 0
        while not self._is_ending.is_set() or self._open:
            now = time.monotonic()
            while not self._is_ending.is_set() and self._idle and sent < (now - begun) * self._per_s:
                self._begin(self._idle.pop(0), now)
                sent += 1
            self._send_again(now)
            self._receive(0.005)

    def end(self) -> None:
        """Begin no more; wait until each request is answered or given up."""
        self._is_ending.set()
        self.join(2 * GIVE_UP_S)
        assert not self.is_alive()

    def broken_promises(self) -> list[str]:
        """Fetch the contacts of each phone (RFC 3261 10.2.3); a sentence for each broken promise. After end()."""
        asked = {phone.call_id.encode(): phone for phone in self._phones}
        self._last_cseq = {key: phone.cseq + 1 for key, phone in asked.items()}
        until = time.monotonic() + GIVE_UP_S
        while (missing := [phone for key, phone in asked.items() if key not in self._fetched]) and (
            time.monotonic() < until
        ):
            for phone in missing[:200]:
                self._send(self._message(phone, ""))
            for _ in range(20):
                self._receive(0.01)
        self._socket.close()
        return [sentence for key, phone in asked.items() if (sentence := self._judged(phone, self._fetched.get(key)))]

    def _judged(self, phone: Phone, found: list[int] | None) -> str:
        if found is None:
            return f"{phone.user}: no answer"
        is_kept = len(found) <= 1 and (found[0] if found else REMOVED) in phone.allowed
        return "" if is_kept else f"{phone.user}: {found}, not one of {sorted(phone.allowed)}"

    def _begin(self, phone: Phone, now: float) -> None:
        phone.cseq += 1
        phone.wanted = REMOVED if phone.cseq % 8 == 0 else phone.cseq % STEPS + 1
        expires = 3600 if phone.wanted else 0
        contact = f"Contact: <sip:{phone.user}@{self._local}:9>;q={phone.wanted / 1000:.3f};expires={expires}\r\n"
        phone.request = self._message(phone, contact)
        phone.begun_at, phone.due = now, now + RESEND_S
        self._open[phone.call_id.encode()] = phone
        self._send(phone.request)

    def _message(self, phone: Phone, contact: str) -> bytes:
        # The last question has a number of its own, above that of all others.
        cseq = phone.cseq + (not contact)
        address = f"sip:{phone.user}@{self._domain}"
        return (
            f"REGISTER sip:{self._domain} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self._local};rport;branch=z9hG4bK{phone.call_id}-{cseq}\r\nMax-Forwards: 70\r\n"
            f"From: <{address}>;tag=1\r\nTo: <{address}>\r\nCall-ID: {phone.call_id}\r\nCSeq: {cseq} REGISTER\r\n"
            f"{contact}Content-Length: 0\r\n\r\n"
        ).encode()

    def _send(self, data: bytes) -> None:
        with suppress(BlockingIOError, ConnectionRefusedError):
            self._socket.sendto(data, self._target)

    def _send_again(self, now: float) -> None:
        for key, phone in list(self._open.items()):
            if phone.due > now:
                continue
            if now - phone.begun_at > GIVE_UP_S:
                self.unanswered += 1
                self._finish(key, phone, False)
            else:
                phone.due = now + RESEND_S
                self._send(phone.request)

    def _receive(self, timeout_s: float) -> None:
        select.select([self._socket], [], [], timeout_s)
        for _ in range(500):
            try:
                data = self._socket.recv(65536)
            except (BlockingIOError, ConnectionRefusedError):
                return
            self._take(data, int(data[8:11]))

    def _take(self, data: bytes, status: int) -> None:
        key = data.partition(b"\r\nCall-ID: ")[2].partition(b"\r\n")[0]
        cseq = int(data.partition(b"\r\nCSeq: ")[2].split(b" ", 1)[0])
        phone = self._open.get(key)
        if status < 200:
            return
        if phone is not None and phone.cseq == cseq:
            self.statuses[status] += 1
            self._finish(key, phone, status == 200)
        elif phone is None and cseq == self._last_cseq.get(key, 0) and status == 200:
            self._fetched.setdefault(key, [round(float(q) * 1000) for q in _Q.findall(data)])

    def _finish(self, key: bytes, phone: Phone, is_promised: bool) -> None:
        phone.allowed = {phone.wanted} if is_promised else phone.allowed | {phone.wanted}
        del self._open[key]
        self._idle.append(phone)
