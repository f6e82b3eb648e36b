"""Keeps a store's tables at the revision this version of Headcount works with.

A fresh store is made at once. Alembic, slow to import, is only brought in where one
query shows an older revision.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, select

from headcount.adapters.tables import HEAD, metadata, revision
from headcount.core.errors import StoreError, StoreTooNew

if TYPE_CHECKING:
    from alembic.config import Config


def is_current(connection: Connection) -> bool:
    """Whether the tables are those of this version."""
    return _revision(connection) == HEAD


def bring_up(connection: Connection) -> None:
    """Make or upgrade the tables, unless somebody else just did.

    Raises:
        StoreTooNew: a later version of Headcount made them.
        StoreError: another program made them.
    """
    tables = inspect(connection).get_table_names()
    if not tables:
        metadata.create_all(connection, checkfirst=False)
        connection.execute(revision.insert(), {"version_num": HEAD})
    elif revision.name not in tables:
        raise StoreError(
            f"the database {connection.engine.url.database} belongs to another "
            "program: name another file by HEADCOUNT_DATABASE_URL"
        )
    elif not is_current(connection):
        _upgrade(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(revision.name):
        return None
    return connection.execute(select(revision.c.version_num)).scalar()


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - slow to import, rarely needed
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - the same
    from alembic.util import CommandError  # noqa: PLC0415 - the same

    config = alembic_config()
    config.attributes["connection"] = connection
    try:
        ScriptDirectory.from_config(config).get_revision(
            _revision(connection) or "base"
        )
    except CommandError as error:
        raise StoreTooNew(
            f"the database {connection.engine.url.database} was written by a later "
            "version of Headcount: upgrade it with `uv tool upgrade headcount`, or "
            "use another file by HEADCOUNT_DATABASE_URL"
        ) from error
    command.upgrade(config, HEAD)


def alembic_config() -> "Config":
    """Alembic's settings, which need no file."""
    from alembic.config import Config  # noqa: PLC0415 - slow to import, rarely needed

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
