"""Filled databases of every earlier revision are upgraded, and their jobs go on."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from engine.stage import Stage, names
from fakes.clock import START, FakeClock
from fakes.postgres import server
from fakes.provider import FakeProvider
from sqlalchemy import Connection

from headcount.adapters import schema
from headcount.adapters.database import Database
from headcount.adapters.sql import SqlStore, open_database
from headcount.adapters.tables import HEAD
from headcount.core.calls import CallState
from headcount.core.errors import StoreOutdated
from headcount.core.model import Status

GOLDEN = Path(__file__).parent.parent / "golden"
REVISIONS = [
    found.revision
    for found in ScriptDirectory.from_config(schema.alembic_config()).walk_revisions()
]
# What the provider of the filled databases shows; two pages are settled already.
PAGES = {
    "tea": [names("a", 1, 6), names("a", 4, 9), names("a", 10, 18)],
    "mate": [names("m", 1, 6), names("a", 1, 3), names("m", 7, 12)],
}
SETTLED = [("tea", "0"), ("mate", "0")]
Place = Callable[[Path], str]


def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder}/jobs.db"


def postgres_16(_: Path) -> str:
    return server(16).empty_database()


def postgres_18(_: Path) -> str:
    return server(18).empty_database()


PLACES: list[Place] = [sqlite, postgres_16, postgres_18]
EVERY_DATABASE = pytest.mark.parametrize("place", PLACES, ids=lambda o: o.__name__)
EARLIER = [revision for revision in REVISIONS if revision != HEAD]
EVERY_EARLIER = pytest.mark.parametrize("revision", EARLIER)


def fill(connection: Connection, database: Database, revision: str) -> None:
    """Make the tables of a revision, and fill them as its version did."""
    if database.schema:
        schema._enter(connection, database.schema)
    config = schema.alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    script = (GOLDEN / f"revision_{revision}.sql").read_text()
    for statement in script.removesuffix(";\n").split(";\n"):
        connection.exec_driver_sql(statement.replace("%", "%%"))


async def filled(database: Database, revision: str) -> None:
    await database.write(lambda connection: fill(connection, database, revision))


@EVERY_DATABASE
@EVERY_EARLIER
async def test_a_job_of_an_earlier_revision_is_read_whole_and_goes_on(
    place: Place, revision: str, tmp_path: Path
) -> None:
    database = open_database(place(tmp_path))
    await filled(database, revision)

    assert await schema.upgrade(database) == revision

    await schema.ready(database)
    store = SqlStore(database, now=lambda: START)
    clock, provider = FakeClock(), FakeProvider(PAGES)
    stage = Stage(provider, clock=clock, rows=store)
    stage.job_id = "job-1"
    before = await stage.job()
    assert (before.status, before.delivered, before.charged) == ("processing", 12, 2)
    assert [call.state for call in await stage.calls()] == [
        *[CallState.SETTLED] * 2,
        *[CallState.OPEN] * 2,
    ]
    earlier = await stage.delivered()
    assert [event.type async for event in store.events("job-1")] == [
        "job.processing",
        *["job.progress"] * 2,
    ]
    assert await store.due(before.due_at or START, 9) == ["job-1"]

    clock.advance(60)  # the lease has expired
    job = await stage.advance()

    assert (job.status, job.target) == (Status.COMPLETED, 25)
    delivered = await stage.delivered()
    assert delivered[:12] == earlier
    assert len(set(delivered)) == 25
    assert not set(provider.asked) & set(SETTLED)
    assert job.charged == 4 + len(provider.asked)
    await store.close()


@EVERY_DATABASE
@EVERY_EARLIER
async def test_several_that_upgrade_at_once_do_it_once(
    place: Place, revision: str, tmp_path: Path
) -> None:
    url = place(tmp_path)
    databases = [open_database(url) for _ in range(4)]
    await filled(databases[0], revision)

    found = await asyncio.gather(*(schema.upgrade(one) for one in databases))

    assert sorted(map(str, found)) == [revision, HEAD, HEAD, HEAD]
    assert await schema.current(databases[0]) == HEAD
    for database in databases:
        await database.close()


@pytest.mark.parametrize("version", [16, 18])
async def test_a_server_is_upgraded_only_when_somebody_says_so(version: int) -> None:
    url = server(version).empty_database()
    with pytest.raises(StoreOutdated, match=r"no tables of ours yet.* db upgrade`"):
        await SqlStore.open(url)
    database = open_database(url)
    await filled(database, "0001")

    with pytest.raises(StoreOutdated, match=r"revision 0001, .* db upgrade`"):
        await SqlStore.open(url)
    await schema.upgrade(database)

    await (await SqlStore.open(url)).close()
    await database.close()


_SHAPE = """
SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name
FROM information_schema.columns WHERE table_schema = 'headcount'
UNION ALL SELECT tablename, indexname, indexdef, '', '', ''
FROM pg_indexes WHERE schemaname = 'headcount'
UNION ALL
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '', ''
FROM pg_constraint WHERE connamespace = 'headcount'::regnamespace
"""


@pytest.mark.parametrize("version", [16, 18])
async def test_the_revisions_lead_to_the_tables_that_a_fresh_database_gets(
    version: int,
) -> None:
    shapes = []
    for revision in (None, *EARLIER):
        url = server(version).empty_database()
        database = open_database(url)
        if revision:
            await filled(database, revision)
        await schema.upgrade(database)
        shapes.append(sorted(map(str, server(version).ask(_SHAPE, url))))
        await database.close()

    made, *migrated = shapes
    assert len(made) > 100
    assert migrated == [made] * len(EARLIER)


def test_there_is_a_filled_database_of_every_earlier_revision() -> None:
    there = {path.stem for path in GOLDEN.glob("revision_*.sql")}

    assert there == {f"revision_{name}" for name in REVISIONS if name != HEAD}
