"""Every variable that is served has a name and its type in the standard modules, as net-snmp reads them (RFC 2578)."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.live.appliance import DOMAIN
from tests.live.net_snmp import Manager, needs_net_snmp
from tests.live.processes import Processes, free_port, wait_until
from tests.live.sipp import register
from tests.live.snmp_agent import do, started

MODULES = os.environ.get("SMIPATH", "")
pytestmark = [needs_net_snmp, pytest.mark.skipif(not MODULES, reason="the standard modules are not here (set SMIPATH)")]

USER = "user monitor sha256 password authpassword privpassword"
NAMES = (
    "SNMPv2-MIB:SNMP-FRAMEWORK-MIB:SIGNALBOX-MIB:SNMP-MPD-MIB:SNMP-TARGET-MIB:SNMP-NOTIFICATION-MIB:SNMP-USER-BASED-SM-MIB:SNMP-VIEW-BASED-ACM-MIB:"
    "NETWORK-SERVICES-MIB:NOTIFICATION-LOG-MIB:ALARM-MIB:ITU-ALARM-MIB:SIP-COMMON-MIB:SIP-SERVER-MIB"
)
MIBS = Path(__file__).parents[2] / "mibs"
# An object is written by its name and its index; what has no name keeps the number below its parent.
NAMELESS = re.compile(r"^[\w-]+::(?:mib-2|enterprises|snmpModules|\w*(?:MIB|Objects|Entry|Table))\.\d")


# What ALARM-MIB imports of RMON2-MIB (RFC 4502), which imports many more.
RMON2 = """RMON2-MIB DEFINITIONS ::= BEGIN
IMPORTS Gauge32 FROM SNMPv2-SMI TEXTUAL-CONVENTION FROM SNMPv2-TC;
ZeroBasedCounter32 ::= TEXTUAL-CONVENTION STATUS current DESCRIPTION "A count from 0." SYNTAX Gauge32
END
"""


def test_every_variable_has_its_name_and_its_type(processes: Processes) -> None:
    port, trap_port = free_port(), free_port()
    appliance = started(
        processes,
        port,
        USER,
        "registered-users 10",
        "status-threshold INVITE 503",
        f"target noc 127.0.0.1 port {trap_port} user monitor inform",
    )
    register(processes, appliance, "bob", "sip:bob@192.0.2.4")
    do(appliance, "configure", "listener open", "address 127.0.0.2", f"port {free_port()}", "no authenticate", "end")
    do(appliance, "configure", "supervision", "drain 1", "commit confirmed 5", "end")
    (processes.folder / "RMON2-MIB.txt").write_text(RMON2)
    options = ("-v2c", "-c", "public", "-M", f"{MODULES}:{MIBS}:{processes.folder}", "-m", NAMES, "-Oqt")
    manager = Manager(f"127.0.0.1:{port}", mibs=True)
    wait_until(lambda: "alarmActiveDescription" in manager.run("snmpbulkwalk", ".1", options=options), "an alarm")
    walked = manager.run("snmpbulkwalk", ".1", options=options)
    lines = walked.splitlines()
    assert not [line for line in lines if "Wrong Type" in line or "Cannot find module" in line]
    assert not [line for line in lines if NAMELESS.match(line)]
    for name in (
        "sysORID",
        "alarmActiveVariableValueType",
        "ituAlarmActiveTrendIndication",
        "nlmLogEngineTAddress",
        "snmpTargetAddrTAddress",
        "snmpNotifyType",
        "usmUserAuthProtocol",
        "vacmAccessReadViewName",
        "sipCommonStatsRetries",
        "sipCommonStatusCodeNotifThresh",
        "sipServerRegContactURI",
    ):
        assert any(f"::{name}." in line for line in lines), name
    assert "authpassword" not in walked and f"bob@{DOMAIN}" in walked
