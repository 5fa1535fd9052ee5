"""Installs a package of the appliance: `upgrade.py FILE|URL`, as root, started by `system upgrade` through sudo.

A package that comes from the network comes by HTTPS from a server whose certificate proves it. What it would change is
shown before (`signalbox check-upgrade`); a package that cannot read what is stored here is not installed, and one that
does not run is replaced by the former one (installation.py).
"""

from __future__ import annotations

import signal
import sys
import tempfile
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from installation import install

PACKAGE_LEN_MAX = 256 * 1024 * 1024
SILENCE_MAX_S = 30
PIECE_LEN = 1 << 20


class NotInstalled(Exception):
    """The message is a sentence."""


class OnlyHttps(urllib.request.HTTPRedirectHandler):
    """A server may not lead to a place that nothing proves."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str) -> Any:
        if urlsplit(newurl).scheme != "https":
            raise NotInstalled(f"The server leads to {newurl}, which is not HTTPS.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(source: str, path: Path) -> None:
    """Bring the package to a file of ours. Raises NotInstalled, OSError."""
    scheme = urlsplit(source).scheme
    if not scheme:
        if not Path(source).is_file():
            raise NotInstalled("It is no file.")
        with open(source, "rb") as opened:
            _copy(opened, source, path)
    elif scheme == "https":
        opener = urllib.request.build_opener(OnlyHttps)
        with opener.open(source, timeout=SILENCE_MAX_S) as response:
            _copy(response, source, path)
    else:
        raise NotInstalled(f"{source} is neither a file nor an address that begins with https://.")


def _copy(opened: Any, source: str, path: Path) -> None:
    with path.open("wb") as file:
        while piece := opened.read(PIECE_LEN):
            file.write(piece)
            if file.tell() > PACKAGE_LEN_MAX:
                raise NotInstalled(f"{source} has more than {PACKAGE_LEN_MAX >> 20} MiB.")


def main(source: str) -> int:
    """Returns the exit status."""
    with tempfile.TemporaryDirectory(prefix="signalbox-upgrade-") as folder:
        # apt reads it as a user of its own.
        Path(folder).chmod(0o755)
        path = Path(folder) / "signalbox.deb"
        try:
            fetch(source, path)
        except (NotInstalled, OSError, ValueError) as fault:
            print(f"% {source} cannot be fetched: {fault}", file=sys.stderr)
            return 1
        path.chmod(0o644)
        # From here on it goes on to its end, whatever becomes of the operator's terminal.
        for number in (signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        return install(path, _say)


def _say(sentence: str) -> None:
    # The terminal may be gone.
    with suppress(OSError):
        print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
