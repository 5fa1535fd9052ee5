"""Gives the operating system the name, addresses, DNS and NTP servers that the configuration of the appliance has.

The appliance, which has no right to, writes them to a file (appliance/management/own_machine.py); a unit of the image
waits for it and runs this as root. The file is of another user: all of it is checked before any of it is used.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from system_files import NETWORKS, System, files_of, is_ours, system_of

WANTED = Path("/run/signalbox/system.json")
DOCUMENT_LEN_MAX = 64 * 1024


def apply(system: System) -> None:
    """Write what has changed, and have the services go by it. Raises OSError."""
    changed = {path for path, text in files_of(system).items() if _write(Path(path), text)}
    if system.interfaces:
        wanted = set(files_of(system))
        for path in Path(NETWORKS).glob("*.network"):
            if is_ours(path.name) and str(path) not in wanted:
                path.unlink()
                changed.add(str(path))
    if "/etc/hostname" in changed:
        _run("hostname", system.hostname)
    if any(path.startswith(NETWORKS) for path in changed):
        # Interfaces whose file has changed are configured anew; addresses that stay are not taken away for a moment.
        _run("networkctl", "reload")
    for name, service in (("timesyncd", "systemd-timesyncd"), ("resolved", "systemd-resolved")):
        if any(f"/{name}.conf.d/" in path for path in changed):
            _run("systemctl", "--no-block", "try-restart", service)


def _write(path: Path, text: str) -> bool:
    """Make the file have this text, or not be there for ""; has it changed?"""
    if (path.read_text() if path.exists() else "") == text:
        return False
    if not text:
        path.unlink()
        return True
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.write_text(text)
    unfinished.chmod(0o644)
    unfinished.rename(path)
    return True


def _run(*argv: str) -> None:
    """Run a program; one that fails is named in the journal, and the others run."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"{' '.join(argv)}: {done.stderr.strip() or done.returncode}", file=sys.stderr)


def main() -> int:
    """Returns the exit status."""
    try:
        with WANTED.open("rb") as file:
            system = system_of(file.read(DOCUMENT_LEN_MAX).decode())
    except (OSError, ValueError) as fault:
        print(f"{WANTED} cannot be used: {fault}. The machine stays as it is.", file=sys.stderr)
        return 1
    apply(system)
    return 0


if __name__ == "__main__":
    sys.exit(main())
