"""Lookups in a directory by LDAP (RFC 4511; H.350, RFC 3944): the values of attributes of the entries that match."""

from __future__ import annotations

import errno
import math
import socket
import ssl
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

import ldap3
from ldap3.core.exceptions import LDAPException, LDAPInvalidFilterError

from appliance.catalogue.lookup_settings import LookupSettings
from appliance.lookups.lookup_client import ANSWER_LEN_MAX, AnswerUnusable, ServerFailed
from appliance.lookups.secret_file import first_line
from appliance.routing.lookup_results import RESULTS_MAX
from appliance.routing.lookup_templates import LookupValues, filled, in_ldap_filter

# RFC 4511 4.1.9
SUCCESS: Final = 0
SIZE_LIMIT_EXCEEDED: Final = 4
# busy, unavailable, and time and administrative limits: it may be known later.
FOR_A_WHILE: Final = frozenset((3, 11, 51, 52))


class _BoundedSocket:
    """The socket of a session, from which no more than one answer may have is read. `is_too_long`: there was more."""

    def __init__(self, connected: Any) -> None:
        self._connected = connected
        self.begin_answer()

    def begin_answer(self) -> None:
        """What comes from now on is another answer."""
        self._left = ANSWER_LEN_MAX
        self.is_too_long = False

    def recv(self, size: int) -> bytes:
        """As that of a socket. Raises OSError where the answer is too long."""
        octets: bytes = self._connected.recv(size)
        self._left -= len(octets)
        self.is_too_long = self._left < 0
        if self.is_too_long:
            raise OSError(errno.EMSGSIZE, f"the answer is longer than {ANSWER_LEN_MAX} octets")
        return octets

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connected, name)


class LdapSession:
    """One connection to a directory, bound."""

    def __init__(self, server: str, settings: LookupSettings) -> None:
        """Raises ServerFailed."""
        self._settings = settings
        self._socket: _BoundedSocket | None = None
        try:
            self._connection = _connection_to(server, settings)
        except LDAPException as fault:
            raise ServerFailed(f"{server} cannot be reached: {fault}") from None
        try:
            self._bind()
        except Exception as fault:
            self._drop()
            if isinstance(fault, (LDAPException, OSError)):
                raise ServerFailed(f"{server} cannot be reached: {fault}") from None
            raise

    def _bind(self) -> None:
        connection = self._connection
        connection.open(read_server_info=False)
        self._socket = connection.socket = _BoundedSocket(connection.socket)
        if not connection.bind():
            raise ServerFailed(f"the bind was refused: {connection.result.get('description')}")

    def _drop(self) -> None:
        """Close what ldap3 leaves open, and would keep in a cycle of references (workers/gc_schedule.py)."""
        if self._connection.socket is not None:
            self._connection.socket.close()

    def find(self, values: LookupValues) -> list[str]:
        """The values, in the order of the entries and of the attributes. Raises ServerFailed and AnswerUnusable."""
        settings, connection = self._settings, self._connection
        assert self._socket is not None
        self._socket.begin_answer()
        try:
            connection.search(
                settings.base,
                filled(settings.filter, values, in_ldap_filter),
                attributes=list(settings.attributes),
                size_limit=RESULTS_MAX,
                time_limit=math.ceil(settings.timeout_ms / 1000),
            )
        except LDAPInvalidFilterError:
            raise AnswerUnusable("the filter is not one of RFC 4515") from None
        except LDAPException as fault:
            if self._socket.is_too_long:
                raise AnswerUnusable(f"the answer is longer than {ANSWER_LEN_MAX} octets") from None
            raise ServerFailed(f"the search failed: {fault}") from None
        code = connection.result["result"]
        if code not in (SUCCESS, SIZE_LIMIT_EXCEEDED):
            reason = f"the search was answered {code} {connection.result.get('description')}"
            raise ServerFailed(reason) if code in FOR_A_WHILE else AnswerUnusable(reason)
        return _values_of(connection.response, settings.attributes)

    def abort(self) -> None:
        """Close the connection under the search."""
        self._connection.socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Unbind where that is possible."""
        with suppress(LDAPException, OSError):
            self._connection.unbind()


def _connection_to(server: str, settings: LookupSettings) -> Any:
    """A connection that is not open yet. Raises LDAPException."""
    # ldap3 knows whole seconds here; who gives up earlier ends the session.
    parts, seconds = urlsplit(server), math.ceil(settings.timeout_ms / 1000)
    is_secure = parts.scheme.lower() == "ldaps"
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=settings.authorities or None) if is_secure else None
    return ldap3.Connection(
        ldap3.Server(parts.hostname, parts.port, is_secure, get_info=ldap3.NONE, tls=tls, connect_timeout=seconds),
        user=settings.user or None,
        password=first_line(settings.secret_file) if settings.user else None,
        client_strategy=ldap3.SYNC,
        receive_timeout=seconds,
        auto_referrals=False,
        read_only=True,
    )


def _values_of(response: list[dict[str, Any]], attributes: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for entry in response:
        # Referrals are not followed: they would lead to any server.
        raw = entry.get("raw_attributes") or {}
        named = {name.lower(): values for name, values in raw.items()}
        for attribute in attributes:
            found += [_text(value) for value in named.get(attribute.lower(), ())]
    return found


def _text(value: bytes) -> str:
    try:
        return value.decode("ascii")
    except UnicodeDecodeError:
        raise AnswerUnusable("the value of an attribute is not ASCII text") from None
