"""The machine as its kernel shows it: what processes cost, addresses and interfaces, load, memory, disk, clock."""

from __future__ import annotations

import ctypes
import os
import platform
import socket
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface
from pathlib import Path
from typing import Final

import psutil

# Made by systemd-timesyncd once it has set the clock.
SYNCHRONIZED_MARK: Final = Path("/run/systemd/timesync/synchronized")
OS_RELEASE: Final = Path("/etc/os-release")
# adjtimex(2): the state of a clock that nothing keeps in step; and more octets than struct timex has.
_TIME_ERROR: Final = 5
_TIMEX_LEN: Final = 512


@dataclass(frozen=True, slots=True)
class Figures:
    """What a process costs: seconds of CPU so far, percent of one core since asked last, octets of memory."""

    cpu_s: float
    cpu_percent: float
    rss: int


class ProcessMeter:
    """Measures one process."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)

    def figures(self) -> Figures:
        """What it costs; nothing once it has ended."""
        try:
            times = self._process.cpu_times()
            percent = self._process.cpu_percent()
            return Figures(times.user + times.system, percent, self._process.memory_info().rss)
        except psutil.Error:
            return Figures(0.0, 0.0, 0)


class IdleShare:
    """Measures the processors of the machine: call it to have the share that was idle since the last call, 0 to 1."""

    def __init__(self) -> None:
        self._idle, self._all = self._times()
        self._share = 1.0

    def __call__(self) -> float:
        idle, all_of_them = self._times()
        if all_of_them > self._all:
            self._share = (idle - self._idle) / (all_of_them - self._all)
            self._idle, self._all = idle, all_of_them
        return self._share

    @staticmethod
    def _times() -> tuple[float, float]:
        times = psutil.cpu_times()
        # The time of guests is in that of `user` and `nice` (proc(5)).
        return times.idle + times.iowait, sum(times[:8])


# -- the network ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface. `speed_mbit`: 0 for unknown. The counters are of octets and packets since it was made."""

    name: str
    is_up: bool
    mtu: int
    speed_mbit: int
    addresses: tuple[str, ...]
    received_bytes: int
    received_packets: int
    received_errors: int
    received_dropped: int
    sent_bytes: int
    sent_packets: int
    sent_errors: int
    sent_dropped: int


def machine_addresses() -> tuple[str, ...]:
    """Every IPv4 and IPv6 address of this machine, without the names of interfaces."""
    found = {
        address.address.partition("%")[0]
        for interface in psutil.net_if_addrs().values()
        for address in interface
        if address.family in (socket.AF_INET, socket.AF_INET6)
    }
    return tuple(sorted(found))


def interface_addresses() -> dict[str, list[IPv4Interface | IPv6Interface]]:
    """The addresses of each network interface of this machine, with the lengths of their prefixes."""
    return {
        name: [
            ip_interface(f"{address.address.partition('%')[0]}/{_prefix_len(address.netmask)}")
            for address in found
            if address.family in (socket.AF_INET, socket.AF_INET6) and address.netmask
        ]
        for name, found in psutil.net_if_addrs().items()
    }


def _prefix_len(mask: str) -> int:
    return int(ip_address(mask)).bit_count()


def interfaces() -> list[Interface]:
    """All network interfaces, by name."""
    addresses, counters = interface_addresses(), psutil.net_io_counters(pernic=True, nowrap=False)
    # One that came or went between the questions is left out.
    return [
        Interface(
            name=name,
            is_up=state.isup,
            mtu=state.mtu,
            speed_mbit=state.speed,
            addresses=tuple(map(str, addresses.get(name, ()))),
            received_bytes=counters[name].bytes_recv,
            received_packets=counters[name].packets_recv,
            received_errors=counters[name].errin,
            received_dropped=counters[name].dropin,
            sent_bytes=counters[name].bytes_sent,
            sent_packets=counters[name].packets_sent,
            sent_errors=counters[name].errout,
            sent_dropped=counters[name].dropout,
        )
        for name, state in sorted(psutil.net_if_stats().items())
        if name in counters
    ]


# -- the machine ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MachineState:
    """Sizes are octets. `clock`: `synchronized`, `not synchronized` or `unknown`."""

    machine: str
    system: str
    kernel: str
    processors: int
    load_1min: float
    load_5min: float
    load_15min: float
    memory_size: int
    memory_free_size: int
    disk_size: int
    disk_free_size: int
    clock: str


def machine_state(folder: Path) -> MachineState:
    """This machine now; the disk is the one that `folder` is on. Raises OSError."""
    memory, disk = psutil.virtual_memory(), os.statvfs(folder)
    load = os.getloadavg()
    return MachineState(
        machine=platform.node(),
        system=_system_name(),
        kernel=platform.release(),
        processors=len(os.sched_getaffinity(0)),
        load_1min=load[0],
        load_5min=load[1],
        load_15min=load[2],
        memory_size=memory.total,
        memory_free_size=memory.available,
        disk_size=disk.f_blocks * disk.f_frsize,
        # What is left for others than root.
        disk_free_size=disk.f_bavail * disk.f_frsize,
        clock=clock_state(),
    )


def _system_name() -> str:
    """The name of the distribution (os-release(5)); "" when it does not say."""
    try:
        lines = OS_RELEASE.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return next((line.partition("=")[2].strip('"') for line in lines if line.startswith("PRETTY_NAME=")), "")


def clock_state() -> str:
    """Is the clock of this machine kept in step with others? A service that may not ask the kernel cannot know."""
    if SYNCHRONIZED_MARK.exists():
        return "synchronized"
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_LEN))
    if state < 0:
        return "unknown"
    return "not synchronized" if state == _TIME_ERROR else "synchronized"
