"""Keeps a store's tables at the revision this version of Headcount works with.

A fresh store is made at once. Alembic, slow to import, is only brought in where one
query shows an older revision.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.schema import CreateSchema

from headcount.adapters import service_tables  # noqa: F401 - it declares tables
from headcount.adapters.database import Database
from headcount.adapters.statistics import count_all
from headcount.adapters.tables import HEAD, metadata, revision
from headcount.core.errors import StoreError, StoreOutdated, StoreTooNew

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 4_863_517_220  # any number that nobody else would take


async def ready(database: Database) -> None:
    """See that the tables are those of this version, and make them where allowed.

    Raises:
        StoreOutdated: they are not, and somebody has to say that they should be.
        StoreTooNew: a later version of Headcount made them.
        StoreError: another program made them.
    """
    try:
        await check(database)
    except StoreOutdated:
        if not database.upgrades_itself:
            raise
        await upgrade(database)


async def check(database: Database) -> None:
    """See that the tables are those of this version.

    Raises:
        StoreOutdated: an earlier version made them, or nobody yet.
        StoreTooNew: a later one did.
    """
    found = await current(database)
    if found and found > HEAD:
        raise _too_new(database)
    if found != HEAD:
        state = f"tables of revision {found}" if found else "no tables of ours yet"
        raise StoreOutdated(
            f"the database {database.name} has {state}, and this version needs "
            f"revision {HEAD}: run `headcount db upgrade`"
        )


async def current(database: Database) -> str | None:
    """The revision of the tables that are there; `None` where there are none."""
    return await database.read(lambda connection: _found(connection, database))


async def upgrade(database: Database) -> str | None:
    """Make or upgrade the tables, unless somebody else just did.

    Returns the revision that they had before; `None` where there were none.

    Raises:
        StoreTooNew: a later version of Headcount made them.
        StoreError: another program made them.
    """
    return await database.write(lambda connection: _bring_up(connection, database))


def _found(connection: Connection, database: Database) -> str | None:
    if not inspect(connection).has_table(revision.name, schema=database.schema):
        return None
    return connection.execute(select(revision.c.version_num)).scalar()


def _bring_up(connection: Connection, database: Database) -> str | None:
    if database.schema:
        _enter(connection, database.schema)
    tables = inspect(connection).get_table_names(schema=database.schema)
    if not tables:
        metadata.create_all(connection, checkfirst=False)
        connection.execute(revision.insert(), {"version_num": HEAD})
        return None
    if revision.name not in tables:
        place = f"schema {database.schema} in the " if database.schema else ""
        raise StoreError(
            f"the {place}database {database.name} belongs to another program: "
            "name another one by HEADCOUNT_DATABASE_URL"
        )
    found = _found(connection, database)
    if found != HEAD:
        _migrate(connection, database)
        count_all(connection)
    return found


def _enter(connection: Connection, schema: str) -> None:
    """Work in a schema until the transaction ends; one process at a time does."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if not inspect(connection).has_schema(schema):  # making it takes a right of its own
        connection.execute(CreateSchema(schema))
    connection.execute(text(f"SET LOCAL search_path TO {schema}"))


def _migrate(connection: Connection, database: Database) -> None:
    from alembic import command  # noqa: PLC0415 - slow to import, rarely needed
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - the same
    from alembic.util import CommandError  # noqa: PLC0415 - the same

    config = alembic_config()
    config.attributes["connection"] = connection
    found = _found(connection, database) or "base"
    try:
        ScriptDirectory.from_config(config).get_revision(found)
    except CommandError as error:
        raise _too_new(database) from error
    command.upgrade(config, HEAD)


def _too_new(database: Database) -> StoreTooNew:
    return StoreTooNew(
        f"the database {database.name} was written by a later version of "
        "Headcount: upgrade it with `uv tool upgrade headcount`, or "
        "use another one by HEADCOUNT_DATABASE_URL"
    )


def alembic_config() -> "Config":
    """Alembic's settings, which need no file."""
    from alembic.config import Config  # noqa: PLC0415 - slow to import, rarely needed

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
