"""Scripts against a stand-in: commands in, output and status out."""

from __future__ import annotations

import io
from dataclasses import dataclass

from cli.asking import Asker, Nobody
from cli.batch import run_batch
from cli.commands import run_command
from cli.control import Control
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
    """Somebody who answers questions in this order."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.questions: list[str] = []

    def ask(self, question: str, is_hidden: bool = False) -> str:
        self.questions.append(question)
        return self._answers.pop(0)


def new_session(stand_in: StandIn, asker: Asker | None = None) -> Session:
    """A session that is connected."""
    session = Session(Control(stand_in.path), asker or Nobody(), run_command)
    session.connect()
    return session


def script(session: Session, *commands: str, is_json: bool = False) -> Ended:
    """Run commands as a script does."""
    out, err = io.StringIO(), io.StringIO()
    status = run_batch(session, commands, is_json, out, err)
    return Ended(out.getvalue(), err.getvalue(), status)
