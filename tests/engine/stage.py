"""An engine among fakes: one job, one provider, virtual time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from builders import a_job
from fakes.clock import START, FakeClock

from headcount.adapters.memory import MemoryStore
from headcount.adapters.pace import KeyPace
from headcount.core.calls import Answer, Call, CallKind
from headcount.core.errors import StoreError
from headcount.core.model import Change, Finding, Job, Source
from headcount.engine import Channel, Engine, Worker
from headcount.ports import Provider, Records, Rule, Store


def after(seconds: float) -> datetime:
    """The virtual time so many seconds after the start."""
    return START + timedelta(seconds=seconds)


def names(prefix: str, first: int, last: int) -> list[str]:
    """A page of creators: `a1`, `a2`, and so on."""
    return [f"{prefix}{number}" for number in range(first, last + 1)]


class Rows(Store, Records, Protocol):
    """A store with its reading side."""


class Slowed:
    """A provider whose calls take so many seconds, by keyword."""

    def __init__(
        self, provider: Provider, clock: FakeClock, seconds: Mapping[str, float]
    ) -> None:
        self._provider, self._clock, self._seconds = provider, clock, seconds
        self.cancelled = 0

    def price(self, kind: CallKind) -> int:
        return self._provider.price(kind)

    async def fetch(self, call: Call, source: Source) -> Answer:
        try:
            await self._clock.sleep(self._seconds.get(source.keyword, 0.0))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return await self._provider.fetch(call, source)


class FailingStore:
    """A store of which some transactions fail, counted from 1."""

    def __init__(self, store: Store, failures: Mapping[int, StoreError]) -> None:
        self._store, self._failures = store, failures
        self.tried = 0

    async def change(self, job_id: str, rule: Rule, keys: Sequence[str] = ()) -> Change:
        self.tried += 1
        if self.tried in self._failures:
            raise self._failures[self.tried]
        return await self._store.change(job_id, rule, keys)

    async def create(self, job: Job) -> Job:
        return await self._store.create(job)

    async def load(self, job_id: str) -> Job:
        return await self._store.load(job_id)

    async def delete(self, job_id: str) -> None:
        await self._store.delete(job_id)

    async def close(self) -> None:
        await self._store.close()


class Stage:
    """One job of a store, in memory by default, and the workers that come to it."""

    def __init__(
        self,
        provider: Provider,
        *,
        clock: FakeClock,
        concurrency: int = 10,
        rows: Rows | None = None,
    ) -> None:
        self.provider, self.clock = provider, clock
        self.rows = rows or MemoryStore(now=clock.now)
        self.pace = KeyPace(clock, concurrency=concurrency)
        self.changes: list[Change] = []
        self.job_id = ""

    async def opens(self, job: Job) -> "Stage":
        """Keep the job, due now."""
        job = replace(job, created_at=START, due_at=START)
        self.job_id = (await self.rows.create(job)).id
        return self

    def engine(
        self,
        name: str = "worker",
        *,
        store: Store | None = None,
        is_dead: Callable[[str], bool] = lambda _: False,
    ) -> Engine:
        """A worker of this stage."""
        return Engine(
            store or self.rows,
            lambda _: Channel(self.provider, self.pace),
            self.clock,
            worker=Worker(name, is_dead),
            watch=self.changes.append,
            jitter=lambda: 1.0,
        )

    async def advance(
        self, *, until: datetime | None = None, nudge: asyncio.Event | None = None
    ) -> Job:
        """Let a worker take one step."""
        return await self.engine().advance(self.job_id, until=until, nudge=nudge)

    async def change(self, rule: Callable[[Change], Change]) -> Job:
        """Do what an owner does."""
        return (
            await self.rows.change(self.job_id, lambda job, _: rule(Change(job)))
        ).job

    def after(
        self, seconds: float, act: Callable[[], Awaitable[object]]
    ) -> asyncio.Task[None]:
        """Do something when so many seconds have passed."""

        async def wait() -> None:
            await self.clock.sleep(seconds)
            await act()

        return asyncio.create_task(wait())

    async def job(self) -> Job:
        return await self.rows.load(self.job_id)

    async def calls(self) -> list[Call]:
        return [call async for call in self.rows.calls(self.job_id)]

    async def delivered(self) -> list[str]:
        """The ids of the creators delivered, by ordinal."""
        found: AsyncIterator[tuple[Finding, int]] = self.rows.delivered(self.job_id)
        return [finding.sighting.id async for finding, _ in found]

    def seconds(self) -> float:
        """How much virtual time has passed."""
        return (self.clock.now() - START).total_seconds()


async def a_stage(
    provider: Provider, job: Job | None = None, *, concurrency: int = 10
) -> Stage:
    """A stage whose provider needs no clock."""
    stage = Stage(provider, clock=FakeClock(), concurrency=concurrency)
    return await stage.opens(job or a_job())


async def a_slow_stage(
    provider: Provider, seconds: Mapping[str, float], job: Job, *, concurrency: int = 10
) -> Stage:
    """A stage on which calls take time, by keyword."""
    clock = FakeClock()
    slowed = Slowed(provider, clock, seconds)
    return await Stage(slowed, clock=clock, concurrency=concurrency).opens(job)
