"""The two ends of a timed call, and a phone that registers: bytes in, bytes out.

A caller that acknowledges and hangs up as soon as it is answered, and a callee that rings and answers at once
(RFC 3261 13, 15, 12.1 for the dialog's route set). Retransmission is left out: on loopback nothing is lost, and what is
lost makes the measurement fail.
"""

from __future__ import annotations

from benchmarks.phones import EXPIRES_S
from benchmarks.processes import LOOPBACK
from benchmarks.servers import DOMAIN

# A response copies these from its request (RFC 3261 8.2.6.2, 12.1.1).
COPIED = (b"via", b"record-route", b"from", b"to", b"call-id", b"cseq")
OFFER = (
    f"v=0\r\no=caller 1 1 IN IP4 {LOOPBACK}\r\ns=-\r\nc=IN IP4 {LOOPBACK}\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)

Fields = list[tuple[bytes, bytes]]


def read_message(datagram: bytes) -> tuple[bytes, Fields]:
    """The first line, and the header fields in order: name in small letters, value."""
    first, *lines = datagram.partition(b"\r\n\r\n")[0].split(b"\r\n")
    pairs = (line.partition(b":") for line in lines)
    return first, [(name.strip().lower(), value.strip()) for name, _, value in pairs]


def value_of(fields: Fields, name: bytes) -> bytes:
    """The value of the first header field of a name; b"" when there is none."""
    return next((value for other, value in fields if other == name), b"")


def transport_parameter(transport: str) -> str:
    """How a URI names a transport, "" for UDP (RFC 7118 5.2: with TLS and without)."""
    return f";transport={transport.replace('wss', 'ws')}" if transport else ""


class Callee:
    """Rings and answers at once; agrees to everything else."""

    def __init__(self, port: int, transport: str = "") -> None:
        self._contact = f"Contact: <sip:callee@{LOOPBACK}:{port}{transport_parameter(transport)}>\r\n".encode()

    def receive(self, datagram: bytes) -> tuple[bytes, list[bytes]]:
        """The Call-ID of a request, and the responses to it in order."""
        first, fields = read_message(datagram)
        method = first.partition(b" ")[0]
        call_id = value_of(fields, b"call-id")
        if method == b"ACK":
            return call_id, []
        copied = b"".join(
            name + b": " + _tagged(name, value) + b"\r\n" for name, value in fields if name in COPIED
        )
        statuses = (b"180 Ringing", b"200 OK") if method == b"INVITE" else (b"200 OK",)
        rest = copied + self._contact + b"Content-Length: 0\r\n\r\n"
        return call_id, [b"SIP/2.0 " + status + b"\r\n" + rest for status in statuses]


def _tagged(name: bytes, value: bytes) -> bytes:
    return value + b";tag=callee" if name == b"to" and b";tag=" not in value else value


class Caller:
    """Calls user after user, one call each time it is asked for a request; or `callee` alone."""

    def __init__(self, port: int, users: int, run: str, transport: str = "", callee: str = "") -> None:
        self._port = port
        self._transport = transport
        self._callee = callee
        self._users = users
        self._run = run

    def request(self, number: int) -> tuple[bytes, bytes]:
        """The Call-ID and the INVITE of call `number`."""
        call_id = f"{number}-{self._run}@caller.test"
        callee = f"sip:{self._callee or f'u{number % self._users}'}@{DOMAIN}"
        head = self._head("INVITE", callee, f"i{number}", call_id, f"<{callee}>", 1)
        body = f"Content-Type: application/sdp\r\nContent-Length: {len(OFFER)}\r\n\r\n{OFFER}"
        return call_id.encode(), (head + body).encode()

    def receive(self, datagram: bytes) -> tuple[bytes, int, bool, list[bytes]]:
        """Of a response: Call-ID, status, whether the call is over, and what to send."""
        first, fields = read_message(datagram)
        status = int(first.split(b" ", 2)[1])
        is_bye = value_of(fields, b"cseq").endswith(b"BYE")
        requests = self._end_call(fields) if status == 200 and not is_bye else []
        return value_of(fields, b"call-id"), status, status >= 200 and not requests, requests

    def _end_call(self, fields: Fields) -> list[bytes]:
        """ACK and BYE, by the route that the 200 has recorded (RFC 3261 12.1.2)."""
        call_id, to = value_of(fields, b"call-id").decode(), value_of(fields, b"to").decode()
        target = value_of(fields, b"contact").decode().partition("<")[2].partition(">")[0]
        number = call_id.partition("-")[0]
        routes = [value.decode() for name, value in fields if name == b"record-route"]
        route = "".join(f"Route: {value}\r\n" for value in reversed(routes)) + "Content-Length: 0\r\n\r\n"
        return [
            (self._head(method, target, f"{method[0].lower()}{number}", call_id, to, cseq) + route).encode()
            for method, cseq in (("ACK", 1), ("BYE", 2))
        ]

    def _head(self, method: str, target: str, branch: str, call_id: str, to: str, cseq: int) -> str:
        token = self._transport.upper() or "UDP"
        return (
            f"{method} {target} SIP/2.0\r\n"
            f"Via: SIP/2.0/{token} {LOOPBACK}:{self._port};branch=z9hG4bK{branch}{self._run}\r\nMax-Forwards: 70\r\n"
            f"From: <sip:caller@{DOMAIN}>;tag=c{call_id.partition('@')[0]}\r\nTo: {to}\r\nCall-ID: {call_id}\r\n"
            f"CSeq: {cseq} {method}\r\n"
            f"Contact: <sip:caller@{LOOPBACK}:{self._port}{transport_parameter(self._transport)}>\r\n"
            "User-Agent: benchmark phone\r\n"
        )


class Phone:
    """Registers user after user at one contact port."""

    def __init__(self, port: int, users: int, run: str, contact_port: int) -> None:
        self._port = port
        self._users = users
        self._run = run
        self._contact_port = contact_port

    def request(self, number: int) -> tuple[bytes, bytes]:
        """The Call-ID and the REGISTER of turn `number`."""
        call_id, name = f"{number}-{self._run}@phone.test", f"u{number % self._users}"
        aor = f"sip:{name}@{DOMAIN}"
        message = (
            f"REGISTER sip:{DOMAIN} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {LOOPBACK}:{self._port};branch=z9hG4bKr{number}{self._run}\r\nMax-Forwards: 70\r\n"
            f"From: <{aor}>;tag=r{number}\r\nTo: <{aor}>\r\nCall-ID: {call_id}\r\nCSeq: 1 REGISTER\r\n"
            f"Contact: <sip:{name}@{LOOPBACK}:{self._contact_port};transport=UDP>\r\nExpires: {EXPIRES_S}\r\n"
            "User-Agent: benchmark phone\r\nContent-Length: 0\r\n\r\n"
        )
        return call_id.encode(), message.encode()

    def receive(self, datagram: bytes) -> tuple[bytes, int, bool, list[bytes]]:
        """Of a response: Call-ID, status, whether that is all, and what to send."""
        first, fields = read_message(datagram)
        status = int(first.split(b" ", 2)[1])
        return value_of(fields, b"call-id"), status, status >= 200, []
