"""The rules by which numbers are routed in a benchmark: the same for all servers.

RULES prefixes of 8 digits, each with two next hops, which are both the callee: the second one is for failover.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import LOOPBACK

COUNTRY = "49"
GATEWAYS = (1, 2)


def prefix(number: int) -> str:
    """The prefix of a rule."""
    return f"{COUNTRY}{number:06d}"


def called_number(turn: int, rules: int) -> str:
    """A number for a turn; the turns are spread over all rules."""
    return f"{prefix(turn * 7919 % rules)}123"


def write_route_csv(path: Path, rules: int, port: int) -> None:
    """Route tables of Signalbox."""
    hops = [f"sip:{LOOPBACK}:{port};transport=udp,{gateway}" for gateway in GATEWAYS]
    rows = (f"default,{prefix(number)},{hop}\n" for number in range(rules) for hop in hops)
    with path.open("w", encoding="ascii") as file:
        file.write("table,prefix,action,priority\n")
        file.writelines(rows)


def fill_drouting(database: sqlite3.Connection, rules: int, port: int) -> None:
    """The tables of Kamailio's module drouting, which are there."""
    database.executemany(
        "INSERT INTO dr_gateways (gwid, type, address) VALUES (?, 1, ?)",
        [(gateway, f"{LOOPBACK}:{port}") for gateway in GATEWAYS],
    )
    database.executemany(
        "INSERT INTO dr_rules (groupid, prefix, timerec, priority, routeid, gwlist) VALUES ('0', ?, '', 0, '', ?)",
        _drouting_rows(rules),
    )
    database.commit()


def _drouting_rows(rules: int) -> Iterator[tuple[str, str]]:
    gateways = ",".join(map(str, GATEWAYS))
    return ((prefix(number), gateways) for number in range(rules))


def write_dispatcher_list(path: Path, port: int) -> None:
    """A set of destinations of Kamailio's module dispatcher: it knows no prefixes."""
    path.write_text("".join(f"1 sip:{LOOPBACK}:{port}\n" for _ in GATEWAYS[:1]), encoding="ascii")
