"""Many jobs while messages are doubled, lost and reordered, and processes killed."""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from fakes.databases import postgres_16, sqlite
from serverless.fleet import Fleet, a_fleet
from serverless.site import a_search, a_world

from headcount.app import App
from headcount.bootstrap import open_app
from headcount.core.calls import CallState
from headcount.core.model import Job, Limits, Reason, Status
from headcount.sandbox.qstash import QStashSandbox

FAULTS = ("duplicate:0.1", "lost_reply:0.1", "twins:0.05", "reordered:0.2")
JOBS = int(os.environ.get("HEADCOUNT_CHAOS_JOBS", "100"))
PROCESSES, KILLS = 2, 4
CAPPED = 7  # every so manieth job may make one call only


@pytest.mark.parametrize(
    ("database", "jobs_begun"),
    [(sqlite, JOBS), (postgres_16, JOBS * 2 // 5)],
    ids=["sqlite", "postgres_16"],
)
async def test_every_job_ends_as_promised_whatever_happens(
    tmp_path: Path, database: Callable[[Path], Awaitable[str]], jobs_begun: int
) -> None:
    url = await database(tmp_path)
    async with a_world(tmp_path, *FAULTS, database_url=url) as world:
        env = world.environment()
        async with a_fleet(env, PROCESSES) as fleet, open_app(world.settings) as app:
            world.leads_to(fleet)
            await begin(app, jobs_begun)
            every = jobs_begun * 3 // 10
            killing = asyncio.create_task(kill_now_and_then(fleet, every))
            jobs = await worked_off(app, world.qstash)
            killing.cancel()
            with suppress(asyncio.CancelledError):
                await killing
            repeated, given_up = await ledger(app, jobs)

        assert [job.id for job in jobs if not as_promised(job)] == []
        assert fleet.killed_at_work > 0
        assert repeated <= given_up
        assert len(world.provider.ledger) <= sum(job.charged for job in jobs)


async def begin(app: App, jobs: int) -> None:
    for number in range(jobs):
        limits = Limits(max_calls=1) if number % CAPPED == 0 else Limits()
        await app.create(a_search(30 + number % 40, limits=limits))


async def kill_now_and_then(fleet: Fleet, every: int) -> None:
    """Kill a process after every so many messages."""
    for _ in range(KILLS):
        await fleet.requests(every)
        await fleet.kill()


async def worked_off(app: App, qstash: QStashSandbox) -> list[Job]:
    """All jobs when they have ended; what is lost is swept, as a schedule would."""
    assert app.post
    while True:
        await qstash.settled()
        jobs = [job async for job in app.store.jobs()]
        if all(job.status.ended for job in jobs):
            return jobs
        await app.post.post_again(jobs)
        await qstash.skip(600)  # else the same step is not published again


def as_promised(job: Job) -> bool:
    if job.status is Status.COMPLETED:
        return job.delivered == job.target
    assert job.outcome
    capped = job.outcome.reason is Reason.CALL_LIMIT
    return job.status is Status.PARTIAL and capped and job.charged == 1


async def ledger(app: App, jobs: list[Job]) -> tuple[int, int]:
    """How many pages were asked for again, and how many calls were given up."""
    repeated = given_up = 0
    for job in jobs:
        calls = [call async for call in app.store.calls(job.id)]
        settled = Counter(
            (c.source, c.cursor) for c in calls if c.state is CallState.SETTLED
        )
        assert set(settled.values()) <= {1}
        repeated += len(calls) - len({(c.source, c.cursor) for c in calls})
        given_up += sum(c.state is not CallState.SETTLED for c in calls)
    return repeated, given_up
