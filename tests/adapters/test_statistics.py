"""The sums that changes add are those of a recount, whatever becomes of the jobs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from adapters.test_upgrades import EVERY_DATABASE as EVERY_EMPTY_DATABASE
from adapters.test_upgrades import filled
from builders import A_CREDIT, NOON, a_job, a_page
from fakes.databases import postgres_16, postgres_18, sqlite
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select

from headcount.adapters import schema
from headcount.adapters.service_tables import figures
from headcount.adapters.sql import SqlStore, open_database
from headcount.adapters.statistics import Figures, recount
from headcount.core import lifecycle, ownership, tally
from headcount.core.errors import NoSuchJob
from headcount.core.model import (
    Change,
    Job,
    Known,
    Label,
    Lease,
    Limits,
    Search,
    Status,
)
from headcount.core.search import new_job
from headcount.core.statistics import (
    EVERYTHING,
    PROCESSED,
    Coverage,
    Group,
    Kind,
    Statistics,
    Sums,
)
from headcount.ports import Rule

TODAY = NOON.date()
COVERAGES = (
    EVERYTHING,
    Coverage(owner="ada"),
    Coverage(keyword="tea"),
    Coverage(since=TODAY),
    Coverage(until=TODAY),
    Coverage(TODAY, TODAY, "çay", "bob"),
    Coverage(until=date.max, keyword="nobody has searched for this"),
)


class Life:
    """Jobs of one store, and what may happen to them as time goes by."""

    def __init__(self, store: SqlStore) -> None:
        self.store, self.now = store, NOON

    async def begin(self, job_id: str, search: Search, owner: str = "ada") -> None:
        await self.store.create(
            new_job(job_id, search, self.now, label=Label(owner=owner))
        )

    async def change(self, job_id: str, rule: Rule) -> None:
        self.now += timedelta(milliseconds=1_300)
        await self.store.change(job_id, rule)

    async def take(self, job_id: str) -> None:
        """Claim the job and ask all that it wants to ask."""
        now = self.now

        def rule(job: Job, _: Known) -> Change:
            lease = Lease(0, "worker", now + timedelta(seconds=30))
            change = lifecycle.claim(Change(job), lease, now, is_dead=lambda _: True)
            token = change.job.fence
            return lifecycle.proceed(change, token, now, room=9, prices=A_CREDIT)

        await self.change(job_id, rule)

    async def page(self, job_id: str, creators: range) -> None:
        """Let the call that is out for longest bring a page, and go on."""
        job, now = await self.store.load(job_id), self.now
        if not job.open_calls:
            return
        call = job.open_calls[0]
        page = a_page(creators, next_cursor=str(job.charged + 1), more=bool(creators))

        def rule(job: Job, known: Known) -> Change:
            change = tally.settle(Change(job), call.id, page, known, now)
            return lifecycle.proceed(change, job.fence, now, room=9, prices=A_CREDIT)

        await self.store.change(job_id, rule, [s.key for s in page.sightings])

    async def cancel(self, job_id: str) -> None:
        await self.change(job_id, lambda j, _: ownership.cancel(Change(j), self.now))

    async def finish(self, job_id: str) -> None:
        await self.change(job_id, lambda j, _: ownership.finish(Change(j), self.now))

    async def fail(self, job_id: str) -> None:
        await self.change(
            job_id, lambda j, _: lifecycle.collapse(Change(j), "a defect", self.now)
        )

    async def resume(self, job_id: str) -> None:
        await self.change(job_id, lambda j, _: ownership.resume(Change(j), self.now))

    async def top_up(self, job_id: str) -> None:
        def rule(job: Job, _: Known) -> Change:
            if job.status is Status.CANCELLED:
                return Change(job)
            limits = job.search.limits
            return ownership.top_up(Change(job), job.target + 90, limits, self.now)

        await self.change(job_id, rule)

    async def exact(self, job_id: str, target: int) -> None:
        """Have the job find exactly what it was asked for."""
        await self.take(job_id)
        await self.page(job_id, range(target))


async def assert_recounted(life: Life) -> None:
    for coverage in COVERAGES:
        counted = await recount(life.store, coverage, NOON)
        assert await life.store.figures.read(coverage) == counted


def a_search(*keywords: str, target: int = 5, sandbox: bool = False) -> Search:
    search = a_job(*keywords, target=target).search
    return replace(search, provider="sandbox/1") if sandbox else search


@pytest.fixture
async def life(tmp_path: Path) -> AsyncIterator[Life]:
    store = await SqlStore.open(f"sqlite:///{tmp_path}/jobs.db", now=lambda: NOON)
    yield Life(store)
    await store.close()


# --------------------------------------------------------------------- random lives
SEARCHES = st.builds(
    lambda keywords, target, testing, sandbox: replace(
        a_search(*keywords, target=target, sandbox=sandbox),
        limits=Limits(max_calls_for_testing=testing),
    ),
    st.lists(st.sampled_from(["tea", "çay", "Tee"]), min_size=1, unique=True),
    st.sampled_from([1, 5, 100, 101, 1_001]),
    st.sampled_from([None, 1, 999]),
    st.booleans(),
)
DEEDS = st.tuples(
    st.sampled_from(
        [
            *("take", "take", "page", "page", "cancel", "finish", "fail"),
            *("resume", "top_up", "delete", "sweep", "day"),
        ]
    ),
    st.integers(0, 2),
    st.integers(0, 6),
)


async def _live(life: Life, deed: str, job_id: str, number: int) -> None:
    if deed == "day":
        life.now += timedelta(days=1)
    elif deed == "sweep":
        await life.store.figures.roll_up()
    elif deed == "delete":
        await life.store.delete(job_id)
    elif deed == "page":
        await life.page(job_id, range(number, 2 * number))
    else:
        await getattr(life, deed)(job_id)


@settings(max_examples=40)
@given(
    searches=st.lists(SEARCHES, min_size=3, max_size=3),
    deeds=st.lists(DEEDS, max_size=40),
)
def test_the_sums_equal_a_recount_whatever_became_of_the_jobs(
    tmp_path_factory: pytest.TempPathFactory,
    searches: list[Search],
    deeds: list[tuple[str, int, int]],
) -> None:
    async def scenario() -> None:
        path = tmp_path_factory.mktemp("lives") / "jobs.db"
        store = await SqlStore.open(f"sqlite:///{path}", now=lambda: NOON)
        life = Life(store)
        try:
            for number, search in enumerate(searches):
                await life.begin(f"job-{number}", search, "ada" if number else "bob")
            for deed, job, number in deeds:
                try:
                    await _live(life, deed, f"job-{job}", number)
                except NoSuchJob:
                    continue  # it was deleted
            await assert_recounted(life)
            await store.figures.roll_up()
            await assert_recounted(life)
        finally:
            await store.close()

    asyncio.run(scenario())


# ------------------------------------------------------------------------- one by one
async def real(life: Life, *statuses: Status) -> Sums:
    return (await life.store.figures.read()).sums(Kind.REAL, statuses or tuple(Status))


async def test_a_job_counts_as_soon_as_it_has_ended(life: Life) -> None:
    await life.begin("job-1", a_search("tea"))
    before = await real(life)

    await life.exact("job-1", 5)

    assert before == Sums()
    assert await real(life, Status.COMPLETED) == Sums(
        jobs=1, exact=1, calls=1, credits=1, creators=5, timed=1, processing_ms=1_300
    )


async def test_a_job_that_is_taken_further_counts_once_as_it_then_is(
    life: Life,
) -> None:
    await life.begin("job-1", a_search("tea"))
    await life.exact("job-1", 5)

    await life.top_up("job-1")
    reopened = await real(life)
    await life.finish("job-1")

    assert reopened == Sums()
    assert (await real(life)).jobs == 1
    assert (await real(life, Status.PARTIAL)).creators == 5


async def test_the_time_that_a_job_lay_ended_is_no_processing_time(life: Life) -> None:
    await life.begin("job-1", a_search("tea"))
    await life.exact("job-1", 5)
    before = (await real(life)).processing_ms

    life.now += timedelta(days=3)
    await life.top_up("job-1")
    await life.finish("job-1")

    assert (await real(life)).processing_ms == before + 1_300


async def test_the_pages_that_come_after_a_job_was_cancelled_are_counted(
    life: Life,
) -> None:
    await life.begin("job-1", a_search("tea"))
    await life.take("job-1")
    await life.cancel("job-1")
    before = await real(life, Status.CANCELLED)

    await life.page("job-1", range(3))

    after = await real(life, Status.CANCELLED)
    assert (before.calls, before.creators) == (0, 0)
    assert (after.jobs, after.calls, after.creators) == (1, 1, 3)


async def test_a_job_that_is_deleted_is_taken_back(life: Life) -> None:
    for name in ("job-1", "job-2"):
        await life.begin(name, a_search("tea"))
        await life.exact(name, 5)
    await life.store.figures.roll_up()

    await life.store.delete("job-1")

    assert (await real(life)).jobs == 1
    await assert_recounted(life)


async def test_a_job_counts_for_each_of_its_keywords_and_once_for_all(
    life: Life,
) -> None:
    await life.begin("job-1", a_search("tea", "çay"))
    await life.begin("job-2", a_search("tea"))
    for name in ("job-1", "job-2"):
        await life.finish(name)

    counted = [
        (await life.store.figures.read(Coverage(keyword=word))).sums(Kind.REAL).jobs
        for word in (None, "tea", "çay", "Tea")
    ]

    assert counted == [2, 2, 1, 0]


async def test_the_keywords_of_most_processed_jobs_come_first(life: Life) -> None:
    for number, words in enumerate([("tea", "çay"), ("tea", "Tee"), ("mate",)]):
        await life.begin(f"job-{number}", a_search(*words))
        await life.finish(f"job-{number}")
    await life.begin("sandbox", a_search("invented", sandbox=True))
    await life.finish("sandbox")
    await life.begin("cancelled", a_search("withdrawn"))
    await life.cancel("cancelled")

    found = (await life.store.figures.read()).top_keywords

    assert found == ("tea", "Tee", "mate", "çay")


async def test_no_more_than_ten_keywords_are_listed(life: Life) -> None:
    words = [f"word {number:02}" for number in range(14)]
    await life.begin("job-1", a_search(*words))
    await life.finish("job-1")

    found = (await life.store.figures.read()).top_keywords

    assert found == tuple(words[:10])


# ----------------------------------------------------------------------- what it costs
@contextmanager
def statements_of(store: SqlStore) -> Iterator[list[str]]:
    """The statements that are sent while the block runs."""
    sent: list[str] = []
    engine = store.database.engine  # type: ignore[attr-defined] # of every kind there is

    def note(*args: object) -> None:
        sent.append(str(args[2]))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def rows_of(store: SqlStore) -> int:
    return await store.database.read(
        lambda connection: (
            connection.scalar(select(func.count()).select_from(figures)) or 0
        )
    )


async def test_reading_costs_the_same_however_many_jobs_there_were(life: Life) -> None:
    stored, sent = [], []
    for first in (0, 60):
        for number in range(first, first + 60):
            await life.begin(f"job-{number}", a_search("tea", "çay"))
            await life.finish(f"job-{number}")
        added = await life.store.figures.roll_up()
        with statements_of(life.store) as statements:
            read = await life.store.figures.read()
        stored.append(await rows_of(life.store))
        sent.append(len(statements))

    assert added == 60 * 3
    assert read.sums(Kind.REAL).jobs == 120
    assert stored == [3, 3]
    assert sent == [2, 2]


async def test_reading_looks_rows_up_by_the_key(life: Life) -> None:
    with statements_of(life.store) as statements:
        await life.store.figures.read(Coverage(since=TODAY, until=TODAY))

    plan = await life.store.database.read(
        lambda connection: connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {statements[0]}", ("", "2026-03-14", "2026-03-14")
        ).all()
    )
    assert "USING PRIMARY KEY (keyword=? AND day>? AND day<?)" in plan[0][3]


async def test_rolling_up_looks_only_at_rows_that_were_added(life: Life) -> None:
    with statements_of(life.store) as sent:
        await life.store.figures.roll_up()

    (plan,) = await life.store.database.read(
        lambda connection: connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {sent[0]}", (1_000, 0)
        ).all()
    )
    assert plan[3] == "SCAN figures USING INDEX ix_figures_delta"


async def test_nothing_is_added_by_a_job_that_has_not_ended(life: Life) -> None:
    await life.begin("job-1", a_search("tea"))
    await life.take("job-1")
    await life.page("job-1", range(2))

    assert await rows_of(life.store) == 0


# ------------------------------------------------------------------- on every database
EVERY_DATABASE = pytest.mark.parametrize(
    "place", [sqlite, postgres_16, postgres_18], ids=lambda place: place.__name__
)
Place = Callable[[Path], Awaitable[str]]


@EVERY_DATABASE
async def test_two_sweepers_at_once_count_everything_once(
    place: Place, tmp_path: Path
) -> None:
    url = await place(tmp_path)
    stores = [await SqlStore.open(url, now=lambda: NOON) for _ in range(2)]
    life = Life(stores[0])
    try:
        for number in range(30):
            await life.begin(f"job-{number}", a_search("tea", f"tea {number % 4}"))

        merged = 0
        for number in range(30):
            end = life.finish(f"job-{number}")
            sweeps = asyncio.gather(*(store.figures.roll_up() for store in stores))
            await end
            merged += sum(await sweeps)
        merged += await stores[0].figures.roll_up()

        assert merged == 30 * 3
        assert await rows_of(stores[0]) == 6
        await assert_recounted(life)
    finally:
        for store in stores:
            await store.close()


@EVERY_DATABASE
async def test_the_sums_are_those_of_the_scenario_on_every_database(
    place: Place, tmp_path: Path
) -> None:
    store = await SqlStore.open(await place(tmp_path), now=lambda: NOON)
    life = Life(store)
    try:
        found = await _scenario(life)
        await assert_recounted(life)
        await store.figures.roll_up()
        await assert_recounted(life)
    finally:
        await store.close()

    assert found.groups == {
        Group(Kind.REAL, Status.COMPLETED, 250): Sums(1, 1, 2, 2, 150, 60, 1, 2_600),
        Group(Kind.REAL, Status.PARTIAL, 100): Sums(1, 0, 2, 2, 2, 0, 1, 2_600),
        Group(Kind.REAL, Status.FAILED, 100): Sums(1),
        Group(Kind.REAL, Status.CANCELLED, 100): Sums(1),
        Group(Kind.SANDBOX, Status.PARTIAL, 100): Sums(1),
        Group(Kind.TEST_CAPPED, Status.PARTIAL, 100): Sums(1),
    }
    assert found.sums(Kind.REAL, PROCESSED).jobs == 3
    assert found.top_keywords == ("tea", "çay")


async def _scenario(life: Life) -> Statistics:
    """Jobs that end in every way, one of them twice."""
    capped = replace(a_search("tea"), limits=Limits(max_calls_for_testing=1))
    searches = {
        "exact": a_search("tea", target=60),
        "partial": a_search("tea", "çay"),
        "failed": a_search("tea"),
        "cancelled": a_search("mate"),
        "sandbox": a_search("tea", sandbox=True),
        "capped": capped,
    }
    for name, search in searches.items():
        await life.begin(name, search, "bob" if name == "partial" else "ada")
    await life.exact("exact", 60)
    await life.store.figures.roll_up()
    life.now += timedelta(days=2)
    await life.top_up("exact")
    await life.exact("exact", 150)
    await life.take("partial")
    await life.page("partial", range(2))
    await life.finish("partial")
    await life.page("partial", range(0))
    await life.fail("failed")
    await life.cancel("cancelled")
    await life.finish("sandbox")
    await life.finish("capped")
    return await life.store.figures.read()


@EVERY_EMPTY_DATABASE
async def test_jobs_that_ended_before_anything_was_counted_are_counted_at_the_upgrade(
    place: Callable[[Path], str], tmp_path: Path
) -> None:
    database = open_database(place(tmp_path))
    await filled(database, "0001")
    ended = "status = 'partial', ended_at = '2026-01-01T00:00:10.000000+00:00'"
    table = f"{database.schema}.jobs" if database.schema else "jobs"
    await database.write(lambda c: c.exec_driver_sql(f"UPDATE {table} SET {ended}"))  # noqa: S608 - no value of anybody's

    await schema.upgrade(database)
    store = SqlStore(database, now=lambda: NOON)
    found = await store.figures.read()

    assert found == await recount(store, EVERYTHING, NOON)
    assert found.groups == {
        Group(Kind.REAL, Status.PARTIAL, 100): Sums(1, 0, 2, 2, 12, 0, 1, 10_000)
    }
    assert found.top_keywords == ("mate", "tea")
    await store.close()


async def test_figures_are_read_at_the_time_of_the_clock(life: Life) -> None:
    kept = Figures(life.store.database, now=lambda: NOON + timedelta(hours=1))

    assert (await kept.read()).at == NOON + timedelta(hours=1)
