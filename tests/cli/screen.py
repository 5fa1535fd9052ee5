"""A terminal to type into and to look at: tmux, with a server of its own."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WAIT_S = 120.0


class Screen:
    """One terminal. `until` waits for a text to be seen, and fails with what was seen in its place."""

    def __init__(self, folder: Path, command: list[str], columns: int, rows: int) -> None:
        self._tmux = ["tmux", "-S", str(folder / "tmux.sock"), "-f", os.devnull]
        line = f"HOME={shlex.quote(str(folder))} TERM=xterm {shlex.join(command)}; echo status $?; sleep 60"
        self._run("new-session", "-d", "-x", str(columns), "-y", str(rows), line)

    def _run(self, *words: str) -> str:
        return subprocess.run([*self._tmux, *words], capture_output=True, text=True, check=True, timeout=WAIT_S).stdout

    def type(self, text: str) -> None:
        """Letters as they are."""
        self._run("send-keys", "-l", text)

    def press(self, *keys: str) -> None:
        """Keys by their names in tmux: Enter, Tab, C-c."""
        self._run("send-keys", *keys)

    def paste(self, text: str) -> None:
        """Text as it comes from a clipboard."""
        self._run("set-buffer", text)
        self._run("paste-buffer", "-p")

    def enter(self, text: str) -> None:
        """A line."""
        self.type(text)
        self.press("Enter")

    @property
    def lines(self) -> list[str]:
        """What is to be seen, without empty lines at the end."""
        return self._run("capture-pane", "-p").rstrip().split("\n")

    def until(self, text: str, wait_s: float = WAIT_S) -> list[str]:
        """Wait until the text is in the last line, or the one before it, or anywhere for one with `...` at its end."""
        deadline = time.monotonic() + wait_s
        pause_s = 0.05
        while time.monotonic() < deadline:
            lines = self.lines
            seen = lines if text.endswith("...") else lines[-1:]
            if any(text.removesuffix("...") in line for line in seen):
                return lines
            assert not any("Traceback" in line for line in lines), "\n".join(lines)
            time.sleep(pause_s)
            pause_s = min(1.5 * pause_s, 0.5)
        raise AssertionError(f"{text!r} is not to be seen:\n" + "\n".join(self.lines))

    def end(self) -> None:
        self._run("kill-server")


@contextmanager
def shell_on_screen(state: Path, prompt: str = "box>", columns: int = 100, rows: int = 30) -> Iterator[Screen]:
    """The shell of an appliance on a terminal."""
    screen = Screen(state, [sys.executable, "-m", "appliance", "cli", "--state", str(state)], columns, rows)
    try:
        screen.until(prompt)
        yield screen
    finally:
        screen.end()
