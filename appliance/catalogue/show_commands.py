"""The commands that only show."""

from __future__ import annotations

from typing import Final

from appliance.catalogue import results
from appliance.catalogue.command_declaration import Command, Mode, Parameter, Right, show
from appliance.catalogue.condition_values import MEDIA
from appliance.catalogue.counters import GROUPS
from appliance.catalogue.time_window import Moment
from appliance.catalogue.value_types import Address, Choice, Integer, Name, Switch, Text

ADDRESS: Final = Parameter(
    "address", Text(256, "USER@DOMAIN"), "The address to show.", is_optional=True, completes="address"
)
BEGINNING: Final = Parameter(
    "address", Text(256, "USER@DOMAIN"), "The subscriber, or a prefix of it.", is_optional=True, completes="subscriber"
)
LIMIT: Final = Parameter("limit", Integer(1, 1000), "Maximum number of rows (default 100).", "limit", is_optional=True)
# Of `test route`; a registration would have to be proved.
METHODS: Final = ("INVITE", "MESSAGE", "OPTIONS", "SUBSCRIBE", "PUBLISH", "REFER", "INFO")
LINES: Final = Parameter("lines", Integer(1, 10000, "lines"), "Number of lines (default 100).", is_optional=True)

# fmt: off
SHOW_COMMANDS: Final[tuple[Command, ...]] = (
    show("show version", "Version, build, uptime and active commit.", "show version", (), results.VERSION, True),
    show("show status", "Summary of the appliance: processes, totals, alarms.", "show status", (), results.STATUS,
         True),
    show("show running-config", "The active configuration, without defaults.", "show running-config",
         (Parameter("all", Switch(), "Include defaults.", "all", is_optional=True),), results.TEXT_OF_CONFIGURATION),
    show("show startup-config", "The configuration used at the next start.", "show startup-config", (),
         results.TEXT_OF_CONFIGURATION),
    show("show configuration history", "Stored commits: time, user, comment.", "show commits",
         (LIMIT,), results.COMMITS),
    show("show configuration commit", "One commit: time, user, comment and changes.", "show commit",
         (Parameter("number", Integer(1, 10**9), "The number of the commit.", completes="commit"),), results.COMMIT),
    show("show workers", "Workers: state, load, transactions.", "show workers", (), results.WORKERS, True),
    show("show slots", "Call-ID slots and their workers.", "show slots", (), results.SLOTS, True),
    show("show listeners", "Listeners and their states.", "show listeners", (), results.LISTENERS, True),
    show("show ip sockets", "Local sockets and the processes that read them.", "show ip sockets", (),
         results.SOCKETS, True),
    show("show domains", "Served domains and their realms.", "show domains", (), results.DOMAINS),
    show("show route-table", "Rules of a route table: all, or those below a prefix; without a name, all tables.",
         "show route-table", (
             Parameter("table", Name(), "The table.", is_optional=True),
             Parameter("prefix", Text(16, "PREFIX"), "The first digits, such as +1732.", is_optional=True),
             LIMIT,
         ), results.ROUTE_TABLE),
    show("show certificates", "Certificates for TLS: names, end, state of the files.", "show certificates", (),
         results.CERTIFICATES, True),
    show("show connections", "TCP connections.", "show connections", (LIMIT,), results.CONNECTIONS, True),
    show("show registrations", "Registered contacts: all, of one address, or of a prefix.",
         "show registrations", (ADDRESS, LIMIT), results.REGISTRATIONS),
    show("show subscribers", "Subscribers.", "show subscribers", (BEGINNING, LIMIT), results.SUBSCRIBERS),
    show("show transactions", "SIP transactions.", "show transactions", (LIMIT,), results.TRANSACTIONS, True),
    show("show calls", "Calls in setup.", "show calls", (LIMIT,), results.CALLS, True),
    show("show counters", "Counters and rates; counters that are 0 are omitted.", "show counters", (
        Parameter("group", Choice(tuple(GROUPS), tuple(GROUPS.values())), "One group.", is_optional=True,
                  is_local=True),
        Parameter("all", Switch(), "Include counters that are 0.", "all", is_optional=True, is_local=True),
    ), results.COUNTERS, True),
    show("show drops", "Messages dropped without a response, by reason.", "show drops", (), results.COUNTERS, True),
    show("show rate-limits", "Rate limits and rejected requests.", "show rate-limits", (), results.RATE_LIMITS, True),
    show("show authentication failures", "Failed authentication, by source and user, and blocked sources.",
         "show authentication failures", (LIMIT,), results.AUTHENTICATION_FAILURES, True),
    show("show alarms", "Active alarms with cause, effect and action.", "show alarms", (), results.ALARMS, True),
    show("show alarms active", "Active alarms with cause, effect and action.", "show alarms", (), results.ALARMS, True),
    show("show alarms history", "Alarms raised and cleared.", "show alarm history", (LIMIT,), results.ALARM_HISTORY,
         True),
    show("show logging", "The last lines of the log.", "show logging", (LINES,), results.LOGGING, True),
    show("show audit", "Changes made by operators.", "show audit", (LINES,), results.AUDIT, True),
    show("show users", "Operator sessions: user, address, idle time.", "show users", (),
         results.USERS, True),
    show("show processes", "The processes of the appliance.", "show processes", (), results.PROCESSES, True),
    show("show memory", "The memory of each process.", "show memory", (), results.MEMORY, True),
    show("show clock", "The time on the appliance.", "show clock", (), results.CLOCK, True),
    Command(("show", "tech-support"), "Save diagnostic data for support to an archive.", "show tech-support", (),
            results.TECH_SUPPORT, Right.ADMIN, Mode.BOTH),
    Command(("copy", "tech-support"), "Write the archive to standard output, for use with SSH.",
            "copy tech-support", (), results.TECH_SUPPORT, Right.ADMIN, Mode.EXEC, results.OCTETS),
    Command(("test", "route"), "Trace the routing of a request through all stages; nothing is sent.",
            "test route", (
                Parameter("uri", Text(2048, "URI"),
                          "The Request-URI, such as sip:bob@example.com, or a number in the first domain.",
                          completes="address"),
                Parameter("from", Text(256, "USER@DOMAIN"), "The caller.", "from", is_optional=True,
                          completes="address"),
                Parameter("source", Address(), "The source IP address (default: that of the listener).", "source",
                          is_optional=True),
                Parameter("listener", Name(), "The listener that receives it (default: the first one).",
                          "listener", is_optional=True, completes="listener"),
                Parameter("at", Moment(), "The time, by the clock of the appliance (default: now).", "at",
                          is_optional=True),
                Parameter("method", Choice(METHODS), "The method of the request (default: INVITE).", "method",
                          is_optional=True),
                Parameter("media", MEDIA, "A codec that the request offers.", "media", is_optional=True),
                Parameter("unauthenticated", Switch(), "The caller does not answer a challenge.", "unauthenticated",
                          is_optional=True),
            ), results.ROUTE, Right.VIEW, Mode.EXEC),
    Command(("ping", "sip"), "Send OPTIONS requests and measure the response time.", "ping", (
                Parameter("uri", Text(2048, "URI"), "The target, such as sip:example.com."),
                Parameter("count", Integer(1, 100), "Number of requests (default 5).", "count", is_optional=True),
                Parameter("timeout_s", Integer(1, 30, "seconds"), "Timeout per request (default 2 seconds).",
                          "timeout", is_optional=True),
            ), results.PING, Right.ADMIN, Mode.EXEC, results.PING_ANSWER),
    Command(("traceroute", "sip"), "Trace the proxies on the path to a URI, by OPTIONS with increasing Max-Forwards.",
            "traceroute", (
                Parameter("uri", Text(2048, "URI"), "The target, such as sip:example.com."),
                Parameter("hops", Integer(1, 70), "Maximum number of hops (default 15).", "hops", is_optional=True),
                Parameter("timeout_s", Integer(1, 30, "seconds"), "Timeout per request (default 2 seconds).",
                          "timeout", is_optional=True),
            ), results.TRACEROUTE, Right.ADMIN, Mode.EXEC, results.HOP),
    Command(("debug", "sip"), "Show live SIP messages as a ladder diagram, until Ctrl-C or a limit.", "debug sip", (
                Parameter("from", Text(256, "ADDRESS"), "Only messages to and from this IP address or user.", "from",
                          is_optional=True, completes="address"),
                Parameter("call", Text(256, "CALL-ID"), "Only messages with this Call-ID.", "call", is_optional=True),
                Parameter("seconds", Integer(1, 600, "seconds"), "Duration (default 60 seconds).", "seconds",
                          is_optional=True),
                Parameter("lines", Integer(1, 10000),
                "Maximum number of messages (default 500).", "lines", is_optional=True),
                Parameter("save", Text(4096, "FILE"), "Save to a local capture file (pcap).",
                          "save", is_optional=True, completes="file", is_local=True),
                Parameter("full", Switch(), "Show the full text of each message.", "full", is_optional=True,
                          is_local=True),
            ), results.SIP_END, Right.ADMIN, Mode.EXEC, results.SIP_MESSAGE),
    Command(("monitor", "events"), "Show calls and registrations as they change, until Ctrl-C or the time limit.",
            "monitor events", (
                Parameter("user", Text(256, "ADDRESS"), "Only events of this user, such as bob@example.com or bob.",
                          "user", is_optional=True, completes="address"),
                Parameter("seconds", Integer(1, 600, "seconds"), "Duration (default 60 seconds).", "seconds",
                          is_optional=True),
            ), results.EVENTS_END, Right.ADMIN, Mode.EXEC, results.EVENT),
    Command(("terminal", "monitor"), "Show log messages as they are written.", "terminal monitor", (), (), Right.VIEW,
            Mode.EXEC, results.LOG_LINE),
)
# fmt: on
