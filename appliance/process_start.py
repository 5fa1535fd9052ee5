"""How a process of a node begins that needs no privilege: with its launch document on standard input, its log, the
configuration in force and its place on the bus.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol, Self, TypeVar

from appliance.catalogue.errors import ConfigError
from appliance.catalogue.settings import Settings
from appliance.configuration.text import parse_configuration
from appliance.ipc.bus import Bus, BusUnavailable
from appliance.ipc.launch_document import LaunchError
from appliance.privileges import lay_down_all
from appliance.storage.log_file import log_by, log_path, log_to_file, log_to_stderr
from appliance.transport.process_id import process_id

ENDED: Final = 0
"""Exit status: it was told to end."""
FAULT: Final = 1
"""Exit status: a fault of its own, or something is not done."""
NOT_STARTED: Final = 2
"""Exit status: it could not start."""

log = logging.getLogger("signalbox.process")


class CannotStart(Exception):
    """The process cannot start; the message says why."""


class NodeLaunch(Protocol):
    """The launch document of such a process (ipc/launch.py)."""

    @property
    def state_dir(self) -> str: ...
    @property
    def config_text(self) -> str: ...
    @property
    def node(self) -> int: ...
    @classmethod
    def from_stdin(cls, document: BinaryIO) -> Self: ...


AnyLaunch = TypeVar("AnyLaunch", bound=NodeLaunch)


def run_process(
    name: str,
    number: int,
    launch_class: type[AnyLaunch],
    serve: Callable[[AnyLaunch, Settings, Bus], Coroutine[Any, Any, int]],
) -> int:
    """Start and serve until told to end; returns the exit status. `serve` may raise CannotStart.

    `name` is what sentences call the process, `number` the one that it has on the bus.
    """
    lay_down_all()
    log_to_stderr()
    try:
        launch = launch_class.from_stdin(sys.stdin.buffer)
        state_dir = Path(launch.state_dir)
        log_to_file(log_path(state_dir))
        settings = parse_configuration(launch.config_text)
        log_by(settings)
        bus = Bus(state_dir / "run", process_id(launch.node, number))
    except (LaunchError, ConfigError, BusUnavailable) as fault:
        log.critical("%s cannot start: %s", name, fault)
        return NOT_STARTED
    try:
        return asyncio.run(serve(launch, settings, bus))
    except CannotStart as fault:
        log.critical("%s cannot start: %s", name, fault)
        return NOT_STARTED
    finally:
        bus.close()


def settings_in_force(text: str) -> Settings | None:
    """The settings of a configuration that came into force, by which the log goes from now on; None when it cannot be
    read, which is logged.
    """
    try:
        settings = parse_configuration(text)
    except ConfigError as fault:
        log.error("the configuration in force cannot be read: %s", fault)
        return None
    log_by(settings)
    return settings
