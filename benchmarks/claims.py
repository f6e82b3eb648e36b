"""Finding and claiming a job that is due must not grow with how many wait."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from tempfile import TemporaryDirectory

from figures import Figure, Say
from invented import KEYWORD
from postgres import running_postgres
from sqlalchemy import (
    Connection,
    Insert,
    Table,
    Text,
    cast,
    insert,
    literal,
    select,
    true,
)

from headcount.adapters.sql import SqlStore
from headcount.adapters.tables import jobs, sources
from headcount.core import lifecycle
from headcount.core.model import Change, Job, Known, Lease, Search
from headcount.core.search import new_job

_QUEUED = (10, 100_000)
_ROUNDS, _CLAIMS = 25, 10
_PLACES = 50  # as many as a worker asks for
_FIRST = "job0"


async def measure(say: Say) -> AsyncIterator[Figure]:
    """Compare claims among many jobs that wait with claims among ten, by turns.

    Each turn has a worker that has seen none of the jobs before, and takes each once.
    """
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        postgres = await stack.enter_async_context(running_postgres())
        for kind in ("SQLite", "Postgres"):
            seconds: dict[int, list[float]] = {number: [] for number in _QUEUED}
            stores: dict[int, SqlStore] = {}
            for number in _QUEUED:
                file = f"sqlite:///{folder}/{number}.db"
                url = file if kind == "SQLite" else postgres.fresh()
                stores[number] = await SqlStore.open(url)
                stack.push_async_callback(stores[number].close)
                say(f"queueing {number:,} jobs on {kind}")
                await _queue(stores[number], number)
                if kind == "Postgres":
                    postgres.tidy(url)
            for turn in range(_ROUNDS):
                for number, store in stores.items():
                    say(f"turn {turn + 1} of {_ROUNDS}: {number:,} jobs on {kind}")
                    fresh = SqlStore(store.database, now=lambda: datetime.now(UTC))
                    seconds[number] += [await _claim(fresh) for _ in range(_CLAIMS)]
            yield _figure(kind, *(1000 * median(seconds[n]) for n in _QUEUED))


async def _queue(store: SqlStore, number: int) -> None:
    """Keep this many new jobs, which are due at once: one, and copies of it."""
    now = datetime.now(UTC) - timedelta(hours=1)
    await store.create(new_job(_FIRST, Search(100, (KEYWORD,)), now))
    last = number - 1
    for table, name in ((jobs, "id"), (sources, "job_id")):
        await store.database.write(
            partial(_execute, statement=_copies(table, name, last))
        )


def _execute(connection: Connection, statement: Insert) -> None:
    connection.execute(statement)


def _copies(table: Table, name: str, last: int) -> Insert:
    """An insert of copies of the first job's rows, numbered from 1."""
    numbers = select(literal(1).label("n")).cte("numbers", recursive=True)
    further = select(numbers.c.n + 1).where(numbers.c.n < last)
    numbers = numbers.union_all(further)
    named = literal("job") + cast(numbers.c.n, Text)
    columns = [named if column.name == name else column for column in table.columns]
    rows = select(*columns).join_from(table, numbers, true())
    rows = rows.where(table.c[name] == _FIRST)
    return insert(table).from_select(table.columns.keys(), rows)


async def _claim(store: SqlStore) -> float:
    """The seconds from looking at what is due to a lease, which is then handed back."""
    now = datetime.now(UTC)
    lease = Lease(0, "benchmark", now + timedelta(minutes=1))
    start = time.perf_counter()
    due = await store.due(now, _PLACES)
    job = await store.load(due[0])
    claimed = await store.change(job.id, lambda job, _: _claimed(job, lease, now))
    seconds = time.perf_counter() - start

    def hand_back(job: Job, _: Known) -> Change:
        return lifecycle.release(Change(job), claimed.job.fence, now, due_at=now)

    await store.change(job.id, hand_back)
    return seconds


def _claimed(job: Job, lease: Lease, now: datetime) -> Change:
    return lifecycle.claim(Change(job), lease, now)


def _figure(kind: str, few: float, many: float) -> Figure:
    return Figure(
        "claims",
        f"ms to find and claim a job on {kind}: {many:.3g} with 100,000 queued over "
        f"{few:.3g} with 10",
        many / few,
        1.5,
        n=_ROUNDS * _CLAIMS,
    )
