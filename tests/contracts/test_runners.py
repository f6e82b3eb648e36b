"""What every runner keeps: its wake-ups and workers change nothing but timing."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack
from functools import partial
from pathlib import Path

import pytest
from contracts.crews import RUNNERS, TROUBLES, Crew, pgqueuer
from e2e.program import Home
from fakes.postgres import server

from headcount.core.model import Job, Status

PROMISED = 15.0  # seconds after which work must go on
Recruit = Callable[..., AbstractAsyncContextManager[Crew]]


@pytest.fixture(params=RUNNERS, ids=lambda runner: runner.__name__)
def recruit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Recruit]:
    """A crew of this runner, on a database of its own."""
    with ExitStack() as stack:
        home = Home(tmp_path, stack)
        yield partial(crew_of, request.param, home)


def crew_of(
    runner: Recruit,
    home: Home,
    *,
    on: int | None = None,
    trouble: str | None = None,
    latency_ms: int = 0,
) -> AbstractAsyncContextManager[Crew]:
    """Workers on a Postgres of this version, else on what is simplest for them."""
    version = on or (16 if runner is pgqueuer else None)
    return runner(home, server(version) if version else None, trouble, latency_ms)


def exact(jobs: list[Job]) -> bool:
    return all(j.status is Status.COMPLETED and j.delivered == j.target for j in jobs)


def paid_in_vain(jobs: list[Job]) -> int:
    """How many calls were charged whose page did not count."""
    return sum(job.charged - job.pages for job in jobs)


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_whatever_befalls_the_wake_ups_each_job_is_exact(
    recruit: Recruit, trouble: str
) -> None:
    async with recruit(trouble=trouble) as crew:
        await crew.join()
        job_ids = await crew.begins(4, target=60)

        jobs = await crew.ended(job_ids)
        await crew.delivers()

        assert exact(jobs)
        assert (crew.asked_again(), paid_in_vain(jobs)) == (0, 0)
        assert await crew.jobs(job_ids) == jobs


async def test_of_two_workers_at_one_job_one_takes_it_forward(recruit: Recruit) -> None:
    async with recruit(trouble="doubled", latency_ms=50) as crew:
        await asyncio.gather(crew.join(), crew.hire())
        [job_id] = await crew.begins(1, target=150)

        for _ in range(10):
            await crew.wakes(job_id)
        jobs = await crew.ended([job_id])

        assert exact(jobs)
        assert (crew.asked_again(), paid_in_vain(jobs)) == (0, 0)


async def test_when_a_worker_is_killed_others_go_on_within_seconds(
    recruit: Recruit,
) -> None:
    async with recruit(latency_ms=300) as crew:
        await asyncio.gather(crew.hire(), crew.hire())
        job_ids = await crew.begins(4, target=90)
        begun = await crew.until(job_ids[:1], lambda job: job.pages >= 1)

        await crew.kill(begun)
        killed_at = time.monotonic()
        jobs = await crew.ended(job_ids)
        took = time.monotonic() - killed_at

        assert exact(jobs)
        assert took < PROMISED + 5  # and the rest of the work
        assert crew.asked_again() <= paid_in_vain(jobs) <= len(jobs)


async def test_work_goes_on_when_the_database_restarts_under_load(
    recruit: Recruit,
) -> None:
    async with recruit(on=18, latency_ms=100) as crew:
        await asyncio.gather(crew.hire(), crew.hire())
        job_ids = await crew.begins(4, target=100)
        await crew.until(job_ids[:3], lambda job: job.pages >= 1)

        await asyncio.to_thread(server(18).control, "restart", "-m", "immediate")
        restarted_at = time.monotonic()
        jobs = await crew.ended(job_ids)
        took = time.monotonic() - restarted_at

        assert exact(jobs)
        assert took < PROMISED + 5  # and the rest of the work
        assert crew.asked_again() <= paid_in_vain(jobs)
