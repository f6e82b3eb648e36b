"""What is particular to SQLite: connecting, locking, upserts, and what its errors mean.

One process writes at a time. A writer takes the lock when its transaction begins: one
that first reads and then asks for the lock would overwrite what came in between.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import (
    URL,
    Column,
    ColumnElement,
    Connection,
    Table,
    bindparam,
    create_engine,
    event,
    func,
    select,
    tuple_,
)
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from headcount.adapters.database import Result, Work
from headcount.core.errors import (
    HeadcountError,
    InternalError,
    InvalidSetting,
    StoreBusy,
    StoreError,
)

_WAL = "PRAGMA journal_mode = WAL"  # readers and the writer do not wait for each other
_PRAGMAS = (
    "PRAGMA synchronous = FULL",  # what was paid for survives a power cut
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -65536",  # 64 MiB: a large job's index stays in memory
)
_PAUSE = 0.01  # seconds between two tries to change the journal
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_ADVICE = {
    sqlite3.SQLITE_READONLY: "it cannot be written to: check its permissions",
    sqlite3.SQLITE_PERM: "it cannot be written to: check its permissions",
    sqlite3.SQLITE_FULL: "the disk is full: free some space, then resume the job",
    sqlite3.SQLITE_NOTADB: "it is not a database: move it away or name another file",
    sqlite3.SQLITE_CORRUPT: "it is damaged: restore it from a backup",
    sqlite3.SQLITE_IOERR: "the disk failed to read or write: check the disk",
}


class Sqlite:
    """A file, with one connection that stays open and a thread that has it alone."""

    schema = None
    upgrades_itself = True

    def __init__(self, url: URL, *, busy_timeout: float) -> None:
        if url.query:
            raise InvalidSetting(
                "HEADCOUNT_DATABASE_URL: expected a URL such as "
                "sqlite:///headcount.db, without the options after the '?': "
                f"{', '.join(sorted(url.query))}"
            )
        self.engine = create_engine(
            url,
            connect_args={
                "isolation_level": None,  # transactions begin where `_transact` says so
                "timeout": busy_timeout,
                "check_same_thread": False,  # the thread that closes may be another
            },
            hide_parameters=True,
        )
        self.dialect = self.engine.dialect
        self.name = str(url.database)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="headcount-store")
        self._connection: Connection | None = None
        self._begin = ""
        self._patience = busy_timeout
        event.listen(self.engine, "connect", self._prepare)
        event.listen(self.engine, "begin", self._begun)

    def insert(self, table: Table) -> Insert:
        """An insert that knows of conflicts."""
        return insert(table)

    def among(
        self, owner: Column[str], column: Column[str], of: str, values: str
    ) -> ColumnElement[bool]:
        """Whether a row is of this owner and has one of many values.

        They are looked for in pairs, or SQLite would rather read all rows of the owner.
        """
        array = bindparam(values, type_=column.type)
        value = func.json_each(array).table_valued("value").c.value
        return tuple_(owner, column).in_(select(bindparam(of, type_=owner.type), value))

    def as_array(self, values: Sequence[str]) -> str:
        """The values that `among` looks for, as one parameter."""
        return msgspec.json.encode(values).decode()

    def together(self, connection: Connection) -> AbstractContextManager[None]:
        """Write what is written in the block as it comes: nothing has to travel."""
        del connection
        return nullcontext()

    async def read(self, work: Work[Result]) -> Result:
        """Do work that changes nothing, in one transaction."""
        return await self._in_thread(partial(self._transact, work, "BEGIN"))

    async def write(self, work: Work[Result]) -> Result:
        """Do work in one transaction that has the lock from its beginning."""
        return await self._in_thread(partial(self._transact, work, "BEGIN IMMEDIATE"))

    async def jot(self, work: Work[Result]) -> Result:
        """The same: a file is as durable for one transaction as for another."""
        return await self.write(work)

    async def close(self) -> None:
        """Let go of the file, once what is under way is finished."""
        await self._in_thread(self._disconnect)
        self._thread.shutdown()

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _transact(self, work: Work[Result], begin: str) -> Result:
        self._begin = begin
        try:
            connection = self._connection = self._connection or self.engine.connect()
            with connection.begin():
                return work(connection)
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise explain(error, self.engine.url.database) from error

    def _prepare(self, connection: sqlite3.Connection, _: object) -> None:
        _switch_to_wal(connection, self._patience)
        for pragma in _PRAGMAS:
            connection.execute(pragma).close()

    def _begun(self, connection: Connection) -> None:
        connection.connection.cursor().execute(self._begin).close()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self.engine.dispose()


def _switch_to_wal(connection: sqlite3.Connection, patience: float) -> None:
    """Change the journal, trying again for so many seconds.

    Where several open a fresh file, one of them changes it, and SQLite refuses the
    others at once, without the patience it has for locks.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            connection.execute(_WAL).close()
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _is_busy(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _BUSY


def explain(error: SQLAlchemyError | sqlite3.Error, file: str | None) -> HeadcountError:
    """Say what a database error means, where it happened and what to do about it."""
    cause: Any = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, sqlite3.Error) or isinstance(
        cause, sqlite3.IntegrityError
    ):
        return InternalError(f"the store refused a change: {cause}; please report it")
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    if _is_busy(cause):
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
