"""What only a database can get wrong: locks, files, full disks, and long lists."""

import asyncio
import sqlite3
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest
from builders import NOON, a_job, a_page
from sqlalchemy import Connection

from headcount.adapters.sql import SqlStore
from headcount.core import tally
from headcount.core.calls import Call
from headcount.core.errors import (
    InternalError,
    InvalidSetting,
    StoreBusy,
    StoreError,
)
from headcount.core.model import Change, Job, Known


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqlStore]:
    opened = await SqlStore.open(f"sqlite:///{path}", busy_timeout=0.01)
    yield opened
    await opened.close()


def add_one(job: Job, _: Known) -> Change:
    return Change(replace(job, unusable=job.unusable + 1))


def hold_a_call(job: Job, _: Known) -> Change:
    call = Call(job.lines + 1, 1, "0", 1, NOON)
    job = replace(job, open_calls=(*job.open_calls, call), lines=call.id)
    return Change(job, calls=(call,))


async def settle(store: SqlStore, creators: range) -> Change:
    """Hold a call and let it bring these creators."""
    held = (await store.change("job-1", hold_a_call)).calls[0]
    page = a_page(creators)

    def rule(job: Job, known: Known) -> Change:
        return tally.settle(Change(job), held.id, page, known, NOON)

    return await store.change("job-1", rule, [s.key for s in page.sightings])


# -------------------------------------------------------------------- several at once
async def test_two_stores_on_one_file_lose_no_change(path: Path) -> None:
    stores = [await SqlStore.open(f"sqlite:///{path}") for _ in range(2)]
    await stores[0].create(a_job())

    await asyncio.gather(
        *(store.change("job-1", add_one) for _ in range(100) for store in stores)
    )

    jobs = [await store.load("job-1") for store in stores]
    assert [(job.unusable, job.version) for job in jobs] == [(200, 200)] * 2
    for store in stores:
        await store.close()


async def test_a_fresh_file_may_be_opened_by_many_at_once(path: Path) -> None:
    stores = await asyncio.gather(
        *(SqlStore.open(f"sqlite:///{path}") for _ in range(8))
    )

    await stores[0].create(a_job())

    assert [await store.load("job-1") for store in stores] == [a_job()] * 8
    for store in stores:
        await store.close()


async def test_a_job_that_another_process_changed_is_read_anew(
    store: SqlStore, path: Path
) -> None:
    await store.create(a_job())
    await store.change("job-1", add_one)
    other = await SqlStore.open(f"sqlite:///{path}")
    await other.change("job-1", hold_a_call)
    await other.close()

    change = await store.change("job-1", add_one)

    assert (change.job.unusable, change.job.version) == (2, 3)
    assert len(change.job.open_calls) == 1


async def test_a_file_held_for_too_long_is_busy_and_free_again_later(
    store: SqlStore, path: Path
) -> None:
    await store.create(a_job())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreBusy, match="held by another process for too long"):
        await store.change("job-1", add_one)
    still_readable = await store.load("job-1")
    other.close()

    assert still_readable == a_job()
    assert (await store.change("job-1", add_one)).job.unusable == 1


# --------------------------------------------------------------------- files and disks
async def test_what_was_written_is_there_after_reopening(path: Path) -> None:
    first = await SqlStore.open(f"sqlite:///{path}")
    await first.create(a_job(target=100))
    settled = await settle(first, range(30))
    await first.close()

    second = await SqlStore.open(f"sqlite:///{path}")
    found = [finding async for finding, _ in second.findings("job-1")]

    assert await second.load("job-1") == settled.job
    assert found == list(settled.findings)
    await second.close()


async def test_a_database_without_a_file_lasts_until_it_is_closed() -> None:
    store = await SqlStore.open("sqlite://")
    await store.create(a_job())

    change = await store.change("job-1", add_one)

    assert await store.load("job-1") == change.job
    await store.close()


async def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no directory .*/nowhere: create it"):
        await SqlStore.open(f"sqlite:///{tmp_path}/nowhere/jobs.db")


async def test_a_path_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened: check the permissions"):
        await SqlStore.open(f"sqlite:///{tmp_path}")


async def test_a_file_that_is_no_database_is_left_alone(letter: Path) -> None:
    before = _content(letter)

    with pytest.raises(StoreError, match="it is not a database"):
        await SqlStore.open(f"sqlite:///{letter}")

    assert _content(letter) == before


@pytest.fixture
def letter(path: Path) -> Path:
    path.write_text("a letter to a friend\n" * 100)
    return path


def _content(path: Path) -> str:
    return path.read_text()


async def test_a_file_that_may_only_be_read_says_so(store: SqlStore) -> None:
    await store.create(a_job())
    await _pragma(store, "query_only = ON")

    with pytest.raises(StoreError, match="cannot be written to"):
        await store.change("job-1", add_one)

    assert (await store.load("job-1")).version == 0


async def test_a_full_disk_loses_nothing_that_was_settled(store: SqlStore) -> None:
    await store.create(a_job(target=5_000))
    settled = await settle(store, range(30))
    pages = await _pragma(store, "page_count")

    await _pragma(store, f"max_page_count = {pages}")
    with pytest.raises(StoreError, match="the disk is full"):
        await settle(store, range(30, 3_000))
    await _pragma(store, "max_page_count = 1000000")

    found = [finding async for finding, _ in store.findings("job-1")]
    assert found == list(settled.findings)
    assert (await settle(store, range(30, 60))).job.qualified == 60


async def _pragma(store: SqlStore, pragma: str) -> object:
    def ask(connection: Connection) -> object:
        found = connection.exec_driver_sql(f"PRAGMA {pragma}")
        return found.scalar() if found.returns_rows else None

    return await store.database.read(ask)


# ------------------------------------------------------------------------ the settings
async def test_options_of_the_driver_are_refused_by_name() -> None:
    with pytest.raises(InvalidSetting, match=r"after the '\?': timeout, uri$"):
        await SqlStore.open("sqlite:///jobs.db?uri=true&timeout=abc")


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "",
        "postgresql://me:s3cret@db.example:port/jobs",
        "mysql://me:s3cret@db.example/jobs?password=s3cret",
        "sqlite+aiosqlite:///s3cret.db",
    ],
)
async def test_another_database_is_refused_without_showing_its_password(
    url: str,
) -> None:
    with pytest.raises(InvalidSetting, match="HEADCOUNT_DATABASE_URL") as refused:
        await SqlStore.open(url)

    assert "sqlite:///headcount.db" in str(refused.value)
    assert "s3cret" not in str(refused.value)


async def test_sqlite_is_set_up_to_keep_what_was_paid_for(store: SqlStore) -> None:
    settings = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    found = {name: await _pragma(store, name) for name in settings}

    full, on = 2, 1
    assert found == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": on,
        "busy_timeout": 10,
    }


# --------------------------------------------------------------------- the constraints
async def test_a_change_that_breaks_a_constraint_is_a_defect_of_ours(
    store: SqlStore,
) -> None:
    await store.create(a_job())

    with pytest.raises(InternalError, match="please report it"):
        await store.change("job-1", lambda job, _: Change(replace(job, qualified=-1)))

    assert await store.load("job-1") == a_job()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE jobs SET delivered = target + 1, qualified = 99",
        "UPDATE jobs SET delivered = qualified + 1",
        "UPDATE jobs SET qualified = -1, delivered = -1",
        "UPDATE jobs SET rejected = -1",
        "UPDATE jobs SET pending = -1",
        "UPDATE creators SET ordinal = NULL",
        "UPDATE creators SET verdict = 'rejected'",
        "UPDATE creators SET ordinal = 1",
        "UPDATE creators SET number = 1",
        "UPDATE creators SET ordinal = ordinal - 1",
        "UPDATE creators SET creator_key = 'tiktok:1'",
        "UPDATE calls SET number = 1",
        "INSERT INTO posts VALUES ('job-1', 99, 1, '1')",
        "INSERT INTO events VALUES ('nobody', 1, 'job.progress', '', '{}')",
    ],
)
async def test_the_promise_is_kept_by_constraints_too(
    store: SqlStore, path: Path, statement: str
) -> None:
    await store.create(a_job())
    await settle(store, range(2))
    await settle(store, range(2, 4))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA foreign_keys = ON")

    with pytest.raises(sqlite3.IntegrityError):
        other.execute(statement)

    other.close()


async def test_text_that_no_database_can_hold_is_a_defect_of_ours(
    store: SqlStore,
) -> None:
    job = replace(a_job(), search=replace(a_job().search, region="\ud800"))

    with pytest.raises(InternalError):
        await store.create(job)


# ---------------------------------------------------------------------------- the cost
async def test_a_settle_takes_as_many_statements_however_much_is_stored(
    store: SqlStore,
) -> None:
    await store.create(a_job(*"abcdefgh", target=10_000))
    await settle(store, range(30))
    executed = await _executed(store)
    counts = []

    for creators in (range(30, 60), range(60, 3_000), range(3_000, 3_030)):
        executed.clear()
        await settle(store, creators)
        counts.append(_without_rows(executed))

    assert counts == [counts[0]] * 3


async def test_a_settle_writes_only_the_source_that_moved(store: SqlStore) -> None:
    await store.create(a_job("tea", "cake", "jam"))
    executed = await _executed(store)

    await settle(store, range(3))

    written = [statement for statement in executed if "INTO sources" in statement]
    assert len(written) == 1
    assert "VALUES ('job-1', 1, 'tea'" in written[0]


async def test_more_jobs_than_are_remembered_go_on_all_the_same(
    store: SqlStore,
) -> None:
    ids = [f"job-{number}" for number in range(70)]
    for name in ids:
        await store.create(a_job(id=name))

    for name in ids * 2:
        await store.change(name, add_one)

    assert [(await store.load(name)).unusable for name in ids] == [2] * 70


def _without_rows(executed: list[str]) -> int:
    """How many statements were executed, however many rows each was given."""
    return sum(1 for _ in groupby(executed, key=lambda s: s.partition(" VALUES ")[0]))


async def _executed(store: SqlStore) -> list[str]:
    """What the store executes from now on, row by row, with the values written out."""
    executed: list[str] = []

    def listen(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_trace_callback(executed.append)

    await store.database.read(listen)
    return executed


async def test_reading_a_long_list_takes_the_memory_of_a_batch(
    store: SqlStore,
) -> None:
    await store.create(a_job(target=100_000))
    peaks = []

    for creators in (range(2_000), range(2_000, 8_000)):
        await settle(store, creators)
        tracemalloc.start()
        count = 0
        async for _ in store.findings("job-1"):
            count += 1
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert count == creators.stop

    assert peaks[1] < peaks[0] * 1.5
