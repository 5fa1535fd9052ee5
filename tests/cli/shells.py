"""Scripts against a stand-in: commands in, output and status out."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from cli.batch import run_batch
from cli.commands import run_command
from cli.control import Control
from cli.prompts import Asker, NonInteractive
from cli.session import Session
from tests.cli.stand_in import StandIn


@dataclass
class Ended:
    """What a script has written, and its status."""

    out: str
    err: str
    status: int

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Answers:
    """An operator who answers questions in this order."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.questions: list[str] = []

    def ask(self, question: str, is_hidden: bool = False) -> str:
        self.questions.append(question)
        return self._answers.pop(0)


def new_session(stand_in: StandIn, asker: Asker | None = None, is_script: bool = False) -> Session:
    """A session that is connected."""
    session = Session(Control(stand_in.path, {"script": is_script}), asker or NonInteractive(), run_command)
    session.connect()
    return session


def wait_until(is_so: Callable[[], bool], wait_s: float = 120.0) -> None:
    """Wait for what another thread does."""
    deadline = time.monotonic() + wait_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def script(session: Session, *commands: str, is_json: bool = False) -> Ended:
    """Run commands as a script does."""
    out, err = io.StringIO(), io.StringIO()
    status = run_batch(session, commands, is_json, out, err)
    return Ended(out.getvalue(), err.getvalue(), status)


def signalbox(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments, to its end."""
    return subprocess.run([sys.executable, *arguments], input=stdin, capture_output=True, text=True, timeout=60)
