"""baresip, a headless softphone: registers, calls, talks; what it does is read from what it prints."""

from __future__ import annotations

import os
from pathlib import Path

from tests.live.processes import LOOPBACK, Process, Processes, find_program, free_port, wait_until

MODULES = Path("/usr/lib/baresip/modules")
CONFIG = """module_path {modules}
sip_listen {address}:{port}
audio_player aubridge,{name}
audio_source aubridge,{name}
module g711.so
module aubridge.so
module_tmp account.so
module_app menu.so
"""


class Baresip:
    """One phone with one account. `trust`: the authorities that it trusts, for TLS. `outbound`: the URI of an edge
    proxy to which it keeps a flow open (RFC 5626).
    """

    def __init__(
        self,
        processes: Processes,
        name: str,
        server: str,
        password: str,
        transport: str = "udp",
        trust: Path | None = None,
        outbound: str = "",
    ) -> None:
        self.name = name
        self._processes = processes
        self._folder = processes.folder / f"baresip-{name}"
        self._folder.mkdir()
        text = CONFIG.format(modules=MODULES, address=LOOPBACK, port=free_port(), name=name)
        if trust is not None:
            text += f"sip_cafile {trust}\n"
        if outbound:
            # It makes the instance ID, and the account is refused without one.
            text = text.replace("module_tmp account.so", "module_tmp uuid.so\nmodule_tmp account.so")
        (self._folder / "config").write_text(text)
        account = f"<sip:{name}@{server};transport={transport}>;auth_pass={password};answermode=auto;regint=60\n"
        if outbound:
            account = account.rstrip() + f';outbound="{outbound}";sipnat=outbound\n'
        (self._folder / "accounts").write_text(account)
        (self._folder / "contacts").write_text("")
        self.process: Process | None = None

    def start(self, dial: str = "", talk_s: int = 0) -> None:
        """Start it and have it register; `dial` is an address to call at once, for `talk_s` seconds."""
        # -v prints what goes on, -s every SIP message.
        argv = [find_program("baresip", "baresip-core"), "-f", str(self._folder), "-v", "-s"]
        if dial:
            argv += ["-e", f"/dial {dial}", "-t", str(talk_s)]
        # Its event loop reads no standard input, and without a home it looks in ours.
        self.process = self._processes.start(f"baresip-{self.name}", argv, {"HOME": str(self._folder), **os.environ})

    def text(self) -> str:
        """Everything it printed."""
        assert self.process is not None
        return self.process.text()

    def wait_until_it_says(self, words: str, timeout_s: float = 20.0) -> None:
        """Wait for words in what it prints."""
        wait_until(lambda: words in self.text(), f"{self.name}'s baresip says {words!r}", timeout_s)
