"""Times whole steps: from a page's bytes in the client's hands to the commit."""

import sqlite3
import time
from dataclasses import dataclass, field

import httpx2
from invented import big_page
from sqlalchemy import Connection

from headcount.adapters.clock import SystemClock
from headcount.adapters.http import open_client
from headcount.adapters.pace import KeyPace
from headcount.adapters.providers.scrapecreators import ScrapeCreators
from headcount.adapters.sql import SqlStore
from headcount.core.calls import CallState
from headcount.core.model import Change, Job
from headcount.engine import Channel, Engine, Worker


@dataclass(slots=True)
class Steps:
    """How long each page took, in seconds, and how many statements it was worth."""

    seconds: list[float] = field(default_factory=list)
    statements: list[int] = field(default_factory=list)
    given_at: float = 0.0
    executed: int = 0


async def run_steps(store: SqlStore, job: Job) -> Steps:
    """Work on a job to its end with untrimmed pages that are there at once."""
    steps = Steps()
    numbers = iter(range(job.pages, job.pages + job.missing))

    def answer(_: httpx2.Request) -> httpx2.Response:
        response = httpx2.Response(200, content=big_page(next(numbers)))
        steps.executed, steps.given_at = 0, time.perf_counter()
        return response

    def watch(change: Change) -> None:
        seconds = time.perf_counter() - steps.given_at
        if any(call.state is CallState.SETTLED for call in change.calls):
            steps.seconds.append(seconds)
            steps.statements.append(steps.executed)

    clock = SystemClock()
    async with open_client(transport=httpx2.MockTransport(answer)) as client:
        provider = ScrapeCreators(client, key="benchmark", trim=False)
        channel = Channel(provider, KeyPace(clock, concurrency=4))
        engine = Engine(
            store, lambda _: channel, clock, worker=Worker("benchmark"), watch=watch
        )
        await _count_statements(store, steps)
        await engine.advance(job.id)
    return steps


async def _count_statements(store: SqlStore, steps: Steps) -> None:
    """Count what the store executes, once however many rows a statement is given."""
    last = ""

    def executed(statement: str) -> None:
        nonlocal last
        words = statement.partition(" VALUES ")[0]
        steps.executed += words != last
        last = words

    def listen(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_trace_callback(executed)

    await store.database.read(listen)
