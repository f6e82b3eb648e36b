"""What is particular to SQLite: connecting, locking, upserts, and what its errors mean.

One process writes at a time. A writer takes the lock when its transaction begins: one
that first reads and then asks for the lock would overwrite what came in between.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import (
    URL,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Insert,
    QueuePool,
    Table,
    Update,
    bindparam,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from headcount.core.errors import (
    HeadcountError,
    InternalError,
    StoreBusy,
    StoreError,
)

_DIALECT = SQLiteDialect_pysqlite()
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",  # readers and the writer do not wait for each other
    "PRAGMA synchronous = FULL",  # what was paid for survives a power cut
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -65536",  # 64 MiB: a large job's index stays in memory
)
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_ADVICE = {
    sqlite3.SQLITE_READONLY: "it cannot be written to: check its permissions",
    sqlite3.SQLITE_PERM: "it cannot be written to: check its permissions",
    sqlite3.SQLITE_FULL: "the disk is full: free some space, then resume the job",
    sqlite3.SQLITE_NOTADB: "it is not a database: move it away or name another file",
    sqlite3.SQLITE_CORRUPT: "it is damaged: restore it from a backup",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write: check the disk",
}


def connect(url: URL, *, busy_timeout: float) -> tuple[Engine, Engine]:
    """Make the engines for writing and for reading; they share one connection."""
    engine = create_engine(
        url,
        connect_args={
            "isolation_level": None,  # transactions begin where `_begin` says so
            "timeout": busy_timeout,
            "check_same_thread": False,  # the store has a thread of its own
        },
        hide_parameters=True,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine, engine.execution_options(begin="BEGIN")


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    for pragma in _PRAGMAS:
        connection.execute(pragma).close()


def _begin(connection: Connection) -> None:
    begin = connection.get_execution_options().get("begin", "BEGIN IMMEDIATE")
    connection.exec_driver_sql(begin)


def upsert(table: Table, *by: str) -> Insert:
    """An insert that overwrites the row with the same values in the columns `by`."""
    statement = insert(table)
    kept = {*by, *table.primary_key.columns.keys()}
    changed = {
        c.name: statement.excluded[c.name] for c in table.c if c.name not in kept
    }
    return statement.on_conflict_do_update(index_elements=by, set_=changed)


def insert_missing(table: Table) -> Insert:
    """An insert that leaves rows alone which are there already."""
    return insert(table).on_conflict_do_nothing()


def among(column: Column[str], name: str) -> ColumnElement[bool]:
    """Whether a column holds one of many values: a single parameter, see `as_array`.

    A parameter for each value would have SQLAlchemy write the statement anew each time.
    """
    values = func.json_each(bindparam(name, type_=column.type)).table_valued("value")
    return column.in_(select(values.c.value))


def as_array(values: Sequence[str]) -> str:
    """The values that `among` looks for."""
    return msgspec.json.encode(values).decode()


class Prepared:
    """A statement that writes rows, compiled once and handed straight to the driver.

    SQLAlchemy prepares each execution anew, which takes longer than SQLite takes to
    write the rows of a page. The columns' types convert the values all the same.
    """

    def __init__(self, statement: Insert | Update, table: Table, *names: str) -> None:
        given = {name: bindparam(name, type_=table.c[name].type) for name in names}
        compiled = statement.values(given).compile(dialect=_DIALECT)
        self._sql = str(compiled)
        self._values = [
            (name, compiled.binds[name].type.bind_processor(_DIALECT))
            for name in compiled.positiontup or ()
        ]

    def write(self, connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
        """Write the rows, if there are any."""
        given = [
            tuple(
                convert(row[name]) if convert else row[name]
                for name, convert in self._values
            )
            for row in rows
        ]
        if given:
            connection.exec_driver_sql(self._sql, given)


def explain(error: SQLAlchemyError | sqlite3.Error, file: str | None) -> HeadcountError:
    """Say what a database error means, where it happened and what to do about it."""
    cause: Any = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, sqlite3.Error) or isinstance(
        cause, sqlite3.IntegrityError
    ):
        return InternalError(f"the store refused a change: {cause}; please report it")
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    if code in _BUSY:
        return StoreBusy(
            f"the database {file} was held by another process for too long: "
            "try again, or stop the other one"
        )
    if code == sqlite3.SQLITE_CANTOPEN:
        return StoreError(f"the database {file} cannot be opened: {_obstacle(file)}")
    return StoreError(f"the database {file} cannot be used: {_ADVICE.get(code, cause)}")


def _obstacle(file: str | None) -> str:
    folder = Path(file or "").parent
    if not folder.is_dir():
        return (
            f"there is no directory {folder}: "
            "create it, or name another file by HEADCOUNT_DATABASE_URL"
        )
    return f"check the permissions of {folder}, or name another file"
