"""Every runner with its workers, its troubles with wake-ups, and a provider to ask."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from e2e.program import Home, Run
from fakes.postgres import Server
from serverless.fleet import a_fleet
from serverless.site import Outside, a_world

from headcount.app import App
from headcount.bootstrap import open_app
from headcount.core.model import Job
from headcount.core.search import build_search
from headcount.ports import Waker
from headcount.runners.pgqueuer import PgQueuerWaker
from headcount.sandbox import Sandbox, World, serving
from headcount.settings import Settings

PATIENCE = 60.0  # seconds; far more than anything here takes
_GLANCE = 0.05  # seconds between two looks at what other processes do
_WORDS = ("tech", "cooking", "travel", "art")
TROUBLES = ("lost", "late", "doubled", "reordered")
_AT_QSTASH = {
    "lost": ["vanished:0.5"],
    "late": ["late:0.5"],
    "doubled": ["duplicate:0.5", "twins:0.5"],
    "reordered": ["reordered:0.7"],
}


@dataclass
class Crew:
    """Workers of one runner, the app that gives them jobs, and the provider they ask.

    `join` adds a worker that hears the wake-ups sent here, `hire` one in a process of
    its own, and `kill` ends the one that has these jobs, as a power cut would.
    `passes` lets time pass and do its healing, `delivers` what was held back.
    """

    app: App
    provider: Sandbox
    join: Callable[[], Awaitable[object]]
    hire: Callable[[], Awaitable[object]]
    kill: Callable[[Sequence[Job]], Awaitable[object]]
    passes: Callable[[], Awaitable[object]]
    delivers: Callable[[], Awaitable[object]]

    async def begins(self, number: int, target: int) -> list[str]:
        """The ids of so many new jobs."""
        searches = [build_search(target, [word]) for word in _WORDS]
        jobs = [await self.app.create(searches[n % 4]) for n in range(number)]
        return [job.id for job in jobs]

    async def wakes(self, job_id: str) -> None:
        """Have the job looked at now."""
        for waker in self.app.wakers:
            await waker.wake(job_id, self.app.clock.now())

    async def jobs(self, job_ids: Sequence[str]) -> list[Job]:
        return [await self.app.store.load(job_id) for job_id in job_ids]

    async def until(
        self, job_ids: Sequence[str], holds: Callable[[Job], bool]
    ) -> list[Job]:
        """The jobs, once this holds for each of them."""
        async with asyncio.timeout(PATIENCE):
            while not all(map(holds, jobs := await self.jobs(job_ids))):
                await self.passes()
        return jobs

    async def ended(self, job_ids: Sequence[str]) -> list[Job]:
        return await self.until(job_ids, lambda job: job.status.ended)

    def asked_again(self) -> int:
        """How many answers with creators in them were paid for a second time.

        That two jobs ask the same is none: each job here has a keyword of its own.
        """
        good = Counter((c.keyword, c.cursor) for c in self.provider.ledger if c.items)
        return sum(good.values()) - len(good)


@dataclass
class Troubled:
    """A waker whose wake-ups get lost, come late, twice, or in another order."""

    waker: Waker
    trouble: str | None
    held: list[tuple[str, datetime]] = field(default_factory=list)

    async def wake(self, job_id: str, at: datetime) -> None:
        if self.trouble in {"late", "reordered"}:
            self.held.append((job_id, at))
        elif self.trouble != "lost":
            for _ in range(2 if self.trouble == "doubled" else 1):
                await self.waker.wake(job_id, at)

    async def delivers(self) -> None:
        """Send all that was held back, the last first."""
        while self.held:
            await self.waker.wake(*self.held.pop())


def troubled(app: App, trouble: str | None) -> Callable[[], Awaitable[None]]:
    """Let an app's wake-ups be troubled; what delivers those that were held back."""
    wakers = [Troubled(waker, trouble) for waker in app.wakers]
    app.wakers[:] = wakers

    async def delivers() -> None:
        for waker in wakers:
            await waker.delivers()

    return delivers


async def glance() -> None:
    await asyncio.sleep(_GLANCE)


class Hired:
    """Worker processes on this machine."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._runs: list[Run] = []

    async def hire(self) -> None:
        run = self._home.start("worker")
        await asyncio.to_thread(run.hears, "working on what is due")
        self._runs.append(run)

    async def kill(self, jobs: Sequence[Job]) -> None:
        holders = [job.lease.holder.split("/")[1] for job in jobs if job.lease]
        busiest = max(self._runs, key=lambda run: holders.count(str(run.process.pid)))
        await asyncio.to_thread(busiest.kill)


@asynccontextmanager
async def local(
    home: Home, database: Server | None, trouble: str | None, latency_ms: int
) -> AsyncIterator[Crew]:
    """The runner of a service, woken within its own process."""
    url = await database.database_with_tables() if database else None
    url = url or f"sqlite:///{home.folder}/jobs.db"
    async with _with_workers(home, url, "local", latency_ms) as (app, provider):
        runner = app.service()
        working: list[asyncio.Task[None]] = []

        async def join() -> None:
            working.append(asyncio.create_task(runner.run()))

        delivers, hired = troubled(app, trouble), Hired(home)
        yield Crew(app, provider, join, hired.hire, hired.kill, glance, delivers)
        runner.stop()
        await asyncio.gather(*working)


@asynccontextmanager
async def pgqueuer(
    home: Home, database: Server | None, trouble: str | None, latency_ms: int
) -> AsyncIterator[Crew]:
    """Workers that are woken by PgQueuer."""
    assert database
    url = await database.database_with_tables()
    async with _with_workers(home, url, "pgqueuer", latency_ms) as (app, provider):
        assert isinstance(app.announcer, PgQueuerWaker)
        await app.announcer.install()
        delivers, hired = troubled(app, trouble), Hired(home)
        yield Crew(app, provider, hired.hire, hired.hire, hired.kill, glance, delivers)


@asynccontextmanager
async def _with_workers(
    home: Home, url: str, runner: str, latency_ms: int
) -> AsyncIterator[tuple[App, Sandbox]]:
    provider = Sandbox(World(42), latency_ms=latency_ms)
    async with serving(provider) as address:
        home.env |= {
            "HEADCOUNT_DATABASE_URL": url,
            "HEADCOUNT_RUNNER": runner,
            "SCRAPECREATORS_API_URL": address,
            "SCRAPECREATORS_API_KEY": "the-secret-key",
        }
        settings = Settings(
            database_url=url,
            runner=runner,
            scrapecreators_api_url=address,
            scrapecreators_api_key="the-secret-key",
        )
        async with open_app(settings) as app:
            yield app, provider


@asynccontextmanager
async def qstash(
    home: Home, database: Server | None, trouble: str | None, latency_ms: int
) -> AsyncIterator[Crew]:
    """Processes that come and go, woken by the messages of QStash."""
    faults = _AT_QSTASH.get(trouble or "", [])
    more = {"database_url": await database.database_with_tables()} if database else {}
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(
            a_world(home.folder, *faults, latency_ms=latency_ms, **more)
        )
        fleet = await stack.enter_async_context(a_fleet(world.environment(), 0))
        app = await stack.enter_async_context(open_app(world.settings))
        world.leads_to(fleet)
        heals = _Sweep(app, world)
        yield Crew(
            app,
            world.provider,
            join=fleet.start,
            hire=fleet.start,
            kill=lambda _: fleet.kill(),
            passes=heals.passes,
            delivers=heals.delivers,
        )
        await world.qstash.settled()


@dataclass
class _Sweep:
    """The time of QStash, and the sweep that publishes again what is not done."""

    app: App
    world: Outside

    async def passes(self) -> None:
        await glance()
        await self.world.qstash.skip(600)  # else the same step is not published again
        jobs = [job async for job in self.app.store.jobs()]
        assert self.app.post
        await self.app.post.post_again([job for job in jobs if not job.status.ended])

    async def delivers(self) -> None:
        await self.world.qstash.skip(3600)
        await self.world.qstash.settled()


RUNNERS = (local, pgqueuer, qstash)
