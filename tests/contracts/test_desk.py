"""What every desk promises, tried on the one here and on that of a server."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from web.service import serving_web

from headcount.cli.desk import Desk, Order
from headcount.cli.desks import open_desk
from headcount.cli.views import NewIds
from headcount.client.documents import JobDocument, JobEvent
from headcount.core.errors import InvalidSearch, JobNotReady, NoSuchJob
from headcount.core.model import Limits, Search, Status
from headcount.core.search import build_search
from headcount.core.statistics import EVERYTHING, Coverage
from headcount.planning import looking
from headcount.settings import Settings

VERIFIED = {"verified": True}
Opener = Callable[[str], AbstractAsyncContextManager[Desk]]


@asynccontextmanager
async def here(url: str) -> AsyncIterator[Desk]:
    async with open_desk(Settings.model_validate({"database_url": url})) as desk:
        yield desk


@asynccontextmanager
async def afar(url: str) -> AsyncIterator[Desk]:
    async with (
        serving_web(url) as service,
        open_desk(Settings.model_validate({"server": service.url})) as desk,
    ):
        yield desk


@pytest.fixture(params=[here, afar], ids=lambda opener: opener.__name__)
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    opener: Opener = request.param
    async with opener(f"sqlite:///{tmp_path}/jobs.db") as desk:
        yield desk


class Audience:
    """A view that keeps what it is shown."""

    def __init__(self) -> None:
        self.events: list[JobEvent] = []

    def __call__(self, event: JobEvent, new_ids: NewIds = ()) -> None:
        assert not new_ids
        self.events.append(event)

    @contextmanager
    def showing(self, job: JobDocument) -> Iterator[None]:
        assert job.id
        yield

    def say(self, text: str) -> None:
        raise AssertionError(text)


def a_search(target: int = 40, **more: object) -> Search:
    given = {"limits": Limits(), "filters": {}, **more}
    return build_search(target, ["apple", "tech"], provider="sandbox/42", **given)  # type: ignore[arg-type] # as it takes them


async def ended(desk: Desk, search: Search) -> str:
    """The id of a job that was worked on to its end."""
    job = await desk.create(search)
    await desk.work(job, Audience())
    return job.id


async def test_a_job_is_worked_on_to_its_end_and_all_of_it_shown(desk: Desk) -> None:
    search, audience = a_search(100), Audience()
    await desk.ready(search)
    job = await desk.create(search)

    await desk.work(job, audience)

    sheet = await desk.job(job.id)
    calls = [call.call_number for event in audience.events for call in event.news.calls]
    assert (job.status, sheet.status) == (Status.PENDING, Status.COMPLETED)
    assert (sheet.current, sheet.target, sheet.advice) == (100, 100, "")
    assert sorted(calls, key=lambda n: n or 0) == list(range(1, sheet.api_calls + 1))
    assert audience.events[-1].type == "job.completed"
    assert len(sheet.exact_count_tracking.api_call_details) == sheet.api_calls


async def test_a_job_is_what_was_asked(desk: Desk) -> None:
    deadline = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    limits = Limits(33, 44, deadline, attempts=5)

    job = await desk.create(
        a_search(
            limits=limits, filters={"verified": True}, region="US", sort="date-posted"
        )
    )

    assert job.filters == VERIFIED
    given = job.limits
    assert (given.max_calls, given.max_credits, given.deadline) == (33, 44, deadline)
    assert (given.attempts, job.region, job.sort) == (5, "US", "date-posted")
    assert job.keywords == ["apple", "tech"]


@pytest.mark.parametrize("shape", ["rows", "guide"])
async def test_creators_come_by_ordinal_in_either_shape(desk: Desk, shape: str) -> None:
    job = await ended(desk, a_search(60))

    rows = [row async for row in desk.creators(job, shape)]

    assert len({row["id"] for row in rows}) == len(rows) == 60
    assert all(row["sandbox"] is True for row in rows)
    ordinals = [row.get("ordinal") for row in rows]
    assert ordinals == (list(range(1, 61)) if shape == "rows" else [None] * 60)


async def test_jobs_are_listed_with_the_newest_first(desk: Desk) -> None:
    short = await ended(desk, a_search(500, limits=Limits(1)))
    whole = await ended(desk, a_search(5))

    listed = [job.id async for job, _ in desk.jobs(None)]
    partial = [job.id async for job, _ in desk.jobs(Status.PARTIAL)]

    assert listed == [whole, short]
    assert partial == [short]


async def test_a_job_that_fell_short_says_what_would_help(desk: Desk) -> None:
    job = await ended(desk, a_search(500, limits=Limits(1)))

    sheet = await desk.job(job)

    assert sheet.advice.startswith(
        f"The cap on calls is used up: headcount jobs resume {job} --max-calls "
    )


async def test_a_job_that_looks_around_pauses_and_tells_what_it_takes(
    desk: Desk,
) -> None:
    search = looking(a_search(300))
    job = await ended(desk, search)

    sheet, plan = await desk.job(job), await desk.plan(job)

    assert (sheet.status, sheet.api_calls) == (Status.PAUSED, 2)
    assert (plan.job, plan.target_results, plan.spent.calls) == (job, 300, 2)
    assert [(word.keyword, word.pages) for word in plan.keywords] == [
        ("apple", 1),
        ("tech", 1),
    ]
    assert plan.needed.calls
    assert plan.needed.seconds
    assert plan.may_open.variants


async def test_a_plan_is_gone_on_from_to_the_end_of_the_search(desk: Desk) -> None:
    job = await ended(desk, looking(a_search(150), 1))
    plan = await desk.plan(job)

    await desk.work(await desk.order(job, Order.RESUME), Audience())

    sheet = await desk.job(job)
    assert (sheet.status, sheet.current) == (Status.COMPLETED, 150)
    assert sheet.limits.max_calls is None
    assert plan.spent.calls == 1
    calls = sheet.exact_count_tracking.api_call_details
    assert len({(call.keyword, call.cursor) for call in calls}) == len(calls)


async def test_a_job_goes_on_where_it_stood(desk: Desk) -> None:
    job = await ended(desk, a_search(40))
    before = [row["id"] async for row in desk.creators(job, "rows")]

    await desk.top_up(job, 150, Limits())
    resumed = await desk.order(job, Order.RESUME)
    await desk.work(resumed, Audience())

    after = [row["id"] async for row in desk.creators(job, "rows")]
    assert (resumed.target, len(after), after[:40]) == (150, 150, before)


async def test_what_has_happened_is_told_from_the_first_to_the_last(desk: Desk) -> None:
    job = await ended(desk, a_search(40))
    await desk.top_up(job, 90, Limits())
    await desk.work(await desk.order(job, Order.RESUME), Audience())

    events = [event async for event in desk.events(job)]

    ids = [event.id for event in events]
    calls = [call.call_number for event in events for call in event.news.calls]
    assert ids == sorted(set(ids))
    assert sorted(calls, key=lambda n: n or 0) == list(range(1, len(calls) + 1))
    assert (events[-1].news.current, events[-1].news.target) == (90, 90)


async def test_what_has_ended_is_left_as_it_is(desk: Desk) -> None:
    job = await ended(desk, a_search(5))

    for order in Order:
        assert (await desk.order(job, order)).status is Status.COMPLETED


async def test_a_cancelled_job_goes_no_further(desk: Desk) -> None:
    job = await ended(desk, a_search(500, limits=Limits(1)))
    cancelled = await desk.order(job, Order.CANCEL)

    assert cancelled.status in {Status.CANCELLED, Status.PARTIAL}
    if cancelled.status is Status.CANCELLED:
        with pytest.raises(JobNotReady):
            await desk.top_up(job, 501, Limits())


async def test_a_lower_target_is_refused(desk: Desk) -> None:
    job = await ended(desk, a_search(20))

    with pytest.raises(InvalidSearch, match=f"job {job} has a target of 20 already"):
        await desk.top_up(job, 10, Limits())


async def test_a_deleted_job_is_forgotten(desk: Desk) -> None:
    job = await ended(desk, a_search(5))

    await desk.delete(job)

    assert [found async for found in desk.jobs(None)] == []


@pytest.mark.parametrize(
    "act", ["job", "delete", "order", "top_up", "creators", "events"]
)
async def test_an_unknown_job_is_said_to_be_none(desk: Desk, act: str) -> None:
    acts = {
        "job": lambda: desk.job("nope"),
        "delete": lambda: desk.delete("nope"),
        "order": lambda: desk.order("nope", Order.CANCEL),
        "top_up": lambda: desk.top_up("nope", 9, Limits()),
        "creators": lambda: anext(aiter(desk.creators("nope", "rows"))),
        "events": lambda: anext(aiter(desk.events("nope"))),
    }

    with pytest.raises(NoSuchJob, match="no job has the id 'nope'"):
        await acts[act]()  # type: ignore[no-untyped-call] # each returns something else


async def test_figures_are_those_of_the_jobs_that_have_ended(desk: Desk) -> None:
    await ended(desk, a_search(20))
    await ended(desk, a_search(500, limits=Limits(1)))

    every = await desk.statistics(EVERYTHING)
    none = await desk.statistics(Coverage(keyword="gaming"))

    assert (every.sandbox.completed, every.sandbox.partial) == (1, 1)
    assert (none.sandbox.total_jobs, none.keyword) == (0, "gaming")
