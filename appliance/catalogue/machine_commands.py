"""The commands about the machine that the appliance runs on, and the fields of their results."""

from __future__ import annotations

from typing import Final

from appliance.catalogue import results
from appliance.catalogue.action_commands import CONFIRMED
from appliance.catalogue.command_declaration import Command, Field, Mode, Parameter, Right, Shape, act, show
from appliance.catalogue.value_types import Text

TEXT, INTEGER, NUMBER, BOOLEAN, TEXTS, ROWS, _ = Shape

# fmt: off
INTERFACES: Final = (
    Field("interfaces", ROWS, "One row per network interface of the machine.", fields=(
        Field("name", TEXT, "Its name.", "interface"),
        Field("is_up", BOOLEAN, "Whether it is up.", "up"),
        Field("addresses", TEXTS, "Its addresses, with the lengths of their prefixes.", "addresses"),
        Field("mtu", INTEGER, "Its MTU in bytes.", "MTU"),
        Field("speed_mbit", INTEGER, "Its speed in Mbit/s; 0 for unknown."),
        Field("received_bytes", INTEGER, "Bytes received.", "in MiB"),
        Field("received_packets", INTEGER, "Packets received.", "in packets"),
        Field("received_errors", INTEGER, "Packets received with errors.", "in errors"),
        Field("received_dropped", INTEGER, "Received packets that were dropped.", "in drops"),
        Field("sent_bytes", INTEGER, "Bytes sent.", "out MiB"),
        Field("sent_packets", INTEGER, "Packets sent.", "out packets"),
        Field("sent_errors", INTEGER, "Packets that could not be sent.", "out errors"),
        Field("sent_dropped", INTEGER, "Packets to be sent that were dropped.", "out drops"),
    )),
)
SYSTEM: Final = (
    Field("hostname", TEXT, "The name of this appliance.", "hostname"),
    Field("version", TEXT, "The version of Signalbox.", "version"),
    Field("machine", TEXT, "The name of the machine.", "machine"),
    Field("system", TEXT, "The operating system.", "system"),
    Field("kernel", TEXT, "The version of the kernel.", "kernel"),
    Field("machine_uptime_s", NUMBER, "Seconds since the machine was started.", "machine uptime"),
    Field("uptime_s", NUMBER, "Seconds since the appliance was started.", "uptime"),
    Field("processors", INTEGER, "Number of processors the appliance may use.", "processors"),
    Field("load_1min", NUMBER, "Load average over 1 minute.", "load 1 min"),
    Field("load_5min", NUMBER, "Load average over 5 minutes.", "load 5 min"),
    Field("load_15min", NUMBER, "Load average over 15 minutes.", "load 15 min"),
    Field("memory_size", INTEGER, "Memory of the machine in bytes.", "memory MiB"),
    Field("memory_free_size", INTEGER, "Memory available to new work, in bytes.", "available MiB"),
    Field("disk_size", INTEGER, "Size of the disk that holds the state folder, in bytes.", "disk MiB"),
    Field("disk_free_size", INTEGER, "Free space on it, in bytes.", "free MiB"),
    Field("clock", TEXT, "`synchronized`, `not synchronized`, or `unknown`.", "clock"),
    *INTERFACES,
)
BACKUP: Final = (
    Field("files", INTEGER, "Number of files in the archive."),
    Field("size", INTEGER, "Its size in bytes."),
)
MACHINE_COMMANDS: Final[tuple[Command, ...]] = (
    show("show system", "The machine: load, memory, disk, clock, interfaces.", "show system", (), SYSTEM, True),
    show("show interfaces", "Network interfaces of the machine: addresses and counters.", "show interfaces", (),
         INTERFACES, True),
    act("system reboot", "Restart the machine; only where it is the appliance's own.", "system reboot", (CONFIRMED,),
        results.SENTENCE),
    act("system shutdown", "Power the machine off; only where it is the appliance's own.", "system shutdown",
        (CONFIRMED,), results.SENTENCE),
    act("system upgrade", "Install a package of another version; only where the machine is the appliance's own.",
        "system upgrade", (
            Parameter("source", Text(2048, "FILE|URL"),
                      "The Debian package: a file, or an address that begins with https://.", completes="file"),
        ), results.SENTENCE),
    act("system shell", "Open a shell of the operating system; only where the machine is the appliance's own.",
        "system shell", (), results.SENTENCE),
    Command(("system", "backup"), "Back up configuration, subscribers, key and certificates, encrypted.",
            "system backup", (
                Parameter("file", Text(4096, "FILE"), "A local file; by default standard output, for use with SSH.",
                          is_optional=True, completes="file", is_local=True),
                Parameter("passphrase", Text(256, "PASSPHRASE"),
                          "The passphrase of `signalbox restore`; prompted for if omitted.", "passphrase",
                          is_optional=True),
            ), BACKUP, Right.ADMIN, Mode.EXEC, results.OCTETS),
)
# fmt: on
