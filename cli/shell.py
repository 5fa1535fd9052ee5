"""The shell on a terminal: the line editor, `?`, Tab, the pager, Ctrl-C and Ctrl-Z. prompt-toolkit draws."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.utils import is_dumb_terminal

from cli.background import Monitor, Reconnection
from cli.completion import complete
from cli.configuration_commands import save
from cli.errors import Failed, Mistake, failure_lines
from cli.execution import Shown, execute
from cli.help import help_lines
from cli.keyboard import Keyboard, keys_of_the_shell, write
from cli.output import printable
from cli.pager import Pager
from cli.secrets import is_secret_line
from cli.session import Session
from cli.tokens import split_line
from cli.views.tables import in_rows
from cli.wrapping import wrapped

BANNER = "Type ? for help. Tab completes, Ctrl-R searches the history."
LEAVE = "end"
# Where changes go that an operator was making when the appliance ended the session.
RESCUE_FILE = "~/signalbox-candidate.conf"


# While a command takes more than a second.
PROGRESS = "\rWorking, {} s; press Ctrl-C to stop waiting."
ERASED = "\r" + " " * len(PROGRESS) + "\r"


class SessionEnded(Exception):
    """The appliance has ended the session while the prompt waited."""


def run_interactive(session: Session) -> int:
    """Read and do commands until the operator leaves; returns the exit status. Raises Failed where none answers."""
    shell = Shell(session)
    session.connect()
    print(BANNER)
    shell.run()
    return 0


def _output() -> Vt100_Output | None:
    """The terminal, not asked where its cursor is: serial consoles do not answer. None for one that can nothing."""
    if is_dumb_terminal():
        return None
    output = Vt100_Output.from_pty(sys.stdout)
    output.enable_cpr = False
    return output


def print_now(line: str) -> None:
    """Show a line above the prompt, from any thread."""
    print(line, flush=True)


def greet(lines: Sequence[str]) -> None:
    """The banner, before a login."""
    for line in lines:
        print(printable(line))


class QuietHistory(InMemoryHistory):
    """The lines of this session, without those that hold a secret."""

    def append_string(self, string: str) -> None:
        if not is_secret_line(string):
            super().append_string(string)


class Shell:
    """The terminal of one session; it also answers the questions of the session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._monitor = Monitor(session)
        session.asker = self
        session.terminal.monitor = self._monitor.turn
        self._is_busy = False
        session.terminal.over = self._is_ended
        session.terminal.greet = greet
        session.control.listener.waiting = self._show_progress
        session.terminal.measure = lambda: Keyboard().size()[0]
        session.control.listener.lost = Reconnection(session, self._monitor, print_now).lost
        self._lines: PromptSession[str] = PromptSession(
            history=QuietHistory(),
            key_bindings=self._keys(),
            editing_mode=EditingMode.EMACS,
            output=_output(),
            reserve_space_for_menu=0,
        )

    def run(self) -> None:
        """Until the operator leaves."""
        with keys_of_the_shell():
            while not self._session.is_over:
                self._turn()
        self._monitor.turn(False)
        if self._session.candidate is not None and self._session.candidate.is_changed:
            self._rescue()

    def _rescue(self) -> None:
        """Keep the changes of a session that was ended from outside."""
        try:
            save(self._session, {"file": RESCUE_FILE})
        except Failed as failure:
            print("\n".join(failure.lines()))
            return
        print(f"Uncommitted changes were saved to {RESCUE_FILE}. To restore them: `load {RESCUE_FILE}`.")

    def _is_ended(self, why: str) -> None:
        """In the thread that reads: say why, and end the prompt."""
        print_now(f"% {why}")
        app = self._lines.app
        if app.is_running and app.loop is not None:
            app.loop.call_soon_threadsafe(lambda: app.exit(exception=SessionEnded))

    def _turn(self) -> None:
        """One line: read it and do it. Ctrl-C cancels the line, Ctrl-D is `exit`."""
        try:
            with patch_stdout(raw=True):
                text = self._lines.prompt(self._prompt)
        except (KeyboardInterrupt, SessionEnded):
            return
        except EOFError:
            text = "exit"
        # Several lines come at once when they are pasted; each is done as if it were typed.
        lines = text.splitlines()
        for line in lines:
            if len(lines) > 1:
                print(f"{self._prompt()}{line}")
            if self._session.is_over or not self._do(line):
                return

    def _do(self, text: str) -> bool:
        """Do a line and show what comes of it; False when Ctrl-C has ended it."""
        self._session.control.tell("active")
        self._is_busy = True
        try:
            self._show(execute(self._session, text))
        except (Mistake, Failed) as failure:
            print("\n".join(self._wrapped(failure_lines(failure, len(self._prompt())))))
        except KeyboardInterrupt:
            print("^C")
            return False
        finally:
            self._is_busy = False
        return True

    def _wrapped(self, lines: Iterable[str]) -> Iterable[str]:
        return wrapped(lines, self._session.terminal.columns)

    def _show_progress(self, waited_s: float) -> None:
        """A line that says how long a command has taken so far; it goes when the answer comes."""
        if self._is_busy:
            write(PROGRESS.format(f"{waited_s:.0f}") if waited_s else ERASED)

    def _prompt(self) -> str:
        return f"{self._session.prompt} "

    def _show(self, shown: Shown) -> None:
        if shown.octets is not None:
            remedy = "Fetch it from a script: printf 'enable\\nCOMMAND\\n' | ssh USER@HOST > FILE"
            raise Failed("Binary data cannot be shown on a terminal.", remedy)
        length = 0 if shown.is_stream else self._session.terminal.length
        Pager(Keyboard(), length, write).show(shown.lines)

    def ask(self, question: str, is_hidden: bool = False) -> str:
        """What the operator types; Ctrl-C and Ctrl-D give the question up. Raises Failed."""
        asking: PromptSession[str] = PromptSession(history=InMemoryHistory(), output=_output())
        try:
            return asking.prompt(question, is_password=is_hidden)
        except (KeyboardInterrupt, EOFError):
            raise Failed("Canceled; nothing was changed.") from None

    # -- keys --------------------------------------------------------------------------------------

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        keys.add("?")(self._help_pressed)
        keys.add("tab")(self._tab_pressed)
        keys.add("c-z")(self._leave_pressed)
        return keys

    def _help_pressed(self, event: KeyPressEvent) -> None:
        """Show what may stand at the cursor. In a quoted word, and after Ctrl-V, `?` is a letter."""
        text = event.current_buffer.document.text_before_cursor
        tokens = split_line(text).tokens
        if tokens and not tokens[-1].is_closed:
            event.current_buffer.insert_text("?")
            return
        try:
            lines = help_lines(self._session.grammars, text)
        except Mistake as mistake:
            lines = failure_lines(mistake, len(self._prompt()))
        self._print_above(f"{self._prompt()}{text}?", list(self._wrapped(lines)))

    def _tab_pressed(self, event: KeyPressEvent) -> None:
        """Complete the word before the cursor, or list what it may become."""
        text = event.current_buffer.document.text_before_cursor
        completion = complete(self._session.grammars, text, self._session.live_names)
        if completion.addition:
            event.current_buffer.insert_text(completion.addition)
        elif completion.words:
            self._print_above(f"{self._prompt()}{text}", in_rows(completion.words, event.app.output.get_size().columns))

    def _leave_pressed(self, event: KeyPressEvent) -> None:
        """Ctrl-Z: what was typed is thrown away, and configuration mode is left."""
        event.current_buffer.text = LEAVE if self._session.candidate is not None else ""
        event.current_buffer.validate_and_handle()

    def _print_above(self, typed: str, lines: Iterable[str]) -> None:
        """Print lines above the prompt, under what was typed, and draw the prompt anew."""
        run_in_terminal(lambda: print("\n".join([typed, *lines])))


