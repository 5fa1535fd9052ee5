"""Connections to databases that are only read: a file is opened so, and PostgreSQL is told so."""

from __future__ import annotations

import sqlite3
from typing import Any, Final
from urllib.parse import quote, urlsplit

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

# libpq does not wait less for a connection.
CONNECT_TIMEOUT_MIN_S: Final = 2
# Of a file: octets of a value, and of all values of a row.
ROW_LEN_MAX: Final = 1 << 18


def engine_for(server: str, name: str, timeout_ms: int) -> Engine:
    """What connects to a database. `name`: what the database calls us; `timeout_ms`: for one statement."""
    return create_engine(_engine_url(server), connect_args=_limits(server, name, timeout_ms), poolclass=NullPool)


def connected(engine: Engine) -> Connection:
    """A connection. Raises SQLAlchemyError."""
    connection = engine.connect()
    raw: Any = connection.connection.driver_connection
    if isinstance(raw, sqlite3.Connection):
        # A text that is none is the fault of its row, and not of the file.
        raw.text_factory = _text
        # The driver takes many rows at a time, each as long as the file says.
        raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, ROW_LEN_MAX)
    return connection


def reason_of(fault: SQLAlchemyError) -> str:
    """Why, as a part of a sentence."""
    cause = getattr(fault, "orig", None) or fault
    return next((line.strip() for line in str(cause).splitlines() if line.strip()), type(cause).__name__)


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")


def _engine_url(server: str) -> URL:
    parts = urlsplit(server)
    if parts.scheme.lower() == "sqlite":
        # Read only, and never made where it is missing.
        return make_url(f"sqlite:///file:{quote(parts.path[1:])}?mode=ro&uri=true")
    return make_url(server).set(drivername="postgresql+psycopg")


def _limits(server: str, name: str, timeout_ms: int) -> dict[str, int | str | bool | float]:
    seconds = timeout_ms / 1000
    if server.lower().startswith("sqlite"):
        return {"timeout": seconds, "check_same_thread": False}
    return {
        "application_name": name,
        "connect_timeout": max(CONNECT_TIMEOUT_MIN_S, round(seconds)),
        "options": f"-c statement_timeout={timeout_ms} -c default_transaction_read_only=on",
        "tcp_user_timeout": max(1000, timeout_ms),
        "keepalives_idle": 5,
        "keepalives_interval": 1,
        "keepalives_count": 3,
    }
