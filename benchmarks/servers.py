"""The servers that are compared: Signalbox, Kamailio with the same job, and the null responder.

Each is started on loopback at a port of its own, bound to the processors of servers, and measured as a whole tree of
processes.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.storage.table_folder import folder_path
from benchmarks.cases import SECURE_TRANSPORTS
from benchmarks.processes import (
    LOOPBACK,
    PRIVATE_PAGES,
    BenchmarkFailed,
    CpuMeter,
    Process,
    Processes,
    allocated_bytes,
    find_program,
    process_tree,
    resident_bytes,
    wait_until,
)
from benchmarks.route_rules import fill_drouting, write_dispatcher_list, write_route_csv

DOMAIN = "bench.test"
PASSWORD = "benchmark-secret"
BINDINGS_MAX = 2_000_000
# What is installed is measured, not the sources that may lie around.
INSTALLED = {"PYTHONPATH": "", "PYTHONSAFEPATH": "1"}
HERE = Path(__file__).parent
ROOT = HERE.parent
WRITE_BACK_S = 1
LOAD_S_MAX = 120.0
ANSWER_S_MAX = 0.5
DATAGRAM_OCTETS = 65535
KAMAILIO_TABLES = Path("/usr/share/kamailio/db_sqlite")


@dataclass(frozen=True, slots=True)
class Job:
    """What a case wants of a server."""

    is_digest: bool = False
    bindings: int = 1000
    callee_port: int = 0
    is_steering: bool = True
    is_secure: bool = False
    rules: int = 0


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for the domain, and its key (P-256); made once in a folder."""
    chain, key = folder / "bench.pem", folder / "bench.key"
    if not chain.exists():
        argv = [find_program("openssl", "openssl"), "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"]
        argv += ["-pkeyopt", "ec_paramgen_curve:P-256", "-subj", f"/CN={DOMAIN}"]
        argv += ["-addext", f"subjectAltName=DNS:{DOMAIN}", "-keyout", str(key), "-out", str(chain)]
        subprocess.run(argv, check=True, timeout=60, capture_output=True)
        key.chmod(0o600)
    return chain, key


class Server:
    """A running server. By TLS it listens at the next port, by WSS at the one after it or at the same."""

    peer = ""

    def __init__(self, processes: Processes, cpus: Collection[int], workers: int, job: Job) -> None:
        self.port = processes.free_port()
        self.workers = workers
        self.job = job
        self._processes = processes
        self._cpus = cpus
        self.process: Process = self._start()

    def _start(self) -> Process:
        raise NotImplementedError

    def port_of(self, transport: str) -> int:
        """Where phones connect by a transport."""
        return self.port + {"tls": 1, "wss": 2}.get(transport, 0)

    def meter(self) -> CpuMeter:
        """Begin to measure its processor time."""
        return CpuMeter(self.process.pid)

    def check(self) -> None:
        """Raises BenchmarkFailed when it does not run any more."""
        if not self.process.is_running:
            raise BenchmarkFailed(f"{self.peer} has ended:\n{self.process.tail()}")

    def memory(self) -> int:
        """Resident bytes of what holds bindings, each page once."""
        raise NotImplementedError

    def end(self) -> None:
        self.process.end()

    def _wait_for_port(self, process: Process) -> None:
        # "07" is an unconnected datagram socket in /proc/net/udp.
        end = f":{self.port:04X}"
        wait_until(
            lambda: not process.is_running
            or any(line.split()[1].endswith(end) for line in Path("/proc/net/udp").read_text().splitlines()[1:]),
            f"{self.peer} has its port open",
        )
        if not process.is_running:
            raise BenchmarkFailed(f"{self.peer} did not start:\n{process.tail()}")


class Signalbox(Server):
    """The compiled appliance: a supervisor and its workers."""

    peer = "signalbox"

    def _start(self) -> Process:
        program = Path(os.environ.get("SIGNALBOX", Path(sys.executable).with_name("signalbox")))
        if not program.exists():
            raise BenchmarkFailed(f"{program} is not there; use the Python it is installed in, or set SIGNALBOX")
        _check_is_compiled(program.with_name("python"))
        config = self._processes.folder / f"signalbox-{self.port}.conf"
        self.state_folder = self._processes.folder / f"state-{self.port}"
        self._program = str(program)
        config.write_text(self._configuration())
        if self.job.is_digest:
            self._import_subscribers(config)
        if self.job.rules:
            self._import_routes()
        self._argv = [self._program, "run", "--config", str(config), "--state", str(self.state_folder)]
        process = self._processes.start("signalbox", self._argv, self._cpus, INSTALLED)
        wait_until(lambda: not process.is_running or self._is_ready(), "all workers of Signalbox are live")
        if not process.is_running:
            raise BenchmarkFailed(f"Signalbox did not start:\n{process.tail()}")
        self.worker_pids = [int(worker["pid"]) for worker in self.status()["workers"]]
        return process

    def start_again(self) -> None:
        """Start it after it has ended, and do not wait for its workers."""
        self.process = self._processes.start("signalbox", self._argv, self._cpus, INSTALLED)

    def _configuration(self) -> str:
        lines = ["hostname bench", f"workers {self.workers}", f"domain {DOMAIN}"]
        # SIPp knows MD5 alone.
        lines += ["digest", f"  realm {DOMAIN}", "  algorithm md5", "!", "limits", f"  bindings {BINDINGS_MAX}", "!"]
        if not self.job.is_steering:
            lines += ["supervision", "  no steering", "!"]
        lines += ["listener bench", f"  address {LOOPBACK}", f"  port {self.port}"]
        lines += ["  no authenticate"] * (not self.job.is_digest)
        lines += ["  role core", f"  peer {LOOPBACK}"] * bool(self.job.rules)
        if self.job.is_secure:
            lines += ["!", *self._secure_listeners()]
        return "\n".join([*lines, "!", ""])

    def _secure_listeners(self) -> list[str]:
        chain, key = self_signed(self._processes.folder)
        lines = ["certificate bench", f"  chain {chain}", f"  key {key}"]
        for transport in SECURE_TRANSPORTS:
            lines += ["!", f"listener {transport}", f"  address {LOOPBACK}", f"  port {self.port_of(transport)}"]
            lines += [f"  transport {transport}", "  certificate bench", "  no authenticate"]
        return lines

    def _import_subscribers(self, config: Path) -> None:
        users = self._processes.folder / "subscribers.csv"
        users.write_text("".join(f"u{n},{DOMAIN},{PASSWORD}\n" for n in range(self.job.bindings)))
        self._command("subscriber", "import", str(users), "--config", str(config))

    def _import_routes(self) -> None:
        rules = self._processes.folder / "routes.csv"
        write_route_csv(rules, self.job.rules, self.job.callee_port)
        self._command("routes", "import", str(rules))

    def _command(self, *words: str) -> str:
        argv = [self._program, *words, "--state", str(self.state_folder)]
        env = {**os.environ, **INSTALLED}
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env=env)
        if done.returncode:
            raise BenchmarkFailed(f"`{' '.join(argv)}`: {done.stderr.strip()}")
        return done.stdout

    def _is_ready(self) -> bool:
        try:
            workers = self.status()["workers"]
        except BenchmarkFailed:
            return False
        return len(workers) == self.workers and all(worker["state"] == "live" for worker in workers)

    def status(self) -> dict[str, Any]:
        """What `signalbox status --json` says."""
        report: dict[str, Any] = json.loads(self._command("status", "--json"))
        return report

    def counters(self) -> dict[str, int]:
        """Every counter, over all workers."""
        counters: dict[str, int] = self.status()["counters"]
        return counters

    def memory(self) -> int:
        # By its files: a process that maps the table anew, for it has grown, has few of its pages.
        table = allocated_bytes(folder_path(self.state_folder))
        return table + sum(resident_bytes(pid, PRIVATE_PAGES) for pid in process_tree(self.process.pid))


class Kamailio(Server):
    """Kamailio of Debian; one UDP child for each worker of Signalbox."""

    peer = "kamailio"
    # Of each of its processes, at most. It takes only what it uses.
    package_memory_mib = 64

    def _start(self) -> Process:
        config = self._processes.folder / f"kamailio-{self.port}.cfg"
        challenge = f'if (!pv_www_authenticate("$td", "{PASSWORD}", "0")) {{ www_challenge("$td", "1"); exit; }}'
        config.write_text(
            (HERE / "kamailio.cfg")
            .read_text(encoding="utf-8")
            .format(
                children=self.workers,
                address=LOOPBACK,
                port=self.port,
                domain=DOMAIN,
                challenge=challenge if self.job.is_digest else "",
                storage=self._storage(),
                routing=self._routing(),
                secure=self._secure() if self.job.is_secure else "",
            )
        )
        folder = str(self._processes.folder)
        argv = [find_program("kamailio", "kamailio"), "-f", str(config), "-DD", "-E"]
        argv += ["-m", "4096", "-M", str(self.package_memory_mib)]
        argv += ["-Y", folder, "-P", f"{folder}/kamailio-{self.port}.pid"]
        process = self._processes.start("kamailio", argv, self._cpus)
        self._wait_for_port(process)
        self._wait_for_answer(process)
        return process

    def _wait_for_answer(self, process: Process) -> None:
        # Its port is open before its child has loaded what it needs; without the memory for it, the child ends.
        wait_until(
            lambda: not process.is_running or _is_answered(self.port), f"{self.peer} answers", LOAD_S_MAX
        )
        if not process.is_running:
            raise BenchmarkFailed(f"{self.peer} did not start:\n{process.tail()}")

    def port_of(self, transport: str) -> int:
        # It tells WSS and TLS apart by what comes.
        return self.port + (transport in SECURE_TRANSPORTS)

    def _storage(self) -> str:
        """The lines of its configuration that say where contacts are kept."""
        return 'modparam("usrloc", "db_mode", 0)'

    def _routing(self) -> str:
        """What it does with a new INVITE in place of a look-up of contacts."""
        return ""

    def _secure(self) -> str:
        """Its tls and websocket modules. Raises BenchmarkFailed where they are not installed."""
        for name in ("tls", "websocket"):
            if not list(Path("/usr/lib").glob(f"*/kamailio/modules/{name}.so")):
                raise BenchmarkFailed(f"Kamailio has no {name}; type: apt-get install kamailio-{name}-modules")
        chain, key = self_signed(self._processes.folder)
        # Its parameters for these two files alone leave it without a certificate.
        domains = self._processes.folder / f"kamailio-{self.port}-tls.cfg"
        domains.write_text(f"[server:default]\nmethod = TLSv1.2+\ncertificate = {chain}\nprivate_key = {key}\n")
        return (
            f"enable_tls=yes\nlisten=tls:{LOOPBACK}:{self.port_of('tls')}\ntcp_accept_no_cl=yes\n"
            'loadmodule "tls.so"\nloadmodule "xhttp.so"\nloadmodule "nathelper.so"\nloadmodule "websocket.so"\n'
            f'modparam("tls", "config", "{domains}")\n'
            "event_route[xhttp:request] {\n    ws_handle_handshake();\n}\n"
        )

    def memory(self) -> int:
        return sum(resident_bytes(pid) for pid in process_tree(self.process.pid))


class KamailioOnDisk(Kamailio):
    """It keeps contacts on disk, as Signalbox does: written by its timer to SQLite (usrloc, write-back)."""

    peer = "kamailio-sqlite"

    def _storage(self) -> str:
        if not KAMAILIO_TABLES.exists():
            raise BenchmarkFailed("Kamailio cannot use SQLite; type: apt-get install kamailio-sqlite-modules")
        path = self._processes.folder / f"kamailio-{self.port}.sqlite"
        database = sqlite3.connect(path)
        database.execute("PRAGMA journal_mode=WAL")  # a lasting property of the file
        for name in ("standard", "usrloc"):
            database.executescript((KAMAILIO_TABLES / f"{name}-create.sql").read_text(encoding="utf-8"))
        database.close()
        return (
            'loadmodule "db_sqlite.so"\nmodparam("usrloc", "db_mode", 2)\n'
            f'modparam("usrloc", "timer_interval", {WRITE_BACK_S})\n'
            f'modparam("usrloc", "db_url", "sqlite://{path}")\n'
        )


class KamailioRouting(Kamailio):
    """It routes numbers by the prefixes of its module drouting, and by the next gateway when one fails."""

    peer = "kamailio-drouting"
    # Of 100,000 rules, the rows that the database returns do not fit into 64.
    package_memory_mib = 256

    def _storage(self) -> str:
        if not KAMAILIO_TABLES.exists():
            raise BenchmarkFailed("Kamailio cannot use SQLite; type: apt-get install kamailio-sqlite-modules")
        path = self._processes.folder / f"kamailio-{self.port}.sqlite"
        database = sqlite3.connect(path)
        for name in ("standard", "drouting"):
            database.executescript((KAMAILIO_TABLES / f"{name}-create.sql").read_text(encoding="utf-8"))
        fill_drouting(database, self.job.rules, self.job.callee_port)
        database.close()
        return (
            f'{super()._storage()}\nloadmodule "db_sqlite.so"\nloadmodule "drouting.so"\n'
            f'modparam("drouting", "db_url", "sqlite://{path}")\n'
            'failure_route[NEXT] { if (t_check_status("408|5..") && use_next_gw()) '
            '{ t_on_failure("NEXT"); t_relay(); } }'
        )

    def _routing(self) -> str:
        return (
            'if (is_method("INVITE") && do_routing("0")) '
            '{ t_on_failure("NEXT"); if (!t_relay()) { sl_reply_error(); } exit; }'
        )


class KamailioDispatching(Kamailio):
    """It sends all numbers to a set of destinations of its module dispatcher, in turn."""

    peer = "kamailio-dispatcher"

    def _storage(self) -> str:
        path = self._processes.folder / f"dispatcher-{self.port}.list"
        write_dispatcher_list(path, self.job.callee_port)
        return f'{super()._storage()}\nloadmodule "dispatcher.so"\nmodparam("dispatcher", "list_file", "{path}")'

    def _routing(self) -> str:
        return (
            'if (is_method("INVITE") && ds_select_dst("1", "4")) { if (!t_relay()) { sl_reply_error(); } exit; }'
        )


class NullResponder(Server):
    """The kernel's floor, compiled on the spot."""

    peer = "null"

    def _start(self) -> Process:
        program = self._processes.folder / "null_responder"
        if not program.exists():
            compiler = find_program("gcc", "gcc")
            source = str(HERE / "null_responder.c")
            subprocess.run([compiler, "-O2", "-o", str(program), source], check=True, timeout=60)
        ports = [str(port) for port in (self.port, self.job.callee_port) if port]
        process = self._processes.start("null", [str(program), *ports], self._cpus)
        self._wait_for_port(process)
        return process

    def memory(self) -> int:
        return resident_bytes(self.process.pid)


def _is_answered(port: int) -> bool:
    """Is an OPTIONS by UDP answered at once?"""
    with socket.socket(type=socket.SOCK_DGRAM) as door:
        door.settimeout(ANSWER_S_MAX)
        door.connect((LOOPBACK, port))
        via = f"SIP/2.0/UDP {LOOPBACK}:{door.getsockname()[1]};branch=z9hG4bK{time.monotonic_ns()}"
        request = (
            f"OPTIONS sip:{DOMAIN} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: <sip:{DOMAIN}>;tag=1\r\n"
            f"To: <sip:{DOMAIN}>\r\nCall-ID: {time.monotonic_ns()}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        )
        try:
            door.send(request.encode())
            return door.recv(DATAGRAM_OCTETS).startswith(b"SIP/2.0 200 ")
        except OSError:
            return False


def _check_is_compiled(python: Path) -> None:
    """Raises BenchmarkFailed when what is installed there is the pure build: its figures would be of no use."""
    argv = [str(python), "-c", "import appliance.stack; print(appliance.stack.__file__)"]
    env = {**os.environ, **INSTALLED}
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, env=env)
    if not done.stdout.strip().endswith(".so"):
        what = done.stdout.strip() or done.stderr.strip()
        raise BenchmarkFailed(f"Signalbox is not the compiled build ({what}); type: pip install .")


SERVERS: dict[str, type[Server]] = {
    server.peer: server
    for server in (Signalbox, Kamailio, KamailioOnDisk, KamailioRouting, KamailioDispatching, NullResponder)
}
