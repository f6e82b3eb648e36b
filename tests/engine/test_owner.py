"""What an owner may do with a job while a worker is at it."""

import asyncio

import pytest
from builders import a_job
from engine.stage import Stage, a_slow_stage, a_stage, after, names
from fakes.provider import FakeProvider

from headcount.core import ownership
from headcount.core.calls import Failure, FailureKind
from headcount.core.model import Change, Job, Limits, Outcome, Status

TEA = {"tea": [names("a", 1, 30), names("b", 1, 30), names("c", 1, 30)]}


def topped_up(change: Change, target: int) -> Change:
    return ownership.top_up(change, target, Limits(), after(0))


async def paused(stage: Stage, nudge: asyncio.Event | None = None) -> None:
    await stage.change(ownership.pause)
    if nudge:
        nudge.set()


async def test_a_page_that_comes_after_the_pause_is_counted_and_none_is_asked() -> None:
    provider = FakeProvider(TEA)
    stage = await a_slow_stage(provider, {"tea": 5.0}, a_job(target=90))
    pausing = stage.after(1, lambda: paused(stage))

    job = await stage.advance()
    await pausing

    assert (job.status, job.lease, job.due_at) == (Status.PAUSED, None, None)
    assert (job.delivered, len(provider.asked), stage.seconds()) == (30, 1, 5.0)


async def test_a_worker_that_is_cancelled_hands_the_lease_back_at_once() -> None:
    stage = await a_slow_stage(FakeProvider(TEA), {"tea": 5.0}, a_job(target=90))
    working = asyncio.ensure_future(stage.advance())
    ending = stage.after(1, lambda: _cancelled(working))

    with pytest.raises(asyncio.CancelledError):
        await working
    await ending

    job = await stage.job()
    assert (job.lease, job.due_at) == (None, stage.clock.now())
    assert (job.open_calls, job.charged) == ((), 1)


async def _cancelled(working: asyncio.Future[Job]) -> None:
    working.cancel()


async def test_a_nudge_makes_a_waiting_worker_look_at_the_job() -> None:
    down = Failure(FailureKind.UNAVAILABLE, "503", retry_after=60.0)
    stage = await a_stage(FakeProvider(TEA, first=[down]))
    nudge = asyncio.Event()
    pausing = stage.after(1, lambda: paused(stage, nudge))

    job = await stage.advance(nudge=nudge)
    await pausing

    assert (job.status, stage.seconds()) == (Status.PAUSED, 1.0)
    assert not nudge.is_set()


async def test_without_a_nudge_a_waiting_worker_looks_when_it_renews_its_lease() -> (
    None
):
    down = Failure(FailureKind.UNAVAILABLE, "503", retry_after=60.0)
    stage = await a_stage(FakeProvider(TEA, first=[down]))
    pausing = stage.after(1, lambda: paused(stage))

    job = await stage.advance()
    await pausing

    assert (job.status, stage.seconds()) == (Status.PAUSED, 4.0)


async def test_a_paused_job_is_resumed_where_it_stood() -> None:
    provider = FakeProvider(TEA)
    stage = await a_slow_stage(provider, {"tea": 5.0}, a_job(target=90))
    pausing = stage.after(1, lambda: paused(stage))
    await stage.advance()
    await pausing

    await stage.change(lambda change: ownership.resume(change, stage.clock.now()))
    job = await stage.advance()

    assert job.status is Status.COMPLETED
    assert [cursor for _, cursor in provider.asked] == ["0", "30", "60"]


async def test_a_cancelled_job_keeps_what_was_found() -> None:
    stage = await a_slow_stage(FakeProvider(TEA), {"tea": 5.0}, a_job(target=90))
    cancelling = stage.after(
        6, lambda: stage.change(lambda c: ownership.cancel(c, stage.clock.now()))
    )

    job = await stage.advance()
    await cancelling

    assert (job.status, job.outcome) == (Status.CANCELLED, Outcome(30))
    assert (job.delivered, job.open_calls, job.lease) == (60, (), None)


async def test_a_target_raised_during_a_call_is_worked_for_at_once() -> None:
    provider = FakeProvider(TEA)
    stage = await a_slow_stage(provider, {"tea": 5.0}, a_job(target=30))
    raising = stage.after(1, lambda: stage.change(lambda c: topped_up(c, 60)))

    job = await stage.advance()
    await raising

    assert (job.status, job.delivered, len(provider.asked)) == (Status.COMPLETED, 60, 2)


async def test_a_target_raised_after_the_end_asks_no_page_again() -> None:
    provider = FakeProvider(TEA)
    stage = await a_stage(provider, a_job(target=20))
    await stage.advance()

    spares = await stage.change(lambda change: topped_up(change, 25))
    reopened = await stage.change(lambda change: topped_up(change, 40))
    job = await stage.advance()

    assert (spares.status, spares.delivered) == (Status.COMPLETED, 25)
    assert (reopened.status, reopened.delivered) == (Status.PENDING, 30)
    assert (job.status, job.delivered) == (Status.COMPLETED, 40)
    assert [cursor for _, cursor in provider.asked] == ["0", "30"]
