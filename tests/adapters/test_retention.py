"""What is old is forgotten, in small batches; what it came to still counts."""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import A_CREDIT, NOON, a_job, a_page
from fakes.clock import Time
from sqlalchemy import event, func, insert, select

from headcount.adapters.requests import KEPT, Kept, Requests
from headcount.adapters.retention import BATCH, ITEMS, MESSAGES_KEPT, Retention
from headcount.adapters.service_tables import deliveries, requests
from headcount.adapters.sql import SqlStore
from headcount.adapters.statistics import recount
from headcount.adapters.tables import metadata
from headcount.core import lifecycle, ownership, tally
from headcount.core.errors import NoSuchJob
from headcount.core.model import Change, Job, Known, Label, Lease
from headcount.core.statistics import EVERYTHING, Kind

DAY = timedelta(days=1)
OF_A_JOB = ("jobs", "sources", "calls", "creators", "posts", "events", "deliveries")


@pytest.fixture
def old(store: SqlStore, time: Time) -> Retention:
    return Retention(store.database, now=time.now)


async def rows(store: SqlStore, *names: str) -> dict[str, int]:
    """How many rows these tables have."""

    def count(name: str) -> Callable[[Any], int]:
        table = metadata.tables[name]
        statement = select(func.count()).select_from(table)
        return lambda of: int(of.execute(statement).scalar_one())

    return {name: await store.database.read(count(name)) for name in names}


async def cancelled(store: SqlStore, job: Job) -> None:
    """A job that ended at noon."""
    await store.create(job)
    await store.change(job.id, lambda job, _: ownership.cancel(Change(job), NOON))


@contextmanager
def sent(store: SqlStore) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are sent to the database meanwhile, with what is given."""
    found: list[tuple[str, Any]] = []

    def note(*told: Any) -> None:  # noqa: ANN401 - SQLAlchemy's
        _, _, statement, given, *_ = told
        found.append((statement, given))

    engine = store.database.engine  # type: ignore[attr-defined] # both kinds have one
    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def deleting(statements: list[tuple[str, Any]]) -> list[str]:
    return [text for text, _ in statements if text.startswith("DELETE")]


async def completed(store: SqlStore, job_id: str, at: datetime) -> None:
    """A job that found its two creators and ended at this time."""
    label = Label("bob", webhook="https://hook.invalid/here")
    job = replace(a_job(id=job_id, target=2, label=label), created_at=at)
    await store.create(job)

    def ask(job: Job, _: Known) -> Change:
        lease = Lease(0, "worker", at + DAY)
        change = lifecycle.claim(Change(job), lease, at)
        token = change.job.fence
        return lifecycle.proceed(change, token, at, room=1, prices=A_CREDIT)

    (call,) = (await store.change(job_id, ask)).job.open_calls
    page = a_page([1, 2])

    def settle(job: Job, known: Known) -> Change:
        change = tally.settle(Change(job), call.id, page, known, at)
        return lifecycle.proceed(change, job.fence, at, room=1, prices=A_CREDIT)

    await store.change(job_id, settle, [one.key for one in page.sightings])


async def test_a_job_that_ended_long_ago_is_forgotten_whole(
    store: SqlStore, old: Retention, time: Time
) -> None:
    await completed(store, "old", NOON)
    await completed(store, "new", NOON + 8 * DAY)
    time.present = NOON + 10 * DAY
    before = await rows(store, *OF_A_JOB)

    found, forgotten = await old.count_jobs(7 * DAY), await old.forget_jobs(7 * DAY)

    after = await rows(store, *OF_A_JOB)
    assert (found, forgotten) == (1, 1)
    assert all(after[name] * 2 == before[name] > 0 for name in OF_A_JOB)
    assert (await store.load("new")).delivered == 2
    with pytest.raises(NoSuchJob):
        await store.load("old")


async def test_what_a_forgotten_job_came_to_still_counts(
    store: SqlStore, old: Retention, time: Time
) -> None:
    await completed(store, "old", NOON)
    time.present = NOON + 10 * DAY
    before = await store.figures.read()

    await old.forget_jobs(DAY)

    after = await store.figures.read()
    assert after.groups == before.groups
    assert after.sums(Kind.REAL).creators == 2
    recounted = await recount(store, EVERYTHING, time.now())
    assert recounted.sums(Kind.REAL).creators == 0


async def test_what_has_not_ended_stays_however_old_it_is(
    store: SqlStore, old: Retention, time: Time
) -> None:
    await store.create(a_job(id="pending"))
    await store.create(a_job(id="paused"))
    await store.change("paused", lambda job, _: ownership.pause(Change(job)))
    await completed(store, "reopened", NOON)
    limits = (await store.load("reopened")).search.limits
    await store.change(
        "reopened", lambda job, _: ownership.top_up(Change(job), 9, limits, NOON)
    )
    time.present = NOON + 1_000 * DAY

    forgotten = await old.forget_jobs(DAY)

    assert forgotten == 0
    assert (await rows(store, "jobs"))["jobs"] == 3


async def test_many_jobs_are_forgotten_in_batches(
    store: SqlStore, old: Retention, time: Time
) -> None:
    number = 2 * BATCH + 1
    for place in range(number):
        await cancelled(store, a_job(id=f"job{place}"))
    time.present = NOON + 2 * DAY

    with sent(store) as statements:
        forgotten = await old.forget_jobs(DAY)

    assert forgotten == number
    assert len(deleting(statements)) == 3


async def test_large_jobs_are_forgotten_one_by_one(
    store: SqlStore, old: Retention, time: Time
) -> None:
    for name in ("a", "b", "c"):
        await cancelled(store, replace(a_job(id=name), items=ITEMS))
    time.present = NOON + 2 * DAY

    with sent(store) as statements:
        forgotten = await old.forget_jobs(DAY)

    assert forgotten == 3
    assert len(deleting(statements)) == 3


async def test_two_who_forget_at_once_do_it_once(
    store: SqlStore, old: Retention, time: Time
) -> None:
    for place in range(BATCH + 20):
        await cancelled(store, a_job(id=f"job{place}"))
    time.present = NOON + 2 * DAY

    forgotten = await asyncio.gather(*(old.forget_jobs(DAY) for _ in range(3)))

    assert (await rows(store, "jobs"))["jobs"] == 0
    assert sum(forgotten) == BATCH + 20


async def test_a_message_is_forgotten_a_month_after_it_was_done_with(
    store: SqlStore, old: Retention, time: Time
) -> None:
    await store.create(a_job(id="job"))
    row = {
        "job_id": "job",
        "owner": "bob",
        "url": "https://hook.invalid/here",
        "type": "job.progress",
        "body": "{}",
        "created_at": NOON,
        "attempts": 1,
        "due_at": None,
        "delivered_at": NOON,
        "error": None,
    }
    given = [{**row, "id": "done"}, {**row, "id": "waits", "due_at": NOON}]
    await store.database.write(lambda to: to.execute(insert(deliveries), given))

    time.present = NOON + MESSAGES_KEPT
    early = await old.forget_messages()
    time.present += timedelta(seconds=1)
    late = await old.forget_messages()

    left = await store.database.read(
        lambda of: list(of.execute(select(deliveries.c.id)).scalars())
    )
    assert (early, late, left) == (0, 1, ["waits"])


async def test_old_requests_are_forgotten_whatever_their_number(
    store: SqlStore, time: Time
) -> None:
    known = Requests(store.database, now=time.now)
    row = {"owner": "bob", "fingerprint": "f", "created_at": NOON}
    given = [{**row, "key": f"key{place}"} for place in range(1_500)]
    await store.database.write(lambda to: to.execute(insert(requests), given))
    time.present = NOON + KEPT + timedelta(seconds=1)
    await known.claim("bob", "fresh", "f")
    await known.keep("bob", "fresh", Kept(200, "{}"))

    await known.forget()

    assert (await rows(store, "requests"))["requests"] == 1
    assert await known.claim("bob", "fresh", "f") == Kept(200, "{}")


async def test_what_is_old_is_found_by_an_index(tmp_path: Path, time: Time) -> None:
    store = await SqlStore.open(f"sqlite:///{tmp_path}/jobs.db", now=time.now)
    old = Retention(store.database, now=time.now)
    known = Requests(store.database, now=time.now)
    with sent(store) as statements:
        await old.forget_jobs(DAY)
        await old.forget_messages()
        await known.forget()

    plans = [await plan(store, *statement) for statement in statements]

    await store.close()
    assert [re.findall(r"INDEX (\w+)", found) for found in plans] == [
        ["ix_jobs_newest"],
        ["ix_deliveries_done"],
        ["ix_requests_oldest"],
    ]


async def test_the_jobs_that_go_on_are_counted_by_an_index(tmp_path: Path) -> None:
    store = await SqlStore.open(f"sqlite:///{tmp_path}/jobs.db")
    with sent(store) as statements:
        await store.standing(NOON)

    found = await plan(store, *statements[0])

    await store.close()
    assert "SEARCH jobs USING INDEX ix_jobs_due" in found
    assert "TEMP B-TREE" not in found


async def plan(store: SqlStore, statement: str, given: Any) -> str:  # noqa: ANN401 - the driver's
    """How SQLite finds what a statement asks for."""
    explained = f"EXPLAIN QUERY PLAN {statement}"
    steps = await store.database.read(
        lambda of: of.exec_driver_sql(explained, given).all()
    )
    return "; ".join(step[-1] for step in steps)
