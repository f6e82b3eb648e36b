"""What the store needs of a database, and what every kind of database has in common.

Each kind is one file, `sqlite` and its like: how it connects, locks and fails, and its
own words for the few statements that SQL has no common ones for.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, closing
from typing import Any, Protocol, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Insert,
    Select,
    Table,
    Update,
    bindparam,
)

Result = TypeVar("Result")
Written = TypeVar("Written", Insert, Update)
Work = Callable[[Connection], Result]


class Database(Protocol):
    """A kind of database: its own words, and a way to do work in a transaction."""

    @property
    def dialect(self) -> Dialect:
        """How SQLAlchemy writes its statements."""
        ...

    @property
    def schema(self) -> str | None:
        """The schema that has the tables; `None` is the only one there is."""
        ...

    @property
    def name(self) -> str:
        """What it is called in messages, without any secret."""
        ...

    @property
    def upgrades_itself(self) -> bool:
        """Whether its tables are made and upgraded when it is opened."""
        ...

    def insert(self, table: Table) -> Any:  # noqa: ANN401 - each dialect has its own
        """An insert that knows of conflicts."""
        ...

    def among(
        self, owner: Column[str], column: Column[str], of: str, values: str
    ) -> ColumnElement[bool]:
        """Whether a row is of this owner and has one of many values.

        `of` and `values` name the parameters; the values are given by `as_array`.
        A parameter for each would have SQLAlchemy write the statement anew each time.
        """
        ...

    def as_array(self, values: Sequence[str]) -> object:
        """The values that `among` looks for, as one parameter."""
        ...

    def together(self, connection: Connection) -> AbstractContextManager[None]:
        """A block that only writes, by `Prepared`: what fails may show at its end."""
        ...

    async def read(self, work: Work[Result]) -> Result:
        """Do work that changes nothing.

        Raises:
            HeadcountError: what the database refused, where and what to do about it.
        """
        ...

    async def write(self, work: Work[Result]) -> Result:
        """Do work in one transaction that is committed on return.

        Raises:
            HeadcountError: what the database refused, where and what to do about it.
        """
        ...

    async def jot(self, work: Work[Result]) -> Result:
        """Write what may be forgotten where the server loses its power."""
        ...

    async def close(self) -> None:
        """Let go of the database, once what is under way is finished."""
        ...


class Prepared:
    """A statement compiled once and handed straight to the driver.

    SQLAlchemy prepares each execution anew, which takes longer than the database takes
    for the rows of a page. Values to be written are converted all the same by their
    columns' types; those read come as the driver gives them.
    """

    def __init__(
        self, database: Database, statement: Select[Any] | Insert | Update
    ) -> None:
        dialect = database.dialect
        within = {None: database.schema} if database.schema else None
        compiled = statement.compile(
            dialect=dialect,
            schema_translate_map=within,
            render_schema_translate=bool(within),
        )
        self._sql = str(compiled)
        self._positional = dialect.positional
        self._names = tuple(compiled.positiontup or compiled.binds)
        self._conversions = [
            (place, convert)
            for place, name in enumerate(self._names)
            if (convert := compiled.binds[name].type.bind_processor(dialect))
        ]

    def read(self, connection: Connection, given: dict[str, Any]) -> Sequence[Any]:
        """The rows that a query finds."""
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute(self._sql, self._given(given))
            return cursor.fetchall()

    def write(self, connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
        """Write the rows, if there are any."""
        given = [self._given(row) for row in rows]
        if given:
            with closing(connection.connection.cursor()) as cursor:
                cursor.executemany(self._sql, given)

    def _given(self, row: dict[str, Any]) -> Any:  # noqa: ANN401 - as the driver wants it
        """The values of a row in the form in which the driver takes them."""
        values = [row[name] for name in self._names]
        for place, convert in self._conversions:
            values[place] = convert(values[place])
        if self._positional:
            return values
        return dict(zip(self._names, values, strict=True))


def upsert(database: Database, table: Table, *by: str) -> Insert:
    """An insert that overwrites the row with the same values in columns `by`."""
    statement = database.insert(table)
    kept = {*by, *table.primary_key.columns.keys()}
    changed = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if column.name not in kept
    }
    written: Insert = statement.on_conflict_do_update(index_elements=by, set_=changed)
    return written


def insert_missing(database: Database, table: Table) -> Insert:
    """An insert that leaves rows alone which are there already."""
    written: Insert = database.insert(table).on_conflict_do_nothing()
    return written


def filled(statement: Written, table: Table, names: Iterable[str]) -> Written:
    """The statement with a parameter for each of these columns."""
    return statement.values(
        {name: bindparam(name, type_=table.c[name].type) for name in names}
    )
