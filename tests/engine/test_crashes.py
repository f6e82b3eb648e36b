"""A worker may die at any point, and the next one finishes the job."""

from collections.abc import Sequence
from itertools import count

from builders import a_job
from engine.stage import FailingStore, Stage, names
from fakes.clock import FakeClock
from fakes.provider import FakeProvider

from headcount.adapters.memory import MemoryStore
from headcount.adapters.pace import KeyPace
from headcount.core.calls import Answer, Call, CallKind
from headcount.core.model import Change, Job, Source, Status
from headcount.ports import Provider, Rule

TARGET = 130
PAGES = {  # more than are needed: none is asked again because it was empty
    "tea": [names("a", 1, 30), names("a", 21, 50), names("a", 51, 80)],
    "mate": [names("m", 1, 30), names("a", 1, 20), names("m", 31, 60)],
    "coffee": [names("c", 1, 30), names("c", 31, 50), names("c", 51, 80)],
}


class Died(BaseException):
    """The process is gone: nothing that it would have done is done."""


class Fuse:
    """Counts the points at which a worker may die, and lets it die at one."""

    def __init__(self, at: int | None = None) -> None:
        self._at, self.points = at, 0

    def burn(self) -> None:
        self.points += 1
        if self.points == self._at:
            raise Died


class MortalStore(FailingStore):
    """A store whose worker may die before and after each transaction."""

    def __init__(self, store: MemoryStore, fuse: Fuse) -> None:
        super().__init__(store, {})
        self._fuse = fuse

    async def change(self, job_id: str, rule: Rule, keys: Sequence[str] = ()) -> Change:
        self._fuse.burn()
        change = await super().change(job_id, rule, keys)
        self._fuse.burn()
        return change


class MortalProvider:
    """A provider whose caller may die before a call is sent, and when it is back."""

    def __init__(self, provider: Provider, fuse: Fuse) -> None:
        self._provider, self._fuse = provider, fuse

    def price(self, kind: CallKind) -> int:
        return self._provider.price(kind)

    async def fetch(self, call: Call, source: Source) -> Answer:
        self._fuse.burn()
        answer = await self._provider.fetch(call, source)
        self._fuse.burn()
        return answer


async def a_job_in_danger(fuse: Fuse) -> tuple[Stage, FakeProvider]:
    """A stage whose provider burns the fuse, and the provider behind it."""
    clock = FakeClock()
    provider = FakeProvider(PAGES, clock=clock, latency=1.0)
    stage = Stage(MortalProvider(provider, fuse), clock=clock, concurrency=2)
    return await stage.opens(a_job(*PAGES, target=TARGET)), provider


async def work(stage: Stage, fuse: Fuse) -> bool:
    """Work on the job; whether the worker lived to see the end of it."""
    worker = stage.engine("mortal", store=MortalStore(stage.rows, fuse))
    try:
        await worker.advance(stage.job_id)
    except Died:
        return False
    return True


async def inherit(stage: Stage, provider: FakeProvider) -> Job:
    """Let another process finish the job: with an own pace, and no fuse."""
    stage.provider, stage.pace = provider, KeyPace(stage.clock, concurrency=2)
    heir = stage.engine("heir", is_dead=lambda holder: holder == "mortal")
    return await heir.advance(stage.job_id)


async def test_wherever_a_worker_dies_the_next_one_delivers_exactly_so_many() -> None:
    for point in count(1):
        fuse = Fuse(point)
        stage, provider = await a_job_in_danger(fuse)
        if await work(stage, fuse):
            break
        at_stake = len((await stage.job()).open_calls)

        job = await inherit(stage, provider)

        assert (job.status, job.open_calls) == (Status.COMPLETED, ()), point
        delivered = await stage.delivered()
        assert len(delivered) == len(set(delivered)) == TARGET, point
        asked_again = len(provider.asked) - len(set(provider.asked))
        assert asked_again <= at_stake, point
        assert job.charged == job.credits >= len(provider.asked), point
    assert fuse.points > 20


async def test_a_job_ends_though_every_worker_on_it_dies_young() -> None:
    fuse = Fuse()
    stage, provider = await a_job_in_danger(fuse)

    lives = 1
    while not await work(stage, young := Fuse(9)):
        await stage.clock.sleep(31)
        stage.pace = KeyPace(stage.clock, concurrency=2)
        stage.provider = MortalProvider(provider, young)
        lives += 1

    job = await stage.job()
    assert (job.status, len(await stage.delivered())) == (Status.COMPLETED, TARGET)
    assert lives > 2
