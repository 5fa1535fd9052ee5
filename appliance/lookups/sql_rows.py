"""All rows of a statement, as texts: what a table of routes is read from (SQLite and PostgreSQL).

Rows come in portions, so memory is bounded by what the caller keeps. Time is bounded by the caller: the process that
reads is ended (lookup_server/route_sources.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from appliance.lookups.lookup_client import ServerFailed
from appliance.lookups.sql_engine import connected, engine_for, reason_of

PORTION: Final = 1000
VALUE_LEN_MAX: Final = 600


class ValueUnusable(ValueError):
    """A value is of no use in a route table. The message is a part of a sentence."""


Take = Callable[[tuple[str, ...], Iterator[tuple[object, ...]]], None]


def read_rows(server: str, statement: str, name: str, timeout_s: int, take: Take) -> None:
    """Have the names of the columns and all rows taken. Raises ServerFailed, and what `take` raises."""
    try:
        with connected(engine_for(server, name, 1000 * timeout_s)) as connection, connection.begin() as transaction:
            options = {"stream_results": True, "max_row_buffer": PORTION}
            result = connection.execute(text(statement).execution_options(**options))
            take(tuple(result.keys()), (tuple(row) for rows in result.partitions(PORTION) for row in rows))
            result.close()
            transaction.rollback()
    except SQLAlchemyError as fault:
        raise ServerFailed(reason_of(fault)) from None


def text_of(value: object) -> str:
    """A value as a file has it; nothing is empty. Raises ValueUnusable."""
    if value is None:
        return ""
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value() and abs(value) < 10**20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueUnusable(f"a value of type {type(value).__name__} is no text and no whole number")
    written = str(value)
    if len(written) > VALUE_LEN_MAX or not written.isprintable():
        raise ValueUnusable(f"a value is longer than {VALUE_LEN_MAX} characters, or not printable")
    return written
