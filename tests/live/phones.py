"""Phones made by hand, where a test has to say which connection and which Call-ID; and thousands of them at once."""

from __future__ import annotations

import secrets
import select
import socket
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress

from demo.message import Message, read_message, response_to
from tests.live.processes import LOOPBACK
from tests.live.sipp import Proxy

ANSWER_S = 60.0
RESEND_S = 0.5
WINDOW = 200
RECEIVE_BUFFER_LEN = 1 << 22


class Phone:
    """One user agent at one socket. It sends what it is told to, once, and answers nothing by itself."""

    def __init__(self, proxy: Proxy, user: str, transport: str = "udp") -> None:
        self.proxy = proxy
        self.user = user
        self.transport = transport
        self.tag = secrets.token_hex(4)
        self._buffer = b""
        self._cseq = 0
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.bind((LOOPBACK, 0))
        self.socket.connect((proxy.address, proxy.port))
        self.port: int = self.socket.getsockname()[1]

    def __enter__(self) -> Phone:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    @property
    def contact(self) -> str:
        return f"sip:{self.user}@{LOOPBACK}:{self.port};transport={self.transport}"

    @property
    def aor(self) -> str:
        return f"sip:{self.user}@{self.proxy.domain}"

    # -- the wire --------------------------------------------------------------------------------------

    def send(self, message: Message) -> None:
        self.socket.sendall(message.to_bytes())

    def receive(self, timeout_s: float = ANSWER_S) -> Message:
        """The next message. Raises TimeoutError, and ConnectionError when the peer has closed."""
        self.socket.settimeout(timeout_s)
        if self.transport == "udp":
            return read_message(self.socket.recv(65536))
        while (length := self._message_len()) is None:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("closed by the peer")
            self._buffer += data
        data, self._buffer = self._buffer[:length], self._buffer[length:]
        return read_message(data)

    def _message_len(self) -> int | None:
        head, found, _ = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        body_len = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        length = len(head) + 4 + body_len
        return length if len(self._buffer) >= length else None

    def expect(self, what: str | int, timeout_s: float = ANSWER_S) -> Message:
        """The next request of this method, or the next response of this status; others are passed over."""
        ends_at = time.monotonic() + timeout_s
        passed = []
        while (left := ends_at - time.monotonic()) > 0:
            try:
                message = self.receive(left)
            except TimeoutError:
                break
            if what == (message.method if message.is_request else message.status):
                return message
            passed.append(message.start)
        raise AssertionError(f"{self.user} waited for {what} and got {passed}")

    # -- what a user does ------------------------------------------------------------------------------

    def register(self, expires_s: int = 600, contact: str = "") -> Message:
        """Register, and return the 200."""
        self._cseq += 1
        request = self.request("REGISTER", f"sip:{self.proxy.domain}", self.aor, f"r{self.tag}", self._cseq)
        request.headers.append(("Contact", f"<{contact or self.contact}>"))
        request.headers.append(("Expires", str(expires_s)))
        self.send(request)
        return self.expect(200)

    def request(self, method: str, uri: str, to: str, call_id: str = "", cseq: int = 1, body: str = "") -> Message:
        """A request of this phone, outside of dialogs."""
        request = Message(f"{method} {uri} SIP/2.0", body=body)
        via = f"SIP/2.0/{self.transport.upper()} {LOOPBACK}:{self.port};branch=z9hG4bK{secrets.token_hex(6)}"
        request.headers += [
            ("Via", via),
            ("Max-Forwards", "70"),
            ("From", f"<{self.aor}>;tag={self.tag}"),
            ("To", f"<{to}>"),
            ("Call-ID", call_id or secrets.token_hex(8)),
            ("CSeq", f"{cseq} {method}"),
        ]
        return request

    def invite(self, user: str, call_id: str = "", body: str = "") -> Message:
        """Send an INVITE to a user of the domain, and return it."""
        to = f"sip:{user}@{self.proxy.domain}"
        invite = self.request("INVITE", to, to, call_id, body=body)
        invite.headers.append(("Contact", f"<{self.contact}>"))
        self.send(invite)
        return invite

    def answer(self, request: Message, status: int = 200, reason: str = "OK") -> None:
        """Answer a request."""
        self.send(response_to(request, status, reason, self.tag, f"<{self.contact}>"))

    def in_dialog(self, method: str, answered: Message, cseq: int) -> Message:
        """Send a request of the dialog that this 200 to our INVITE has made (RFC 3261 12.2.1.1)."""
        uri = answered.get("Contact").partition("<")[2].partition(">")[0]
        request = self.request(method, uri, "", answered.get("Call-ID"), cseq)
        request.headers = [(name, answered.get("To") if name == "To" else value) for name, value in request.headers]
        request.headers += [("Route", route) for route in reversed(answered.all("Record-Route"))]
        self.send(request)
        return request


def talk(caller: Phone, callee: Phone, call_id: str = "", body: str = "") -> Message:
    """A call from the INVITE to the ACK; returns the 200."""
    caller.invite(callee.user, call_id, body)
    callee.answer(callee.expect("INVITE"))
    answered = caller.expect(200)
    caller.in_dialog("ACK", answered, 1)
    callee.expect("ACK")
    return answered


def hang_up(caller: Phone, callee: Phone, answered: Message) -> None:
    """The caller ends the call."""
    caller.in_dialog("BYE", answered, 2)
    callee.answer(callee.expect("BYE"))
    caller.expect(200)


def register_many(proxy: Proxy, users: Iterable[str], contact: str, timeout_s: float) -> Counter[int]:
    """REGISTER for each user, some hundred at a time, sent again until answered; how often each status came.

    What is not answered in time counts as status 0.
    """
    return _Registrations(proxy, contact).run(users, timeout_s)


def fetch_many(proxy: Proxy, users: Iterable[str], contact: str, timeout_s: float) -> Counter[int]:
    """The same without a Contact (RFC 3261 10.2.3); 200 counts when the answer names this contact, else it is 404."""
    return _Registrations(proxy, contact, is_fetching=True).run(users, timeout_s)


class _Registrations:
    def __init__(self, proxy: Proxy, contact: str, is_fetching: bool = False) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_LEN)
        self._socket.bind((LOOPBACK, 0))
        self._socket.connect((proxy.address, proxy.port))
        self._socket.setblocking(False)
        self._domain = proxy.domain
        self._contact = contact.encode()
        self._is_fetching = is_fetching
        self._run = secrets.token_hex(4)
        # By Call-ID: what was sent, and when it is sent again. Oldest first.
        self._open: dict[bytes, tuple[bytes, float]] = {}
        self._statuses: Counter[int] = Counter()

    def run(self, users: Iterable[str], timeout_s: float) -> Counter[int]:
        ends_at = time.monotonic() + timeout_s
        waiting = iter(enumerate(users))
        more = True
        with self._socket:
            while (more or self._open) and time.monotonic() < ends_at:
                while more and len(self._open) < WINDOW:
                    number, user = next(waiting, (0, ""))
                    more = bool(user)
                    if more:
                        self._begin(number, user)
                self._receive()
                self._send_again()
        self._statuses[0] = len(self._open)
        return +self._statuses

    def _begin(self, number: int, user: str) -> None:
        call_id = f"{number}-{self._run}"
        address = f"sip:{user}@{self._domain}"
        contact = "" if self._is_fetching else f"Contact: <{self._contact.decode()}>\r\nExpires: 3600\r\n"
        data = (
            f"REGISTER sip:{self._domain} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {LOOPBACK};rport;branch=z9hG4bK{call_id}\r\nMax-Forwards: 70\r\n"
            f"From: <{address}>;tag=1\r\nTo: <{address}>\r\nCall-ID: {call_id}\r\nCSeq: 1 REGISTER\r\n"
            f"{contact}Content-Length: 0\r\n\r\n"
        ).encode()
        self._send(call_id.encode(), data)

    def _send(self, call_id: bytes, data: bytes) -> None:
        self._open[call_id] = data, time.monotonic() + RESEND_S
        with suppress(BlockingIOError, ConnectionRefusedError):
            self._socket.send(data)

    def _receive(self) -> None:
        select.select([self._socket], [], [], 0.05)
        for _ in range(WINDOW):
            try:
                data = self._socket.recv(65536)
            except (BlockingIOError, ConnectionRefusedError):
                return
            status = int(data[8:11])
            call_id = data.partition(b"\r\nCall-ID: ")[2].partition(b"\r\n")[0]
            if status >= 200 and self._open.pop(call_id, None):
                is_missing = self._is_fetching and status == 200 and self._contact not in data
                self._statuses[404 if is_missing else status] += 1

    def _send_again(self) -> None:
        now = time.monotonic()
        for call_id, (data, due) in list(self._open.items()):
            if due > now:
                return
            del self._open[call_id]
            self._send(call_id, data)
