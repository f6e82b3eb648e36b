"""Several workers at one job, and a store that is not always there."""

import asyncio

import pytest
from builders import a_job
from engine.stage import FailingStore, a_slow_stage, a_stage, names
from fakes.clock import FakeClock
from fakes.provider import FakeProvider

from headcount.core.calls import CallState
from headcount.core.errors import StoreBusy, StoreError
from headcount.core.model import Status

PAGES = {
    "tea": [names("a", 1, 30), names("b", 1, 30)],
    "mate": [names("m", 1, 30), names("n", 1, 30)],
}
BUSY, GONE = StoreBusy("held by another process"), StoreError("the disk is full")


async def test_of_two_workers_at_once_only_one_decides() -> None:
    provider = FakeProvider(PAGES)
    job = a_job("tea", "mate", target=120)
    stage = await a_slow_stage(provider, {"tea": 1.0, "mate": 2.0}, job)

    first, second = await asyncio.gather(
        stage.engine("first").advance(stage.job_id),
        stage.engine("second").advance(stage.job_id),
    )

    assert (first.status, first.fence) == (Status.COMPLETED, 1)
    assert second.lease is not None
    assert (second.status, second.lease.holder) == (Status.PROCESSING, "first")
    assert len(provider.asked) == len(set(provider.asked)) == 4


async def test_a_worker_that_was_taken_for_dead_decides_nothing_more() -> None:
    provider = FakeProvider(PAGES)
    stage = await a_slow_stage(provider, {"tea": 20.0}, a_job(target=60))
    heir = stage.engine("heir", is_dead=lambda holder: holder == "worker")
    inherited = stage.after(5, lambda: heir.advance(stage.job_id))

    left = await stage.advance()
    given_up_at = stage.seconds()
    await inherited

    assert left.lease is not None
    assert (left.lease.holder, left.fence, given_up_at) == ("heir", 2, 20.0)
    job = await stage.job()
    assert (job.status, job.delivered) == (Status.COMPLETED, 60)
    assert provider.asked == [("tea", "0"), ("tea", "0"), ("tea", "30")]
    states = [call.state for call in await stage.calls()]
    assert states == [CallState.LOST, CallState.SETTLED, CallState.SETTLED]
    assert (await stage.pace.take(99)).number == 10


async def test_a_busy_store_is_tried_again_with_the_page_in_memory() -> None:
    provider = FakeProvider(PAGES)
    stage = await a_stage(provider, a_job(target=30))
    store = FailingStore(stage.rows, {1: BUSY, 4: BUSY, 5: BUSY})

    job = await stage.engine(store=store).advance(stage.job_id)

    assert (job.status, job.charged, len(provider.asked)) == (Status.COMPLETED, 1, 1)
    assert stage.seconds() == 4.5


async def test_a_store_that_stays_busy_is_told() -> None:
    stage = await a_stage(FakeProvider(PAGES), a_job(target=30))
    store = FailingStore(stage.rows, dict.fromkeys(range(1, 99), BUSY))

    with pytest.raises(StoreBusy):
        await stage.engine(store=store).advance(stage.job_id)

    assert stage.seconds() == 21.0


async def test_a_store_that_is_gone_leaves_what_was_asked_in_the_ledger() -> None:
    stage = await a_stage(FakeProvider(PAGES), a_job(target=30))
    store = FailingStore(stage.rows, {3: GONE})

    with pytest.raises(StoreError):
        await stage.engine(store=store).advance(stage.job_id)

    [call] = (await stage.job()).open_calls
    assert call.state is CallState.OPEN


@pytest.mark.parametrize("transaction", [1, 2, 3, 4, 5, 6])
async def test_a_store_that_fails_costs_the_key_no_slot(transaction: int) -> None:
    clock = FakeClock()
    provider = FakeProvider(PAGES, clock=clock, latency=1.0)
    stage = await a_stage(provider, a_job("tea", "mate", target=120))
    store = FailingStore(stage.rows, {transaction: GONE})

    with pytest.raises(StoreError):
        await stage.engine(store=store).advance(stage.job_id)

    await clock.sleep(1)
    assert (await stage.pace.take(99)).number == 10
