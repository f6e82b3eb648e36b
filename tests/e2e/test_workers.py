"""Workers on one Postgres: how many calls they have out, and how they stop."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from e2e.program import Home, Provider, Run
from fakes.postgres import Server, server

from headcount.app import App
from headcount.bootstrap import open_app
from headcount.core.model import Job, Status
from headcount.core.search import build_search
from headcount.runners.pgqueuer import PgQueuerWaker
from headcount.settings import Settings

Serve = Callable[..., Provider]
PATIENCE = 60.0


@asynccontextmanager
async def fleet_of(home: Home, database: Server) -> AsyncIterator[App]:
    """A database for workers, and the app that gives them jobs."""
    url = await database.database_with_tables()
    home.env |= {"HEADCOUNT_DATABASE_URL": url, "HEADCOUNT_RUNNER": "pgqueuer"}
    settings = Settings(database_url=url, runner="pgqueuer")
    async with open_app(settings) as app:
        assert isinstance(app.announcer, PgQueuerWaker)
        await app.announcer.install()
        yield app


async def jobs_of(app: App, number: int, target: int) -> list[str]:
    searches = [build_search(target, [w]) for w in ("tech", "cooking", "travel", "art")]
    jobs = [await app.create(searches[n % len(searches)]) for n in range(number)]
    return [job.id for job in jobs]


async def until_each(
    app: App, job_ids: list[str], holds: Callable[[Job], bool]
) -> list[Job]:
    """The jobs, once this holds for each of them."""
    async with asyncio.timeout(PATIENCE):
        while True:
            jobs = [await app.store.load(job_id) for job_id in job_ids]
            if all(map(holds, jobs)):
                return jobs
            await asyncio.sleep(0.05)


def has_ended(job: Job) -> bool:
    return job.status.ended


@pytest.mark.parametrize(("workers", "concurrency"), [(2, 3), (3, 1)])
async def test_all_workers_together_have_no_more_calls_out_than_one_may(
    home: Home, serve: Serve, workers: int, concurrency: int
) -> None:
    provider = serve("--latency", 100)
    home.env["HEADCOUNT_CONCURRENCY"] = str(concurrency)
    async with fleet_of(home, server(16)) as app:
        at_work = started(home, workers)
        job_ids = await jobs_of(app, 6, target=60)
        jobs = await until_each(app, job_ids, has_ended)

    assert [(job.status, job.delivered) for job in jobs] == [
        (Status.COMPLETED, 60)
    ] * len(jobs)
    assert provider.most_at_once == concurrency
    for worker in at_work:
        ends_well(worker)


async def test_a_worker_that_is_told_to_stop_counts_what_is_out(
    home: Home, serve: Serve
) -> None:
    provider = serve("--latency", 1000)
    async with fleet_of(home, server(16)) as app:
        [worker] = started(home, 1, runner="local")
        [job_id] = await jobs_of(app, 1, target=200)
        await asyncio.to_thread(provider.after, 1)

        ends_well(worker)
        job = await app.store.load(job_id)

    assert (job.status, job.lease, job.open_calls) == (Status.PROCESSING, None, ())
    assert job.pages == job.charged == len(provider.calls)


def started(home: Home, number: int, *, runner: str = "pgqueuer") -> list[Run]:
    workers = [home.start("worker", HEADCOUNT_RUNNER=runner) for _ in range(number)]
    for worker in workers:
        worker.hears("working on what is due")
    return workers


def ends_well(worker: Run) -> None:
    worker.send(signal.SIGTERM)
    ran = worker.end()
    assert ran.code == 0, ran.err


@pytest.mark.parametrize("switch", ["scrapecreators/x", "*"])
def test_a_key_can_be_closed_and_opened_by_hand(home: Home, switch: str) -> None:
    assert (
        home.run("provider", "pause", switch, "--reason", "the month is over").code == 0
    )

    closed = home.run("provider", "status", "--format", "json").json
    home.run("provider", "resume", switch)

    assert [(key["key"], key["reason"]) for key in closed] == [
        (switch, "the month is over")
    ]
    assert home.run("provider", "status", "--format", "json").json == []


def test_one_may_learn_the_name_of_ones_key_and_not_the_key(home: Home) -> None:
    told = home.run("provider", "status", SCRAPECREATORS_API_KEY="a-secret-key")
    name = told.err.splitlines()[0].removesuffix(".").rpartition(" ")[2]

    home.run("provider", "pause", name)

    assert name.startswith("scrapecreators/")
    assert "a-secret-key" not in told.out + told.err
    [closed] = home.run("provider", "status", "--format", "json").json
    assert closed["key"] == name


def test_a_search_waits_while_all_calls_are_stopped(
    home: Home, provider: Provider
) -> None:
    home.run("provider", "pause", "--reason", "the bill")

    search = home.start("find", 20, "tech")
    search.hears("[WAITING] all calls are stopped (the bill)")
    asked = len(provider.calls)
    home.run("provider", "resume")
    ran = search.end()

    assert asked == 0
    assert (ran.code, len(home.creators(search.job))) == (0, 20)
