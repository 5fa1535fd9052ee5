"""The processes of the workers: their launch documents, and the socket by which each gets listening sockets later."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from appliance.ipc.launch import WorkerLaunch
from appliance.ipc.launch_document import new_door, send_document
from appliance.messages.sealing_keys import SealingKeys
from appliance.storage.flight_recorder import Recording
from appliance.supervisor.listening_sockets import ListeningSockets
from appliance.supervisor.processes import CommandLine, NodeProcess


class Launcher:
    """Starts workers and forgets them. `running`: the processes, by the number of the worker.

    `launch` is the start of a worker, but for its number and descriptors.
    """

    def __init__(
        self, launch: WorkerLaunch, sockets: ListeningSockets, recording: Recording, command_line: CommandLine
    ) -> None:
        self.running: dict[int, NodeProcess] = {}
        self._doors: dict[int, socket.socket] = {}
        self.table_dir = ""
        """The directory of the registration table that they have in common; "" for none."""
        self._launch = launch
        self._sockets = sockets
        self._recording = recording
        self._command_line = command_line

    def go_by(self, config_text: str) -> None:
        """Start workers with another configuration from now on."""
        self._launch = replace(self._launch, config_text=config_text)

    def seal_with(self, keys: SealingKeys) -> None:
        """Start workers with other sealing keys from now on."""
        self._launch = replace(self._launch, sealing_keys=keys.to_text())

    def start(self, number: int, bank: int, places: Sequence[str]) -> NodeProcess:
        """A worker that writes to this bank of the recording; `places`: the names of the listeners, by their places.

        Raises ListenFailed when a socket cannot be opened again, OSError when there can be no process.
        """
        self._sockets.restore(number)
        ours, theirs = new_door()
        with theirs:
            launch = self._launch_of(number, bank, places, theirs.fileno())
            self._recording.forget(number, bank)
            try:
                process = NodeProcess(launch, self._command_line(launch), bank)
            except OSError:
                ours.close()
                raise
        self._doors[number] = ours
        self.running[number] = process
        return process

    def _launch_of(self, number: int, bank: int, places: Sequence[str], door_fd: int) -> WorkerLaunch:
        return replace(
            self._launch,
            number=number,
            sockets=self._sockets.sockets_of(number),
            recording_fd=self._recording.fd,
            bank=bank,
            bank_len=self._recording.bank_len,
            places=tuple(places),
            door_fd=door_fd,
            table_dir=self.table_dir,
        )

    def send_document(self, number: int, document: dict[str, Any], fds: Sequence[int]) -> None:
        """Pass a document and sockets on to a worker. Raises OSError."""
        send_document(self._doors[number], document, fds)

    def signed_at(self, number: int) -> float:
        """The monotonic moment at which a worker that runs last showed that it lives; 0.0 when it has not."""
        return self._recording.signed_at(number, self.running[number].bank)

    def forget(self, number: int) -> list[int]:
        """A worker has ended; the counters that it has written down."""
        process = self.running.pop(number)
        process.close()
        self._doors.pop(number).close()
        return self._recording.counters_of(number, process.bank)

    def kill_all(self) -> None:
        """End what still runs."""
        for process in self.running.values():
            process.kill()

    def close(self) -> None:
        """Leave no process and no door behind."""
        self.kill_all()
        for door in self._doors.values():
            door.close()
