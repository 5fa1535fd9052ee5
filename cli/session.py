"""One operator's session: its right, its mode, its candidate, and the execution of each line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from appliance.catalogue.command_declaration import Command, Right
from appliance.catalogue.setting_declaration import Section
from appliance.configuration.text import SEPARATOR
from cli.candidate import Candidate, edited, place_of, visited
from cli.catalogue_grammar import NAME, NAMES_OF, VALUES_OF, Edit, Verb, Visit
from cli.control import Control
from cli.errors import Failed, LoginNeeded, Refused, sentence
from cli.files import file_names
from cli.grammar import Meaning, Node
from cli.modes import configure_grammar, exec_grammar, understand_configure, understand_exec
from cli.output import NOTHING, Item, Output
from cli.prompts import Asker
from cli.secrets import hashed_where_secret, is_secret_line
from cli.time_zone import show_times_in
from cli.tokens import Line

HISTORY_MAX = 1000
LOGIN_TRIES_MAX = 3
LIVE_NAMES_TIMEOUT_S = 1.0


@dataclass(slots=True)
class Terminal:
    """How the terminal is set: `length` None is its height, 0 never waits; `monitor` turns the log on and off.

    `over` is called with the reason when the appliance has ended the session, `greet` shows the banner.
    `width` None is that of the terminal, which `measure`
    says, and 0 folds no table.
    """

    length: int | None = None
    width: int | None = None
    measure: Callable[[], int] = lambda: 0
    monitor: Callable[[bool], None] | None = None
    over: Callable[[str], None] = lambda why: None
    greet: Callable[[Sequence[str]], None] = lambda lines: None

    @property
    def columns(self) -> int:
        """How wide a table may be; 0 for any width."""
        return self.measure() if self.width is None else self.width


@dataclass(slots=True)
class Session:
    """The state of the shell. `run_command` executes commands; it is an argument, for it needs the session."""

    control: Control
    asker: Asker
    run_command: Callable[[Session, Command, Mapping[str, Any]], Output]
    terminal: Terminal = field(default_factory=Terminal)
    right: Right = Right.VIEW
    user: str = ""
    hostname: str = "signalbox"
    candidate: Candidate | None = None
    section: Section | None = None
    section_name: str = ""
    history: list[str] = field(default_factory=list)
    is_over: bool = False
    is_filtered: bool = False
    """The line that is done has a pipe, so that nothing may be cut."""
    is_json: bool = False
    """What that line shows is for programs."""
    aliases: dict[str, str] = field(default_factory=dict)
    """Words that stand for a command at the first prompt."""
    _may_be_admin: bool = True
    _needs_secret: bool = False
    _is_greeted: bool = False

    # -- the appliance -----------------------------------------------------------------------------

    def connect(self, may_ask: bool = True) -> None:
        """Open the connection, identify the operator, and restore the right of the session. Raises Failed.

        Unless `may_ask`, an operator who would have to be asked for a password is not logged in (that fails), and
        one who would have to be asked for a secret stays out of privileged mode.
        """
        with self.control.opening:
            if self.control.is_open:
                return
            self.control.listener.changed, self.control.listener.over = self._take_news, self._is_ended
            had_right = self.right
            hello = self.control.open()
            self.user, self.hostname = str(hello.get("user", "")), str(hello.get("hostname", self.hostname))
            self._take_news(hello)
            if not self._is_greeted:
                self._is_greeted = True
                self.terminal.greet([str(line) for line in hello.get("banner", ())])
            if hello.get("needs_login"):
                self._login(may_ask)
            self.right = Right.VIEW
            if had_right is Right.ADMIN and self._may_be_admin and (may_ask or not self._needs_secret):
                self.enable()

    def ask(self, do: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """The result of a request; a lost connection is tried anew before it. Raises Failed."""
        self.connect()
        try:
            return self.control.ask(do, args)
        except Refused as refused:
            self._take_news(refused.document)
            raise

    def stream(self, do: str, args: Mapping[str, Any]) -> Iterator[Item]:
        """The events of a request and its result; a lost connection is tried anew before it. Raises Failed."""
        self.connect()
        try:
            yield from self.control.stream(do, args)
        except Refused as refused:
            self._take_news(refused.document)
            raise

    def _take_news(self, news: Mapping[str, Any]) -> None:
        """The hostname has changed, or privileged mode has ended."""
        self.hostname = str(news.get("hostname", self.hostname))
        if isinstance(news.get("timezone"), str):
            show_times_in(news["timezone"])
        if isinstance(news.get("aliases"), dict):
            self.aliases = {str(name): str(command) for name, command in news["aliases"].items()}
        self._may_be_admin = bool(news.get("is_admin", self._may_be_admin))
        self._needs_secret = bool(news.get("needs_secret", self._needs_secret))
        if news.get("right", Right.ADMIN.value) != Right.ADMIN.value:
            self.right = Right.VIEW

    def _is_ended(self, why: str) -> None:
        self.is_over = True
        self.terminal.over(why)

    def live_names(self, what: str, start: str) -> list[str]:
        """Names for completion; none without an answer of the appliance."""
        if what == "file":
            return file_names(start)
        if what.startswith((NAMES_OF, VALUES_OF)):
            return self._names_in_candidate(*what.split())
        if not self.control.is_open:
            return []
        try:
            answer = self.control.ask("complete", {"what": what, "start": start}, LIVE_NAMES_TIMEOUT_S)
        except Failed:
            return []
        return [word for word in map(str, answer.get("words", ())) if word.isprintable()]

    def _names_in_candidate(self, what: str, attribute: str) -> list[str]:
        """The names of sections, or the values of a setting where the operator is."""
        if self.candidate is None:
            return []
        draft = self.candidate.draft
        if what == NAMES_OF:
            return [name for section, name in draft.places if section == attribute]
        return [str(value) for value in draft.values_of(place_of(self.section, self.section_name)).get(attribute, ())]

    def _login(self, may_ask: bool) -> None:
        question = "Username: "
        if not may_ask:
            self.control.close()
            raise LoginNeeded("You are not logged in.", "The next command asks for your password.")
        for attempt in range(LOGIN_TRIES_MAX):
            user = self.asker.ask(question)
            password = self.asker.ask("Password: ", is_hidden=True)
            try:
                answer = self.control.ask("login", {"user": user, "password": password})
                self.user = str(answer.get("user", user))
                self._take_news(answer)
                return
            except Refused as refused:
                if attempt == LOGIN_TRIES_MAX - 1:
                    raise
                question = f"{refused.problem} Username: "

    def enable(self) -> None:
        """Enter privileged mode; asks for the secret only where one is needed. Raises Failed."""
        if not self._may_be_admin:
            raise Failed(f"The role of {self.user or 'this user'} is `view`.", "Log in as an administrator.")
        # A wrong secret counts as a try, so the empty one is tried once.
        if self._needs_secret or not self._may_enable(""):
            self._needs_secret = True
            self.control.ask("enable", {"secret": self.asker.ask("Secret: ", is_hidden=True)})
        self.right = Right.ADMIN

    def _may_enable(self, secret: str) -> bool:
        try:
            self.control.ask("enable", {"secret": secret})
        except Refused:
            return False
        return True

    # -- lines ---------------------------------------------------------------------------------------

    @property
    def prompt(self) -> str:
        """`box>`, `box#`, `box(config)#`, `box(config-listener)#`; `>` without the right to change things."""
        mode = ""
        if self.candidate is not None:
            mode = f"(config-{self.section.keyword})" if self.section is not None else "(config)"
        return f"{self.hostname}{mode}{'>' if self.right is Right.VIEW else '#'}"

    @property
    def grammars(self) -> tuple[Node, ...]:
        """What may be typed now: in a section its own words, then those outside of it."""
        if self.candidate is None:
            return (exec_grammar(self.right),)
        outside = configure_grammar(None)
        return (outside,) if self.section is None else (configure_grammar(self.section), outside)

    def without_alias(self, text: str) -> str:
        """The line with the command in place of an alias; the words of commands themselves stay what they are."""
        word, blank, rest = text.strip().partition(" ")
        if self.candidate is not None or word not in self.aliases:
            return text
        if any(edge.word == word for edge in exec_grammar(Right.ADMIN).edges):
            return text
        return f"{self.aliases[word]}{blank}{rest}"

    def remember(self, text: str) -> None:
        """Keep a line for `show history`, unless it holds a secret."""
        if text.strip() and not is_secret_line(text):
            self.history.append(text.strip())
            del self.history[:-HISTORY_MAX]

    def execute(self, line: Line) -> Output:
        """Execute a line. Raises Mistake or Failed; then nothing has changed in the candidate."""
        if not line.tokens or line.tokens[0].text.startswith("!"):
            if [token.text for token in line.tokens] == [SEPARATOR]:
                self.leave_section()
            return NOTHING
        meaning = self._meaning(line)
        if isinstance(meaning.action, Edit):
            return self._edit(meaning.action, meaning.arguments)
        if isinstance(meaning.action, Visit):
            return self._visit(meaning.action, meaning.arguments)
        return self.run_command(self, meaning.action, meaning.arguments)

    def _meaning(self, line: Line) -> Meaning:
        if self.candidate is None:
            return understand_exec(line.tokens, self.right)
        return understand_configure(line.tokens, self.section)

    # -- the candidate -------------------------------------------------------------------------------

    def _edit(self, edit: Edit, arguments: Mapping[str, Any]) -> Output:
        assert self.candidate is not None
        sealed = hashed_where_secret(edit.setting, arguments)
        if edit.section is not self.section and edit.section is None:
            self.leave_section()
        try:
            self.candidate = self.candidate.with_draft(edited(self.candidate.draft, edit, sealed, self.section_name))
        except ValueError as fault:
            raise Failed(sentence(str(fault))) from None
        return NOTHING

    def _visit(self, visit: Visit, arguments: Mapping[str, Any]) -> Output:
        assert self.candidate is not None
        try:
            self.candidate = self.candidate.with_draft(visited(self.candidate.draft, visit, arguments))
        except ValueError as fault:
            raise Failed(sentence(str(fault))) from None
        if visit.verb is Verb.SET:
            self.section, self.section_name = visit.section, str(arguments.get(NAME, ""))
        elif self.section == visit.section and self.section_name == arguments.get(NAME, ""):
            self.leave_section()
        return NOTHING

    def leave_section(self) -> None:
        """Go out of the section; so does the `!` below it in a configuration that is pasted."""
        self.section, self.section_name = None, ""

    def leave_candidate(self) -> None:
        """Go back to the first prompt; the candidate is gone."""
        self.candidate = None
        self.leave_section()


