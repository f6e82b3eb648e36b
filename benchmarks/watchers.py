"""A step must not cost much more where 200 watch the job over server-sent events.

The service works on the job and answers the watchers in one process. Those are in
another one and share the machine with it, so the cost of a step is the service's own
time on a processor, not the time that passed.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from figures import Figure, Say
from invented import KEYWORD, NEW, page_of_creators
from service import cpu_seconds, running

from headcount.adapters.keys import Keys, Scope
from headcount.adapters.sql import SqlStore
from headcount.core import ownership
from headcount.core.model import Change, Job, Limits, Search, Status
from headcount.core.search import new_job
from headcount.sandbox import Sandbox, World, serving

_WATCHERS, _PAGES, _ROUNDS = 200, 400, 3
_LOOK = 0.05


async def measure(say: Say) -> AsyncIterator[Figure]:
    """Compare the least that a step took with watchers and without, by turns."""
    steps: dict[int, list[float]] = {0: [], _WATCHERS: []}
    async with AsyncExitStack() as stack:
        service = await _service(stack)
        for turn in range(_ROUNDS):
            for number, taken in steps.items():
                say(f"round {turn + 1} of {_ROUNDS}: {number} watchers")
                taken.append(await service.step(f"job{turn}with{number}", number))
    alone, watched = (1000 * min(taken) for taken in steps.values())
    yield Figure(
        "watchers",
        f"the service's CPU for a step, in ms: {watched:.2f} with {_WATCHERS} watchers "
        f"over {alone:.2f} with none",
        watched / alone,
        1.1,
        n=_ROUNDS,
    )
    yield Figure(
        "watchers",
        "watchers that missed the last event",
        float(service.missed),
        0.0,
        n=_ROUNDS * _WATCHERS,
        unit="",
    )


async def _service(stack: AsyncExitStack) -> "Service":
    folder = stack.enter_context(TemporaryDirectory())
    world = World(pages={KEYWORD: [page_of_creators(n) for n in range(_PAGES)]})
    address = await stack.enter_async_context(serving(Sandbox(world)))
    environment = {
        "HEADCOUNT_DATABASE_URL": f"sqlite:///{folder}/jobs.db",
        "HEADCOUNT_REQUESTS_PER_MINUTE": "1000000",
        "SCRAPECREATORS_API_KEY": "benchmark",
        "SCRAPECREATORS_API_URL": address,
    }
    store = await SqlStore.open(environment["HEADCOUNT_DATABASE_URL"])
    stack.push_async_callback(store.close)
    keys = Keys(store.database, now=lambda: datetime.now(UTC))
    _, token = await keys.create("me", Scope.ADMIN)
    serve = running("serve", "--port", "0", environment=environment)
    process, port = await stack.enter_async_context(serve)
    return Service(store, lambda: cpu_seconds(process), port, token)


@dataclass(slots=True)
class Service:
    """A service that has a store, and takes a job as soon as it is resumed."""

    store: SqlStore
    cpu: Callable[[], float]
    port: int
    token: str
    missed: int = 0

    async def step(self, job_id: str, watchers: int) -> float:
        """The seconds of the service's CPU that a step of a job takes."""
        await self.store.create(_waiting(job_id))
        watching = await self._watch(job_id, watchers)
        before = self.cpu()
        now = datetime.now(UTC)
        await self.store.change(
            job_id, lambda job, _: ownership.resume(Change(job), now)
        )
        while not (await self.store.load(job_id)).status.ended:  # noqa: ASYNC110 - another process ends it
            await asyncio.sleep(_LOOK)
        saw, _ = await watching.communicate()
        self.missed += watchers - int(saw)
        return (self.cpu() - before) / _PAGES

    async def _watch(self, job_id: str, number: int) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("watching.py")),
            *(str(self.port), self.token, job_id, str(number)),
            stdout=PIPE,
        )
        assert process.stdout
        assert await process.stdout.readline() == b"ready\n"
        return process


def _waiting(job_id: str) -> Job:
    """A job that nobody works on before it is resumed."""
    search = Search(_PAGES * NEW, (KEYWORD,), limits=Limits(max_calls=10 * _PAGES))
    job = new_job(job_id, search, datetime.now(UTC))
    return replace(job, status=Status.PAUSED, due_at=None)
