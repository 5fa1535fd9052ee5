"""A phone in a web page: JsSIP in headless Chromium, which does what a test says over HTTP.

The page is made once of the packages that web_phone/package-lock.json names, below build/.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.live.processes import LOOPBACK, Process, Processes, find_program, wait_until

SOURCES = Path(__file__).with_name("web_phone")
BUILD = Path(__file__).resolve().parents[2] / "build" / "web_phone"
ORDER_WAIT_S = 2.0
# A browser on a busy machine.
PATIENCE_S = 90.0
SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--disable-features=WebRtcHideLocalIpsWithMdns",
)


def made_page() -> Path:
    """The folder with phone.html and phone.js; made anew where its sources have changed."""
    npm = shutil.which("npm")
    if npm is None:
        # Debian's would take the place of the npm of many developers.
        pytest.skip("npm is not installed; type: apt-get install npm")
    BUILD.mkdir(parents=True, exist_ok=True)
    sources = sorted(path for path in SOURCES.iterdir() if path.is_file())
    mark = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = BUILD / "made"
        if not made.exists() or made.read_text() != mark:
            for path in sources:
                shutil.copy(path, BUILD)
            _run(npm, "ci", "--no-audit", "--no-fund")
            bundler = str(BUILD / "node_modules" / ".bin" / "esbuild")
            _run(bundler, "phone.js", "--bundle", "--allow-overwrite", "--outfile=page/phone.js")
            shutil.copy(BUILD / "phone.html", BUILD / "page")
            made.write_text(mark)
    return BUILD / "page"


def _run(*argv: str) -> None:
    done = subprocess.run(argv, cwd=BUILD, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{argv[0]} failed:\n{done.stdout}{done.stderr}"


class WebPage:
    """The server of the page; it passes orders to the phones, and hears what happens to them."""

    def __init__(self, folder: Path) -> None:
        page = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page._answer(self)

            def log_message(self, *words: Any) -> None:
                pass

        self._folder = folder
        self._orders: dict[str, queue.Queue[list[str]]] = {}
        self.events: dict[str, list[str]] = {}
        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self._server.daemon_threads = True
        self.origin = f"http://{LOOPBACK}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def add(self, name: str) -> None:
        self._orders[name] = queue.Queue()
        self.events[name] = []

    def order(self, name: str, *words: str) -> None:
        self._orders[name].put(list(words))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        asked = urlsplit(request.path)
        values = {name: value[0] for name, value in parse_qs(asked.query).items()}
        kind, body = "application/json", b"null"
        if asked.path == "/tell":
            self.events[values["name"]].append(values["event"])
        elif asked.path == "/order":
            body = json.dumps(self._next_order(values["name"])).encode()
        elif asked.path in ("/phone.html", "/phone.js"):
            kind = "text/html" if asked.path.endswith("html") else "text/javascript"
            body = (self._folder / asked.path[1:]).read_bytes()
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _next_order(self, name: str) -> list[str] | None:
        try:
            return self._orders[name].get(timeout=ORDER_WAIT_S)
        except queue.Empty:
            return None


@contextmanager
def web_page() -> Iterator[WebPage]:
    """The page, served on loopback."""
    page = WebPage(made_page())
    try:
        yield page
    finally:
        page.close()


class WebPhone:
    """One browser with one account. `server`: the URI of the WebSocket; `trusted`: the certificate that it may have."""

    def __init__(
        self, processes: Processes, page: WebPage, name: str, uri: str, password: str, server: str, trusted: Path
    ) -> None:
        self.name = name
        self._page = page
        page.add(name)
        profile = processes.folder / f"chromium-{name}"
        query = urlencode({"name": name, "uri": uri, "password": password, "server": server})
        argv = [find_program("chromium", "chromium"), *SWITCHES, f"--user-data-dir={profile}"]
        argv += [f"--ignore-certificate-errors-spki-list={key_hash(trusted)}", f"{page.origin}/phone.html?{query}"]
        self.process: Process = processes.start(f"chromium-{name}", argv)

    def call(self, uri: str) -> None:
        self._page.order(self.name, "call", uri)

    def hang_up(self) -> None:
        self._page.order(self.name, "hang_up")

    def unregister(self) -> None:
        self._page.order(self.name, "unregister")

    def wait_until_it_tells(self, event: str) -> None:
        """Wait for one more event of this kind; what was waited for is told again only when it happens again."""
        events = self._page.events[self.name]
        wait_until(lambda: event in events, f"{self.name} tells: {event} (told: {events})", PATIENCE_S)
        events.remove(event)


def key_hash(chain: Path) -> str:
    """SHA-256 of the public key of a certificate, as Chromium wants it."""
    key = x509.load_pem_x509_certificate(chain.read_bytes()).public_key()
    octets = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(octets).digest()).decode()
