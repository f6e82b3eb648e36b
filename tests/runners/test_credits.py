"""A key without credits: the jobs of a service wait for them, and then go on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from headcount.app import App
from headcount.bootstrap import open_app
from headcount.core.model import Job, Status
from headcount.core.search import build_search
from headcount.sandbox import Sandbox, World, serving
from headcount.settings import Settings

PATIENCE = 20.0  # seconds; far more than anything here takes


class Account(Sandbox):
    """A provider whose account can be topped up."""

    def pay(self, credits_: int) -> None:
        self._credits += credits_


@asynccontextmanager
async def a_service(folder: Path, provider: Account) -> AsyncIterator[App]:
    """A service that works on jobs, with this provider."""
    async with serving(provider) as address:
        settings = Settings(
            database_url=f"sqlite:///{folder}/jobs.db",
            scrapecreators_api_url=address,
            scrapecreators_api_key="the-secret-key",
        )
        async with open_app(settings) as app:
            runner = app.service()
            working = asyncio.create_task(runner.run())
            yield app
            runner.stop()
            await working


async def until(app: App, job_id: str, holds: Callable[[Job], bool]) -> Job:
    async with asyncio.timeout(PATIENCE):
        while True:
            job = await app.store.load(job_id)
            if holds(job):
                return job
            await asyncio.sleep(0.05)


async def goes_on(app: App, job_id: str) -> Job:
    """The job, once it has ended; it is looked at without the wait of half a minute."""
    for waker in app.wakers:
        await waker.wake(job_id, app.clock.now())
    return await until(app, job_id, lambda job: job.status.ended)


@pytest.fixture
async def provider() -> Account:
    return Account(World(42), credits=1)


async def test_a_job_goes_on_when_the_balance_says_so(
    tmp_path: Path, provider: Account
) -> None:
    async with a_service(tmp_path, provider) as app:
        job_id = (await app.create(build_search(60, ["tech"]))).id
        waiting = await until(app, job_id, lambda _: bool(app.gates.closed))
        waiting = await until(app, job_id, lambda job: job.lease is None)

        await app.channels.look_for_credits()
        still = set(app.gates.closed)
        provider.pay(100)
        await app.channels.look_for_credits()
        job = await goes_on(app, job_id)

    assert (waiting.status, waiting.pages, len(still)) == (Status.PROCESSING, 1, 1)
    assert (job.status, job.delivered) == (Status.COMPLETED, 60)
    assert app.gates.closed == {}


async def test_a_key_that_somebody_closed_is_opened_by_somebody_alone(
    tmp_path: Path, provider: Account
) -> None:
    provider.pay(100)
    async with a_service(tmp_path, provider) as app:
        await app.connect("scrapecreators")
        [key] = app.channels._providers
        await app.gates.close(key, "the month is over", app.clock.now())

        await app.channels.look_for_credits()
        job = await app.create(build_search(60, ["tech"]))
        await until(app, job.id, lambda job: job.fence > 0 and job.lease is None)
        asked = len(provider.ledger)
        await app.gates.open(key)
        done = await goes_on(app, job.id)

    assert asked == 0
    assert done.status is Status.COMPLETED
