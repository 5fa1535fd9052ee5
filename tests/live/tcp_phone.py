"""A phone that can be reached by one connection only: it registers over TCP, answers a call there, and is called off.

Run as a program in a namespace: HOST PORT DOMAIN. It prints a line for each request that it gets, and for the answers.
"""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator

_LENGTH = re.compile(rb"\r\nContent-Length[ \t]*:[ \t]*(\d+)", re.IGNORECASE)


def messages(connection: socket.socket) -> Iterator[str]:
    """Each message that comes, as text; ends with the connection (RFC 3261 18.3)."""
    waiting = b""
    while octets := connection.recv(65536):
        waiting += octets
        while (end := waiting.find(b"\r\n\r\n")) >= 0:
            found = _LENGTH.search(waiting[:end])
            size = end + 4 + (int(found[1]) if found else 0)
            if len(waiting) < size:
                break
            yield waiting[:size].decode()
            waiting = waiting[size:]


def register(own: str, domain: str) -> str:
    """The contact is the address and port of the connection, where nobody listens."""
    lines = [
        f"REGISTER sip:{domain} SIP/2.0",
        f"Via: SIP/2.0/TCP {own};branch=z9hG4bKregister",
        "Max-Forwards: 70",
        f"From: <sip:bob@{domain}>;tag=phone",
        f"To: <sip:bob@{domain}>",
        "Call-ID: register",
        "CSeq: 1 REGISTER",
        f"Contact: <sip:bob@{own};transport=tcp>;expires=600",
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""])


def answer(request: str, own: str) -> str:
    """200 OK (RFC 3261 8.2.6)."""
    kept = ("Via", "Record-Route", "From", "Call-ID", "CSeq")
    lines = [line for line in request.split("\r\n\r\n")[0].split("\r\n")[1:] if line.partition(":")[0] in kept]
    (to,) = re.findall(r"\r\n(To: [^\r]*)", request)
    to = to if ";tag=" in to else f"{to};tag=bob"
    lines += [to, f"Contact: <sip:bob@{own};transport=tcp>", "Content-Length: 0"]
    return "\r\n".join(["SIP/2.0 200 OK", *lines, "", ""])


def main() -> None:
    host, port, domain = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with socket.create_connection((host, port), 10) as connection:
        connection.settimeout(None)
        own = "{}:{}".format(*connection.getsockname()[:2])
        connection.sendall(register(own, domain).encode())
        try:
            for message in messages(connection):
                print(message.split("\r\n")[0], flush=True)
                if not message.startswith(("SIP/2.0", "ACK")):
                    connection.sendall(answer(message, own).encode())
        except ConnectionResetError:
            print("reset", flush=True)
            return
    print("closed", flush=True)


if __name__ == "__main__":
    main()
