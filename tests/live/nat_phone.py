"""A phone behind NAT: it registers by UDP, answers a call there, and writes an address of itself that leads nowhere.

Run as a program in a namespace: HOST PORT OWN_HOST OWN_PORT DOMAIN. It prints a line for each request that it gets, and
for the answers, with the address that it comes from.
"""

from __future__ import annotations

import re
import socket
import sys

# What the phone takes for its own address.
INSIDE = "192.168.7.7:5060"


def register(domain: str) -> str:
    """RFC 3581: `rport` has the answer come back through the NAT."""
    lines = [
        f"REGISTER sip:{domain} SIP/2.0",
        f"Via: SIP/2.0/UDP {INSIDE};rport;branch=z9hG4bKregister",
        "Max-Forwards: 70",
        f"From: <sip:bob@{domain}>;tag=phone",
        f"To: <sip:bob@{domain}>",
        "Call-ID: register",
        "CSeq: 1 REGISTER",
        f"Contact: <sip:bob@{INSIDE}>;expires=600",
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""])


def answer(request: str) -> str:
    """200 OK (RFC 3261 8.2.6)."""
    kept = ("Via", "Record-Route", "From", "Call-ID", "CSeq")
    lines = [line for line in request.split("\r\n\r\n")[0].split("\r\n")[1:] if line.partition(":")[0] in kept]
    (to,) = re.findall(r"\r\n(To: [^\r]*)", request)
    to = to if ";tag=" in to else f"{to};tag=bob"
    lines += [to, f"Contact: <sip:bob@{INSIDE}>", "Content-Length: 0"]
    return "\r\n".join(["SIP/2.0 200 OK", *lines, "", ""])


def main() -> None:
    host, port, own, own_port, domain = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind((own, own_port))
        phone.sendto(register(domain).encode(), (host, port))
        while True:
            octets, source = phone.recvfrom(65535)
            message = octets.decode()
            print(source[0], message.split("\r\n")[0], flush=True)
            if not message.startswith(("SIP/2.0", "ACK")):
                phone.sendto(answer(message).encode(), source)


if __name__ == "__main__":
    main()
