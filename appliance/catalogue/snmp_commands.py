"""The commands about the SNMP agent, and the fields of their results."""

from __future__ import annotations

from typing import Final

from appliance.catalogue.command_declaration import Command, Field, Shape, act, show

TEXT, INTEGER, NUMBER, BOOLEAN, ROWS = Shape.TEXT, Shape.INTEGER, Shape.NUMBER, Shape.BOOLEAN, Shape.ROWS

# fmt: off
STATE: Final = (
    Field("state", TEXT, "`running`, `off` (no address and no target), or why it does not run.", "state"),
    Field("engine_id", TEXT, "The snmpEngineID, in hexadecimal.", "engine ID"),
    Field("engine_boots", INTEGER, "How often the agent was started.", "engine boots"),
    Field("location", TEXT, "sysLocation.", "location"),
    Field("contact", TEXT, "sysContact.", "contact"),
    Field("listens", ROWS, "Where it is reached.", fields=(
        Field("address", TEXT, "The address.", "address"),
        Field("port", INTEGER, "The UDP port.", "port"),
    )),
    Field("counters", ROWS, "Messages, as the group `snmp` of SNMPv2-MIB counts them.", fields=(
        Field("name", TEXT, "The object.", "counter"),
        Field("value", INTEGER, "Its value since the agent was started.", "value"),
    )),
)
USERS: Final = (
    Field("users", ROWS, "Communities and users; no secret is shown.", fields=(
        Field("kind", TEXT, "`community` or `user`.", "kind"),
        Field("name", TEXT, "The name of a user; of a community, its number.", "name"),
        Field("security", TEXT, "How it proves itself.", "security"),
        Field("source", TEXT, "Where it may come from.", "from"),
        Field("access", TEXT, "`read` or `read-write`.", "access"),
    )),
)
TARGETS: Final = (
    Field("targets", ROWS, "Managers that get notifications.", fields=(
        Field("name", TEXT, "Its name.", "target"),
        Field("address", TEXT, "Its address.", "address"),
        Field("port", INTEGER, "Its UDP port.", "port"),
        Field("kind", TEXT, "`trap` or `inform`.", "kind"),
        Field("delivered", INTEGER, "Traps sent, or informs acknowledged.", "delivered"),
        Field("waiting", INTEGER, "Notifications that wait.", "waiting"),
        Field("failed", INTEGER, "Notifications dropped because too many waited.", "failed"),
        Field("last_error", TEXT, "Why the last attempt failed.", "last error"),
    )),
)
SNMP_COMMANDS: Final[tuple[Command, ...]] = (
    show("show snmp", "The SNMP agent and what it has counted.", "show snmp", (), STATE, True),
    show("show snmp users", "Communities and users that may use the SNMP agent.", "show snmp users", (), USERS),
    show("show snmp targets", "Targets of notifications, and what waits for them.", "show snmp targets", (), TARGETS,
         True),
    act("snmp test-notification", "Send a test notification to every target.", "snmp test-notification", (),
        (Field("text", TEXT, "The result."),)),
)
# fmt: on
