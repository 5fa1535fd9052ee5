"""A PostgreSQL server of our own in a temporary folder, on a Unix socket there and on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_port

PATIENCE_S = 300.0
POSTGRES_BIN = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


@contextmanager
def running_postgresql() -> Iterator[str]:
    """Its URL. There has to be a POSTGRES_BIN."""
    assert POSTGRES_BIN is not None
    programs = POSTGRES_BIN
    folder = Path(tempfile.mkdtemp(prefix="signalbox-pg"))
    user = "nobody" if os.geteuid() == 0 else None  # the server refuses to run as root
    if user is not None:
        shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), *arguments]
        subprocess.run(command, user=user, cwd=folder, check=True, capture_output=True, timeout=PATIENCE_S)

    data = str(folder / "data")
    run("initdb", "-D", data, "-U", "signalbox", "-A", "trust", "--no-sync")
    port = free_port()
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='{folder}' -c fsync=off"
    run("pg_ctl", "-D", data, "-w", "-t", "240", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql://signalbox@/postgres?host={folder}&port={port}"
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)
