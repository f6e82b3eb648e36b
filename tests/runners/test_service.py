"""The runner of a service: whatever is due is worked on, and nothing is lost."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

import pytest
from builders import a_job
from engine.stage import Stage, a_slow_stage, a_stage, after, names
from fakes.clock import FakeClock
from fakes.provider import FakeProvider

from headcount.adapters.memory import MemoryStore
from headcount.core import lifecycle
from headcount.core.errors import InvalidSetting, StoreBusy
from headcount.core.model import Job, Lease, Status
from headcount.runners.service import Chore, ServiceRunner

TEA = {"tea": [names("a", 1, 30), names("b", 1, 30)]}


async def prepared(_: str) -> None:
    """Every provider is connected already."""


def service(
    stage: Stage, *, places: int = 50, chores: Iterable[Chore] = ()
) -> ServiceRunner:
    return ServiceRunner(
        stage.engine(),
        stage.rows,
        stage.clock,
        prepare=prepared,
        places=places,
        chores=tuple(chores),
    )


@asynccontextmanager
async def at_work(runner: ServiceRunner) -> AsyncIterator[None]:
    """The service at work while the block runs, and stopped at its end."""
    task = asyncio.create_task(runner.run())
    try:
        yield
    finally:
        runner.stop()
        await task


async def ended(stage: Stage, *job_ids: str) -> list[Job]:
    """The jobs, once all of them have ended."""
    for job_id in job_ids:
        while not (await stage.rows.load(job_id)).status.ended:
            await stage.clock.sleep(0.1)
    return [await stage.rows.load(job_id) for job_id in job_ids]


async def more_jobs(stage: Stage, number: int) -> list[str]:
    jobs = [a_job(id=f"more-{n}", target=60) for n in range(number)]
    for job in jobs:
        await stage.rows.create(replace(job, due_at=after(0)))
    return [job.id for job in jobs]


async def test_all_that_is_due_is_worked_on() -> None:
    stage = await a_stage(FakeProvider(TEA), a_job(target=60))
    others = await more_jobs(stage, 3)

    async with at_work(service(stage)):
        jobs = await ended(stage, stage.job_id, *others)

    assert [(job.status, job.delivered) for job in jobs] == [(Status.COMPLETED, 60)] * 4


async def test_no_more_jobs_are_at_work_than_there_are_places() -> None:
    stage = await a_slow_stage(FakeProvider(TEA), {"tea": 1.0}, a_job(target=60))
    others = await more_jobs(stage, 5)
    runner = service(stage, places=2)
    seen = set()

    async with at_work(runner):
        while not (await stage.rows.load(others[-1])).status.ended:
            seen.add(runner.at_work)
            await stage.clock.sleep(0.1)

    assert max(seen) == 2


async def test_a_new_job_is_begun_at_once_when_it_is_woken() -> None:
    stage = await a_stage(FakeProvider(TEA), a_job(target=60))
    runner = service(stage)

    async with at_work(runner):
        await ended(stage, stage.job_id)
        await stage.clock.sleep(0.3)
        before = stage.seconds()
        [late] = await more_jobs(stage, 1)
        await runner.wake(late, stage.clock.now())
        await ended(stage, late)

    assert stage.seconds() - before < 0.3


async def test_a_job_nobody_woke_is_found_at_the_next_look() -> None:
    stage = await a_stage(FakeProvider(TEA), a_job(target=60))

    async with at_work(service(stage)):
        await ended(stage, stage.job_id)
        [late] = await more_jobs(stage, 1)
        await ended(stage, late)

    assert stage.seconds() <= 2.0


async def test_a_wake_up_for_later_changes_nothing() -> None:
    stage = await a_stage(FakeProvider(TEA), a_job(target=60))
    runner = service(stage)

    await runner.wake(stage.job_id, after(60))

    assert runner.at_work == 0


async def test_the_job_of_a_dead_worker_goes_on_when_its_lease_expires() -> None:
    stage = await a_stage(FakeProvider(TEA), a_job(target=60))
    lease = Lease(0, "dead", after(30))
    await stage.change(lambda change: lifecycle.claim(change, lease, after(0)))

    async with at_work(service(stage)):
        [job] = await ended(stage, stage.job_id)

    assert job.status is Status.COMPLETED
    assert 30.0 <= stage.seconds() <= 32.0


async def test_stopping_counts_what_is_out_and_hands_the_lease_back() -> None:
    stage = await a_slow_stage(FakeProvider(TEA), {"tea": 5.0}, a_job(target=60))

    async with at_work(service(stage)):
        await stage.clock.sleep(2)

    job = await stage.job()
    assert (job.pages, job.lease, job.open_calls) == (1, None, ())
    assert (job.status, job.due_at) == (Status.PROCESSING, after(5))


async def test_what_takes_too_long_is_let_go_of_when_the_service_stops() -> None:
    stage = await a_slow_stage(FakeProvider(TEA), {"tea": 90.0}, a_job(target=60))

    async with at_work(service(stage)):
        await stage.clock.sleep(2)

    job = await stage.job()
    assert (job.pages, job.charged, job.lease) == (0, 1, None)
    assert stage.seconds() < 30


async def test_a_deleted_job_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    stage = await a_slow_stage(FakeProvider(TEA), {"tea": 5.0}, a_job(target=60))
    [other] = await more_jobs(stage, 1)

    async with at_work(service(stage)):
        await stage.clock.sleep(2)
        await stage.rows.delete(stage.job_id)
        [job] = await ended(stage, other)

    assert job.status is Status.COMPLETED
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_job_that_cannot_be_worked_on_rests_and_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = await a_stage(FakeProvider(TEA), a_job(target=60))
    tried = []

    async def prepare(_: str) -> None:
        tried.append(stage.seconds())
        if len(tried) == 1:
            raise InvalidSetting("no key")

    runner = ServiceRunner(stage.engine(), stage.rows, stage.clock, prepare=prepare)

    async with at_work(runner):
        [job] = await ended(stage, stage.job_id)

    assert job.status is Status.COMPLETED
    assert 30 <= tried[1] <= 32
    assert "no key" in caplog.text


async def test_a_job_that_is_left_to_others_is_not_claimed_until_its_time() -> None:
    stage = await a_stage(FakeProvider(TEA), a_job(target=60))
    looked = []

    async def prepare(_: str) -> datetime | None:
        looked.append(stage.seconds())
        return after(5) if stage.seconds() < 5 else None

    runner = ServiceRunner(stage.engine(), stage.rows, stage.clock, prepare=prepare)

    async with at_work(runner):
        await stage.clock.sleep(4)
        untouched = await stage.job()
        [job] = await ended(stage, stage.job_id)

    assert (untouched.fence, job.fence, job.status) == (0, 1, Status.COMPLETED)
    assert looked[:2] == [0, 5]


async def test_chores_are_done_until_what_is_out_has_been_counted() -> None:
    stage = await a_slow_stage(FakeProvider(TEA), {"tea": 5.0}, a_job(target=60))
    done: list[float] = []

    async def renew() -> None:
        done.append(stage.seconds())

    async with at_work(service(stage, chores=[Chore("renewing", 1, renew)])):
        await stage.clock.sleep(1.5)

    assert done[:5] == [0, 1, 2, 3, 4]


async def test_chores_are_done_every_so_often_and_may_fail(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = await a_stage(FakeProvider(TEA), a_job(target=60))
    done: list[float] = []

    async def sweep() -> None:
        done.append(stage.seconds())
        if len(done) == 2:
            raise ValueError("the broom broke")

    with caplog.at_level(logging.ERROR):
        async with at_work(service(stage, chores=[Chore("sweeping", 10, sweep)])):
            await stage.clock.sleep(35)

    assert done == [0, 10, 20, 30]
    assert "sweeping failed" in caplog.text


class Away(MemoryStore):
    """A store that cannot be reached for the first few looks."""

    looks = 0

    async def due(self, now: datetime, limit: int) -> list[str]:
        self.looks += 1
        if self.looks < 4:
            raise StoreBusy("the server restarts")
        return await super().due(now, limit)


async def test_a_store_that_is_away_is_looked_at_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage(FakeProvider(TEA), clock=FakeClock())
    stage.rows = Away(now=stage.clock.now)
    await stage.opens(a_job(target=60))

    async with at_work(service(stage)):
        [job] = await ended(stage, stage.job_id)

    assert job.status is Status.COMPLETED
    assert "the server restarts" in caplog.text
