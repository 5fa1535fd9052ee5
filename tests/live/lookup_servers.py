"""Servers that lookups ask, of our own: a directory by LDAP (slapd), and by HTTP and whois++ in threads.

The latter answer as a test says, by what it puts in their place: any octets, as slowly as it likes.
"""

from __future__ import annotations

import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
