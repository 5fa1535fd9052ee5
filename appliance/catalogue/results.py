"""The results of commands: every field, declared once for tables, JSON and the manual.

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
        Field("total", INTEGER, "Total number of rows."),
        Field("shown", INTEGER, "Number of rows in `rows`."),
        Field("rows", ROWS, help, fields=fields),
    )


# fmt: off
VERSION: Final = (
    Field("hostname", TEXT, "The name of this appliance.", "hostname"),
    Field("version", TEXT, "The version of Signalbox.", "version"),
    Field("build", TEXT, "`compiled` or `pure` (Python).", "build"),
    Field("python", TEXT, "The version of Python.", "python"),
    Field("uptime_s", NUMBER, "Seconds since the appliance was started.", "uptime"),
    Field("commit", INTEGER, "The number of the active commit.", "commit"),
)
TEXT_OF_CONFIGURATION: Final = (
    Field("text", TEXT, "The configuration."),
    Field("commit", INTEGER, "Its commit number."),
)
_COMMIT: Final = (
    Field("number", INTEGER, "The commit number, from 1.", "commit"),
    Field("wall_time", NUMBER, "Time of the commit.", "time"),
    Field("user", TEXT, "The operator.", "user"),
    Field("state", TEXT, "`confirmed`, `unconfirmed` (reverts unless confirmed) or `reverted`.", "state"),
    Field("confirm_by", NUMBER, "Time at which an unconfirmed commit reverts; 0 for none."),
    Field("added", INTEGER, "Lines added.", "+"),
    Field("removed", INTEGER, "Lines removed.", "-"),
    Field("comment", TEXT, "The comment of the operator.", "comment"),
)
COMMITS: Final = _table("commits", "Stored commits, newest first.", *_COMMIT)
COMMIT: Final = (
    *_COMMIT,
    Field("text", TEXT, "The configuration of that commit."),
    Field("diff", TEXTS, "The changes."),
)
WORKERS: Final = _table(
    "workers", "One row per worker.",
    Field("number", INTEGER, "The worker number, from 0.", "worker"),
    Field("state", TEXT, "`absent`, `starting`, `live`, `draining`, `drained` or `stopping`.", "state"),
    Field("pid", INTEGER, "Process ID; 0 for none.", "pid"),
    Field("uptime_s", NUMBER, "Seconds since it was started.", "uptime"),
    Field("restarts", INTEGER, "Number of restarts.", "restarts"),
    Field("slots", INTEGER, "Number of Call-ID slots it owns, of 256.", "slots"),
    Field("transactions", INTEGER, "Transactions in its table.", "transactions"),
    Field("registrations", INTEGER, "Number of registered contacts; the same on every worker.", "registrations"),
    Field("cpu_percent", NUMBER, "Current CPU usage.", "cpu %"),
    Field("rss", INTEGER, "Memory (RSS) in bytes.", "memory MiB"),
    Field("silent_ms", INTEGER, "Milliseconds since the last heartbeat.", "heartbeat ms"),
    Field("last_ending", TEXT, "Why the previous process exited; empty for none.", "last exit"),
)
SLOTS: Final = _table(
    "slots", "Ranges of slots with one owner.",
    Field("first", INTEGER, "The first slot of the range.", "first"),
    Field("last", INTEGER, "The last slot of the range.", "last"),
    Field("worker", INTEGER, "The worker that owns them.", "worker"),
)
LISTENERS: Final = _table(
    "listeners", "One row per listener.",
    Field("place", INTEGER, "Its number while the appliance runs.", "#"),
    Field("name", TEXT, "Its name in the configuration.", "listener"),
    Field("address", TEXT, "The local address.", "address"),
    Field("port", INTEGER, "The local port.", "port"),
    Field("transports", TEXTS, "`udp`, `tcp`.", "transports"),
    Field("role", TEXT, "The processing stages of a request.", "role"),
    Field("authenticate", BOOLEAN, "Whether digest authentication is required.", "authenticate"),
    Field("standing", TEXT, "`open`, `draining` (removed, with calls left) or `shutdown`.", "state"),
    Field("description", TEXT, "The configured description.", "description"),
)
CERTIFICATES: Final = _table(
    "certificates", "One row per certificate.",
    Field("name", TEXT, "Its name in the configuration.", "name"),
    Field("listeners", TEXT, "The listeners that show it.", "listeners"),
    Field("proves", TEXT, "The domains that it proves (RFC 5922 7.1).", "proves"),
    Field("issuer", TEXT, "The common name of its issuer.", "issuer"),
    Field("expires", TEXT, "Its end.", "expires"),
    Field("days", INTEGER, "Days until then.", "days"),
    Field("state", TEXT, "`valid`, or what is wrong with its files.", "state"),
)
SOCKETS: Final = _table(
    "sockets", "One row per local address and transport.",
    Field("protocol", TEXT, "`udp`, `tcp` or `unix` (control socket).", "protocol"),
    Field("address", TEXT, "The local address or path.", "address"),
    Field("port", INTEGER, "The local port.", "port"),
    Field("listener", TEXT, "The listener it belongs to.", "listener"),
    Field("processes", TEXT, "The processes that read it.", "processes"),
    Field("steered", BOOLEAN, "Whether the kernel steers datagrams by Call-ID.", "steered"),
)
DOMAINS: Final = _table(
    "domains", "One row per domain.",
    Field("domain", TEXT, "A domain or an address.", "domain"),
    Field("source", TEXT, "`domain` (configured) or the name of a listener.", "source"),
    Field("realm", TEXT, "Its digest realm.", "realm"),
)
ROUTE_TABLE: Final = (
    Field("version", INTEGER, "The version of the routes in force; 0 for none."),
    *_part(
        "rules", "One row per entry of a rule; without a table, one per table.",
        Field("table", TEXT, "The table.", "table"),
        Field("prefix", TEXT, "The prefix, or `any`.", "prefix"),
        Field("action", TEXT, "The next hop or another action; for a table, its number of prefixes.", "action"),
        Field("priority", INTEGER, "Lower values are tried first.", "priority"),
        Field("weight", INTEGER, "The share among entries of equal priority.", "weight"),
        Field("strip", INTEGER, "Characters removed from the beginning of the number.", "strip"),
        Field("prepend", TEXT, "Characters then put in front.", "prepend"),
        Field("translation", TEXT, "The translation of the call, or empty.", "translation"),
        Field("condition", TEXT, "The condition under which it applies, or empty.", "condition"),
    ),
)
PROCESSES: Final = _table(
    "processes", "The processes of the appliance.",
    Field("name", TEXT, "The name of the process.", "process"),
    Field("pid", INTEGER, "Process ID.", "pid"),
    Field("uptime_s", NUMBER, "Seconds since it was started.", "uptime"),
    Field("restarts", INTEGER, "Number of restarts.", "restarts"),
    Field("cpu_percent", NUMBER, "Current CPU usage.", "cpu %"),
    Field("rss", INTEGER, "Memory (RSS) in bytes.", "memory MiB"),
)
MEMORY: Final = (
    Field("memory", ROWS, "Memory per process.", fields=(
        Field("process", TEXT, "The process.", "process"),
        Field("pid", INTEGER, "Process ID.", "pid"),
        Field("rss", INTEGER, "Memory (RSS) in bytes.", "memory MiB"),
    )),
    Field("total_rss", INTEGER, "The sum, in bytes.", "total MiB"),
    Field("tables", ANY, "Number of entries in the tables of each worker."),
)
CLOCK: Final = _table(
    "clock", "One row.",
    Field("local_time", TEXT, "Local time.", "time"),
    Field("zone", TEXT, "The time zone.", "zone"),
    Field("wall_time", NUMBER, "Unix time."),
    Field("uptime_s", NUMBER, "Seconds since the machine was started.", "machine uptime"),
)
CONNECTIONS: Final = _part(
    "rows", "TCP connections.",
    Field("worker", INTEGER, "The worker that owns it.", "worker"),
    Field("connection", INTEGER, "Its number on that worker.", "connection"),
    Field("listener", INTEGER, "The number of its listener, as in `show listeners`.", "listener"),
    Field("remote", TEXT, "The remote address and port.", "remote"),
    Field("opened_by", TEXT, "`us` or `peer`.", "opened by"),
    Field("state", TEXT, "`open`, `silent` (nothing received yet) or `ending`.", "state"),
)
REGISTRATIONS: Final = _part(
    "rows", "Registered contacts.",
    Field("address", TEXT, "The address-of-record.", "address"),
    Field("contact", TEXT, "The contact URI.", "contact"),
    Field("expires_s", INTEGER, "Seconds until it expires.", "expires"),
    Field("q", NUMBER, "Its q value, 0 to 1.", "q"),
    Field("source", TEXT, "The source of the REGISTER request.", "source"),
    Field("worker", INTEGER, "The worker that owns its connection; -1 for none."),
    Field("connection", INTEGER, "The number of that connection; 0 for none."),
    Field("instance", TEXT, "Its `+sip.instance` (RFC 5626 4.1)."),
    Field("user_agent", TEXT, "The User-Agent of the phone.", "user agent"),
    Field("path", TEXTS, "The Path (RFC 3327)."),
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
    Field("state", TEXT, "Its state (RFC 3261 17).", "state"),
    Field("last_status", TEXT, "The last status sent.", "status"),
    Field("remote", TEXT, "The remote address and port.", "remote"),
    Field("key", TEXT, "The transaction key.", "key"),
)
CALLS: Final = (*_part(
    "rows", "Calls in setup. Established calls keep no state.",
    Field("worker", INTEGER, "The worker that owns it.", "worker"),
    Field("from", TEXT, "The caller.", "from"),
    Field("to", TEXT, "The called address.", "to"),
    Field("request_uri", TEXT, "The Request-URI."),
    Field("came_from", TEXT, "The source of the INVITE request.", "source"),
    Field("state", TEXT, "The state of its server transaction.", "state"),
    Field("last_status", TEXT, "The last status sent.", "status"),
    Field("call_id", TEXT, "The Call-ID.", "call-id"),
    ),
    Field("started", INTEGER, "Calls forwarded since the counters were cleared."),
    Field("answered", INTEGER, "Calls with a 2xx response."),
    Field("failed", INTEGER, "Calls with a final response of 300 or higher."),
)
COUNTERS: Final = _table(
    "counters", "Totals of all workers since the start or `clear counters`.",
    Field("name", TEXT, "The counter.", "counter"),
    Field("group", TEXT, "Its group."),
    Field("value", INTEGER, "The total.", "value"),
    Field("rate_5s", NUMBER, "Rate per second over the last 5 seconds.", "5 s"),
    Field("rate_1min", NUMBER, "Rate per second over the last minute.", "1 min"),
    Field("rate_5min", NUMBER, "Rate per second over the last 5 minutes.", "5 min"),
    Field("help", TEXT, "What it counts.", "description"),
)
ALARMS: Final = _table(
    "alarms", "Active alarms.",
    Field("name", TEXT, "The alarm.", "alarm"),
    Field("subject", TEXT, "The affected component.", "subject"),
    Field("severity", TEXT, "`critical`, `major`, `minor` or `warning`.", "severity"),
    Field("since", NUMBER, "Time it was raised.", "since"),
    Field("text", TEXT, "Details."),
    Field("cause", TEXT, "The cause."),
    Field("effect", TEXT, "The effect on service."),
    Field("action", TEXT, "The recommended action."),
    Field("acknowledged_by", TEXT, "The operator who acknowledged it; empty for none."),
)
ACKNOWLEDGED: Final = (Field("acknowledged", INTEGER, "Number of alarms."),)
ALARM_HISTORY: Final = _table(
    "events", "Alarm events, newest last.",
    Field("wall_time", NUMBER, "Time.", "time"),
    Field("what", TEXT, "`raised`, `cleared`, or `acknowledged by` an operator.", "event"),
    Field("name", TEXT, "The alarm.", "alarm"),
    Field("subject", TEXT, "The affected component.", "subject"),
    Field("severity", TEXT, "Its severity.", "severity"),
    Field("text", TEXT, "Details.", "text"),
)
LOGGING: Final = (Field("lines", TEXTS, "The last lines of the log."),)
AUDIT: Final = _table(
    "entries", "Changes by operators, newest last.",
    Field("wall_time", NUMBER, "Time.", "time"),
    Field("user", TEXT, "The operator; `signalbox` for the appliance itself.", "user"),
    Field("from", TEXT, "The address and the terminal of the operator.", "from"),
    Field("command", TEXT, "The command.", "command"),
    Field("result", TEXT, "The result.", "result"),
)
USERS: Final = _table(
    "users", "The open sessions.",
    Field("number", INTEGER, "Its number, for `clear session`.", "session"),
    Field("user", TEXT, "The operator.", "user"),
    Field("right", TEXT, "`none` before login, `view`, or `admin` after `enable`.", "right"),
    Field("terminal", TEXT, "The terminal.", "terminal"),
    Field("address", TEXT, "The remote address, as reported by the shell.", "address"),
    Field("connected_s", NUMBER, "Seconds since the session began.", "connected"),
    Field("idle_s", NUMBER, "Seconds since the last command.", "idle"),
    Field("is_self", BOOLEAN, "Whether it is your own session.", "own"),
)
RATE_LIMITS: Final = _table(
    "limits", "One row per rate limit.",
    Field("name", TEXT, "Its name; names with `default-` are built in (`overload`).", "rate-limit"),
    Field("of", TEXT, "What is counted.", "of"),
    Field("per", TEXT, "What has a token bucket of its own.", "per"),
    Field("rate_per_s", NUMBER, "Requests per second.", "rate"),
    Field("burst", NUMBER, "Burst size.", "burst"),
    Field("action", TEXT, "The action for excess requests.", "action"),
    Field("passed", INTEGER, "Requests within the limit.", "passed"),
    Field("exceeded", INTEGER, "Requests over the limit.", "exceeded"),
    Field("hit", ROWS, "The most limited sources, domains or listeners.", fields=(
        Field("key", TEXT, "The source, domain or listener."),
        Field("exceeded", INTEGER, "Its requests over the limit."),
    )),
)
AUTHENTICATION_FAILURES: Final = _part(
    "rows",
    "One row per source and user, per source, and per user.",
    Field("source", TEXT, "An IPv4 address or an IPv6 prefix of 64 bits; `(all)` for the sum of a user.", "source"),
    Field("user", TEXT, "The user; `(all)` for the sum of a source.", "user"),
    Field("failures", INTEGER, "Failed attempts counted.", "failures"),
    Field("wall_time", NUMBER, "Time of the last failure.", "last"),
    Field("refused_s", INTEGER, "Seconds until the source is unblocked.", "blocked for"),
)
TECH_SUPPORT: Final = (
    Field("path", TEXT, "The archive, on the appliance.", "archive"),
    Field("size", INTEGER, "Its size in bytes.", "bytes"),
)
_FAULTS: Final = Field(
    "faults", ROWS, "Faults, by line.", fields=(
        Field("line", INTEGER, "The line, from 1.", "line"),
        Field("column", INTEGER, "The column, from 1; 0 is the whole line.", "column"),
        Field("problem", TEXT, "The fault.", "problem"),
        Field("remedy", TEXT, "The correction.", "remedy"),
    ),
)
EFFECTS: Final = Field(
    "effects", ROWS, "Changed settings, and when each is applied.", fields=(
        Field("keyword", TEXT, "The setting.", "setting"),
        Field("old", TEXT, "The active value.", "from"),
        Field("new", TEXT, "The new value.", "to"),
        Field("effect", TEXT,
        "`immediately`, `after draining`, `by rolling restart` or `at the next start`.", "applied"),
    ),
)
_WARNINGS: Final = Field("warnings", TEXTS, "Warnings about the configuration.")
CHECKED: Final = (_FAULTS, EFFECTS, _WARNINGS)
COMMITTED: Final = (Field("number", INTEGER, "The new commit."), EFFECTS, _WARNINGS)
REBASED: Final = (
    Field("text", TEXT, "The candidate, merged with the newest commit."),
    Field("base", INTEGER, "The number of that commit."),
    Field("conflicts", ROWS, "Lines changed by both; the candidate has theirs.", fields=(
        Field("line", TEXT, "The setting.", "line"),
        Field("theirs", TEXT, "The committed value.", "theirs"),
        Field("mine", TEXT, "Your value.", "yours"),
    )),
)
NUMBERED: Final = (Field("number", INTEGER, "The commit."),)
CLEARED: Final = (Field("cleared", INTEGER, "Number of cleared entries."),)
WORKER_STATE: Final = (
    Field("number", INTEGER, "The worker."),
    Field("state", TEXT, "Its new state."),
)
HASH: Final = (Field("hash", TEXT, "The hash, for `secret` in the configuration.", "hash"),)
SENTENCE: Final = (Field("text", TEXT, "The result."),)
SIP_MESSAGE: Final = (
    Field("wall_time", NUMBER, "Time."),
    Field("worker", INTEGER, "The worker that received or sent it."),
    Field("direction", TEXT, "`in` or `out`."),
    Field("transport", TEXT, "The transport."),
    Field("local", TEXT, "The local address and port."),
    Field("remote", TEXT, "The remote address and port."),
    Field("start_line", TEXT, "The first line of the message."),
    Field("call_id", TEXT, "Its Call-ID."),
    Field("octets", INTEGER, "Its length in octets."),
    Field("data", TEXT, "The message."),
)
SIP_END: Final = (
    Field("shown", INTEGER, "Messages shown."),
    Field("missed", INTEGER, "Messages not shown because they arrived too fast."),
)
EVENT: Final = (
    Field("wall_time", NUMBER, "Time."),
    Field("worker", INTEGER, "The worker that reports it."),
    Field("event", TEXT, "`call-started`, `call-answered`, `call-failed`, `call-cancelled`, `call-ended`, "
          "`contact-added`, `contact-refreshed` or `contact-removed`."),
    Field("call_id", TEXT, "The Call-ID of the call or of the REGISTER."),
    Field("from_uri", TEXT, "The address in From of the INVITE or BYE; of a BYE the user that ends the call."),
    Field("to_uri", TEXT, "The address in To."),
    Field("from_tag", TEXT, "The tag in From."),
    Field("to_tag", TEXT, "The tag in To; empty if not known yet."),
    Field("identity", TEXT, "The address that the sender has proved by a password; empty for none."),
    Field("request_uri", TEXT, "The Request-URI."),
    Field("source", TEXT, "The transport, address and port that the request came from."),
    Field("target", TEXT, "The URI of the target that answered."),
    Field("hop", TEXT, "The transport, address and port of the next hop that answered."),
    Field("status", INTEGER, "The status of the final response; 0 for none."),
    Field("reason", TEXT, "Its reason phrase, or the Reason of a CANCEL."),
    Field("address", TEXT, "The registered address."),
    Field("contact", TEXT, "The URI of the contact."),
    Field("expires_s", INTEGER, "The lifetime of the contact."),
    Field("user_agent", TEXT, "The User-Agent of the REGISTER."),
    Field("is_by_operator", BOOLEAN, "Whether an operator removed the contact."),
)
EVENTS_END: Final = (
    Field("shown", INTEGER, "Events shown."),
    Field("missed", INTEGER, "Events not shown because they arrived too fast."),
)
OCTETS: Final = (Field("data", TEXT, "Octets in base64 (RFC 4648 4)."),)
LOG_LINE: Final = (Field("line", TEXT, "A line of the log."),)
PING_ANSWER: Final = (
    Field("n", INTEGER, "Sequence number, from 1."),
    Field("status", INTEGER, "The status of the response; 0 for none."),
    Field("reason", TEXT, "Its reason phrase, or the error."),
    Field("ms", NUMBER, "Round-trip time in milliseconds."),
)
HOP: Final = (*PING_ANSWER, Field("server", TEXT, "The Server or User-Agent of the hop; empty for none."))
TRACEROUTE: Final = (
    Field("hops", INTEGER, "Number of hops queried."),
    Field("is_reached", BOOLEAN, "Whether the destination answered."),
)
PING: Final = (
    Field("sent", INTEGER, "Requests sent."),
    Field("received", INTEGER, "Responses received."),
    Field("min_ms", NUMBER, "Minimum round-trip time."),
    Field("avg_ms", NUMBER, "Average round-trip time."),
    Field("max_ms", NUMBER, "Maximum round-trip time."),
)
ROUTE: Final = (
    Field("stages", ROWS, "The decision of each stage, in order.", fields=(
        Field("stage", TEXT, "The stage.", "stage"),
        Field("answer", TEXT, "Its decision.", "answer"),
        Field("note", TEXT, "The reason.", "note"),
    )),
    Field("targets", ROWS, "The targets.", fields=(
        Field("uri", TEXT, "The target.", "target"),
        Field("q", NUMBER, "Its q value.", "q"),
        Field("hops", TEXTS, "The next hops, in the order they are tried.", "next hops"),
        Field("path", TEXTS, "Its Route.", "path"),
    )),
    Field("outcome", TEXT, "The result."),
)
STATUS: Final = (
    Field("hostname", TEXT, "The name of this appliance."),
    Field("supervisor", ANY, "Its process ID, uptime and last action."),
    Field("reload", TEXT, "When a reload is scheduled, or empty."),
    Field("workers", ROWS, "As in `show workers`.", fields=WORKERS[0].fields),
    Field("registrations", INTEGER, "Registered contacts."),
    Field("transactions", INTEGER, "Transactions on all workers."),
    Field("alarms", ANY, "Active alarms."),
)
# fmt: on
