"""One step of a job: what is asked, and when it ends."""

import asyncio
from datetime import datetime

import pytest
from builders import a_job
from engine.stage import a_slow_stage, a_stage, after, names
from fakes.clock import FakeClock
from fakes.provider import FakeProvider

from headcount.adapters.pace import KeyPace
from headcount.core.calls import CallState, Failure, FailureKind
from headcount.core.errors import NoSuchJob
from headcount.core.filters import Filters
from headcount.core.model import Change, Limits, Outcome, Reason, Status
from headcount.engine import Channel, Engine, Worker
from headcount.ports import Slots

DOWN = Failure(FailureKind.UNAVAILABLE, "503", charged=False)
TEA = {"tea": [names("a", 1, 30), names("a", 25, 50), names("a", 51, 80)]}


@pytest.mark.parametrize("target", [1, 29, 30, 31, 50, 80])
@pytest.mark.parametrize("concurrency", [1, 5])
async def test_exactly_so_many_creators_are_delivered(
    target: int, concurrency: int
) -> None:
    pages = TEA | {"mate": [names("a", 10, 40), names("m", 1, 30)]}
    job = a_job("tea", "mate", target=target)
    stage = await a_stage(FakeProvider(pages), job, concurrency=concurrency)

    job = await stage.advance()

    assert (job.status, job.outcome) == (Status.COMPLETED, Outcome())
    delivered = await stage.delivered()
    assert len(delivered) == len(set(delivered)) == target
    assert (job.lease, job.due_at, job.open_calls) == (None, None, ())


async def test_the_steps_of_a_job_are_told_to_the_watcher() -> None:
    stage = await a_stage(FakeProvider(TEA), a_job(target=50))

    job = await stage.advance()

    states = [[call.state for call in change.calls] for change in stage.changes]
    assert states == [
        [CallState.OPEN],
        [CallState.SETTLED, CallState.OPEN],
        [CallState.SETTLED],
    ]
    assert stage.changes[-1].job == job


@pytest.mark.parametrize(("target", "calls"), [(30, 1), (31, 2), (50, 2), (51, 3)])
async def test_one_call_at_a_time_makes_none_that_the_target_does_not_need(
    target: int, calls: int
) -> None:
    provider = FakeProvider(TEA | {"mate": []})
    job = a_job("tea", "mate", target=target)
    stage = await a_stage(provider, job, concurrency=1)

    await stage.advance()

    assert provider.most_at_once == 1
    assert [word for word, _ in provider.asked].count("tea") == calls


async def test_a_source_has_one_call_out_at_a_time() -> None:
    clock = FakeClock()
    provider = FakeProvider(TEA, clock=clock, latency=1.0)
    stage = await a_stage(provider, a_job(target=80))

    await stage.advance()

    assert provider.most_at_once == 1
    assert provider.asked == [("tea", "0"), ("tea", "30"), ("tea", "60")]


async def test_a_slow_source_does_not_hold_up_the_others() -> None:
    provider = FakeProvider(TEA | {"mate": [names("m", 1, 30)]})
    job = a_job("tea", "mate", target=100)
    stage = await a_slow_stage(provider, {"tea": 1.0, "mate": 60.0}, job)

    job = await stage.advance()

    tea = [call for call in await stage.calls() if call.source == 1]
    assert [call.opened_at for call in tea[:3]] == [after(0), after(1), after(2)]
    assert (job.status, stage.seconds()) == (Status.COMPLETED, 60.0)


async def test_no_more_calls_are_out_than_the_key_allows() -> None:
    pages = {f"word {n}": [names(f"w{n}_", 1, 30)] for n in range(9)}
    clock = FakeClock()
    provider = FakeProvider(pages, clock=clock, latency=1.0)
    stage = await a_stage(provider, a_job(*pages, target=270), concurrency=4)

    job = await stage.advance()

    assert job.status is Status.COMPLETED
    assert provider.most_at_once == 4
    assert (await stage.pace.take(9)).number == 4


async def test_a_rejected_creator_is_not_delivered() -> None:
    stage = await a_stage(
        FakeProvider(TEA), a_job(target=5, filters=Filters(verified=True))
    )

    job = await stage.advance()

    assert job.outcome == Outcome(5, Reason.SOURCES_EXHAUSTED)
    assert (job.qualified, job.rejected) == (0, 80)


@pytest.mark.parametrize(
    ("limits", "reason", "calls"),
    [
        (Limits(max_calls=2), Reason.CALL_LIMIT, 2),
        (Limits(max_credits=1), Reason.BUDGET, 1),
        (Limits(), Reason.SOURCES_EXHAUSTED, 4),
    ],
)
async def test_a_job_that_ends_short_says_why(
    limits: Limits, reason: Reason, calls: int
) -> None:
    provider = FakeProvider(TEA)
    stage = await a_stage(provider, a_job(target=81, limits=limits))

    job = await stage.advance()

    assert job.status is Status.PARTIAL
    assert job.outcome == Outcome(81 - job.delivered, reason)
    assert len(provider.asked) == job.charged == calls


async def test_a_key_out_of_credits_ends_the_job_after_what_is_out() -> None:
    broke = Failure(FailureKind.OUT_OF_CREDITS, "402: buy more", charged=False)
    provider = FakeProvider(
        TEA | {"mate": [names("m", 1, 30)]}, at={("tea", "0"): [broke]}
    )
    job = a_job("tea", "mate", target=100)
    stage = await a_slow_stage(provider, {"mate": 5.0}, job)

    job = await stage.advance()

    assert job.outcome == Outcome(70, Reason.OUT_OF_CREDITS, "402: buy more")
    assert len(provider.asked) == 2


async def test_a_job_that_is_unknown_is_not_advanced() -> None:
    stage = await a_stage(FakeProvider(TEA))

    with pytest.raises(NoSuchJob):
        await stage.engine().advance("another")


async def test_an_ended_job_is_left_as_it_is() -> None:
    provider = FakeProvider(TEA)
    stage = await a_stage(provider)
    ended = await stage.advance()

    again = await stage.advance()

    assert again is ended
    assert len(provider.asked) == 1


# ---------------------------------------------------------------------------- failures
async def test_a_failed_call_is_tried_again_after_longer_and_longer_waits() -> None:
    provider = FakeProvider(TEA, first=[DOWN, DOWN])
    stage = await a_stage(provider, a_job(target=30))

    job = await stage.advance()

    assert job.status is Status.COMPLETED
    opened = [call.opened_at for call in await stage.calls()]
    assert opened == [after(0), after(1), after(3)]
    assert (job.charged, job.attempts) == (1, 3)


async def test_a_source_that_gives_no_answer_blocks_the_job() -> None:
    provider = FakeProvider(TEA, first=[DOWN] * 9)
    stage = await a_stage(provider, a_job(target=30))

    job = await stage.advance()

    detail = f"no answer could be had for tea: {DOWN.message}"
    assert job.outcome == Outcome(30, Reason.PROVIDER_BLOCKED, detail)
    assert len(provider.asked) == 3


async def test_a_throttled_key_rests_as_long_as_it_was_asked_to() -> None:
    rest = Failure(FailureKind.THROTTLED, "429", charged=False, retry_after=40.0)
    pages = TEA | {"mate": [names("m", 1, 30)]}
    provider = FakeProvider(pages, first=[rest])
    stage = await a_stage(provider, a_job("tea", "mate", target=60), concurrency=1)

    job = await stage.advance()

    assert job.status is Status.COMPLETED
    opened = [call.opened_at for call in await stage.calls()]
    assert opened[:2] == [after(0), after(40)]


async def test_a_throttling_without_a_time_is_retried_with_backoff() -> None:
    provider = FakeProvider(TEA, first=[Failure(FailureKind.THROTTLED, "429")])
    stage = await a_stage(provider, a_job(target=30))

    job = await stage.advance()

    assert (job.status, stage.seconds()) == (Status.COMPLETED, 1.0)


async def test_an_adapter_that_raises_has_failed_a_call_that_is_paid() -> None:
    provider = FakeProvider(TEA, first=[ValueError("no such field")])
    stage = await a_stage(provider, a_job(target=30))

    job = await stage.advance()

    assert job.status is Status.COMPLETED
    failed, settled = await stage.calls()
    told = "the provider's adapter failed: ValueError('no such field')"
    assert (failed.error, failed.state) == (told, CallState.FAILED)
    assert (job.charged, settled.number) == (2, 2)


# ------------------------------------------------------------------------------- times
async def test_a_deadline_ends_a_job_that_waits() -> None:
    down = Failure(FailureKind.UNAVAILABLE, "503", retry_after=500.0)
    limits = Limits(deadline=after(45))
    stage = await a_stage(FakeProvider(TEA, first=[down]), a_job(limits=limits))

    job = await stage.advance()

    assert job.outcome == Outcome(10, Reason.DEADLINE)
    assert stage.seconds() == 45.0


async def test_a_deadline_ends_a_job_whose_key_rests() -> None:
    limits = Limits(deadline=after(45))
    stage = await a_stage(FakeProvider(TEA), a_job(limits=limits))
    stage.pace.hold_off(500)

    job = await stage.advance()

    assert job.outcome == Outcome(10, Reason.DEADLINE)
    assert stage.seconds() == 45.0


async def test_a_rest_beyond_the_time_slice_hands_the_job_back() -> None:
    down = Failure(FailureKind.UNAVAILABLE, "503", retry_after=100.0)
    stage = await a_stage(FakeProvider(TEA, first=[down]))

    job = await stage.advance(until=after(30))

    assert (job.status, job.lease) == (Status.PROCESSING, None)
    assert (job.due_at, stage.seconds()) == (after(100), 0.0)


async def test_a_rest_within_the_time_slice_is_waited_for() -> None:
    down = Failure(FailureKind.UNAVAILABLE, "503", retry_after=29.0)
    stage = await a_stage(FakeProvider(TEA, first=[down]))

    job = await stage.advance(until=after(30))

    assert (job.status, stage.seconds()) == (Status.COMPLETED, 29.0)


async def test_a_time_slice_ends_by_awaiting_what_is_out_and_asking_no_more() -> None:
    provider = FakeProvider(TEA)
    stage = await a_slow_stage(provider, {"tea": 4.0}, a_job(target=80))

    job = await stage.advance(until=after(7))

    assert (job.status, job.lease, job.open_calls) == (Status.PROCESSING, None, ())
    assert (job.pages, job.due_at, stage.seconds()) == (2, after(8), 8.0)
    assert (await stage.advance()).status is Status.COMPLETED
    assert [cursor for _, cursor in provider.asked] == ["0", "30", "60"]


async def test_a_call_of_two_minutes_keeps_its_lease_all_along() -> None:
    stage = await a_slow_stage(FakeProvider(TEA), {"tea": 120.0}, a_job(target=30))
    seen = []

    async def try_to_claim() -> None:
        seen.append(await stage.engine("another").advance(stage.job_id))

    tries = [stage.after(seconds, try_to_claim) for seconds in (29, 61, 119)]
    job = await stage.advance()
    await asyncio.gather(*tries)

    assert [(other.fence, other.status) for other in seen] == [
        (1, Status.PROCESSING)
    ] * 3
    assert (job.status, job.fence, stage.seconds()) == (Status.COMPLETED, 1, 120.0)


@pytest.mark.parametrize(
    ("seconds", "ended", "state", "spares"),
    [(8.0, 8.0, CallState.SETTLED, 20), (120.0, 11.0, CallState.LOST, 0)],
)
async def test_a_call_still_out_when_the_target_is_reached_has_ten_seconds(
    seconds: float, ended: float, state: CallState, spares: int
) -> None:
    pages = {"tea": [names("a", 1, 30)], "mate": [names("m", 1, 20)]}
    job = a_job("tea", "mate", target=30)
    slow = {"tea": 1.0, "mate": seconds}
    stage = await a_slow_stage(FakeProvider(pages), slow, job)

    job = await stage.advance()

    assert (job.status, job.spares) == (Status.COMPLETED, spares)
    assert (stage.seconds(), job.charged, job.credits) == (ended, 2, 2)
    assert [call.state for call in await stage.calls()] == [CallState.SETTLED, state]
    await stage.clock.sleep(1)
    assert (await stage.pace.take(99)).number == 10, "a slot was not given back"


async def test_a_watcher_that_fails_does_not_harm_the_job(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = await a_stage(FakeProvider(TEA), a_job(target=30))

    def broken(change: Change) -> None:
        raise BrokenPipeError(change.job.id)

    engine = Engine(
        stage.rows,
        lambda _: Channel(stage.provider, stage.pace),
        stage.clock,
        worker=Worker("worker"),
        watch=broken,
    )
    job = await engine.advance(stage.job_id)

    assert (job.status, job.delivered) == (Status.COMPLETED, 30)
    assert "a watcher of job job-1 failed" in caplog.text


class Teasing(KeyPace):
    """A pace that offers its only slot a few times before it can be had."""

    def __init__(self, clock: FakeClock, vain: int) -> None:
        super().__init__(clock, concurrency=1)
        self._time, self._vain = clock, vain

    async def take(self, wanted: int) -> Slots:
        if wanted and self._vain:
            return Slots(0)
        return await super().take(wanted)

    async def ready(self) -> None:
        await self._time.sleep(1.0)
        self._vain -= 1


async def test_a_slot_that_another_job_was_faster_to_take_costs_no_transaction() -> (
    None
):
    stage = await a_stage(FakeProvider(TEA), a_job(target=30))
    stage.pace = Teasing(stage.clock, vain=3)

    job = await stage.advance()

    assert job.status is Status.COMPLETED
    # the claim and the look that found no slot, the ask, the page, and the release
    assert len(stage.changes) == 3
    assert stage.seconds() == 3.0


async def test_a_lease_is_renewed_however_often_a_slot_is_offered_in_vain() -> None:
    stage = await a_stage(FakeProvider(TEA), a_job(target=30))
    stage.pace = Teasing(stage.clock, vain=30)
    expiries: list[datetime] = []

    async def look() -> None:
        lease = (await stage.job()).lease
        expiries.append(lease.expires_at if lease else after(0))

    looking = stage.after(29.5, look)
    job = await stage.advance()
    await looking

    assert job.status is Status.COMPLETED
    assert expiries[0] > after(29.5)
