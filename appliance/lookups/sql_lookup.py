"""Lookups in a database: one statement with parameters (SQLAlchemy Core; SQLite and PostgreSQL).

The statement is the operator's, and the values never become a part of it. It reads only: the file is opened so, and the
server is told so.
"""

from __future__ import annotations

import os
import socket
import sqlite3
from contextlib import suppress
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from appliance.catalogue.lookup_settings import LookupSettings
from appliance.catalogue.lookup_values import parameters_in
from appliance.lookups.lookup_client import ANSWER_LEN_MAX, AnswerUnusable, ServerFailed
from appliance.lookups.sql_engine import connected, engine_for, reason_of
from appliance.routing.lookup_results import RESULTS_MAX
from appliance.routing.lookup_templates import LookupValues


class SqlDatabase:
    """One database. What its driver takes is loaded here, and not when the first call waits."""

    def __init__(self, server: str, settings: LookupSettings) -> None:
        self._settings = settings
        self._engine = engine_for(server, f"signalbox lookup {settings.name}", settings.timeout_ms)

    def open_session(self) -> SqlSession:
        """A connection. Raises ServerFailed."""
        try:
            return SqlSession(connected(self._engine), self._settings)
        except SQLAlchemyError as fault:
            raise ServerFailed(reason_of(fault)) from None


class SqlSession:
    """One connection to a database, and the statement that it is asked."""

    def __init__(self, connection: Connection, settings: LookupSettings) -> None:
        self._connection = connection
        self._names = parameters_in(settings.statement)
        # By a cursor of the server: of many rows the first ones are enough.
        self._statement = text(settings.statement).execution_options(stream_results=True, max_row_buffer=RESULTS_MAX)

    def find(self, values: LookupValues) -> list[str]:
        """The first column of each row. Raises ServerFailed and AnswerUnusable."""
        named = values.by_name()
        try:
            with self._connection.begin() as transaction:
                rows = self._connection.execute(self._statement, {name: named[name] for name in self._names})
                found = [row[0] for row in rows.fetchmany(RESULTS_MAX)]
                rows.close()
                transaction.rollback()
        except DBAPIError as fault:
            if fault.connection_invalidated or self._connection.closed:
                raise ServerFailed(reason_of(fault)) from None
            raise _unusable_or_failed(fault) from None
        except SQLAlchemyError as fault:
            raise AnswerUnusable(reason_of(fault)) from None
        if not all(isinstance(value, str) for value in found) or sum(map(len, found)) > ANSWER_LEN_MAX:
            raise AnswerUnusable("the first column of a row is no text, or is too long")
        return found

    def abort(self) -> None:
        """Interrupt the statement (SQLite), or close the connection under it."""
        raw: Any = self._connection.connection.driver_connection
        if isinstance(raw, sqlite3.Connection):
            raw.interrupt()
            return
        with socket.socket(fileno=os.dup(raw.fileno())) as connection:
            connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the connection back."""
        with suppress(SQLAlchemyError):
            self._connection.close()


def _unusable_or_failed(fault: DBAPIError) -> ServerFailed | AnswerUnusable:
    """A database that is locked, full or shutting down has failed; one that finds fault with a value has not."""
    names = {kind.__name__ for kind in type(fault.orig).__mro__}
    has_failed = bool(names & {"OperationalError", "InterfaceError"})
    return ServerFailed(reason_of(fault)) if has_failed else AnswerUnusable(reason_of(fault))
