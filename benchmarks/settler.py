"""Settles pages in a process of its own: `python settler.py KIND URL JOB PAGES FILE`.

It says when it is ready, waits for a line, and prints how many seconds it took. Of
each kind is a job's whole way from its claim to its release, one page after another.
FILE has the statements: written by the kind `record`, and read by `bare`.
"""

import asyncio
import pickle
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import psycopg
from invented import NEW, create_job, trimmed_page
from sqlalchemy import Connection, create_engine, event, make_url

from headcount.adapters.clock import SystemClock
from headcount.adapters.gates import FleetPace, Gates
from headcount.adapters.http import open_client
from headcount.adapters.providers.scrapecreators import ScrapeCreators
from headcount.adapters.sql import SqlStore, open_database
from headcount.adapters.statistics import Figures
from headcount.core.model import Job
from headcount.core.statistics import SumsByPlace
from headcount.engine import Channel, Engine, Worker
from headcount.ports import Clock, Pace

RECORDED = "recorded"  # the job whose statements are written down
Transactions = list[list[tuple[str, Any]]]


@dataclass(slots=True)
class Recorder:
    """What a database is told: the statements of each transaction."""

    transactions: Transactions = field(default_factory=list)
    current: list[tuple[str, Any]] = field(default_factory=list)

    def follow(self, connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's
        """Write down what goes over a connection from now on."""
        note = self.current.append

        class Noted(psycopg.Cursor[Any]):
            def execute(self, query: Any, params: Any = None, **how: Any) -> Any:  # noqa: ANN401 - as psycopg has it
                note((query, params))
                return super().execute(query, params, **how)

            def executemany(self, query: Any, params_seq: Any, **how: Any) -> None:  # noqa: ANN401 - the same
                note((query, list(params_seq)))
                super().executemany(query, params_seq, **how)

        connection.cursor_factory = Noted

    def committed(self, _: Connection) -> None:
        """A transaction has ended."""
        self.transactions.append(list(self.current))
        self.current.clear()


class NoFigures(Figures):
    """Statistics that are switched off."""

    def add(self, connection: Connection, change: str, added: SumsByPlace) -> None:
        """Leave them as they are."""


async def settle(
    kind: str, url: str, job_id: str, pages: int, recorder: Recorder
) -> float:
    """The seconds that a job of this many pages takes, by the engine."""
    database = open_database(url)
    engine: Any = database
    if kind == "record":
        event.listen(engine.engine, "connect", recorder.follow)
        event.listen(engine.engine, "commit", recorder.committed)
    store = SqlStore(database, now=lambda: datetime.now(UTC))
    if kind == "no-figures":
        store.figures = NoFigures(database, now=lambda: datetime.now(UTC))
    job = await create_job(store, target=pages * NEW, job_id=job_id)
    recorder.transactions.clear()
    clock = SystemClock()
    answers = iter([trimmed_page(number) for number in range(pages)])

    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=next(answers))

    async with open_client(transport=httpx2.MockTransport(answer)) as client:
        provider = ScrapeCreators(client, key="benchmark")
        channel = Channel(provider, _pace(kind, store, job, clock))
        worker = Engine(store, lambda _: channel, clock, worker=Worker(job_id))
        await _ready()
        start = time.perf_counter()
        while not job.status.ended:
            job = await worker.advance(job.id)
        seconds = time.perf_counter() - start
    assert job.pages == pages
    await store.close()
    return seconds


def _pace(kind: str, store: SqlStore, job: Job, clock: Clock) -> Pace:
    """The pace of a key that all workers share; limited, each call waits its turn."""
    spacing = timedelta(milliseconds=1 if kind == "paced" else 0)
    gates = Gates(store.database)
    return FleetPace(gates, job.id, clock, concurrency=4, spacing=spacing)


async def replay(url: str, job_id: str, pages: int, recorded: Transactions) -> float:
    """The seconds that the same statements take through SQLAlchemy Core alone."""
    store = await SqlStore.open(url)
    await create_job(store, target=pages * NEW, job_id=job_id)
    await store.close()
    transactions = list(_of_job(recorded, job_id))
    address = make_url(url).set(drivername="postgresql+psycopg")
    engine = create_engine(address, connect_args={"prepare_threshold": None})
    with engine.connect():
        await _ready()
    start = time.perf_counter()
    for statements in transactions:
        with engine.begin() as connection:
            for statement, given in statements:
                found = connection.exec_driver_sql(statement, given)
                if found.returns_rows:
                    found.all()
    return time.perf_counter() - start


def _of_job(recorded: Transactions, job_id: str) -> Iterator[list[tuple[str, Any]]]:
    """The statements as they would be of this job."""

    def named(given: dict[str, Any]) -> dict[str, Any]:
        texts = {
            n: v.replace(RECORDED, job_id) for n, v in given.items() if type(v) is str
        }
        return given | texts

    for statements in recorded:
        yield [
            (sql, [named(row) for row in given])
            if isinstance(given, list)
            else (sql, named(given))
            for sql, given in statements
            if given
        ]


async def _ready() -> None:
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)


def main() -> None:
    """Do as the command line says."""
    kind, url, job_id, number, name = sys.argv[1:]
    pages, file, recorder = int(number), Path(name), Recorder()
    if kind == "bare":
        recorded = pickle.loads(file.read_bytes())  # noqa: S301 - it is our own
        print(asyncio.run(replay(url, job_id, pages, recorded)))
        return
    print(asyncio.run(settle(kind, url, job_id, pages, recorder)))
    if kind == "record":
        file.write_bytes(pickle.dumps(recorder.transactions))


if __name__ == "__main__":
    main()
