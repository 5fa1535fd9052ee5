"""What commands answer: every name of every result, declared once for tables, JSON and the manual.

Times are Unix time in seconds (`wall_time`), durations end in `_s` or `_ms`, sizes are bytes.
"""

from __future__ import annotations

from typing import Final

from appliance.catalogue.command_declaration import Field, Shape

TEXT, INTEGER, NUMBER, BOOLEAN, TEXTS, ROWS, ANY = Shape


def _table(name: str, help: str, *fields: Field) -> tuple[Field, ...]:
    """A result that is one table."""
    return (Field(name, ROWS, help, fields=fields),)


def _part(name: str, help: str, *fields: Field) -> tuple[Field, ...]:
    """A result that is a part of a long table."""
    return (
        Field("total", INTEGER, "How many there are."),
        Field("shown", INTEGER, "How many of them are in `rows`."),
        Field("rows", ROWS, help, fields=fields),
    )


# fmt: off
VERSION: Final = (
    Field("hostname", TEXT, "What its operators call this appliance.", "hostname"),
    Field("version", TEXT, "The version of Signalbox.", "version"),
    Field("build", TEXT, "`compiled` or `pure`.", "build"),
    Field("python", TEXT, "The version of Python.", "python"),
    Field("uptime_s", NUMBER, "Seconds since the appliance was started.", "uptime"),
    Field("commit", INTEGER, "The number of the configuration in force.", "commit"),
)
TEXT_OF_CONFIGURATION: Final = (
    Field("text", TEXT, "The configuration, as it is typed."),
    Field("commit", INTEGER, "The number of its commit."),
)
_COMMIT: Final = (
    Field("number", INTEGER, "Commits are counted from 1.", "commit"),
    Field("wall_time", NUMBER, "When it was made.", "when"),
    Field("user", TEXT, "Who made it.", "who"),
    Field("state", TEXT, "`confirmed`, `unconfirmed` (it will revert unless confirmed) or `reverted`.", "state"),
    Field("confirm_by", NUMBER, "When an unconfirmed commit is taken back; 0 for one that is not on trial."),
    Field("added", INTEGER, "Lines added.", "+"),
    Field("removed", INTEGER, "Lines removed.", "-"),
    Field("comment", TEXT, "Why.", "comment"),
)
COMMITS: Final = _table("commits", "The commits that are kept, newest first.", *_COMMIT)
COMMIT: Final = (
    *_COMMIT,
    Field("text", TEXT, "The whole configuration of that commit."),
    Field("diff", TEXTS, "What it changed."),
)
WORKERS: Final = _table(
    "workers", "One for each worker.",
    Field("number", INTEGER, "Workers are counted from 0.", "worker"),
    Field("state", TEXT, "`live`, `starting`, `draining`, ...", "state"),
    Field("pid", INTEGER, "Its process; 0 for none.", "pid"),
    Field("uptime_s", NUMBER, "Seconds since it was started.", "up"),
    Field("restarts", INTEGER, "How often it was started again.", "restarts"),
    Field("slots", INTEGER, "Slots of Call-IDs that it owns, of 256.", "slots"),
    Field("transactions", INTEGER, "Transactions in its table.", "transactions"),
    Field("registrations", INTEGER, "Registered contacts it knows: all of them, on every worker.", "registrations"),
    Field("cpu_percent", NUMBER, "Processor time it takes now.", "cpu %"),
    Field("rss", INTEGER, "Memory in bytes.", "memory MiB"),
    Field("silent_ms", INTEGER, "Milliseconds since it was last heard of.", "silent ms"),
    Field("last_ending", TEXT, "How its last process ended; empty when none has.", "last ending"),
)
SLOTS: Final = _table(
    "slots", "Runs of slots that have one owner.",
    Field("first", INTEGER, "The first slot of the run.", "first"),
    Field("last", INTEGER, "The last slot of the run.", "last"),
    Field("worker", INTEGER, "The worker that owns them.", "worker"),
)
LISTENERS: Final = _table(
    "listeners", "One for each listener.",
    Field("place", INTEGER, "Its number while the appliance runs.", "place"),
    Field("name", TEXT, "Its name in the configuration.", "listener"),
    Field("address", TEXT, "The local address.", "address"),
    Field("port", INTEGER, "The local port.", "port"),
    Field("transports", TEXTS, "What is spoken there.", "transports"),
    Field("role", TEXT, "Which stages a request passes.", "role"),
    Field("authenticate", BOOLEAN, "Whether requests must prove a password.", "authenticate"),
    Field("standing", TEXT, "`open`, `ending` while it finishes what it has, or `shutdown`.", "standing"),
    Field("description", TEXT, "The operators' remark.", "description"),
)
SOCKETS: Final = _table(
    "sockets", "One for each local address and transport.",
    Field("protocol", TEXT, "`udp`, `tcp`, or `unix` for operators.", "protocol"),
    Field("address", TEXT, "The local address, or the path.", "address"),
    Field("port", INTEGER, "The local port.", "port"),
    Field("listener", TEXT, "The listener it belongs to.", "listener"),
    Field("processes", TEXT, "Who reads it.", "processes"),
    Field("steered", BOOLEAN, "Whether the kernel gives each datagram to the worker of its Call-ID.", "steered"),
)
DOMAINS: Final = _table(
    "domains", "One for each domain.",
    Field("domain", TEXT, "A domain or an address.", "domain"),
    Field("source", TEXT, "What makes it ours: `domain`, or a listener.", "source"),
    Field("realm", TEXT, "The realm in which its subscribers prove their passwords.", "realm"),
)
PROCESSES: Final = _table(
    "processes", "The processes of the appliance.",
    Field("name", TEXT, "What it does.", "process"),
    Field("pid", INTEGER, "Its number.", "pid"),
    Field("uptime_s", NUMBER, "Seconds since it was started.", "up"),
    Field("restarts", INTEGER, "How often it was started again.", "restarts"),
    Field("cpu_percent", NUMBER, "Processor time it takes now.", "cpu %"),
    Field("rss", INTEGER, "Memory in bytes.", "memory MiB"),
)
MEMORY: Final = (
    Field("memory", ROWS, "Memory of each process.", fields=(
        Field("process", TEXT, "The process.", "process"),
        Field("pid", INTEGER, "Its number.", "pid"),
        Field("rss", INTEGER, "Memory in use, in bytes.", "memory MiB"),
    )),
    Field("total_rss", INTEGER, "The sum of them.", "total MiB"),
    Field("tables", ANY, "What is in the tables of each worker: objects of numbers."),
)
CLOCK: Final = _table(
    "clock", "One row.",
    Field("local_time", TEXT, "The time on the appliance, in its zone.", "time"),
    Field("zone", TEXT, "That zone.", "zone"),
    Field("wall_time", NUMBER, "The same in Unix time."),
    Field("uptime_s", NUMBER, "Seconds since the machine was started.", "machine up"),
)
CONNECTIONS: Final = _part(
    "rows", "Stream connections.",
    Field("worker", INTEGER, "The worker that holds it.", "worker"),
    Field("connection", INTEGER, "Its number in that worker.", "connection"),
    Field("listener", INTEGER, "The place of its listener, as in `show listeners`.", "listener"),
    Field("remote", TEXT, "The far end.", "remote"),
    Field("opened_by", TEXT, "`us` or `peer`.", "opened by"),
    Field("state", TEXT, "`open`, `silent` (nothing came yet) or `ending`.", "state"),
)
REGISTRATIONS: Final = _part(
    "rows", "Registered contacts.",
    Field("address", TEXT, "The address-of-record.", "address"),
    Field("contact", TEXT, "Where it is reached.", "contact"),
    Field("expires_s", INTEGER, "Seconds until it runs out.", "expires"),
    Field("q", NUMBER, "Its preference, 0 to 1.", "q"),
    Field("source", TEXT, "Where the REGISTER came from.", "source"),
    Field("worker", INTEGER, "The worker that holds its connection; -1 for none."),
    Field("connection", INTEGER, "The number of that connection; 0 for none."),
    Field("instance", TEXT, "Its `+sip.instance` (RFC 5626 4.1)."),
    Field("user_agent", TEXT, "What the phone calls itself.", "user agent"),
    Field("path", TEXTS, "The proxies in between (RFC 3327)."),
)
SUBSCRIBERS: Final = _part(
    "rows", "Subscribers.",
    Field("address", TEXT, "The subscriber.", "subscriber"),
)
TRANSACTIONS: Final = _part(
    "rows", "Transactions.",
    Field("worker", INTEGER, "The worker that owns it.", "worker"),
    Field("side", TEXT, "`server` or `client`.", "side"),
    Field("method", TEXT, "The method of the request.", "method"),
    Field("state", TEXT, "Its state by RFC 3261 17.", "state"),
    Field("last_status", TEXT, "The status last sent.", "status"),
    Field("remote", TEXT, "The far end.", "remote"),
    Field("key", TEXT, "What it is known by.", "key"),
)
CALLS: Final = (*_part(
    "rows", "Calls that are being set up; those that stand need no memory here.",
    Field("worker", INTEGER, "The worker that owns it.", "worker"),
    Field("from", TEXT, "The caller.", "from"),
    Field("to", TEXT, "Who is called.", "to"),
    Field("request_uri", TEXT, "The Request-URI."),
    Field("came_from", TEXT, "Where the INVITE came from.", "came from"),
    Field("state", TEXT, "The state of its server transaction.", "state"),
    Field("last_status", TEXT, "The status last sent.", "status"),
    Field("call_id", TEXT, "The Call-ID.", "call-id"),
    ),
    Field("started", INTEGER, "Calls forwarded since the counters began."),
    Field("answered", INTEGER, "Calls that got a 2xx."),
    Field("failed", INTEGER, "Calls that got a final response from 300 on."),
)
COUNTERS: Final = _table(
    "counters", "Since the appliance started or `clear counters`, all workers together.",
    Field("name", TEXT, "The counter.", "counter"),
    Field("group", TEXT, "What it belongs to."),
    Field("value", INTEGER, "How often.", "value"),
    Field("rate_5s", NUMBER, "A second, over the last 5 seconds.", "5 s"),
    Field("rate_1min", NUMBER, "A second, over the last minute.", "1 min"),
    Field("rate_5min", NUMBER, "A second, over the last 5 minutes.", "5 min"),
    Field("help", TEXT, "What it counts.", "what it counts"),
)
ALARMS: Final = _table(
    "alarms", "Alarms that are active.",
    Field("name", TEXT, "The alarm.", "alarm"),
    Field("subject", TEXT, "What it is about.", "subject"),
    Field("severity", TEXT, "`critical`, `major`, `minor` or `warning`.", "severity"),
    Field("since", NUMBER, "When it was raised.", "since"),
    Field("text", TEXT, "What happened."),
    Field("cause", TEXT, "Why it is raised."),
    Field("effect", TEXT, "What no longer works."),
    Field("action", TEXT, "What to do."),
    Field("acknowledged_by", TEXT, "The operator who has acknowledged it; empty for none."),
)
ACKNOWLEDGED: Final = (Field("acknowledged", INTEGER, "How many alarms."),)
ALARM_HISTORY: Final = _table(
    "events", "Alarms raised and cleared, the last one at the end.",
    Field("wall_time", NUMBER, "When.", "when"),
    Field("what", TEXT, "`raised`, `cleared`, or `acknowledged by` an operator.", "what"),
    Field("name", TEXT, "The alarm.", "alarm"),
    Field("subject", TEXT, "What it is about.", "subject"),
    Field("severity", TEXT, "How bad it is.", "severity"),
    Field("text", TEXT, "What happened.", "text"),
)
LOGGING: Final = (Field("lines", TEXTS, "The last lines of the log."),)
AUDIT: Final = _table(
    "entries", "What operators have changed, the last at the end.",
    Field("wall_time", NUMBER, "When.", "when"),
    Field("user", TEXT, "Who; `signalbox` for what the appliance did itself.", "who"),
    Field("from", TEXT, "The address and the terminal of the operator.", "from"),
    Field("command", TEXT, "What was asked for.", "command"),
    Field("result", TEXT, "What came of it.", "result"),
)
USERS: Final = _table(
    "users", "The open sessions.",
    Field("number", INTEGER, "Its number, for `clear session`.", "session"),
    Field("user", TEXT, "The operator.", "user"),
    Field("right", TEXT, "`none` before a login, `look`, or `act` after `enable`.", "right"),
    Field("terminal", TEXT, "The terminal, by the kernel.", "terminal"),
    Field("address", TEXT, "The address the operator comes from, as the shell says.", "address"),
    Field("connected_s", NUMBER, "Seconds since the session began.", "connected"),
    Field("idle_s", NUMBER, "Seconds since the last command.", "idle"),
    Field("is_self", BOOLEAN, "Whether it is the session that asks.", "this one"),
)
RATE_LIMITS: Final = _table(
    "limits", "One for each rate limit.",
    Field("name", TEXT, "Its name in the configuration; `default-` ones are built in, see `overload`.", "rate-limit"),
    Field("of", TEXT, "What is counted.", "of"),
    Field("per", TEXT, "What has a budget of its own.", "per"),
    Field("rate_per_s", NUMBER, "How many a second.", "rate"),
    Field("burst", NUMBER, "How many at once.", "burst"),
    Field("action", TEXT, "What becomes of what is too much.", "action"),
    Field("passed", INTEGER, "How many were within it.", "passed"),
    Field("exceeded", INTEGER, "How many were beyond it.", "exceeded"),
    Field("hit", ROWS, "Whom it hits most.", fields=(
        Field("key", TEXT, "The source, domain or listener."),
        Field("exceeded", INTEGER, "How many of his were beyond it."),
    )),
)
AUTHENTICATION_FAILURES: Final = _part(
    "rows",
    "One for each source and user, one for all users of a source, and one for all sources of a user.",
    Field("source", TEXT, "An IPv4 address or an IPv6 prefix of 64 bits; `(all)` for the sum of a user.", "source"),
    Field("user", TEXT, "The user; `(all)` for the sum of a source.", "user"),
    Field("failures", INTEGER, "Wrong passwords that are not forgotten yet.", "failures"),
    Field("wall_time", NUMBER, "When the last one came.", "last"),
    Field("refused_s", INTEGER, "How long the source is refused from now on.", "refused for"),
)
TECH_SUPPORT: Final = (
    Field("path", TEXT, "The archive, on the appliance.", "archive"),
    Field("size", INTEGER, "Its size in bytes.", "bytes"),
)
_FAULTS: Final = Field(
    "faults", ROWS, "What is wrong, by line.", fields=(
        Field("line", INTEGER, "The line, from 1.", "line"),
        Field("column", INTEGER, "The column, from 1; 0 is the whole line.", "column"),
        Field("problem", TEXT, "What is wrong.", "problem"),
        Field("remedy", TEXT, "What to type instead.", "remedy"),
    ),
)
EFFECTS: Final = Field(
    "effects", ROWS, "What changes, and what that takes.", fields=(
        Field("keyword", TEXT, "The setting.", "setting"),
        Field("old", TEXT, "Its value in force.", "from"),
        Field("new", TEXT, "Its new value.", "to"),
        Field("effect", TEXT, "`live`, `drain` or `restart`.", "takes effect"),
    ),
)
_WARNINGS: Final = Field("warnings", TEXTS, "What the configuration leaves open.")
CHECKED: Final = (_FAULTS, EFFECTS, _WARNINGS)
COMMITTED: Final = (Field("number", INTEGER, "The new commit."), EFFECTS, _WARNINGS)
REBASED: Final = (
    Field("text", TEXT, "The candidate, on top of the newest commit."),
    Field("base", INTEGER, "The number of that commit."),
    Field("conflicts", ROWS, "Lines that both have changed; theirs stand in the candidate.", fields=(
        Field("line", TEXT, "What is set.", "line"),
        Field("theirs", TEXT, "What the others have made of it.", "theirs"),
        Field("mine", TEXT, "What you have made of it.", "yours"),
    )),
)
NUMBERED: Final = (Field("number", INTEGER, "The commit."),)
CLEARED: Final = (Field("cleared", INTEGER, "How many."),)
WORKER_STATE: Final = (
    Field("number", INTEGER, "The worker."),
    Field("state", TEXT, "How it is now."),
)
HASH: Final = (Field("hash", TEXT, "What stands in the configuration after `secret`.", "hash"),)
SENTENCE: Final = (Field("text", TEXT, "What was done."),)
SIP_MESSAGE: Final = (
    Field("wall_time", NUMBER, "When."),
    Field("worker", INTEGER, "The worker that received or sent it."),
    Field("direction", TEXT, "`in` or `out`."),
    Field("transport", TEXT, "What is spoken."),
    Field("local", TEXT, "Our end."),
    Field("remote", TEXT, "The far end."),
    Field("start_line", TEXT, "The first line of the message."),
    Field("call_id", TEXT, "Its Call-ID."),
    Field("octets", INTEGER, "Its length."),
    Field("data", TEXT, "The message."),
)
SIP_END: Final = (
    Field("shown", INTEGER, "How many messages were shown."),
    Field("missed", INTEGER, "How many came faster than they could be shown."),
)
OCTETS: Final = (Field("data", TEXT, "Octets in base64 (RFC 4648 4)."),)
LOG_LINE: Final = (Field("line", TEXT, "A line of the log."),)
PING_ANSWER: Final = (
    Field("n", INTEGER, "Which ping, from 1."),
    Field("status", INTEGER, "The status of the response; 0 for none."),
    Field("reason", TEXT, "Its reason phrase, or what went wrong."),
    Field("ms", NUMBER, "How long it took."),
)
HOP: Final = (*PING_ANSWER, Field("server", TEXT, "What the hop calls itself; empty where it does not say."))
TRACEROUTE: Final = (
    Field("hops", INTEGER, "How many hops were asked."),
    Field("is_reached", BOOLEAN, "Whether the last one answered for itself."),
)
PING: Final = (
    Field("sent", INTEGER, "Requests sent."),
    Field("received", INTEGER, "Responses received."),
    Field("min_ms", NUMBER, "The shortest time."),
    Field("avg_ms", NUMBER, "The mean time."),
    Field("max_ms", NUMBER, "The longest time."),
)
ROUTE: Final = (
    Field("stages", ROWS, "What each stage decides, in order.", fields=(
        Field("stage", TEXT, "The stage.", "stage"),
        Field("answer", TEXT, "What it answers.", "answer"),
        Field("note", TEXT, "Why.", "note"),
    )),
    Field("targets", ROWS, "Where the request would go.", fields=(
        Field("uri", TEXT, "The target.", "target"),
        Field("q", NUMBER, "Its preference.", "q"),
        Field("hops", TEXTS, "The next hops, in the order they are tried.", "next hops"),
        Field("path", TEXTS, "The Route it gets.", "path"),
    )),
    Field("outcome", TEXT, "What becomes of the request."),
)
STATUS: Final = (
    Field("hostname", TEXT, "What its operators call this appliance."),
    Field("supervisor", ANY, "Its process, since when, and what it did last."),
    Field("workers", ROWS, "As in `show workers`.", fields=WORKERS[0].fields),
    Field("registrations", INTEGER, "Registered contacts."),
    Field("transactions", INTEGER, "Transactions of all workers."),
    Field("alarms", ANY, "What is wrong."),
)
# fmt: on
