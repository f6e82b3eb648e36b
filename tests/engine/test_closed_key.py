"""A key that is closed for all: the job is not spent, it waits and goes on."""

from dataclasses import replace
from datetime import datetime

from builders import a_job
from engine.stage import Stage, a_slow_stage, a_stage, after, names
from fakes.provider import FakeProvider

from headcount.adapters.pace import KeyPace
from headcount.core.calls import CallState, Failure, FailureKind
from headcount.core.model import SourceState, Status
from headcount.ports import Slots

TEA = {"tea": [names("a", 1, 30), names("b", 1, 30)]}
SPENT = Failure(FailureKind.OUT_OF_CREDITS, "402: buy more", charged=False)


class ClosingPace(KeyPace):
    """A pace that closes when the credits run out, and is opened by hand."""

    closed = False

    async def take(self, wanted: int) -> Slots:
        return Slots(0) if self.closed else await super().take(wanted)

    async def heed(self, failure: Failure) -> Failure:
        self.closed = True
        return replace(failure, kind=FailureKind.KEY_PAUSED)

    def closed_until(self) -> datetime | None:
        return after(30) if self.closed else None

    async def ready(self) -> None:
        while self.closed:
            await self._clock.sleep(1)
        await super().ready()


def closing(stage: Stage) -> ClosingPace:
    stage.pace = pace = ClosingPace(stage.clock, concurrency=10)
    return pace


async def test_a_job_whose_key_is_closed_hands_its_lease_back_and_is_due_later() -> (
    None
):
    stage = await a_stage(FakeProvider(TEA, first=[None, SPENT]), a_job(target=60))
    closing(stage)

    job = await stage.advance()

    assert (job.status, job.delivered) == (Status.PROCESSING, 30)
    assert (job.lease, job.due_at, job.halt) == (None, after(30), None)
    assert stage.seconds() == 0


async def test_it_goes_on_with_the_same_page_when_the_key_is_opened() -> None:
    provider = FakeProvider(TEA, first=[None, SPENT])
    stage = await a_stage(provider, a_job(target=60))
    pace = closing(stage)
    await stage.advance()

    pace.closed = False
    job = await stage.advance()

    assert (job.status, job.delivered, job.charged) == (Status.COMPLETED, 60, 2)
    assert provider.asked == [("tea", "0"), ("tea", "30"), ("tea", "30")]
    states = [call.state for call in await stage.calls()]
    assert states == [CallState.SETTLED, CallState.REFUSED, CallState.SETTLED]


async def test_being_closed_however_often_is_no_failure_of_the_keyword() -> None:
    stage = await a_stage(FakeProvider(TEA, first=[SPENT] * 9), a_job(target=60))
    pace = closing(stage)

    for _ in range(9):
        pace.closed = False
        job = await stage.advance()

    [source] = job.sources
    assert (source.state, source.failures, source.retry_at) == (
        SourceState.OPEN,
        0,
        None,
    )


async def test_what_is_out_when_the_key_closes_is_still_counted() -> None:
    pages = {"tea": [names("a", 1, 30)] * 2, "mate": [names("b", 1, 30)] * 2}
    provider = FakeProvider(pages, at={("tea", "0"): [SPENT]})
    job = a_job("tea", "mate", target=60)
    stage = await a_slow_stage(provider, {"tea": 1.0, "mate": 5.0}, job)
    closing(stage)

    job = await stage.advance()

    assert (job.delivered, job.open_calls, stage.seconds()) == (30, (), 5.0)
