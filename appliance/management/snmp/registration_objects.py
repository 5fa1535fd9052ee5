"""sipServerRegUserTable and sipServerRegContactTable of SIP-SERVER-MIB (RFC 4780): who is registered, and where.

They are made cell by cell, as a manager asks: there may be far more of them than of all other variables. Without
`snmp registered-users` they are empty (RFC 4780 9: privacy).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from appliance.catalogue.mib_objects import Oid
from appliance.location.binding import Binding
from appliance.management.snmp.object_tree import Missing, Value, Variable
from appliance.management.snmp.registered_users import RegisteredUsers
from appliance.management.snmp.signalbox_objects import SERVER_INDEX, date_and_time, value_of
from appliance.management.snmp.sip_server_objects import SERVER
from appliance.management.snmp.system_objects import ticks

USER_ENTRY: Final[Oid] = (*SERVER, 5, 2, 1)
CONTACT_ENTRY: Final[Oid] = (*SERVER, 5, 3, 1)
USER_URI, USER_FAILURES, USER_DISCONTINUITY = 2, 3, 4
DISPLAY_NAME, CONTACT_URI, LAST_UPDATED, EXPIRY, PREFERENCE = 2, 3, 4, 5, 6
# The columns in the order of a walk.
_COLUMNS: Final = (
    *((*USER_ENTRY, column, SERVER_INDEX) for column in (USER_URI, USER_FAILURES, USER_DISCONTINUITY)),
    *(
        (*CONTACT_ENTRY, column, SERVER_INDEX)
        for column in (DISPLAY_NAME, CONTACT_URI, LAST_UPDATED, EXPIRY, PREFERENCE)
    ),
)
_COLUMN_LEN: Final = len(_COLUMNS[0])
_Q_MAX: Final = 1000


class RegistrationObjects:
    """`uptime_s`: since the agent was started; `wall_time`: the clock by which registrations live."""

    def __init__(
        self, users: RegisteredUsers, uptime_s: Callable[[], float], wall_time: Callable[[], float]
    ) -> None:
        self._users = users
        self._uptime_s = uptime_s
        self._wall_time = wall_time
        self.failures: Mapping[bytes, int] = {}
        """Wrong passwords, by user."""

    def get(self, oid: Oid) -> Value | Missing:
        """The value of an identifier, or why there is none."""
        column, index = oid[:_COLUMN_LEN], oid[_COLUMN_LEN:]
        if column not in _COLUMNS:
            return Missing.OBJECT
        value = self._contact(column, index) if _is_contact(column) else self._user(column, index)
        return Missing.INSTANCE if value is None else value

    def next_after(self, oid: Oid) -> Variable | None:
        """The first variable after an identifier; None at the end."""
        for column in _COLUMNS:
            if oid[:_COLUMN_LEN] > column:
                continue
            rest = oid[_COLUMN_LEN:] if oid[:_COLUMN_LEN] == column else ()
            index = self._contact_after(rest) if _is_contact(column) else self._user_after(rest)
            if index is not None:
                value = self.get((*column, *index))
                assert isinstance(value, Value), "a row that was found a moment ago"
                return (*column, *index), value
        return None

    # -- users ---------------------------------------------------------------------------------------

    def _user_after(self, rest: Oid) -> Oid | None:
        number = self._users.after(rest[0] if rest else 0)
        return None if number is None else (number,)

    def _user(self, column: Oid, index: Oid) -> Value | None:
        aor = self._users.address(index[0]) if len(index) == 1 else None
        if aor is None:
            return None
        kind = column[-2]
        if kind == USER_URI:
            return value_of("SnmpAdminString", aor.decode("utf-8", "replace"))
        return Value("Counter32", self.failures.get(aor, 0)) if kind == USER_FAILURES else Value("TimeTicks", 0)

    # -- contacts ------------------------------------------------------------------------------------

    def _contact_after(self, rest: Oid) -> Oid | None:
        user: int | None = rest[0] if rest else 0
        after = rest[1] if len(rest) > 1 else 0
        while user is not None:
            for number, _ in self._users.contacts(user):
                if number > after:
                    return user, number
            user, after = self._users.after(user), 0
        return None

    def _contact(self, column: Oid, index: Oid) -> Value | None:
        if len(index) != 2:
            return None
        binding = dict(self._users.contacts(index[0])).get(index[1])
        return None if binding is None else self._cell(column[-2], binding)

    def _cell(self, column: int, binding: Binding) -> Value:
        if column == DISPLAY_NAME:
            # The registrar keeps none.
            return Value("OctetString", b"")
        if column == CONTACT_URI:
            return value_of("SnmpAdminString", binding.uri.decode("utf-8", "replace"))
        if column == LAST_UPDATED:
            return Value("TimeTicks", ticks(max(self._uptime_s() - (self._wall_time() - binding.made_at()), 0.0)))
        if column == EXPIRY:
            return Value("OctetString", date_and_time(binding.expires_at))
        return Value("OctetString", f"{binding.q / _Q_MAX:.3g}".encode())


def _is_contact(column: Oid) -> bool:
    return column[: len(CONTACT_ENTRY)] == CONTACT_ENTRY
