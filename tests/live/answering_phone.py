"""A phone that can be reached one way only: by its TCP connection, or by UDP behind NAT. It registers, then it answers
a call after it has rung for a while, or makes one.

Run as a program in a namespace:

    tcp HOST PORT DOMAIN RING_S
    udp HOST PORT DOMAIN RING_S OWN_HOST OWN_PORT [TARGET]     calls TARGET, a URI, once it has registered

It prints a line for each message that it gets: the address that it comes from, and the first line.
"""

from __future__ import annotations

import re
import select
import socket
import sys
import time
from collections.abc import Callable, Iterator

# What the phone behind NAT takes for its own address.
INSIDE = "192.168.7.7:5060"
# Until a message without an answer is sent again (RFC 3261 17.1.1.1, T1).
AGAIN_S = 0.5
_LENGTH = re.compile(rb"\r\nContent-Length[ \t]*:[ \t]*(\d+)", re.IGNORECASE)


def written(first: str, *lines: str) -> str:
    return "\r\n".join([first, *lines, "Content-Length: 0", "", ""])


def headers(message: str, *names: str) -> list[str]:
    """The header lines of these names, as they are."""
    lines = message.split("\r\n\r\n")[0].split("\r\n")[1:]
    return [line for line in lines if line.partition(":")[0] in names]


def value(message: str, name: str) -> str:
    return headers(message, name)[0].partition(":")[2].strip()


class Phone:
    """bob, without his socket. `own`: host and port that he writes into Via and Contact."""

    def __init__(self, transport: str, own: str, domain: str, ring_s: float, target: str = "") -> None:
        self.waiting: list[tuple[float, str]] = []
        """What is to be sent, and when; again and again until it is answered."""
        self._via = f"Via: SIP/2.0/{transport.upper()} {own};rport;branch=z9hG4bK"
        self._contact = f"Contact: <sip:bob@{own}{';transport=tcp' if transport == 'tcp' else ''}>"
        self._domain, self._ring_s, self._target = domain, ring_s, target
        self._answered = ""
        self._has_ended = False

    def register(self) -> str:
        """RFC 3581: `rport` has the answer come back through the NAT."""
        return written(
            f"REGISTER sip:{self._domain} SIP/2.0",
            *self._head("register", "REGISTER"),
            f"To: <sip:bob@{self._domain}>",
            f"{self._contact};expires=600",
        )

    def receive(self, message: str, now: float) -> list[str]:
        """What to send at once."""
        first = message.split("\r\n")[0]
        if first.startswith("SIP/2.0 "):
            return self._receive_response(message, int(first.split()[1]), now)
        method = first.split()[0]
        if method == "ACK":
            self.waiting = []
            return []
        if method != "INVITE":
            return [self._answer(message, "200 OK")]
        if not self._answered:
            self._answered = self._answer(message, "200 OK")
            self.waiting = [(now + self._ring_s, self._answered)]
        return [self._answer(message, "180 Ringing")] if self._ring_s else []

    def _receive_response(self, message: str, status: int, now: float) -> list[str]:
        method = value(message, "CSeq").split()[1]
        if method == "REGISTER" and self._target:
            self.waiting = [(now, self._invite())]
        elif method == "BYE" or (method == "INVITE" and not self._has_ended):
            self.waiting = []
        if method != "INVITE" or not 200 <= status < 300:
            return []
        if not self._has_ended:
            self._has_ended = True
            self.waiting = [(now, self._in_dialog("BYE", 2, message))]
        return [self._in_dialog("ACK", 1, message)]

    def _head(self, call: str, method: str, number: int = 1) -> list[str]:
        return [
            f"{self._via}{call}{method}",
            "Max-Forwards: 70",
            f"From: <sip:bob@{self._domain}>;tag=phone",
            f"Call-ID: {call}",
            f"CSeq: {number} {method}",
        ]

    def _invite(self) -> str:
        head = self._head("call", "INVITE")
        return written(f"INVITE {self._target} SIP/2.0", *head, f"To: <{self._target}>", self._contact)

    def _in_dialog(self, method: str, number: int, answer: str) -> str:
        """RFC 3261 12.2.1.1: the Route set is the Record-Route of the answer, from its end."""
        (target,) = re.findall(r"<([^>]+)>", value(answer, "Contact"))
        routes = [line.replace("Record-Route", "Route", 1) for line in reversed(headers(answer, "Record-Route"))]
        return written(
            f"{method} {target} SIP/2.0", *self._head("call", method, number), f"To: {value(answer, 'To')}", *routes
        )

    def _answer(self, request: str, status: str) -> str:
        """RFC 3261 8.2.6."""
        to = headers(request, "To")[0]
        return written(
            f"SIP/2.0 {status}",
            *headers(request, "Via", "Record-Route", "From", "Call-ID", "CSeq"),
            to if ";tag=" in to else f"{to};tag=bob",
            self._contact,
        )


def messages_in(waiting: bytes) -> Iterator[bytes]:
    """The complete messages at the begin of a stream (RFC 3261 18.3)."""
    while (end := waiting.find(b"\r\n\r\n")) >= 0:
        found = _LENGTH.search(waiting[:end])
        size = end + 4 + (int(found[1]) if found else 0)
        if len(waiting) < size:
            return
        yield waiting[:size]
        waiting = waiting[size:]


def received(connection: socket.socket) -> Iterator[tuple[str, bytes]]:
    """(address, message); an empty message when nothing came in time. It ends with the connection."""
    stream = b""
    while True:
        if not select.select([connection], [], [], AGAIN_S / 5)[0]:
            yield "", b""
        elif connection.type == socket.SOCK_DGRAM:
            octets, source = connection.recvfrom(65535)
            yield source[0], octets
        else:
            octets = connection.recv(65536)
            if not octets:
                return
            stream += octets
            for message in messages_in(stream):
                stream = stream[len(message) :]
                yield connection.getpeername()[0], message


def serve(phone: Phone, connection: socket.socket, send: Callable[[bytes], object]) -> None:
    """Until the connection ends."""
    send(phone.register().encode())
    for source, octets in received(connection):
        now = time.monotonic()
        if message := octets.decode():
            print(source, message.split("\r\n")[0], flush=True)
            for each in phone.receive(message, now):
                send(each.encode())
        due = [text for moment, text in phone.waiting if moment <= now]
        phone.waiting = [(now + AGAIN_S, text) if moment <= now else (moment, text) for moment, text in phone.waiting]
        for text in due:
            send(text.encode())


def main() -> None:
    transport, host, port, domain, ring_s, *more = sys.argv[1:]
    if transport == "udp":
        own_host, own_port, *target = more
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.bind((own_host, int(own_port)))
            proxy = host, int(port)
            phone = Phone(transport, INSIDE, domain, float(ring_s), *target)
            serve(phone, datagrams, lambda octets: datagrams.sendto(octets, proxy))
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.settimeout(None)
        own = "{}:{}".format(*connection.getsockname()[:2])
        try:
            serve(Phone(transport, own, domain, float(ring_s)), connection, connection.sendall)
        except ConnectionResetError:
            print("reset", flush=True)
            return
    print("closed", flush=True)


if __name__ == "__main__":
    main()
