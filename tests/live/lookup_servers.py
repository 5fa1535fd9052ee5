"""Servers that lookups ask, of our own: a directory by LDAP (slapd), and by HTTP and whois++ in threads.

The latter answer as a test says, by what it puts in their place: any octets, as slowly as it likes.
"""

from __future__ import annotations

import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.live.processes import LOOPBACK, Processes, find_program, free_port

SLAPD_CONF = """include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "dc=example"
rootdn "cn=proxy,dc=example"
rootpw secret
directory {folder}/data
"""
ENTRIES = """dn: dc=example
objectClass: dcObject
objectClass: organization
dc: example
o: example

dn: uid=alice,dc=example
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: Alice
telephoneNumber: +4930123456
labeledURI: sip:alice@192.0.2.9
labeledURI: sip:desk@192.0.2.9

dn: uid=carol,dc=example
objectClass: inetOrgPerson
uid: carol
cn: Carol
sn: Carol
telephoneNumber: +4930123457
labeledURI: sip:carol@192.0.2.9
"""


def start_directory(processes: Processes) -> tuple[int, subprocess.Popen[bytes]]:
    """A slapd with alice and carol in it: its port, and its process."""
    slapd, slapadd = find_program("slapd", "slapd"), find_program("slapadd", "slapd")
    folder = processes.folder / "slapd"
    (folder / "data").mkdir(parents=True)
    conf, entries = folder / "slapd.conf", folder / "entries.ldif"
    conf.write_text(SLAPD_CONF.format(folder=folder))
    entries.write_text(ENTRIES)
    subprocess.run([slapadd, "-f", str(conf), "-l", str(entries)], check=True, capture_output=True, timeout=60)
    port = free_port()
    process = subprocess.Popen(
        [slapd, "-f", str(conf), "-h", f"ldap://{LOOPBACK}:{port}", "-d", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return port, process


Answer = Callable[[bytes], Iterator[bytes]]


class OctetServer(socketserver.ThreadingTCPServer):
    """Reads one request, up to an empty line or as one line, and sends what `answer` makes of it."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, answer: Answer, is_http: bool) -> None:
        super().__init__((LOOPBACK, 0), _Conversation)
        self.answer = answer
        self.is_http = is_http
        self.requests: list[bytes] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


class _Conversation(socketserver.StreamRequestHandler):
    server: OctetServer

    def handle(self) -> None:
        lines = [self.rfile.readline()]
        while self.server.is_http and lines[-1] not in (b"\r\n", b""):
            lines.append(self.rfile.readline())
        request = b"".join(lines)
        self.server.requests.append(request)
        try:
            for part in self.server.answer(request):
                self.wfile.write(part)
                self.wfile.flush()
        except OSError:
            # The client has given up.
            return


@contextmanager
def serving(answer: Answer, is_http: bool = True) -> Iterator[OctetServer]:
    """A server in threads of this process."""
    with OctetServer(answer, is_http) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


# RFC 4511 4.2.2: the bind is done, or refused; 4.5.2: an entry. Each without the head of its message.
BOUND = bytes.fromhex("61070a010004000400")
NOT_BOUND = bytes.fromhex("61070a013104000400")
ENTRY = bytes.fromhex("641e040a") + b"dc=example" + bytes.fromhex("3010300e040a") + b"labeledURI1\0"
# RFC 4511 5.1: a message that is said to be of 2 GB.
HUGE = bytes.fromhex("30847fffffff") + bytes(1 << 16)


@contextmanager
def flooding(*parts: bytes) -> Iterator[int]:
    """A directory that answers each request by the next part, and goes on with the last one without end; its port."""

    class Flood(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):  # the client has given up
                for part in parts[:-1]:
                    self.request.sendall(_to(self.request.recv(65536), part))
                request = self.request.recv(65536)
                while request and parts[-1]:
                    self.request.sendall(_to(request, parts[-1]))

    with socketserver.ThreadingTCPServer((LOOPBACK, 0), Flood) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


def _to(request: bytes, part: bytes) -> bytes:
    """A short message of LDAP with the message ID of a request (RFC 4511 4.1.1)."""
    message_id = request[2 : 4 + request[3]] if len(request) > 4 else b""
    return part if part is HUGE else bytes((0x30, len(message_id) + len(part))) + message_id + part


def json_answer(body: bytes, status: bytes = b"200 OK") -> bytes:
    """An answer of HTTP."""
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (status, len(body), body)


def whois_answer(*values: bytes) -> bytes:
    """An answer of whois++ (RFC 1835) with these SIP addresses."""
    records = b"".join(b"# FULL USER EXAMPLE U%d\r\n sip: %b\r\n# END\r\n" % pair for pair in enumerate(values))
    return b"% 220-ready\r\n% 200 Command okay\r\n" + records + b"% 226 Transaction complete\r\n% 203 Bye\r\n"


def secret_in(folder: Path) -> Path:
    """A file with the password of the directory."""
    path = folder / "secret"
    path.write_text("secret\n")
    return path
