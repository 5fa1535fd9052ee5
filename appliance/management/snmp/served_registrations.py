"""Users and contacts, as far as the configuration has them served: the table in force, and the variables made of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from appliance import clock
from appliance.catalogue.settings import Settings
from appliance.management.snmp.registered_users import RegisteredUsers
from appliance.management.snmp.registration_objects import RegistrationObjects
from appliance.management.snmp.registration_reader import RegistrationReader
from appliance.messages.supervisor_requests import FailureRow


class ServedRegistrations:
    """`table_dir`: the folder with the registration tables; `wall_time`: the clock by which registrations live."""

    def __init__(self, table_dir: str, wall_time: Callable[[], float]) -> None:
        self._reader = RegistrationReader(table_dir)
        self._users = RegisteredUsers(wall_time)
        self._wall_time = wall_time

    def objects(
        self, settings: Settings, failures: Sequence[FailureRow], uptime_s: Callable[[], float]
    ) -> RegistrationObjects:
        """The variables for the requests that come now."""
        self._users.users_max = settings.snmp.registered_users_max
        table = self._reader.current(settings.limits.bindings_max) if settings.snmp.shows_users else None
        if table is None:
            self._reader.close()
        self._users.begin(table, clock.monotonic())
        made = RegistrationObjects(self._users, uptime_s, self._wall_time)
        made.failures = failures_by_user(failures)
        return made


def failures_by_user(rows: Sequence[FailureRow]) -> dict[bytes, int]:
    """Wrong passwords, by address-of-record. The sum of a user comes after its parts, and may be missing."""
    counts: dict[bytes, int] = {}
    for row in rows:
        aor = f"sip:{row.user}".encode()
        known = counts.get(aor, 0)
        counts[aor] = max(known, row.failures) if row.source == "(all)" else known + row.failures
    return counts
