"""`POST /api/jobs` by twelve clients that keep at it, while a worker has 50 jobs."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import quantiles
from tempfile import TemporaryDirectory

import msgspec
from figures import Figure, Say
from postgres import running_postgres
from service import cpu_seconds, running

from headcount.adapters.clock import SystemClock
from headcount.adapters.keys import Keys, Scope
from headcount.adapters.sql import SqlStore
from headcount.core.model import Limits
from headcount.core.search import build_search, new_job
from headcount.runners.pgqueuer import PgQueuerWaker

_JOBS, _CLIENTS = 50, 12
_SETTLING, _SECONDS, _ROUNDS = 5.0, 4.0, 4
_PER_SECOND, _P99 = 300, 0.1  # the targets
_KEYWORDS = ("apple", "tech", "gaming", "tea", "coffee", "art", "dance", "food")
_BODY = msgspec.json.encode(
    {"keywords": ["apple", "tech"], "targetResults": 100, "sandbox": True}
)
_SETTINGS = {
    "HEADCOUNT_REQUESTS_PER_MINUTE": "1000000",
    "HEADCOUNT_SANDBOX_LATENCY_MS": "1000",
    "HEADCOUNT_CONCURRENCY": str(_JOBS),
}


@dataclass(slots=True)
class Round:
    """What the clients saw in a few seconds, and what it took of the service."""

    waited: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.waited) / self.seconds


async def measure(say: Say) -> AsyncIterator[Figure]:
    """The best round counts, as the others had less of the machine."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        postgres = await stack.enter_async_context(running_postgres())
        url = postgres.fresh()
        await PgQueuerWaker(url, SystemClock()).install()
        over_postgres = await _best(url, say, HEADCOUNT_RUNNER="pgqueuer")
        over_sqlite = await _best(f"sqlite:///{folder}/jobs.db", say)
    for figure in _figures(over_postgres, "Postgres", _PER_SECOND, _P99):
        yield figure
    for figure in _figures(over_sqlite, "SQLite"):
        yield figure


def _figures(
    best: Round, where: str, rate: float | None = None, p99: float | None = None
) -> list[Figure]:
    number = len(best.waited)
    last = quantiles(best.waited, n=100)[98]
    return [
        Figure(
            "posts",
            f"ms between two answers on {where} ({best.rate:.0f} a second)",
            1000 / best.rate,
            rate and 1000 / rate,
            number,
            "ms",
        ),
        Figure(
            "posts",
            f"p99 of the wait on {where}",
            1000 * last,
            p99 and 1000 * p99,
            number,
            "ms",
        ),
        Figure(
            "posts",
            f"of the server's CPU for one on {where}",
            1000 * best.cpu / number,
            n=number,
            unit="ms",
        ),
    ]


async def _best(url: str, say: Say, **environment: str) -> Round:
    """The round with the most answers, of some on one database."""
    token = await _filled(url)
    environment |= {"HEADCOUNT_DATABASE_URL": url, **_SETTINGS}
    rounds: list[Round] = []
    async with AsyncExitStack() as stack:
        serve = ("serve", "--no-work", "--port", "0")
        server, port = await stack.enter_async_context(
            running(*serve, environment=environment)
        )
        await stack.enter_async_context(running("worker", environment=environment))
        say("the worker takes up its jobs")
        await asyncio.sleep(_SETTLING)
        for turn in range(_ROUNDS):
            say(f"round {turn + 1} of {_ROUNDS}: {url.partition(':')[0]}")
            done, until = Round(), time.monotonic() + _SECONDS
            before = cpu_seconds(server)
            clients = (_post(port, token, until, done) for _ in range(_CLIENTS))
            await asyncio.gather(*clients)
            done.cpu = cpu_seconds(server) - before
            done.seconds = time.monotonic() - until + _SECONDS
            rounds.append(done)
    return max(rounds, key=lambda done: done.rate)


async def _filled(url: str) -> str:
    """Store the jobs that are worked on meanwhile, and make a key."""
    store = await SqlStore.open(url)
    now = datetime.now(UTC)
    limits = Limits(max_calls=100_000)
    for number in range(_JOBS):
        search = build_search(5_000, _KEYWORDS, provider="sandbox/1", limits=limits)
        await store.create(new_job(f"running{number}", search, now))
    _, token = await Keys(store.database, now=lambda: now).create("me", Scope.WRITE)
    await store.close()
    return token


async def _post(port: int, token: str, until: float, done: Round) -> None:
    """Ask again and again over one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}"
        f"\r\nContent-Type: application/json\r\nContent-Length: {len(_BODY)}\r\n\r\n"
    )
    request = head.encode() + _BODY
    while time.monotonic() < until:
        start = time.monotonic()
        writer.write(request)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert answer.startswith(b"http/1.1 201"), answer
        length = answer.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        done.waited.append(time.monotonic() - start)
    writer.close()
    await writer.wait_closed()
