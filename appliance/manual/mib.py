"""mibs/SIGNALBOX-MIB.txt, made from the catalogue (SMIv2: RFC 2578, RFC 2579, RFC 2580).

`python -m appliance.manual.mib > mibs/SIGNALBOX-MIB.txt` writes it anew; a test fails when it lags.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import Final

from appliance.catalogue import mib_objects as mib
from appliance.catalogue.alarms import ALARMS, Alarm
from appliance.catalogue.counters import COUNTERS
from appliance.catalogue.mib_numbers import ALARM_NUMBERS, COUNTER_NUMBERS, GAUGE_NUMBERS
from appliance.catalogue.mib_objects import MibObject, MibTable, camel_case

PREFIX: Final = "sb"
WIDTH: Final = 70

TITLE = """\
SIGNALBOX-MIB DEFINITIONS ::= BEGIN

-- Made by `python -m appliance.manual.mib`; change the catalogue, not this file.

IMPORTS
    MODULE-IDENTITY, OBJECT-IDENTITY, OBJECT-TYPE, NOTIFICATION-TYPE,
    Counter64, Gauge32, Integer32, TimeTicks, enterprises
        FROM SNMPv2-SMI
    DateAndTime, TimeStamp, TruthValue
        FROM SNMPv2-TC
    MODULE-COMPLIANCE, OBJECT-GROUP, NOTIFICATION-GROUP
        FROM SNMPv2-CONF
    SnmpAdminString
        FROM SNMP-FRAMEWORK-MIB;

signalboxMIB MODULE-IDENTITY
    LAST-UPDATED "{revision}"
    ORGANIZATION "Signalbox"
    CONTACT-INFO "See the documentation of the appliance."
    DESCRIPTION
        "A SIP signalling appliance: its node, workers, listeners, counters
        and gauges. The enterprise number is that of documentation
        (RFC 5612)."
    REVISION "{revision}"
    DESCRIPTION "The objects of the catalogue."
    ::= {{ signalboxRoot {module} }}

signalboxRoot OBJECT IDENTIFIER ::= {{ enterprises {enterprise} }}
sbNotifications OBJECT IDENTIFIER ::= {{ signalboxMIB 0 }}
sbObjects OBJECT IDENTIFIER ::= {{ signalboxMIB 1 }}
sbConformance OBJECT IDENTIFIER ::= {{ signalboxMIB 2 }}
sbAlarmKinds OBJECT IDENTIFIER ::= {{ signalboxMIB 3 }}
sbNode OBJECT IDENTIFIER ::= {{ sbObjects {node} }}
sbCounters OBJECT IDENTIFIER ::= {{ sbObjects {counters} }}
sbNotified OBJECT IDENTIFIER ::= {{ sbObjects {notified} }}
sbCluster OBJECT IDENTIFIER ::= {{ sbObjects {cluster} }}
"""


def write_mib() -> str:
    """The MIB module."""
    title = TITLE.format(
        revision=mib.REVISION,
        enterprise=mib.ROOT[-1],
        module=mib.MODULE[-1],
        node=mib.NODE[-1],
        counters=mib.COUNTERS_GROUP[-1],
        notified=mib.NOTIFIED[-1],
        cluster=mib.CLUSTER[-1],
    )
    parts = [*_objects("sbNode", mib.NODE_OBJECTS), *_objects("sbCounters", counter_objects())]
    for table in (*mib.TABLES, gauge_table()):
        parts += _table(table)
    parts += _objects("sbCluster", mib.CLUSTER_OBJECTS)
    parts += _objects("sbNotified", mib.NOTIFIED_OBJECTS, "accessible-for-notify")
    parts += [*_notifications(), *map(_alarm_kind, ALARMS), *_conformance()]
    return "\n".join([title, *parts, "END", ""])


def counter_objects() -> tuple[MibObject, ...]:
    """An object for each counter, by its number."""
    rows = [(COUNTER_NUMBERS[counter.name], counter) for counter in COUNTERS]
    return tuple(
        MibObject(number, camel_case(counter.name), mib.COUNTER, counter.name, counter.help)
        for number, counter in sorted(rows, key=lambda row: row[0])
    )


def gauge_table() -> MibTable:
    """The gauges of each worker."""
    columns = tuple(
        MibObject(number, f"Gauge{camel_case(name)}", mib.GAUGE, name, help)
        for name, (number, help) in GAUGE_NUMBERS.items()
    )
    return MibTable(mib.GAUGE_TABLE, "Gauge", "The gauges of the workers; the index is as in sbWorkerTable.", columns)


def _objects(group: str, objects: Iterable[MibObject], access: str = "read-only") -> Iterator[str]:
    for object_ in objects:
        yield _object(object_, group, access)


def _object(object_: MibObject, parent: str, access: str = "read-only") -> str:
    units = f'    UNITS "{object_.units}"\n' if object_.units else ""
    return (
        f"{PREFIX}{object_.name} OBJECT-TYPE\n    SYNTAX {object_.syntax}\n{units}    MAX-ACCESS {access}\n"
        f"    STATUS current\n    DESCRIPTION\n{_quoted(object_.help)}\n    ::= {{ {parent} {object_.number} }}\n"
    )


def _table(table: MibTable) -> Iterator[str]:
    name = f"{PREFIX}{table.name}"
    head = "    MAX-ACCESS not-accessible\n    STATUS current\n    DESCRIPTION\n"
    yield (
        f"{name}Table OBJECT-TYPE\n    SYNTAX SEQUENCE OF Sb{table.name}Entry\n{head}{_quoted(table.help)}\n"
        f"    ::= {{ sbObjects {table.oid[-1]} }}\n"
    )
    yield (
        f'{name}Entry OBJECT-TYPE\n    SYNTAX Sb{table.name}Entry\n{head}        "A row."\n'
        f"    INDEX {{ {name}Index }}\n    ::= {{ {name}Table 1 }}\n"
    )
    fields = [(f"{name}Index", "Integer32"), *((f"{PREFIX}{row.name}", row.syntax) for row in table.columns)]
    inside = ",\n".join(f"    {field} {syntax}" for field, syntax in fields)
    yield f"Sb{table.name}Entry ::= SEQUENCE {{\n{inside}\n}}\n"
    yield (
        f'{name}Index OBJECT-TYPE\n    SYNTAX Integer32 (1..2147483647)\n{head}        "The number of the row."\n'
        f"    ::= {{ {name}Entry 1 }}\n"
    )
    for column in table.columns:
        yield _object(column, f"{name}Entry")


def _notifications() -> Iterator[str]:
    yield (
        "sbTestNotification NOTIFICATION-TYPE\n    OBJECTS { sbNotifiedNumber, sbNotifiedText }\n    STATUS current\n"
        '    DESCRIPTION\n        "Sent by the command snmp test-notification."\n    ::= { sbNotifications 1 }\n'
    )


def _alarm_kind(alarm: Alarm) -> str:
    text = f"{alarm.severity.capitalize()}. {alarm.cause} {alarm.effect} Action: {alarm.action}"
    return (
        f"sbAlarmKind{camel_case(alarm.name)} OBJECT-IDENTITY\n    STATUS current\n    DESCRIPTION\n{_quoted(text)}\n"
        f"    ::= {{ sbAlarmKinds {ALARM_NUMBERS[alarm.name]} }}\n"
    )


def _conformance() -> Iterator[str]:
    columns = [column for table in (*mib.TABLES, gauge_table()) for column in table.columns]
    names = [*mib.NODE_OBJECTS, *counter_objects(), *columns, *mib.CLUSTER_OBJECTS]
    members = ",\n".join(f"        {PREFIX}{object_.name}" for object_ in [*names, *mib.NOTIFIED_OBJECTS])
    yield (
        "sbCompliance MODULE-COMPLIANCE\n    STATUS current\n    DESCRIPTION\n"
        '        "What every Signalbox has."\n    MODULE\n'
        "    MANDATORY-GROUPS { sbObjectGroup, sbNotificationGroup }\n    ::= { sbConformance 1 }\n"
    )
    yield (
        f"sbObjectGroup OBJECT-GROUP\n    OBJECTS {{\n{members}\n    }}\n    STATUS current\n    DESCRIPTION\n"
        '        "All objects."\n    ::= { sbConformance 2 }\n'
    )
    yield (
        "sbNotificationGroup NOTIFICATION-GROUP\n    NOTIFICATIONS { sbTestNotification }\n    STATUS current\n"
        '    DESCRIPTION\n        "All notifications."\n    ::= { sbConformance 3 }\n'
    )


def _quoted(text: str) -> str:
    lines = wrap(text.replace('"', "'"), WIDTH, break_on_hyphens=False)
    return "\n".join(f"        {line}" for line in [f'"{lines[0]}', *lines[1:]]) + '"'


if __name__ == "__main__":
    print(write_mib(), end="")
