"""A small appliance behind a control socket: it keeps commits, alarms and an audit log, and answers canned rows.

It checks configurations by the real catalogue, so that what it refuses is what the real one refuses.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.catalogue.commands import NODE_REQUESTS
from appliance.catalogue.counters import COUNTERS
from appliance.catalogue.errors import ConfigError
from appliance.configuration.diff import changes
from appliance.configuration.text import parse_configuration, write_configuration
from cli.differences import differences

Args = dict[str, Any]
BEGUN = 1764000000.0


class No(Exception):
    """A refusal."""

    def __init__(self, message: str, remedy: str = "", **more: Any) -> None:
        self.error = {"message": message, "remedy": remedy, **more}
        super().__init__(message)


@dataclass
class Commit:
    """One commit."""

    number: int
    text: str
    diff: list[str]
    comment: str = ""
    user: str = "root"
    state: str = "confirmed"

    def row(self) -> Args:
        return {
            "number": self.number, "user": self.user, "wall_time": BEGUN + self.number, "comment": self.comment,
            "state": self.state, "confirm_by": 0.0, "added": sum(line[0] == "+" for line in self.diff),
            "removed": sum(line[0] == "-" for line in self.diff),
        }  # fmt: skip


@dataclass
class StandIn:
    """The appliance. `minute_s` is how long its minutes are; `secret` is what `enable` wants."""

    path: Path
    minute_s: float = 60.0
    secret: str = ""
    accounts: dict[str, str] = field(default_factory=dict)
    commits: list[Commit] = field(default_factory=lambda: [Commit(1, "hostname box\n", ["+ hostname box"])])
    seen: list[tuple[str, Args]] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)
    timer: threading.Timer | None = None
    banner: list[str] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    slow_s: float = 0.0
    refusal: Args = field(default_factory=dict)
    connections: list[socket.socket] = field(default_factory=list)
    lines: list[Any] = field(default_factory=list)

    @property
    def head(self) -> Commit:
        return self.commits[-1]

    def serve(self, door: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = door.accept()
                self.connections.append(connection)
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def hang_up(self) -> None:
        """Lose all connections."""
        # Who was hung up on may be back while others still are told.
        lost, self.connections = self.connections, []
        for connection in lost:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def say(self, **words: Any) -> None:
        """Tell every client something unasked."""
        for lines in self.lines:
            with suppress(OSError, ValueError):
                lines.write(json.dumps({"id": None, **words}).encode() + b"\n")
                lines.flush()

    def _talk(self, connection: socket.socket) -> None:
        state = {"right": "view"}
        with suppress(OSError, ValueError), connection, connection.makefile("rwb") as lines:
            self.lines.append(lines)
            for line in lines:
                request = json.loads(line)
                threading.Thread(target=self._answer, args=(lines, request, state), daemon=True).start()

    def _answer(self, lines: Any, request: Args, state: dict[str, str]) -> None:
        def say(**words: Any) -> None:
            with suppress(OSError, ValueError):
                lines.write(json.dumps({"id": request["id"], **words}).encode() + b"\n")
                lines.flush()

        do, args = request["do"], request.get("args", {})
        self.seen.append((do, args))
        try:
            say(result=self._do(do, args, state, lambda event: say(event=event)))
        except No as no:
            say(error=no.error)

    def _do(self, do: str, args: Args, state: dict[str, str], tell: Callable[[Args], None]) -> Any:
        if do == "hello":
            state["script"] = str(args.get("script", False))
            return {"user": "root", "right": "view", "hostname": "box", "version": "0.1.0", "language": 1,
                    "needs_login": bool(self.accounts), "banner": self.banner, "aliases": self.aliases}  # fmt: skip
        if do == "login":
            if self.accounts.get(args["user"]) != args["password"]:
                raise No("Wrong user or password", "try again")
            return {"user": args["user"], "right": "view"}
        if do == "enable":
            if args["secret"] != self.secret and state.get("script") != "True":
                raise No("That is not the secret", "type the secret")
            state["right"] = "admin"
            return {"right": "admin"}
        if do == "active":
            return {}
        if do == "cancel":
            self.cancelled.set()
            return {}
        if do == "show clock":
            time.sleep(self.slow_s)
        if self.refusal:
            raise No(**self.refusal)
        if "node" in args and do in NODE_REQUESTS:
            return self._of_nodes(do, args, state, tell)
        if do in CANNED:
            return CANNED[do]
        method = getattr(self, "do_" + do.replace(" ", "_").replace("-", "_"), None)
        if method is None:
            raise No(f"There is no request `{do}`.", "update the shell")
        if do in STREAMS:
            return method(args, tell)
        if do in CHANGING and state["right"] != "admin":
            raise No("This needs the right to act", "type `enable`")
        return method(args)

    def _of_nodes(self, do: str, args: Args, state: dict[str, str], tell: Callable[[Args], None]) -> Args:
        """Of all nodes the second one is unreachable."""
        shown = self._do(do, {name: value for name, value in args.items() if name != "node"}, state, tell)
        if args["node"] != "all":
            return {"nodes": {args["node"]: shown}}
        error = {"message": "The node is unreachable.", "remedy": "see `show cluster`"}
        return {"nodes": {"node-1": shown, "node-2": {"error": error}}}

    # -- configuration -------------------------------------------------------------------------------

    def do_show_running_config(self, args: Args) -> Args:
        text = self.head.text
        if args.get("all"):
            text = write_configuration(parse_configuration(text), with_defaults=True)
        return {"text": text, "commit": self.head.number}

    do_show_startup_config = do_show_running_config

    def do_show_commits(self, args: Args) -> Args:
        return {"commits": [commit.row() for commit in reversed(self.commits)][: args.get("limit", 50)]}

    def do_show_commit(self, args: Args) -> Args:
        commit = self._commit(args["number"])
        return {**commit.row(), "text": commit.text, "diff": commit.diff}

    def _commit(self, number: int) -> Commit:
        if not 1 <= number <= len(self.commits):
            raise No(f"There is no commit {number}.", f"type a number from 1 to {len(self.commits)}")
        return self.commits[number - 1]

    def do_check(self, args: Args) -> Args:
        faults = faults_of(args["text"])
        effects = [] if faults else effects_of(self.head.text, args["text"])
        return {"faults": faults, "effects": effects}

    def do_commit(self, args: Args) -> Args:
        faults = faults_of(args["text"])
        if faults:
            raise No("The configuration has faults", "correct them", faults=faults)
        if args["base"] != self.head.number:
            conflicts = [{"line": "workers", "theirs": "workers 2", "mine": "workers 3"}]
            raise No("Another operator has committed since", "type `rebase`", conflicts=conflicts)
        effects = effects_of(self.head.text, args["text"])
        before = self.head.text
        self._add(args["text"], args["comment"], "unconfirmed" if args.get("confirm_minutes") else "confirmed")
        if args.get("confirm_minutes"):
            self.timer = threading.Timer(args["confirm_minutes"] * self.minute_s, self._revert, (before,))
            self.timer.daemon = True
            self.timer.start()
        return {"number": self.head.number, "effects": effects}

    def _add(self, text: str, comment: str, state: str = "confirmed") -> None:
        lines = differences(self.head.text, text)
        self.commits.append(Commit(len(self.commits) + 1, text, lines, comment, state=state))

    def _revert(self, before: str) -> None:
        self.head.state = "reverted"
        self._add(before, "not confirmed in time")

    def do_confirm(self, args: Args) -> Args:
        if self.head.state != "unconfirmed" or self.timer is None:
            raise No("No commit waits to be confirmed")
        self.timer.cancel()
        self.head.state = "confirmed"
        return {"number": self.head.number}

    def do_rollback(self, args: Args) -> Args:
        self._add(self._commit(args.get("number", self.head.number - 1)).text, args.get("comment", ""))
        return {"number": self.head.number}

    def do_rebase(self, args: Args) -> Args:
        return {"text": args["text"], "base": self.head.number, "conflicts": []}

    # -- the rest ------------------------------------------------------------------------------------

    def do_drain_worker(self, args: Args) -> Args:
        if args["number"] > 1:
            raise No(f"There is no worker {args['number']}.", "type a number from 0 to 1")
        return {"number": args["number"], "state": "draining"}

    def do_reload(self, args: Args) -> Args:
        return {"text": "All workers are restarted one after another."}

    def do_undrain_worker(self, args: Args) -> Args:
        return {"number": args["number"], "state": "live"}

    do_restart_worker = do_undrain_worker

    def do_show_registrations(self, args: Args) -> Args:
        rows = [row for row in CONTACTS if args.get("address") in (None, row["address"])]
        if "after" in args:
            # Two parts, as they lie in a table that is not sorted.
            number = int(args["after"] or 0)
            rows = [{**CONTACTS[0], "address": f"u{2500 - number - n}@example.com"} for n in range(args["limit"])]
            next_ = str(number + args["limit"]) if number + args["limit"] < 2000 else ""
            return {"total": 2000, "shown": len(rows), "rows": rows, "next": next_}
        return {"total": len(rows) if "address" in args else 200, "shown": len(rows), "rows": rows}

    def do_clear_counters(self, args: Args) -> Args:
        return {"cleared": len(COUNTERS)}

    def do_acknowledge_alarm(self, args: Args) -> Args:
        return {"acknowledged": 1}

    def do_clear_session(self, args: Args) -> Args:
        return {"cleared": 1}

    def do_clear_registration(self, args: Args) -> Args:
        return {"cleared": 1}

    def do_subscriber_add(self, args: Args) -> Args:
        return {"text": f"{args['address']} is a subscriber now."}

    def do_subscriber_password(self, args: Args) -> Args:
        return {"text": f"The password of {args['address']} is changed."}

    def do_hash_secret(self, args: Args) -> Args:
        return {"hash": "scrypt:16384:8:1:00:00"}

    def do_subscriber_remove(self, args: Args) -> Args:
        return {"text": f"{args['address']} is no subscriber any more."}

    def do_complete(self, args: Args) -> Args:
        words = {
            "address": ["alice@example.com", "alina@example.com", "bob@example.com"],
            "listener": ["main", "phones"],
            "worker": ["0", "1"],
        }
        return {"words": [word for word in words.get(args["what"], []) if word.startswith(args["start"])]}

    def do_ping(self, args: Args, tell: Callable[[Args], None]) -> Args:
        count = args.get("count", 5)
        for number in range(1, count + 1):
            tell({"n": number, "status": 200, "reason": "OK", "ms": 1.5})
        return {"sent": count, "received": count, "min_ms": 1.5, "avg_ms": 1.5, "max_ms": 1.5}

    def do_traceroute(self, args: Args, tell: Callable[[Args], None]) -> Args:
        tell({"n": 1, "status": 483, "reason": "Too Many Hops", "ms": 1.5, "server": "edge"})
        tell({"n": 2, "status": 200, "reason": "OK", "ms": 3.0, "server": ""})
        return {"hops": 2, "is_reached": True}

    def do_debug_sip(self, args: Args, tell: Callable[[Args], None]) -> Args:
        for message in MESSAGES:
            tell(message)
        return {"shown": len(MESSAGES)} if "lines" in args else self._until_cancelled(len(MESSAGES))

    def do_monitor_events(self, args: Args, tell: Callable[[Args], None]) -> Args:
        for event in EVENTS:
            tell(event)
        return {"shown": len(EVENTS), "missed": 0} if "seconds" in args else self._until_cancelled(len(EVENTS))

    def do_copy_tech_support(self, args: Args, tell: Callable[[Args], None]) -> Args:
        for piece in (b"\x1f\x8b\xff", b"\x00end"):
            tell({"data": b64encode(piece).decode()})
        return CANNED["show tech-support"]

    def do_system_backup(self, args: Args, tell: Callable[[Args], None]) -> Args:
        if len(args["passphrase"]) < 8:
            raise No("The passphrase is too short.", "type 8 characters or more")
        for piece in (b"\x00sealed", b"\xff"):
            tell({"data": b64encode(piece).decode()})
        return {"files": 3, "size": 8}

    def do_system_shell(self, args: Args) -> Args:
        raise No("This machine is not the appliance's own; others administer it.", "log in to the machine")

    def do_terminal_monitor(self, args: Args, tell: Callable[[Args], None]) -> Args:
        tell({"line": "12:00:00 supervisor: worker 1 is live"})
        return self._until_cancelled(1)

    def _until_cancelled(self, shown: int) -> Args:
        self.cancelled.wait(30)
        return {"shown": shown}


CHANGING = {"commit", "rollback", "confirm", "drain worker", "undrain worker", "restart worker", "clear counters"}
STREAMS = {
    "copy tech-support", "system backup", "ping", "traceroute", "debug sip", "monitor events", "terminal monitor",
}  # fmt: skip
WORKER = {
    "number": 0, "state": "live", "pid": 101, "uptime_s": 3700.0, "restarts": 0, "slots": 128, "transactions": 7,
    "registrations": 2, "cpu_percent": 12.5, "rss": 51 * 1024 * 1024, "silent_ms": 20, "last_ending": "",
}  # fmt: skip
WORKERS = [WORKER, {**WORKER, "number": 1, "pid": 102, "slots": 128, "transactions": 5}]
CONTACTS = [
    {"address": "alice@example.com", "contact": "sip:alice@192.0.2.7:5060", "expires_s": 3000, "q": 1.0,
     "source": "192.0.2.7:5060", "user_agent": "baresip", "worker": -1, "connection": 0, "instance": "", "path": []},
    {"address": "bob@example.com", "contact": "sip:bob@192.0.2.9:5060", "expires_s": 60, "q": 0.5,
     "source": "192.0.2.9:5060", "user_agent": "linphone", "worker": -1, "connection": 0, "instance": "", "path": []},
]  # fmt: skip
COUNTS = {
    "requests-sent": 1200, "responses-received": 2400, "calls-started": 400, "calls-answered": 380, "calls-failed": 12,
    "dropped-malformed": 3, "dropped-not-our-via": 40,
}  # fmt: skip
COUNTED = [
    {"name": c.name, "group": c.group, "help": c.help, "value": COUNTS.get(c.name, 0),
     "rate_5s": COUNTS.get(c.name, 0) / 10, "rate_1min": COUNTS.get(c.name, 0) / 20,
     "rate_5min": COUNTS.get(c.name, 0) / 40}
    for c in COUNTERS
]  # fmt: skip
CALL_EVENT = {
    "wall_time": 1764000000.0, "worker": 0, "event": "call-started", "call_id": "abc@192.0.2.7",
    "from_uri": "sip:alice@example.com", "to_uri": "sip:bob@example.com", "from_tag": "a1", "to_tag": "",
    "identity": "sip:alice@example.com", "request_uri": "sip:bob@example.com", "source": "udp 192.0.2.7:5060",
    "target": "", "hop": "", "status": 0, "reason": "", "address": "", "contact": "", "expires_s": 0, "user_agent": "",
    "is_by_operator": False,
}  # fmt: skip
CONTACT_EVENT = {
    **CALL_EVENT, "event": "contact-refreshed", "from_uri": "", "to_uri": "", "from_tag": "", "identity": "",
    "request_uri": "", "source": "192.0.2.9:5060", "address": "bob@example.com", "contact": "sip:bob@192.0.2.9:5060",
    "expires_s": 3600, "user_agent": "linphone", "worker": 1, "call_id": "reg@192.0.2.9",
}  # fmt: skip
EVENTS: list[dict[str, Any]] = [
    CALL_EVENT,
    {**CALL_EVENT, "event": "call-answered", "to_tag": "b1", "status": 200, "hop": "udp 192.0.2.9:5060",
     "target": "sip:bob@192.0.2.9:5060"},
    {**CALL_EVENT, "event": "call-failed", "status": 486, "reason": "Busy Here"},
    {**CALL_EVENT, "event": "call-cancelled", "reason": "SIP;cause=200"},
    {**CALL_EVENT, "event": "call-ended", "to_tag": "b1"},
    CONTACT_EVENT,
    {**CONTACT_EVENT, "event": "contact-removed", "expires_s": 0, "is_by_operator": True},
]  # fmt: skip
CANNED: dict[str, Any] = {
    "show version": {"hostname": "box", "version": "0.1.0", "build": "compiled", "python": "3.11.2",
                     "uptime_s": 3700.5, "commit": 1},
    "show status": {"hostname": "box", "supervisor": {"pid": 100, "uptime_s": 3700.5, "sentence": "All is well."},
                    "workers": WORKERS, "registrations": 2, "transactions": 12, "reload": "", "alarms": []},
    "show workers": {"workers": WORKERS},
    "show slots": {"slots": [{"first": 0, "last": 127, "worker": 0}, {"first": 128, "last": 255, "worker": 1}]},
    "show listeners": {"listeners": [{"name": "local", "address": "127.0.0.1", "port": 5060,
                                      "transports": ["udp", "tcp"], "role": "user", "authenticate": False,
                                      "place": 0, "standing": "open", "description": ""}]},
    "show processes": {"processes": [{"name": "supervisor", "pid": 100, "uptime_s": 3700.5,
                                      "restarts": 0, "cpu_percent": 0.5, "rss": 30 * 1024 * 1024}]},
    "show memory": {"memory": [{"process": "supervisor", "pid": 100, "rss": 30 * 1024 * 1024}],
                    "total_rss": 30 * 1024 * 1024, "tables": [{"worker": 0, "transactions": 7}]},
    "show clock": {"clock": [{"local_time": "2025-11-24 16:00:00.000", "zone": "UTC", "wall_time": BEGUN,
                              "uptime_s": 93784.0}]},
    "show connections": {"total": 0, "shown": 0, "rows": []},
    "show subscribers": {"total": 1, "shown": 1, "rows": [{"address": "alice@example.com"}]},
    "show transactions": {"total": 0, "shown": 0, "rows": []},
    "show calls": {"total": 0, "shown": 0, "rows": [], "started": 400, "answered": 380, "failed": 12},
    "show counters": {"counters": COUNTED},
    "show drops": {"counters": [row for row in COUNTED if row["group"] == "drops"]},
    "show rate-limits": {"limits": [{"name": "registrations", "of": "registrations", "per": "source",
                                     "rate_per_s": 100, "burst": 200, "action": "refuse", "passed": 1200,
                                     "exceeded": 3, "hit": [{"key": "192.0.2.7", "exceeded": 3}]}]},
    "show alarms": {"alarms": [{"name": "worker-down", "subject": "worker 1", "severity": "major", "since": BEGUN,
                                "cause": "Its process has ended.", "effect": "Its calls go to the others.",
                                "action": "Look at `show logging`.", "text": "Worker 1 was killed by SIGSEGV.",
                                "acknowledged_by": ""}]},
    "show alarm history": {"events": [{"wall_time": BEGUN, "name": "worker-down", "subject": "worker 1",
                                       "severity": "major", "what": "raised", "text": "Worker 1 was killed."}]},
    "show logging": {"lines": [f"line {number} of the log" for number in range(1, 201)]},
    "show users": {"users": [{"number": 3, "user": "ann", "right": "admin", "terminal": "pts/3",
                              "address": "192.0.2.7", "connected_s": 3700.0, "idle_s": 5.0, "is_self": True}]},
    "show audit": {"entries": [{"wall_time": BEGUN, "user": "root", "from": "192.0.2.7 pts/3",
                                "command": "commit", "result": "commit 1"}]},
    "show tech-support": {"path": "/var/lib/signalbox/tech-support.tar.gz", "size": 12345},
    "show lookups": {"lookups": [
        {"name": "customers", "protocol": "sql", "asked": 5, "found": 3, "empty": 1, "failed": 1, "refused": 0,
         "mean_ms": 1.5, "cached": 3, "hits": 12, "since": BEGUN, "fault": "connection refused"}]},
    "show routing failures": {"total": 1, "shown": 1, "rows": [
        {"wall_time": BEGUN, "worker": 0, "called": "sip:+1900@example.com", "caller": "sip:alice@example.com",
         "source": "192.0.2.7", "status": 403, "reason": "Barred", "steps": ["+1900 in table default: reject 403"],
         "call_id": "a"}]},
    "show dns cache": {"total": 1, "shown": 1, "rows": [
        {"worker": 0, "kind": "servers", "name": "SRV _sip._udp.example.com", "values": ["1 1 5060 s1.example.com"],
         "expires_s": 60, "state": "valid"}]},
    "show dns hosts": {"total": 1, "shown": 1, "rows": [
        {"worker": 0, "transport": "udp", "address": "192.0.2.9", "port": 5060, "state": "no response",
         "seconds": 12}]},
    "resolve": {"steps": [{"query": "NAPTR example.com", "records": [], "ttl_s": 30, "result": "none"}],
                "targets": [{"transport": "udp", "address": "192.0.2.9", "port": 5060, "listener": "local"}],
                "outcome": "example.com has 1 target."},
    "test route": {"stages": [{"stage": "validate", "answer": "continue", "note": ""},
                              {"stage": "locate", "answer": "continue", "note": "1 target"}],
                   "targets": [{"uri": "sip:bob@192.0.2.9:5060", "q": 1.0, "hops": ["udp 192.0.2.9:5060"],
                                "path": []}],
                   "outcome": "It is forwarded to 1 target."},
}  # fmt: skip


def _message(at: float, direction: str, remote: str, start_line: str) -> Args:
    return {"wall_time": BEGUN + at, "worker": 0, "direction": direction, "transport": "udp",
            "local": "192.0.2.1:5060", "remote": remote, "start_line": start_line, "call_id": "abc@192.0.2.7",
            "octets": 300, "data": start_line + "\r\nCall-ID: abc@192.0.2.7\r\n\r\n"}  # fmt: skip


CALLER, CALLEE = "192.0.2.7:5060", "192.0.2.9:5060"
MESSAGES = [
    _message(0.0, "in", CALLER, "INVITE sip:bob@example.com SIP/2.0"),
    _message(0.001, "out", CALLER, "SIP/2.0 100 Trying"),
    _message(0.002, "out", CALLEE, "INVITE sip:bob@192.0.2.9:5060 SIP/2.0"),
    _message(0.1, "in", CALLEE, "SIP/2.0 180 Ringing"),
    _message(0.101, "out", CALLER, "SIP/2.0 180 Ringing"),
]


def faults_of(text: str) -> list[Args]:
    try:
        parse_configuration(text)
    except ConfigError as error:
        return [{"line": f.line, "column": f.column, "problem": f.problem, "remedy": f.remedy} for f in error.faults]
    return []


def effects_of(old: str, new: str) -> list[Args]:
    found = changes(parse_configuration(old), parse_configuration(new))
    return [{"keyword": c.keyword, "effect": c.effect.value, "old": c.old, "new": c.new} for c in found]


@contextmanager
def standing_in(folder: Path, **facts: Any) -> Iterator[StandIn]:
    """A stand-in whose control socket is in `folder`/run."""
    path = folder / "run" / "control.sock"
    path.parent.mkdir(exist_ok=True)
    stand_in = StandIn(path, **facts)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen()
        threading.Thread(target=stand_in.serve, args=(door,), daemon=True).start()
        yield stand_in
    stand_in.hang_up()
    path.unlink()


if __name__ == "__main__":
    import sys

    with standing_in(Path(sys.argv[1]), minute_s=float((sys.argv[2:] or ["60"])[0])):
        print("ready", flush=True)
        time.sleep(3600)
