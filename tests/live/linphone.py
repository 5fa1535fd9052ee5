"""linphonec, a softphone for the terminal, driven by its commands on standard input."""

from __future__ import annotations

import os
import re
import subprocess

from tests.live.processes import Process, Processes, find_program, free_port, wait_until

HEARS = re.compile(r"RTP : \[d=(?!0\.00)")
CONFIG = """[sip]
sip_port={port}
sip_tcp_port={port}
sip_tls_port=-1
default_proxy=-1
[rtp]
audio_rtp_port={rtp_port}
"""


class Linphone:
    """One phone; `auto_answer` takes every call."""

    def __init__(self, processes: Processes, name: str, auto_answer: bool = False) -> None:
        self.name = name
        folder = processes.folder / f"linphone-{name}"
        for place in (".local/share/linphone", ".config/linphone"):
            (folder / place).mkdir(parents=True)
        config = folder / "linphonerc"
        config.write_text(CONFIG.format(port=free_port(), rtp_port=free_port()))
        argv = [find_program("linphonec", "linphone-cli"), "-c", str(config), "-d", "1"]
        argv += ["-a"] if auto_answer else []
        environment = {**os.environ, "HOME": str(folder)}
        self.process: Process = processes.start(f"linphone-{name}", argv, environment, subprocess.PIPE)
        self.type("soundcard use files")

    def type(self, command: str) -> None:
        """Type a line."""
        self.process.type(command)

    def register(self, domain: str, server: str, password: str) -> None:
        """Register and wait until the phone says that it is."""
        self.type(f"register sip:{self.name}@{domain} sip:{server} {password}")
        self.wait_until_it_says("to [LinphoneRegistrationOk]")

    def wait_until_it_says(self, words: str, timeout_s: float = 20.0) -> None:
        """Wait for words in what it prints."""
        wait_until(lambda: words in self.process.text(), f"{self.name}'s linphonec says {words!r}", timeout_s)

    def wait_until_it_hears(self) -> None:
        """Wait for media: it prints how many kbit/s come in."""
        wait_until(lambda: HEARS.search(self.process.text()), f"{self.name}'s linphonec hears something")
