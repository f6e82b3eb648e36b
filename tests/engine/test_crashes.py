"""Workers die at every point there is, and the job ends with exactly so many."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from builders import a_job
from engine.stage import FailingStore, Rows, Stage, names
from fakes.clock import START, FakeClock
from fakes.postgres import server
from fakes.provider import FakeProvider

from headcount.adapters.memory import MemoryStore
from headcount.adapters.pace import KeyPace
from headcount.adapters.sql import SqlStore
from headcount.core.calls import Answer, Call, CallKind
from headcount.core.errors import StoreBusy
from headcount.core.model import Change, Job, Source, Status
from headcount.ports import Provider, Rule, Store

World = dict[str, list[list[str]]]
# More pages than are needed: none is asked again because it was empty.
LARGE: World = {
    "tea": [names("a", 1, 30), names("a", 21, 50), names("a", 51, 80)],
    "mate": [names("m", 1, 30), names("a", 1, 20), names("m", 31, 60)],
    "coffee": [names("c", 1, 30), names("c", 31, 50), names("c", 51, 80)],
}
SMALL: World = {
    "tea": [names("a", 1, 20), names("a", 11, 40), names("a", 41, 60)],
    "mate": [names("a", 1, 10), names("m", 1, 30)],
}
# Where files are fast: no power is cut here.
_IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - meant
TARGETS = {id(LARGE): 130, id(SMALL): 40}


# --------------------------------------------------------------------------- mortality
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
    """A store whose worker may die before and after each commit.

    It works outside of the loop, where no virtual time passes.
    """

    def __init__(self, store: Store, fuse: Fuse, clock: FakeClock) -> None:
        super().__init__(store, {})
        self._fuse, self._clock = fuse, clock

    async def change(self, job_id: str, rule: Rule, keys: Sequence[str] = ()) -> Change:
        self._fuse.burn()
        with self._clock.stopped():
            change = await super().change(job_id, rule, keys)
        self._fuse.burn()
        return change

    async def load(self, job_id: str) -> Job:
        with self._clock.stopped():
            return await super().load(job_id)


class UnheardStore(FailingStore):
    """A store that commits, and once loses the connection before it can say so."""

    def __init__(self, store: Store, commit: int) -> None:
        super().__init__(store, {})
        self._commits_left = commit

    async def change(self, job_id: str, rule: Rule, keys: Sequence[str] = ()) -> Change:
        change = await super().change(job_id, rule, keys)
        self._commits_left -= 1
        if self._commits_left == 0:
            raise StoreBusy("the connection was lost")
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


# ------------------------------------------------------------------------------ stories
@dataclass
class Story:
    """A job on a database, and the workers that die on it one after the other."""

    stage: Stage
    provider: FakeProvider
    stores: Sequence[Store]  # what each process in turn has open
    deaths: int = 0
    at_stake: int = 0  # calls that were out when a worker died

    async def live(self, fuse: Fuse) -> None:
        """Let a new process work on the job, as long as it lives."""
        stage = self.stage
        stage.provider = MortalProvider(self.provider, fuse)
        stage.pace = KeyPace(stage.clock, concurrency=2)
        store = self.stores[self.deaths % len(self.stores)]
        worker = stage.engine(
            f"life {self.deaths}",
            store=MortalStore(store, fuse, stage.clock),
            is_dead=lambda holder: holder != f"life {self.deaths}",
        )
        try:
            await worker.advance(stage.job_id)
        except Died:
            self.deaths += 1
            self.at_stake += len((await stage.job()).open_calls)


@dataclass
class Place:
    """A database that has room for many jobs, opened by several processes."""

    stores: Sequence[Rows]
    jobs: int = 0

    async def story(self, world: World, *points: int) -> Story:
        """Tell what becomes of a job whose workers die at these points in turn."""
        self.jobs += 1
        clock = FakeClock()
        provider = FakeProvider(world, clock=clock, latency=1.0)
        stage = Stage(provider, clock=clock, rows=self.stores[0])
        job = a_job(*world, id=f"job-{self.jobs}", target=TARGETS[id(world)])
        story = Story(await stage.opens(job), provider, self.stores)
        for point in points:
            await story.live(Fuse(point))
            if not story.deaths:
                return story
        await story.live(Fuse())
        return story


@asynccontextmanager
async def memory() -> AsyncIterator[Place]:
    yield Place([MemoryStore(now=lambda: START)])


@asynccontextmanager
async def sqlite() -> AsyncIterator[Place]:
    with TemporaryDirectory(dir=_IN_MEMORY) as folder:
        async with _opened(f"sqlite:///{folder}/jobs.db") as place:
            yield place


@asynccontextmanager
async def postgres() -> AsyncIterator[Place]:
    async with _opened(await server(18).database_with_tables()) as place:
        yield place


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Place]:
    stores = [await SqlStore.open(url, now=lambda: START) for _ in range(2)]
    yield Place(stores)
    for store in stores:
        await store.close()


Opener = Callable[[], AbstractAsyncContextManager[Place]]
PLACES: list[Opener] = [memory, sqlite, postgres]
EVERY_PLACE = pytest.mark.parametrize("opener", PLACES, ids=lambda o: o.__name__)


@pytest.fixture
async def place(opener: Opener) -> AsyncIterator[Place]:
    async with opener() as opened:
        yield opened


async def ends_well(story: Story) -> None:
    """The promise: exact, nothing open, and no more paid for than was at stake."""
    stage, asked = story.stage, story.provider.asked
    job, calls, delivered = (
        await stage.job(),
        await stage.calls(),
        await stage.delivered(),
    )
    assert (job.status, job.open_calls) == (Status.COMPLETED, ())
    assert len(delivered) == len(set(delivered)) == job.target
    assert len(asked) - len(set(asked)) <= story.at_stake
    assert job.charged == job.credits == sum(call.credits for call in calls)
    assert job.charged >= len(asked)


# -------------------------------------------------------------------------- the points
@EVERY_PLACE
async def test_wherever_a_worker_dies_the_next_one_delivers_exactly_so_many(
    place: Place,
) -> None:
    for point in count(1):
        story = await place.story(LARGE, point)
        if not story.deaths:
            break
        await ends_well(story)

    assert point > 30


@EVERY_PLACE
async def test_wherever_the_next_one_dies_too_the_third_delivers_them(
    place: Place,
) -> None:
    pairs = 0
    for first in count(1):
        for second in count(1):
            story = await place.story(SMALL, first, second)
            if story.deaths < 2:
                break
            await ends_well(story)
            pairs += 1
        if not story.deaths:
            break

    assert pairs > 150


@EVERY_PLACE
async def test_a_job_ends_though_every_worker_on_it_dies_young(place: Place) -> None:
    story = await place.story(LARGE, *[13] * 20)

    await ends_well(story)
    assert 2 < story.deaths < 20


async def test_a_commit_that_was_not_heard_of_changes_nothing_but_timing() -> None:
    for commit in count(1):
        clock = FakeClock()
        provider = FakeProvider(LARGE, clock=clock, latency=1.0)
        stage = Stage(provider, clock=clock, concurrency=2)
        await stage.opens(a_job(*LARGE, target=TARGETS[id(LARGE)]))
        store = UnheardStore(stage.rows, commit)

        job = await stage.engine(store=store).advance(stage.job_id)
        if store.tried < commit:
            break
        if job.lease:  # claimed without knowing it: free again when it has expired
            await clock.sleep(31)
            job = await stage.engine("heir").advance(stage.job_id)

        assert (job.status, job.open_calls) == (Status.COMPLETED, ())
        assert len(set(await stage.delivered())) == job.target
        assert len(provider.asked) == len(set(provider.asked)) <= job.charged

    assert commit > 8
