"""A client of the control socket, for tests."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

TIMEOUT_S = 90.0


class Control:
    """One connection; enabled where that needs no secret."""

    def __init__(self, state_dir: Path, is_enabled: bool = True) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(TIMEOUT_S)
        self._socket.connect(str(state_dir / "run" / "control.sock"))
        self._file = self._socket.makefile("rwb")
        self._last_id = 0
        self.events: list[dict[str, Any]] = []
        """What came of the last request before its result."""
        if is_enabled:
            self.ask("enable", secret="")

    def answer(self, do: str, **args: Any) -> dict[str, Any]:
        """The whole answer: `result` or `error`."""
        self._last_id += 1
        self._file.write(json.dumps({"id": self._last_id, "do": do, "args": args}).encode() + b"\n")
        self._file.flush()
        self.events = []
        while True:
            line = self._file.readline()
            assert line, f"the connection ended before {do!r} was answered"
            said: dict[str, Any] = json.loads(line)
            if said["id"] is None:
                # What all sessions are told, such as alarms.
                continue
            assert said["id"] == self._last_id
            if "event" not in said:
                return said
            self.events.append(said["event"])

    def ask(self, do: str, **args: Any) -> dict[str, Any]:
        """The result; fails the test when it is an error."""
        said = self.answer(do, **args)
        assert "result" in said, f"{do}: {said['error']}"
        result: dict[str, Any] = said["result"]
        return result

    def error(self, do: str, **args: Any) -> dict[str, Any]:
        """The error; fails the test when there is none."""
        said = self.answer(do, **args)
        assert "error" in said, f"{do}: {said}"
        error: dict[str, Any] = said["error"]
        return error

    def __enter__(self) -> Control:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()
        self._socket.close()

    def commit(self, text: str, **args: Any) -> int:
        """Commit upon the head; returns the number."""
        base = self.ask("show running-config")["commit"]
        return int(self.ask("commit", text=text, base=base, **args)["number"])

    def close(self) -> None:
        self._file.close()
        self._socket.close()
