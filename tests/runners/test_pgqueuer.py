"""Wake-ups over PgQueuer: one worker gets each, and a lost one harms nobody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from fakes.postgres import server

from headcount.adapters.clock import SystemClock
from headcount.runners.pgqueuer import PgQueuerWaker

CLOCK = SystemClock()
PATIENCE = 15.0  # seconds: what is promised after a restart


@pytest.fixture
async def url() -> str:
    address = await server(16).database_with_tables()
    waker = PgQueuerWaker(address, CLOCK)
    await waker.install()
    return address


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[asyncio.Queue[str]]:
    """A worker that notes which jobs it is told to look at."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    waker = PgQueuerWaker(url, CLOCK)
    task = asyncio.create_task(waker.listen(heard.put_nowait))
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def sending(url: str) -> AsyncIterator[PgQueuerWaker]:
    waker = PgQueuerWaker(url, CLOCK)
    try:
        yield waker
    finally:
        await waker.close()


async def test_a_wake_up_reaches_one_worker(url: str) -> None:
    async with listening(url) as here, listening(url) as there, sending(url) as waker:
        await waker.wake("job-1", CLOCK.now())
        getting = [asyncio.create_task(heard.get()) for heard in (here, there)]
        done, waiting = await asyncio.wait(
            getting, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED
        )
        for task in waiting:
            task.cancel()

    assert [task.result() for task in done] == ["job-1"]


async def test_a_wake_up_for_later_is_left_to_the_jobs_own_row(url: str) -> None:
    async with listening(url) as heard, sending(url) as waker:
        await waker.wake("later", CLOCK.now() + timedelta(minutes=1))
        await waker.wake("now", CLOCK.now())

        assert await asyncio.wait_for(heard.get(), PATIENCE) == "now"


async def test_a_doubled_wake_up_comes_twice(url: str) -> None:
    async with listening(url) as heard, sending(url) as waker:
        for _ in range(2):
            await waker.wake("job-1", CLOCK.now())

        for _ in range(2):
            assert await asyncio.wait_for(heard.get(), PATIENCE) == "job-1"


async def test_what_was_sent_before_anybody_listened_is_heard(url: str) -> None:
    async with sending(url) as waker:
        await waker.wake("job-1", CLOCK.now())

    async with listening(url) as heard:
        assert await asyncio.wait_for(heard.get(), PATIENCE) == "job-1"


async def test_installing_twice_changes_nothing(url: str) -> None:
    async with sending(url) as waker:
        await waker.install()

    async with listening(url) as heard, sending(url) as waker:
        await waker.wake("job-1", CLOCK.now())

        assert await asyncio.wait_for(heard.get(), PATIENCE) == "job-1"


async def test_without_a_server_a_wake_up_is_dropped_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with sending("postgresql://me:s3cret@127.0.0.1:1/jobs") as waker:
        await waker.wake("job-1", CLOCK.now())

    assert "job-1 is not announced" in caplog.text
    assert "s3cret" not in caplog.text


async def test_after_a_restart_of_the_server_wake_ups_come_again() -> None:
    here = server(18)
    url = await here.database_with_tables()
    async with listening(url) as heard, sending(url) as waker:
        await waker.install()
        await waker.wake("before", CLOCK.now())
        assert await asyncio.wait_for(heard.get(), PATIENCE) == "before"

        await asyncio.to_thread(here.control, "restart", "-m", "fast")

        async with asyncio.timeout(PATIENCE):
            while heard.empty():
                await waker.wake("after", CLOCK.now())
                await CLOCK.sleep(0.2)

        assert await heard.get() == "after"
