"""`headcount db`: make and upgrade the tables, and tell their revision."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import typer

from headcount.cli import options as opt
from headcount.cli.exits import Exit, finish, print_data, told
from headcount.core.errors import StoreOutdated, StoreTooNew

if TYPE_CHECKING:
    from headcount.adapters.database import Database

T = TypeVar("T")
db = typer.Typer(
    name="db",
    help="Make and upgrade the tables of the database.",
    no_args_is_help=True,
)


@db.command()
@told
def upgrade() -> int:
    """Make the tables, or bring them to the revision that this version needs."""
    from headcount.adapters import schema
    from headcount.adapters.tables import HEAD

    async def work(database: "Database") -> str:
        found = await schema.upgrade(database)
        if found is None:
            return f"Made the tables of revision {HEAD} in {database.name}."
        if found == HEAD:
            return f"Nothing to do: {database.name} has the tables of revision {HEAD}."
        return f"Upgraded {database.name} from revision {found} to {HEAD}."

    typer.echo(_with_database(work), err=True)
    return Exit.EXACT


@db.command()
@told
def current(format_: opt.ListingOption = opt.Listing.TABLE) -> int:
    """Print the revision found, and the one that this version needs."""
    from headcount.adapters import schema
    from headcount.adapters.tables import HEAD

    found = _with_database(schema.current)
    if format_ is opt.Listing.JSON:
        print_data(json.dumps({"found": found, "needed": HEAD}, indent=2))
    else:
        print_data(f"found {found or 'none'}, needed {HEAD}")
    return Exit.EXACT


@db.command()
@told
def check() -> int:
    """End with 0 where the tables are those of this version, else with 2."""
    from headcount.adapters import schema

    try:
        _with_database(schema.check)
    except (StoreOutdated, StoreTooNew) as error:
        typer.echo(f"Error: {error}", err=True)
        return Exit.USAGE
    return Exit.EXACT


def _with_database(work: Callable[["Database"], Awaitable[T]]) -> T:
    """Do something with the database of the settings, and no pooler in between."""

    async def act() -> T:
        async with _database() as database:
            return await work(database)

    return finish(act())


@asynccontextmanager
async def _database() -> AsyncIterator["Database"]:
    from headcount.adapters.sql import open_database
    from headcount.bootstrap import store_url
    from headcount.settings import load_settings

    settings = load_settings()
    database = open_database(settings.database_direct_url or store_url(settings))
    try:
        yield database
    finally:
        await database.close()
