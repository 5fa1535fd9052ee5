"""A DNS server of the tests' own: a zone that is a dictionary, at port 53 of an address of loopback."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Thread

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

# `NAME. TYPE` to its records.
Zone = Mapping[str, Sequence[str]]

PORT = 53
QUERY_LEN_MAX = 4096


class NameServer:
    """Answers from its zone: no other name exists. `asked` counts queries by `NAME. TYPE`."""

    def __init__(self, address: str, zone: Zone, ttl_s: int = 300) -> None:
        """Raises OSError where the port may not be used."""
        self.asked: Counter[str] = Counter()
        self._zone = zone
        self._ttl_s = ttl_s
        self._address = address
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((address, PORT))
        except OSError:
            self._socket.close()
            raise
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def resolv_conf(self, folder: Path) -> Path:
        """A resolv.conf(5) that names this server."""
        path = folder / "resolv.conf"
        path.write_text(f"nameserver {self._address}\n")
        return path

    def stop(self) -> None:
        """Answer nothing any more; queries are refused by the kernel."""
        if self._thread.is_alive():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", (self._address, PORT))
            self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, peer = self._socket.recvfrom(QUERY_LEN_MAX)
            if not data:
                return
            self._socket.sendto(self._answer(dns.message.from_wire(data)).to_wire(), peer)

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        question = query.question[0]
        name, record_type = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked[f"{name} {record_type}"] += 1
        records = self._zone.get(f"{name} {record_type}")
        if records:
            answer.answer.append(dns.rrset.from_text(name, self._ttl_s, "IN", record_type, *records))
        elif not any(known.startswith(f"{name} ") for known in self._zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer
