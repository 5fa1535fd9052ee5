"""Where the client of a control connection is: its terminal, which the kernel knows, and its address, which it says."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

# proc(5), /proc/PID/stat: the fields behind the name of the program begin with the third, and tty_nr is the seventh.
TTY_FIELD: Final = 7 - 3
# Majors of devices: virtual consoles and serial lines; pseudo-terminals (Linux, Documentation/admin-guide/devices.txt).
CONSOLES: Final = 4
SERIAL_MINOR: Final = 64
PSEUDO: Final = range(136, 144)


def terminal_of(pid: int) -> str:
    """The terminal of a process: `pts/3`; "" for none, and where the kernel does not say."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
        return terminal_name(int(text.rpartition(")")[2].split()[TTY_FIELD]))
    except (OSError, ValueError, IndexError):
        return ""


def terminal_name(number: int) -> str:
    """The name of a terminal by the number of its device."""
    major, minor = (number >> 8) & 0xFFF, (number & 0xFF) | ((number >> 12) & 0xFFF00)
    if major in PSEUDO:
        return f"pts/{minor + 256 * (major - PSEUDO.start)}"
    if major == CONSOLES:
        return f"tty{minor}" if minor < SERIAL_MINOR else f"ttyS{minor - SERIAL_MINOR}"
    return ""


def address_of(said: Any) -> str:
    """The address that a client says it was reached from; "" for what is none."""
    try:
        return str(ip_address(said)) if isinstance(said, str) else ""
    except ValueError:
        return ""
