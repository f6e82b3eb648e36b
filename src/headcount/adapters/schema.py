"""Keeps a store's tables at the revision this version of Headcount works with.

A fresh store is made at once. Alembic, slow to import, is only brought in where one
query shows an older revision.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.schema import CreateSchema

from headcount.adapters import service_tables
from headcount.adapters.database import Database
from headcount.adapters.tables import HEAD, revision
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
    found = await database.read(lambda connection: found_revision(connection, database))
    if found == HEAD:
        return
    if database.upgrades_itself:
        await upgrade(database)
        return
    raise StoreOutdated(
        f"the database {database.name} "
        + (f"has tables of revision {found}" if found else "has no tables of ours yet")
        + f", and this version needs {HEAD}: run `headcount db upgrade`"
    )


async def upgrade(database: Database) -> None:
    """Make or upgrade the tables, unless somebody else just did.

    Raises:
        StoreTooNew: a later version of Headcount made them.
        StoreError: another program made them.
    """
    await database.write(lambda connection: _bring_up(connection, database))


def found_revision(connection: Connection, database: Database) -> str | None:
    """The revision of the tables that are there; `None` where there are none."""
    if not inspect(connection).has_table(revision.name, schema=database.schema):
        return None
    return connection.execute(select(revision.c.version_num)).scalar()


def _bring_up(connection: Connection, database: Database) -> None:
    if database.schema:
        _enter(connection, database.schema)
    tables = inspect(connection).get_table_names(schema=database.schema)
    if not tables:
        service_tables.metadata.create_all(connection, checkfirst=False)
        connection.execute(revision.insert(), {"version_num": HEAD})
    elif revision.name not in tables:
        raise StoreError(
            f"the database {database.name} belongs to another program: "
            "name another one by HEADCOUNT_DATABASE_URL"
        )
    elif found_revision(connection, database) != HEAD:
        _migrate(connection, database)


def _enter(connection: Connection, schema: str) -> None:
    """Work in a schema until the transaction ends; one process at a time does."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    connection.execute(CreateSchema(schema, if_not_exists=True))
    connection.execute(text(f"SET LOCAL search_path TO {schema}"))


def _migrate(connection: Connection, database: Database) -> None:
    from alembic import command  # noqa: PLC0415 - slow to import, rarely needed
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - the same
    from alembic.util import CommandError  # noqa: PLC0415 - the same

    config = alembic_config()
    config.attributes["connection"] = connection
    found = found_revision(connection, database)
    try:
        ScriptDirectory.from_config(config).get_revision(found or "base")
    except CommandError as error:
        raise StoreTooNew(
            f"the database {database.name} was written by a later version of "
            "Headcount: upgrade it with `uv tool upgrade headcount`, or "
            "use another one by HEADCOUNT_DATABASE_URL"
        ) from error
    command.upgrade(config, HEAD)


def alembic_config() -> "Config":
    """Alembic's settings, which need no file."""
    from alembic.config import Config  # noqa: PLC0415 - slow to import, rarely needed

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
