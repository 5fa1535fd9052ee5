"""The client of the control socket: requests and answers as lines of JSON.

Several requests may be under way. A thread reads the answers and puts each into the inbox of its request; answers to
requests that were given up are ignored. Notices of the appliance and the end of the connection go to a listener, in
that thread.
"""

from __future__ import annotations

import json
import socket
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Lock, RLock, Thread
from typing import Any

from cli.errors import Unreachable, refusal
from cli.output import Item

ANSWER_TIMEOUT_S = 120.0
SEND_TIMEOUT_S = 5.0
# How often a wait is reported.
PROGRESS_S = 1.0
LINE_LEN_MAX = 16 * 1024 * 1024
LANGUAGE = 1
LOST = {"lost": True}


@dataclass(slots=True)
class Listener:
    """Callbacks for what happens without a request; each is called in the thread that reads.

    `changed`  the session has another hostname or right.
    `over`     the appliance has ended the session; the argument says why.
    `lost`     the connection has ended without a notice.
    `waiting`  an answer has been awaited for so many seconds; 0 when the wait is over. In the thread that asks.
    """

    changed: Callable[[Mapping[str, Any]], None] = lambda values: None
    over: Callable[[str], None] = lambda why: None
    lost: Callable[[], None] = lambda: None
    waiting: Callable[[float], None] = lambda seconds: None


class Control:
    """A connection to the control socket at `path`, opened anew after it was lost.

    `introduction` is sent in `hello`: `script`, `address`.
    """

    def __init__(self, path: Path, introduction: Mapping[str, Any] | None = None) -> None:
        self._path = path
        self._introduction = dict(introduction or {})
        self.listener = Listener()
        self._over = ""
        self._socket: socket.socket | None = None
        self._inboxes: dict[int, Inbox] = {}
        self._last_id = 0
        self._lock = Lock()
        self.opening = RLock()
        """Held while a connection is opened and its operator proved."""

    @property
    def is_open(self) -> bool:
        """Is there a connection, as far as is known?"""
        return self._socket is not None

    def open(self) -> dict[str, Any]:
        """Connect; returns the answer to `hello`. Raises Unreachable or Refused."""
        self.close()
        self._over = ""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(SEND_TIMEOUT_S)
        try:
            connection.connect(str(self._path))
        except OSError as fault:
            connection.close()
            raise Unreachable(*_why_not(self._path, fault)) from None
        connection.settimeout(None)
        self._socket = connection
        Thread(target=self._read, args=(connection,), daemon=True).start()
        return self.ask("hello", {"language": LANGUAGE, **self._introduction})

    def close(self) -> None:
        """Close the connection; pending waits end."""
        connection, self._socket = self._socket, None
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def ask(self, do: str, args: Mapping[str, Any], timeout_s: float = ANSWER_TIMEOUT_S) -> dict[str, Any]:
        """The result of a request. Raises Refused or Unreachable."""
        request = self._send(do, args)
        try:
            for kind, content in self._answers(request, timeout_s):
                if kind == "result":
                    return content
            raise AssertionError("answers end with a result")
        finally:
            self._inboxes.pop(request, None)

    def stream(self, do: str, args: Mapping[str, Any]) -> Iterator[Item]:
        """The events of a request and its result; leaving off, or Ctrl-C, ends it. Raises Refused or Unreachable."""
        request = self._send(do, args)
        is_over = False
        try:
            for item in self._answers(request, None):
                is_over = item[0] == "result"
                yield item
        except KeyboardInterrupt:
            is_over = True
            yield from self._end_of(request)
        finally:
            if not is_over:
                self._cancel(request)
            self._inboxes.pop(request, None)

    def tell(self, do: str) -> None:
        """Send a request whose answer is of no interest; nothing where there is no connection."""
        with suppress(Unreachable):
            self._inboxes.pop(self._send(do, {}), None)

    def _end_of(self, request: int) -> Iterator[Item]:
        """Stop a request; how it ended."""
        self._cancel(request)
        yield from (item for item in self._answers(request, SEND_TIMEOUT_S) if item[0] == "result")

    def _cancel(self, request: int) -> None:
        with suppress(Unreachable):
            self._inboxes.pop(self._send("cancel", {"request": request}), None)

    # -- sending and receiving -----------------------------------------------------------------------

    def _send(self, do: str, args: Mapping[str, Any]) -> int:
        """Send a request; returns its number. Raises Unreachable."""
        with self._lock:
            connection = self._socket
            if connection is None:
                raise _lost("not connected")
            self._last_id += 1
            request = self._last_id
            self._inboxes[request] = Inbox()
            try:
                connection.sendall(json.dumps({"id": request, "do": do, "args": dict(args)}).encode() + b"\n")
            except OSError as fault:
                self.close()
                raise _lost(fault.strerror or str(fault)) from None
        return request

    def _answers(self, request: int, timeout_s: float | None) -> Iterator[Item]:
        """What comes for one request, up to its result."""
        inbox = self._inboxes[request]
        while True:
            answer = self._take(inbox, timeout_s)
            if answer is None:
                problem = f"The appliance did not answer within {timeout_s:.0f} seconds."
                raise Unreachable(problem, "The command may still complete; check with `show status`.")
            if answer is LOST:
                raise Unreachable(self._over, "Reconnect.") if self._over else _lost("closed by the appliance")
            if "error" in answer:
                raise refusal(answer["error"])
            if "result" in answer:
                yield "result", answer["result"]
                return
            yield "event", answer.get("event", {})

    def _take(self, inbox: Inbox, timeout_s: float | None) -> dict[str, Any] | None:
        """The next answer; progress of a long wait is reported. None when none has come in time."""
        if timeout_s is None or timeout_s <= PROGRESS_S:
            return inbox.take(timeout_s)
        waited_s = 0.0
        try:
            while waited_s < timeout_s:
                answer = inbox.take(min(PROGRESS_S, timeout_s - waited_s))
                if answer is not None:
                    return answer
                waited_s += PROGRESS_S
                self.listener.waiting(waited_s)
        finally:
            if waited_s:
                self.listener.waiting(0.0)
        return None

    def _read(self, connection: socket.socket) -> None:
        """In a thread: hand out answers until the connection ends."""
        with suppress(OSError, ValueError), connection.makefile("rb") as lines:
            while line := lines.readline(LINE_LEN_MAX):
                answer = json.loads(line)
                inbox = self._inboxes.get(answer.get("id"))
                if inbox is not None:
                    inbox.put(answer)
                elif answer.get("id") is None:
                    self._take_news(answer)
        with self._lock:
            # There may be another connection by now, with requests of its own.
            is_current = self._socket is connection
            if is_current:
                self._socket = None
            waiting = list(self._inboxes.values()) if is_current or self._socket is None else []
        connection.close()
        for inbox in waiting:
            inbox.put(LOST)
        if is_current and not self._over:
            self.listener.lost()

    def _take_news(self, news: Mapping[str, Any]) -> None:
        if "over" in news:
            self._over = str(news["over"])
            self.listener.over(self._over)
        elif isinstance(news.get("session"), dict):
            self.listener.changed(news["session"])


def _lost(why: str) -> Unreachable:
    return Unreachable(f"The connection to the appliance was lost: {why}.", "The next command reconnects.")


def _why_not(path: Path, fault: OSError) -> tuple[str, str]:
    """Why the connection failed, and what to do."""
    problem = f"Cannot connect to the appliance at {path}: {fault.strerror or fault}."
    if isinstance(fault, PermissionError):
        return problem, "Ask the owner of the socket for permission."
    return problem, "Start the appliance with `signalbox run`, or specify its state folder with `--state DIR`."


INBOX_MAX = 10_000


class Inbox:
    """A queue between two threads."""

    def __init__(self) -> None:
        self._answers: deque[dict[str, Any]] = deque(maxlen=INBOX_MAX)
        self._condition = Condition()

    def put(self, answer: dict[str, Any]) -> None:
        """Add an answer."""
        with self._condition:
            self._answers.append(answer)
            self._condition.notify()

    def take(self, timeout_s: float | None) -> dict[str, Any] | None:
        """The next answer; None when none has come in time."""
        with self._condition:
            if not self._condition.wait_for(lambda: bool(self._answers), timeout_s):
                return None
            return self._answers.popleft()
