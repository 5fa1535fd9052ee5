"""The SNMP agent of a node: its sockets, its process, and what it reports.

The sockets are opened here, for a port below 1024 takes a right that only the supervisor keeps. The agent inherits
them; when they change, it is started anew. Other changes reach it as a message. A virtual address is bound on every
node of a cluster, whichever owns it.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import replace
from typing import Final

from appliance.catalogue.alarms import SNMP_AGENT_DOWN, Condition
from appliance.catalogue.node_settings import virtual_ip_addresses
from appliance.catalogue.settings import Settings
from appliance.catalogue.snmp_values import listen_of
from appliance.catalogue.supervision_settings import SupervisionSettings
from appliance.ipc.launch import SnmpLaunch
from appliance.messages.bus_messages import BusMessage
from appliance.messages.snmp_messages import AlarmsChanged, NotifyTest, SnmpConfiguration, SnmpReport, SnmpState
from appliance.supervisor.listening_sockets import bind_freely
from appliance.supervisor.supporting_process import SupportingProcess

# How often a socket that could not be opened is tried again.
TRIAL_INTERVAL_S: Final = 10.0
SUBJECT: Final = "snmp"


class SnmpSocketFailed(OSError):
    """An address and port of the agent cannot be opened; the message is a sentence for the operator."""


class SnmpProcess(SupportingProcess[SnmpLaunch]):
    """Call `tend_agent` in every cycle."""

    def __init__(self, settings: Settings, launch: SnmpLaunch, report: Callable[[str], None]) -> None:
        super().__init__("The SNMP agent", launch, report)
        self.settings = settings.snmp
        self._virtual: Container[str] = virtual_ip_addresses(settings)
        self.fault = ""
        """Why a socket cannot be opened; "" for none."""
        self.send: Callable[[BusMessage], bool] = lambda message: False
        self.forget: Callable[[], None] = lambda: None
        """Called when the process has ended: what was sent to it is not for the next one."""
        self.last_report = SnmpReport()
        self._sockets: dict[str, socket.socket] = {}
        self._is_heard = False
        """Has this process reported? Before, a message could be lost."""
        self._events_told = -1
        self._text_told = ""
        self._open_at = 0.0
        self._is_asked_to_end = False

    # -- sockets -------------------------------------------------------------------------------------

    def open_more(self, values: Iterable[str], virtual: Container[str]) -> None:
        """Open what is not open yet. `virtual`: addresses that need not be on this machine.

        Raises SnmpSocketFailed; what was opened before it is kept until `keep_only`.
        """
        for value in values:
            if value not in self._sockets:
                self._sockets[value] = _opened(value, virtual)

    def keep_only(self, values: Iterable[str]) -> None:
        """Close the others."""
        for value in set(self._sockets) - set(values):
            self._sockets.pop(value).close()

    # -- its life ------------------------------------------------------------------------------------

    def put_in_force(self, settings: Settings, text: str) -> None:
        """Go by a new configuration, whose sockets are open."""
        self.settings, self._virtual = settings.snmp, virtual_ip_addresses(settings)
        self.keep_only(self.settings.listen)
        self.fault, self._open_at = "", 0.0
        self._prepare_launch(text)

    def _prepare_launch(self, text: str) -> None:
        former = self.launch
        sockets = tuple((*_place(value), opened.fileno()) for value, opened in self._sockets.items())
        self.launch = replace(former, config_text=text, sockets=sockets)
        if self.process is None:
            return
        if sockets != former.sockets or not self.settings.is_on:
            self.stop()

    def tend_agent(self, limits: SupervisionSettings, is_stopping: bool, events: int, now: float) -> None:
        """Keep it running as long as it is wanted. `events`: how many events of alarms there were."""
        is_wanted = self.settings.is_on and not is_stopping
        if is_wanted and set(self.settings.listen) - set(self._sockets) and now >= self._open_at:
            self._try_to_open(now)
        self.tend(limits, not is_wanted, now)
        if self.is_running and self._is_heard:
            self._tell(events)

    def _tell(self, events: int) -> None:
        """Tell it what it does not know yet."""
        text = self.launch.config_text
        if text != self._text_told and self.send(SnmpConfiguration(text)):
            self._text_told = text
        if events != self._events_told and self.send(AlarmsChanged(events)):
            self._events_told = events

    def heard(self, report: SnmpReport) -> None:
        """Take a report in."""
        self.last_report, self._is_heard = report, True

    def test(self, user: str) -> bool:
        """Have it send a test notification; False when it cannot be told."""
        return self.is_running and self._is_heard and self.send(NotifyTest(user))

    def _try_to_open(self, now: float) -> None:
        self._open_at = now + TRIAL_INTERVAL_S
        try:
            self.open_more(self.settings.listen, self._virtual)
        except SnmpSocketFailed as fault:
            if str(fault) != self.fault:
                self._report(str(fault))
            self.fault = str(fault)
        else:
            self.fault = ""
        self._prepare_launch(self.launch.config_text)

    def stop(self) -> None:
        """Ask it to end: that is no failure."""
        self._is_asked_to_end = True
        super().stop()

    def _start(self, limits: SupervisionSettings, now: float) -> None:
        self._is_asked_to_end = self._is_heard = False
        self._events_told, self._text_told = -1, self.launch.config_text
        super()._start(limits, now)

    def _ended(self, ending: str, limits: SupervisionSettings, is_stopping: bool, now: float) -> None:
        self.forget()
        super()._ended(ending, limits, is_stopping or self._is_asked_to_end, now)

    def conditions(self) -> Iterator[Condition]:
        """The alarms that are true of it."""
        if self.fault:
            yield Condition(SNMP_AGENT_DOWN, SUBJECT, self.fault)
        elif self.settings.is_on and self.is_down and self.deaths:
            yield Condition(SNMP_AGENT_DOWN, SUBJECT, f"The SNMP agent is being restarted: {self.last_ending}.")

    def state(self) -> SnmpState:
        """What operators see of it."""
        return SnmpState(self.is_running, self.fault, self.last_report)

    def close(self) -> None:
        """Leave no process and no socket behind."""
        self.kill()
        self.keep_only(())


def _place(value: str) -> tuple[str, int]:
    listen = listen_of(value)
    return listen.address, listen.port


def _opened(value: str, virtual: Container[str]) -> socket.socket:
    """A UDP socket. Raises SnmpSocketFailed."""
    address, port = _place(value)
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if address in virtual:
            bind_freely(opened)
        opened.bind((address, port))
    except OSError as fault:
        opened.close()
        sentence = f"SNMP cannot listen on {address} port {port}: {fault.strerror or fault}."
        raise SnmpSocketFailed(sentence) from fault
    return opened
