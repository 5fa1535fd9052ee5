"""When what was registered is written to the registration table of the node, and which replies may go then.

A commit may have to wait for the lock of the table, and a reply for another node: `due` says when to try again.
"""

from __future__ import annotations

from typing import Final

from appliance.catalogue.alarms import REGISTRATION_TABLE_FULL, REGISTRATION_TABLE_UNSOUND
from appliance.catalogue.counters import TABLE_WRITES_DELAYED
from appliance.location.registration_table import RegistrationTable
from appliance.location.table_store import TableUnsound
from appliance.proxy.held_replies import HeldReplies

# For the lock of the table; for another node.
COMMIT_AGAIN_S: Final = 0.001
HELD_AGAIN_S: Final = 0.005
NEVER: Final = float("inf")


class TableCommits:
    """`due`: the monotonic moment of the next try, NEVER where nothing waits."""

    __slots__ = ("_counters", "_held", "_table", "due")

    def __init__(self, table: RegistrationTable, held: HeldReplies, counters: list[int]) -> None:
        self._table = table
        self._held = held
        self._counters = counters
        self.due = NEVER

    def commit(self, now: float) -> None:
        """Write what was registered, and send the answers that waited for it."""
        is_written = self._write()
        if len(self._held):
            self._held.release(now)
        if is_written and not len(self._held):
            self.due = NEVER
        else:
            self.due = now + (HELD_AGAIN_S if is_written else COMMIT_AGAIN_S)

    def _write(self) -> bool:
        if not self._table.staged:
            return True
        try:
            is_written = self._table.commit()
        except TableUnsound as fault:
            self._table.fault = str(fault)
            return False
        self._counters[TABLE_WRITES_DELAYED] += not is_written
        return is_written

    def alarms(self, now: float) -> list[str]:
        """What the operator should know of the table: the name of an alarm, and a sentence."""
        found = []
        if self._table.fault:
            found.append(f"{REGISTRATION_TABLE_UNSOUND} {self._table.fault}.")
        if self._held.full_until > now:
            found.append(f"{REGISTRATION_TABLE_FULL} REGISTER requests are rejected.")
        return found
