"""The door to the subscriber database: SQLite on one node, PostgreSQL for several (SQLAlchemy Core).

HA1 values are as good as passwords, so the SQLite file is readable by its owner only.

Whatever the database cannot do is a StoreError with one sentence: it may pass, and it never means "no such
subscriber". What a caller asks wrongly is a ValueError. A damaged file is left as it is.
"""

from __future__ import annotations

import csv
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    Column,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    and_,
    bindparam,
    create_engine,
    delete,
    event,
    func,
    insert,
    inspect,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.engine import URL, Connection, Row, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError
from sqlalchemy.schema import CreateTable

from appliance.catalogue.redaction import HIDDEN, without_url_secrets
from appliance.storage.subscriber import (
    FAULTS_MAX,
    ImportFault,
    StoreError,
    Subscriber,
    database_path,
    hashed_subscriber,
    new_subscriber,
)

# How long one process waits for another that is writing, and for a PostgreSQL server.
BUSY_TIMEOUT_S: Final = 5
ROWS_AT_ONCE: Final = 500
# First rows of a file that are no subscribers.
EXPORT_HEADING: Final = ("username", "domain", "ha1-md5", "ha1-sha256")
HEADINGS: Final = (("username", "domain", "password"), EXPORT_HEADING)

_METADATA = MetaData()
_SUBSCRIBERS = Table(
    "subscribers",
    _METADATA,
    Column("username", String(64), primary_key=True),
    Column("realm", String(128), primary_key=True),
    Column("ha1_md5", String(32), nullable=False),
    Column("ha1_sha256", String(64), nullable=False),
    Column("created", Integer, nullable=False),
)
_KEY = tuple_(_SUBSCRIBERS.c.username, _SUBSCRIBERS.c.realm)
_IS_HIM = and_(_SUBSCRIBERS.c.username == bindparam("name"), _SUBSCRIBERS.c.realm == bindparam("domain"))
# Made once: putting a statement together costs more than the database takes to answer it.
_FIND = select(_SUBSCRIBERS).where(_IS_HIM)


def database_url(configured: str, state_dir: Path) -> str:
    """The URL to open: the configured one, else that of the SQLite file in the state folder."""
    if configured:
        return configured
    return URL.create("sqlite", database=str(database_path(state_dir))).render_as_string()


class SubscriberStore:
    """The subscribers of one database. Any thread may call any method.

    Opening makes the file or the table when there is none. Raises StoreError.
    """

    def __init__(self, url: str) -> None:
        self._url = _read_url(url)
        self._path = self._url.database if self._url.get_backend_name() == "sqlite" else None
        if self._path is not None:
            _make_file(self._path)
        try:
            self._engine = _sqlite_engine(self._url) if self._path is not None else _server_engine(self._url)
        except ImportError as fault:
            raise StoreError(f"the subscriber database needs the Python package psycopg: {fault}") from fault
        try:
            self._make_table()
        except StoreError:
            self.close()
            raise

    def _make_table(self) -> None:
        if not self._has_table():
            try:
                with self._writing() as connection:
                    connection.execute(CreateTable(_SUBSCRIBERS, if_not_exists=True))
            except (IntegrityError, StoreError):
                # PostgreSQL reports in several ways that another process has just made it.
                if not self._has_table():
                    raise
        with self._reading() as connection:
            connection.execute(select(_SUBSCRIBERS).limit(1)).all()

    def _has_table(self) -> bool:
        with self._reading() as connection:
            return inspect(connection).has_table(_SUBSCRIBERS.name)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def find(self, username: bytes, realm: bytes) -> Subscriber | None:
        """The subscriber by what his credentials say (RFC 7616 3.4), or None when there is none. Raises StoreError."""
        try:
            key = username.decode("ascii"), realm.decode("ascii")
        except UnicodeDecodeError:
            return None
        if "\0" in key[0] or "\0" in key[1]:
            return None
        with self._reading() as connection:
            row = connection.execute(_FIND, {"name": key[0], "domain": key[1]}).one_or_none()
        return _subscriber(row) if row is not None else None

    def add(self, subscriber: Subscriber) -> None:
        """Store a new one. Raises ValueError when he is there already, and StoreError."""
        try:
            with self._writing() as connection:
                connection.execute(insert(_SUBSCRIBERS), _values(subscriber))
        except IntegrityError:
            raise ValueError(f"{subscriber.username}@{subscriber.realm} is a subscriber already") from None

    def change(self, subscriber: Subscriber) -> bool:
        """Give a subscriber other HA1 values; False when there is none of that name. Raises StoreError."""
        values = {"ha1_md5": subscriber.ha1_md5.decode(), "ha1_sha256": subscriber.ha1_sha256.decode()}
        key = {"name": subscriber.username, "domain": subscriber.realm}
        with self._writing() as connection:
            return bool(connection.execute(update(_SUBSCRIBERS).where(_IS_HIM).values(values), key).rowcount)

    def remove(self, username: str, realm: str) -> bool:
        """Delete one; False when there was none. Raises StoreError."""
        with self._writing() as connection:
            result = connection.execute(delete(_SUBSCRIBERS).where(_IS_HIM), {"name": username, "domain": realm})
            return bool(result.rowcount)

    def list(self, after_realm: str = "", after_username: str = "") -> Iterator[Subscriber]:
        """Every subscriber behind one, by realm and user name, a few at a time. Raises StoreError."""
        order = _SUBSCRIBERS.c.realm, _SUBSCRIBERS.c.username
        is_later = tuple_(*order) > tuple_(literal(after_realm), literal(after_username))
        query = select(_SUBSCRIBERS).where(is_later).order_by(*order).execution_options(yield_per=ROWS_AT_ONCE)
        with self._reading() as connection:
            for row in connection.execute(query):
                yield _subscriber(row)

    def count(self) -> int:
        """How many there are. Raises StoreError."""
        with self._reading() as connection:
            return int(connection.execute(select(func.count()).select_from(_SUBSCRIBERS)).scalar_one())

    def import_csv(
        self,
        lines: Iterable[str],
        wall_time: float,
        is_replacing: bool = False,
        realm_of: Callable[[str], str] = str,
        check_password: Callable[[str, str], None] = lambda username, password: None,
    ) -> int:
        """Add the rows `username,domain,password` of a file, all of them or none; returns how many.

        Rows of four columns are those of an export: with HA1 values in place of the password. A first row with
        exactly these words is a heading. `realm_of` gives the realm of a domain, or raises
        ValueError with a sentence, as `check_password` does for a user name and a password. Those who are
        subscribers already are faults, or get the new password when `is_replacing`. Raises ImportFault with the lines
        that are wrong, and StoreError.
        """
        faults: list[tuple[int, str]] = []
        imported = 0
        rows = _read_rows(lines, partial(_read_row, wall_time, realm_of, check_password), faults)
        with self._writing() as connection:
            while len(faults) < FAULTS_MAX and (chunk := list(islice(rows, ROWS_AT_ONCE))):
                faults.extend(_import_chunk(connection, chunk, is_replacing))
                imported += len(chunk)
            if faults:
                # Leaving by an exception takes back what was inserted.
                raise ImportFault(sorted(faults)[:FAULTS_MAX])
        return imported

    def check(self) -> None:
        """Read the whole database once. Raises StoreError when any part of it is damaged."""
        if self._path is None:
            self.count()
            return
        with self._reading() as connection:
            result = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if result != "ok":
            raise StoreError(_damaged(self._path, str(result)))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One transaction: everything in it is stored, or nothing."""
        with (
            self._translated(),
            self._engine.connect().execution_options(is_writing=True) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except SQLAlchemyError as fault:
            raise StoreError(_sentence(self._url, fault)) from fault


# -- rows --------------------------------------------------------------------------------------------


def _subscriber(row: Row[Any]) -> Subscriber:
    return Subscriber(row.username, row.realm, row.ha1_md5.encode(), row.ha1_sha256.encode(), row.created)


def _values(subscriber: Subscriber) -> dict[str, str | int]:
    return {
        "username": subscriber.username,
        "realm": subscriber.realm,
        "ha1_md5": subscriber.ha1_md5.decode(),
        "ha1_sha256": subscriber.ha1_sha256.decode(),
        "created": subscriber.created,
    }


def _read_rows(
    lines: Iterable[str], read_row: Callable[[Sequence[str]], Subscriber], faults: list[tuple[int, str]]
) -> Iterator[tuple[int, Subscriber]]:
    """(line, subscriber) for each row that is right; what is wrong with the others goes to `faults`."""
    reader = csv.reader(lines, strict=True)
    seen: dict[str, int] = {}
    try:
        for row in reader:
            if not row or (reader.line_num == 1 and tuple(row) in HEADINGS):
                continue
            try:
                subscriber = read_row(row)
            except ValueError as fault:
                faults.append((reader.line_num, str(fault)))
                continue
            name = f"{subscriber.username}@{subscriber.realm}"
            first = seen.setdefault(name, reader.line_num)
            if first == reader.line_num:
                yield reader.line_num, subscriber
            else:
                faults.append((reader.line_num, f"{name} is also on line {first}"))
    except csv.Error as fault:
        faults.append((reader.line_num, f"the row cannot be read: {fault}"))
    except UnicodeDecodeError:
        faults.append((reader.line_num + 1, "the text from here on is not UTF-8"))


def _read_row(
    wall_time: float, realm_of: Callable[[str], str], check_password: Callable[[str, str], None], row: Sequence[str]
) -> Subscriber:
    if len(row) == 4:
        username, domain, md5, sha256 = (cell.strip() for cell in row)
        return hashed_subscriber(username, realm_of(domain), md5, sha256, wall_time)
    if len(row) != 3:
        raise ValueError(f"there are {len(row)} columns: type username,domain,password")
    username, domain, password = row
    check_password(username.strip(), password)
    return new_subscriber(username.strip(), realm_of(domain.strip()), password, wall_time)


def _import_chunk(
    connection: Connection, chunk: Sequence[tuple[int, Subscriber]], is_replacing: bool
) -> list[tuple[int, str]]:
    """Insert the rows; the faults are those who are subscribers already."""
    keys = [(subscriber.username, subscriber.realm) for _, subscriber in chunk]
    if is_replacing:
        connection.execute(delete(_SUBSCRIBERS).where(_KEY.in_(keys)))
        existing = set()
    else:
        query = select(_SUBSCRIBERS.c.username, _SUBSCRIBERS.c.realm).where(_KEY.in_(keys))
        existing = {(row.username, row.realm) for row in connection.execute(query)}
    faults = [
        (line, f"{subscriber.username}@{subscriber.realm} is a subscriber already")
        for line, subscriber in chunk
        if (subscriber.username, subscriber.realm) in existing
    ]
    if not faults:
        connection.execute(insert(_SUBSCRIBERS), [_values(subscriber) for _, subscriber in chunk])
    return faults


# -- engines -----------------------------------------------------------------------------------------


def _read_url(text: str) -> URL:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError("the database URL cannot be read: type sqlite:///FILE or postgresql://...") from None
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        raise ValueError(f"{without_url_secrets(str(url))} is not supported: type sqlite:///FILE or postgresql://...")
    return url


def _make_file(path: str) -> None:
    """Make the file before SQLite does, so that no other user can ever read it."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as fault:
        raise StoreError(f"the subscriber database {path} cannot be opened: {fault.strerror}") from fault


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        # Transactions begin by our own words, below.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A reader that turns writer may not wait, it fails at once: who will write says so from the start.
        is_writing = connection.get_execution_options().get("is_writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")

    return engine


def _server_engine(url: URL) -> Engine:
    return create_engine(url, connect_args=_server_limits(), pool_pre_ping=True, pool_timeout=BUSY_TIMEOUT_S)


def _server_limits() -> dict[str, int | str]:
    """The wait for a server, or for one whose network is gone, is not much longer than BUSY_TIMEOUT_S."""
    busy_ms = BUSY_TIMEOUT_S * 1000
    return {
        "connect_timeout": BUSY_TIMEOUT_S,
        "options": f"-c statement_timeout={busy_ms}",
        # A question that the network lost, and the answer to one that it did not: else the kernel waits a quarter of an
        # hour for the one, and two hours for the other.
        "tcp_user_timeout": busy_ms,
        "keepalives_idle": BUSY_TIMEOUT_S,
        "keepalives_interval": 1,
        "keepalives_count": 3,
    }


# -- sentences ---------------------------------------------------------------------------------------


def _sentence(url: URL, fault: SQLAlchemyError) -> str:
    """What happened, for the operator. The URL is shown without its password."""
    cause = getattr(fault, "orig", None) or fault
    if not isinstance(cause, sqlite3.Error):
        reason = next((line.strip() for line in str(cause).splitlines() if line.strip()), type(cause).__name__)
        return f"the subscriber database {without_url_secrets(str(url))} does not answer: {_without(url, reason)}"
    path = str(url.database)
    name = getattr(cause, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return _damaged(path, str(cause))
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"the subscriber database {path} is locked: another process has written for {BUSY_TIMEOUT_S} seconds"
    if name == "SQLITE_ERROR":
        return f"the subscriber database {path} does not have the schema of this version: {cause}"
    return f"the subscriber database {path} cannot be used: {cause}"


def _without(url: URL, reason: str) -> str:
    """The reason without what is secret in the URL: a driver may quote it."""
    secrets = [url.password, *(value for name, value in url.query.items() if "pass" in name.lower())]
    for secret in secrets:
        if secret:
            reason = reason.replace(str(secret), HIDDEN)
    return without_url_secrets(reason)


def _damaged(path: str, reason: str) -> str:
    return (
        f"the subscriber database {path} is damaged ({reason}) and was not changed: "
        "replace it with a backup, or move it away and import the subscribers again"
    )
