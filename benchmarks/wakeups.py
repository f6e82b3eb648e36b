"""Wake-ups a second through our waker, over PgQueuer's own with the same settings."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import psycopg
from figures import Figure, Say
from pgqueuer import Job, QueueManager
from postgres import running_postgres

from headcount.adapters.clock import SystemClock
from headcount.runners.pgqueuer import (
    DEQUEUE,
    HEARTBEAT,
    SETTINGS,
    PgQueuerWaker,
    queries_over,
)

_WAKE_UPS, _SENDERS, _ROUNDS = 1_000, 8, 3
_ENTRYPOINT = "look_at"
Sending = Callable[[str], Awaitable[object]]


async def measure(say: Say) -> AsyncIterator[Figure]:
    """Send and receive them in one process, by turns; the best round of each counts."""
    ours: list[float] = []
    theirs: list[float] = []
    async with running_postgres() as postgres:
        url = postgres.fresh()
        await PgQueuerWaker(url, SystemClock()).install()
        for turn in range(_ROUNDS):
            say(f"round {turn + 1} of {_ROUNDS}: PgQueuer")
            theirs.append(await _by_pgqueuer(url))
            say(f"round {turn + 1} of {_ROUNDS}: ours")
            ours.append(await _by_us(url))
    own, waker = max(theirs), max(ours)
    yield Figure(
        "wake-ups",
        f"PgQueuer's own wake-ups/s ({own:.0f}) over those of our waker ({waker:.0f})",
        own / waker,
        2.0,
        n=_ROUNDS,
    )


class Heard:
    """Counts what is heard, and knows when it was all."""

    def __init__(self) -> None:
        self._left, self.all = _WAKE_UPS, asyncio.Event()

    def __call__(self, _: str) -> None:
        """One more is heard."""
        self._left -= 1
        if not self._left:
            self.all.set()


async def _by_us(url: str) -> float:
    clock, heard = SystemClock(), Heard()
    waker = PgQueuerWaker(url, clock)
    listening = asyncio.create_task(waker.listen(heard))
    rate = await _rate(lambda job_id: waker.wake(job_id, clock.now()), heard)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await waker.close()
    return rate


async def _by_pgqueuer(url: str) -> float:
    """The same with nothing of ours but the settings."""
    heard = Heard()
    async with await _connected(url) as sending, await _connected(url) as receiving:
        queries = queries_over(sending)
        manager = QueueManager(queries_over(receiving), channel=SETTINGS.channel)

        @manager.entrypoint(_ENTRYPOINT)
        async def look_at(job: Job) -> None:
            heard((job.payload or b"").decode())

        running = asyncio.create_task(manager.run(DEQUEUE, heartbeat_timeout=HEARTBEAT))
        rate = await _rate(lambda i: queries.enqueue(_ENTRYPOINT, i.encode()), heard)
        manager.shutdown.set()
        await running
    return rate


async def _rate(send: Sending, heard: Heard) -> float:
    """Wake-ups a second, from the first that is sent to the last that is heard."""
    numbers = iter(range(_WAKE_UPS))

    async def some() -> None:
        for number in numbers:
            await send(f"job{number}")

    start = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(_SENDERS)))
    async with asyncio.timeout(60):
        await heard.all.wait()
    return _WAKE_UPS / (time.perf_counter() - start)


async def _connected(url: str) -> psycopg.AsyncConnection:
    return await psycopg.AsyncConnection.connect(url, autocommit=True)
