"""What is particular to Postgres: connecting, its own words, and what its errors mean.

Everything lies in a schema of our own, since the database is often somebody else's. No
state is left on a connection, and nothing is prepared there, so that a pooler may stand
in between that gives each transaction another connection.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import psycopg
from sqlalchemy import (
    ARRAY,
    URL,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Table,
    Text,
    and_,
    any_,
    bindparam,
    create_engine,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from headcount.adapters.database import Result, Work
from headcount.core.errors import (
    HeadcountError,
    InternalError,
    InvalidSetting,
    StoreBusy,
    StoreError,
)

SCHEMA = "headcount"
_THREADS = 4
# Of a transaction that another one got in the way of. After a restart of the server,
# every connection that lies ready is dead, and then one is new.
_TRIES = _THREADS + 1
_PAUSE = 0.05  # seconds between two tries, for the other one to get out of the way
_CONNECT_TIMEOUT = 10  # seconds
# The first characters of an error's SQLSTATE, or all five.
_CONFLICT = ("40001", "40P01")  # serialization failure, deadlock
_AWAY = ("08", "57P", "53300")  # connection lost, shutting down, too many connections
_HELD = (*_CONFLICT, "55P03", "57014")  # a timeout of locks, or of statements
# What a server says while connecting has no SQLSTATE. A server that speaks another
# language than English is taken for one that is away; its words are quoted then.
_SAID = {
    re.compile(r'password|pg_hba|role ".*" (does not|is not)|no such user'): "28000",
    re.compile(r'database ".*" does not exist|no such database'): "3D000",
    re.compile("permission denied"): "42501",
    re.compile("invalid .*(option|value|number)"): "setting",
}
_ADVICE = {
    "28": "the server refuses the user or the password: check HEADCOUNT_DATABASE_URL",
    "3D": "the server has no such database: create it, or check HEADCOUNT_DATABASE_URL",
    "42501": "the user may not do this: grant it CREATE on the database to upgrade it",
    "53100": "the server's disk is full: free some space, then resume the job",
    "25006": "the server takes no changes: is it a replica?",
}


class Postgres:
    """A server's database, with a few threads that have a connection each."""

    schema = SCHEMA
    upgrades_itself = False

    def __init__(self, url: URL) -> None:
        self.engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={
                "connect_timeout": _CONNECT_TIMEOUT,
                "prepare_threshold": None,
                "application_name": "headcount",
            },
            isolation_level="READ COMMITTED",  # whatever the database's default is
            execution_options={"schema_translate_map": {None: SCHEMA}},
            hide_parameters=True,
            pool_size=_THREADS,
            max_overflow=0,
        )
        self._reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.dialect = self.engine.dialect
        self.name = f"{url.database or 'postgres'} on {url.host or 'this machine'}"
        self._threads = ThreadPoolExecutor(_THREADS, "headcount-store")

    def insert(self, table: Table) -> Insert:
        """An insert that knows of conflicts."""
        return insert(table)

    def among(
        self, owner: Column[str], column: Column[str], of: str, values: str
    ) -> ColumnElement[bool]:
        """Whether a row is of this owner and has one of many values."""
        array = bindparam(values, type_=ARRAY(Text))
        return and_(owner == bindparam(of, type_=owner.type), column == any_(array))

    def as_array(self, values: Sequence[str]) -> list[str]:
        """The values that `among` looks for, as one parameter."""
        return list(values)

    @contextmanager
    def together(self, connection: Connection) -> Iterator[None]:
        """Send what is written in the block in one go: a single round trip."""
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        with driver.pipeline():
            yield

    async def read(self, work: Work[Result]) -> Result:
        """Do work that changes nothing.

        No transaction is begun: each statement has a view of its own, as it would have
        in one that is READ COMMITTED.
        """
        return await self._in_thread(partial(self._transact, work, self._reading))

    async def write(self, work: Work[Result]) -> Result:
        """Do work in one transaction; the work locks the rows it is about to change."""
        return await self._in_thread(partial(self._transact, work, self.engine))

    async def jot(self, work: Work[Result]) -> Result:
        """Write what may be forgotten, without waiting for the disk."""

        def unhurried(connection: Connection) -> Result:
            connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
            return work(connection)

        return await self.write(unhurried)

    async def close(self) -> None:
        """Let go of the connections, once what is under way is finished."""
        await self._in_thread(self.engine.dispose)
        self._threads.shutdown()

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _transact(self, work: Work[Result], engine: Engine) -> Result:
        """Do work, again where others were in the way or the connection was dead.

        Not again once the work is done: whether a commit that broke off took place is
        not known, and whoever asked for it can tell by looking.
        """
        for tries_left in reversed(range(_TRIES)):
            done = []
            try:
                with engine.begin() as connection:
                    done.append(work(connection))
            except (SQLAlchemyError, psycopg.Error) as error:
                again = tries_left and not done and _may_recover(error)
                if not again:
                    raise explain(error, self.name) from error
                time.sleep(_PAUSE)
            else:
                break
        return done[0]


def _may_recover(error: SQLAlchemyError | psycopg.Error) -> bool:
    """Whether it may go better next time."""
    return _state_of(error).startswith((*_CONFLICT, *_AWAY))


def _state_of(error: SQLAlchemyError | psycopg.Error) -> str:
    """The error's SQLSTATE, or that of what was said while connecting."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.Error):
        return ""
    if cause.sqlstate:
        return cause.sqlstate
    states = (state for said, state in _SAID.items() if said.search(str(cause)))
    away = "08000" if isinstance(cause, psycopg.OperationalError) else ""
    return next(states, away)


def explain(error: SQLAlchemyError | psycopg.Error, name: str) -> HeadcountError:
    """Say what a database error means, where it happened and what to do about it."""
    state = _state_of(error)
    said = _first_line(error.orig if isinstance(error, DBAPIError) else error)
    if state == "setting":
        return InvalidSetting(f"HEADCOUNT_DATABASE_URL: {said}")
    if state.startswith(_HELD):
        return StoreBusy(
            f"the database {name} was held by others for too long: try again ({said})"
        )
    if state.startswith(_AWAY):
        return StoreBusy(
            f"the database {name} cannot be reached at the moment: is the server "
            f"running, and HEADCOUNT_DATABASE_URL right? ({said})"
        )
    for beginning, advice in _ADVICE.items():
        if state.startswith(beginning):
            return StoreError(f"the database {name} cannot be used: {advice} ({said})")
    return InternalError(f"the store refused a change: {said}; please report it")


def _first_line(error: object) -> str:
    """What the server said, without the address at which it was asked."""
    return str(error).strip().partition("\n")[0].rpartition("FATAL:  ")[2]
