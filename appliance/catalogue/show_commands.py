"""The commands that only look."""

from __future__ import annotations

from typing import Final

from appliance.catalogue import results
from appliance.catalogue.command_declaration import Command, Mode, Parameter, Right, show
from appliance.catalogue.counters import COUNTERS
from appliance.catalogue.value_types import Address, Choice, Integer, Switch, Text

_GROUPS: Final = tuple(dict.fromkeys(counter.group for counter in COUNTERS))
ADDRESS: Final = Parameter(
    "address", Text(256, "USER@DOMAIN"), "The address to show.", is_optional=True, completes="address"
)
BEGINNING: Final = Parameter(
    "address", Text(256, "USER@DOMAIN"), "The subscriber, or how it begins.", is_optional=True, completes="subscriber"
)
LIMIT: Final = Parameter("limit", Integer(1, 1000), "Show so many at most (default 100).", "limit", is_optional=True)
LINES: Final = Parameter("lines", Integer(1, 10000, "lines"), "So many of the last (default 100).", is_optional=True)

# fmt: off
SHOW_COMMANDS: Final[tuple[Command, ...]] = (
    show("show version", "Version, build, uptime and the configuration in force.", "show version", (), results.VERSION),
    show("show status", "The appliance on one page: processes, totals, alarms.", "show status", (), results.STATUS),
    show("show running-config", "The configuration in force; defaults are left out.", "show running-config",
         (Parameter("all", Switch(), "With every default.", "all", is_optional=True),), results.TEXT_OF_CONFIGURATION),
    show("show startup-config", "The configuration the appliance would start with.", "show startup-config", (),
         results.TEXT_OF_CONFIGURATION),
    show("show configuration history", "The commits that are kept: who, when, why.", "show commits",
         (LIMIT,), results.COMMITS),
    show("show configuration commit", "One commit: who, when, why, and what it changed.", "show commit",
         (Parameter("number", Integer(1, 10**9), "The number of the commit.", completes="commit"),), results.COMMIT),
    show("show workers", "The workers: state, load, calls.", "show workers", (), results.WORKERS),
    show("show slots", "Which worker owns which Call-IDs.", "show slots", (), results.SLOTS),
    show("show listeners", "The local addresses and how they are.", "show listeners", (), results.LISTENERS),
    show("show ip sockets", "The local sockets that take what comes, and who reads them.", "show ip sockets", (),
         results.SOCKETS),
    show("show domains", "The domains served here, and the realm of each.", "show domains", (), results.DOMAINS),
    show("show connections", "TCP connections.", "show connections", (LIMIT,), results.CONNECTIONS),
    show("show registrations", "Registered contacts, of one address, of those that begin so, or of all.",
         "show registrations", (ADDRESS, LIMIT), results.REGISTRATIONS),
    show("show subscribers", "Who may register.", "show subscribers", (BEGINNING, LIMIT), results.SUBSCRIBERS),
    show("show transactions", "Requests being worked on.", "show transactions", (LIMIT,), results.TRANSACTIONS),
    show("show calls", "Calls being set up.", "show calls", (LIMIT,), results.CALLS),
    show("show counters", "What was counted, with rates; what is 0 is left out.", "show counters", (
        Parameter("group", Choice(_GROUPS), "Only one group.", is_optional=True, is_local=True),
        Parameter("all", Switch(), "With those that are 0.", "all", is_optional=True, is_local=True),
    ), results.COUNTERS),
    show("show drops", "Messages thrown away without an answer, by reason.", "show drops", (), results.COUNTERS),
    show("show rate-limits", "Rate limits and what they refused.", "show rate-limits", (), results.RATE_LIMITS),
    show("show authentication failures", "Wrong passwords: from which sources, for which users, and who is refused.",
         "show authentication failures", (LIMIT,), results.AUTHENTICATION_FAILURES),
    show("show alarms", "Alarms that are active now, with what to do.", "show alarms", (), results.ALARMS),
    show("show alarms active", "Alarms that are active now, with what to do.", "show alarms", (), results.ALARMS),
    show("show alarms history", "Alarms raised and cleared.", "show alarm history", (LIMIT,), results.ALARM_HISTORY),
    show("show logging", "The last lines of the log.", "show logging", (LINES,), results.LOGGING),
    show("show audit", "What operators have changed.", "show audit", (LINES,), results.AUDIT),
    show("show users", "The sessions of operators: who, where from, idle for how long.", "show users", (),
         results.USERS),
    show("show processes", "The processes of the appliance.", "show processes", (), results.PROCESSES),
    show("show memory", "The memory of each process.", "show memory", (), results.MEMORY),
    show("show clock", "The time on the appliance.", "show clock", (), results.CLOCK),
    Command(("show", "tech-support"), "Put all that a supporter asks for into one archive.", "show tech-support", (),
            results.TECH_SUPPORT, Right.ACT, Mode.BOTH),
    Command(("copy", "tech-support"), "Write that archive to standard output; for scripts, such as those of SSH.",
            "copy tech-support", (), results.TECH_SUPPORT, Right.ACT, Mode.EXEC, results.OCTETS),
    Command(("test", "route"), "Which stages decide what about a request, and where it would go; nothing is sent.",
            "test route", (
                Parameter("uri", Text(2048, "URI"), "Whom the request is for, such as sip:bob@example.com."),
                Parameter("from", Text(256, "USER@DOMAIN"), "Who sends it.", "from", is_optional=True,
                          completes="address"),
                Parameter("source", Address(), "The IP address it comes from.", "source", is_optional=True),
            ), results.ROUTE, Right.LOOK, Mode.EXEC),
    Command(("ping", "sip"), "Ask whether somebody is there by OPTIONS, and how long the answer takes.", "ping", (
                Parameter("uri", Text(2048, "URI"), "Whom to ask, such as sip:example.com."),
                Parameter("count", Integer(1, 100), "How often (default 5).", "count", is_optional=True),
                Parameter("timeout_s", Integer(1, 30, "seconds"), "How long to wait for each answer (default 2).",
                          "timeout", is_optional=True),
            ), results.PING, Right.ACT, Mode.EXEC, results.PING_ANSWER),
    Command(("traceroute", "sip"), "The proxies on the way to a URI, by OPTIONS with Max-Forwards from 1 on.",
            "traceroute", (
                Parameter("uri", Text(2048, "URI"), "Whom to ask, such as sip:example.com."),
                Parameter("hops", Integer(1, 70), "How many hops at most (default 15).", "hops", is_optional=True),
                Parameter("timeout_s", Integer(1, 30, "seconds"), "How long to wait for each answer (default 2).",
                          "timeout", is_optional=True),
            ), results.TRACEROUTE, Right.ACT, Mode.EXEC, results.HOP),
    Command(("debug", "sip"), "Show live messages as a ladder, until Ctrl-C or a bound is reached.", "debug sip", (
                Parameter("from", Text(256, "ADDRESS"), "Only to and from this IP address or user.", "from",
                          is_optional=True, completes="address"),
                Parameter("call", Text(256, "CALL-ID"), "Only messages with this Call-ID.", "call", is_optional=True),
                Parameter("seconds", Integer(1, 600, "seconds"), "How long (default 60).", "seconds",
                          is_optional=True),
                Parameter("lines", Integer(1, 10000), "How many messages (default 500).", "lines", is_optional=True),
                Parameter("save", Text(4096, "FILE"), "A capture file for tshark, on the machine of this shell.",
                          "save", is_optional=True, completes="file", is_local=True),
                Parameter("full", Switch(), "With the whole text of each message.", "full", is_optional=True,
                          is_local=True),
            ), results.SIP_END, Right.ACT, Mode.EXEC, results.SIP_MESSAGE),
    Command(("terminal", "monitor"), "Show the log as it is written.", "terminal monitor", (), (), Right.LOOK,
            Mode.EXEC, results.LOG_LINE),
)
# fmt: on
