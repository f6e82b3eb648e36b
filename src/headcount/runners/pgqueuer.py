"""Wake-ups between machines, carried by PgQueuer over the Postgres that has the jobs.

A wake-up says "look at job J" to one worker, and nothing more. The tables that carry
them may lose all that is in them: what is due stands in the jobs' own rows, and every
worker looks there too. So no wake-up is retried, and none is worth waiting for.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import psycopg
from pgqueuer import Job, PsycopgDriver, Queries, QueueManager
from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel
from sqlalchemy import make_url

from headcount.adapters.gathered import Gathered
from headcount.adapters.postgres import SCHEMA
from headcount.ports import Clock

_LOG = logging.getLogger(__name__)
_ENTRYPOINT = "look_at"
_IN_ONE = 10  # jobs of a message, which one worker gets
# Its defaults would take 30 s to pick up what a dead worker was about to look at.
DEQUEUE, HEARTBEAT = timedelta(seconds=2), timedelta(seconds=10)
_CONNECT_TIMEOUT = 5  # seconds
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0  # seconds until a lost connection is replaced
SETTINGS = DBSettings(
    prefix="wakeup_",
    db_schema=SCHEMA,
    channel=Channel("headcount_wakeups"),
    durability=Durability.volatile,
)


class PgQueuerWaker:
    """Sends and receives wake-ups; the URL must not lead through a pooler."""

    def __init__(self, url: str, clock: Clock) -> None:
        plain = make_url(url).set(drivername="postgresql")
        self._address = plain.render_as_string(hide_password=False)
        self._clock = clock
        self._sending: psycopg.AsyncConnection | None = None
        self._sent = Gathered(self._send)

    async def wake(self, job_id: str, at: datetime) -> None:
        """Have some worker look at the job; what cannot be sent is dropped."""
        if at <= self._clock.now():
            await self._sent(job_id)

    async def _send(self, job_ids: list[str]) -> list[None]:
        """Send what came up together as few messages, since each has a price."""
        messages: list[bytes | None] = [
            " ".join(job_ids[start : start + _IN_ONE]).encode()
            for start in range(0, len(job_ids), _IN_ONE)
        ]
        number = len(messages)
        try:
            if self._sending is None or self._sending.closed:
                self._sending = await self._connect()
            await queries_over(self._sending).enqueue(
                [_ENTRYPOINT] * number, messages, [0] * number
            )
        except psycopg.Error as error:
            for job_id in job_ids:
                _LOG.warning("job %s is not announced: %s", job_id, _line(error))
            await self.close()
        return [None] * len(job_ids)

    async def listen(self, take: Callable[[str], None]) -> None:
        """Hand on the wake-ups that come here, for ever, through restarts and all."""
        pause = _FIRST_PAUSE
        while True:
            began = self._clock.now()
            try:
                await self._listen_once(take)
            except Exception as error:  # noqa: BLE001 - whatever it is: connect anew
                _LOG.warning("no wake-ups until connected again: %s", _line(error))
            if self._clock.now() - began > HEARTBEAT:
                pause = _FIRST_PAUSE  # it went well for a while
            await self._clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def install(self) -> None:
        """Make or upgrade the tables that carry the wake-ups."""
        async with self._connected() as connection:
            queries = queries_over(connection)
            if await queries.schema_is_installed():
                await queries.upgrade()
            else:
                await queries.install()

    async def close(self) -> None:
        """Let go of the connection that sends."""
        if self._sending is not None:
            with suppress(psycopg.Error):
                await self._sending.close()
        self._sending = None

    async def _listen_once(self, take: Callable[[str], None]) -> None:
        async with self._connected() as connection:
            manager = QueueManager(queries_over(connection), channel=SETTINGS.channel)

            @manager.entrypoint(_ENTRYPOINT)
            async def look_at(job: Job) -> None:
                for job_id in (job.payload or b"").decode().split():
                    take(job_id)

            await manager.run(
                dequeue_timeout=DEQUEUE,
                heartbeat_timeout=HEARTBEAT,
                shutdown_on_listener_failure=True,
            )

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[psycopg.AsyncConnection]:
        connection = await self._connect()
        try:
            yield connection
        finally:
            await connection.close()

    async def _connect(self) -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(
            self._address,
            autocommit=True,
            connect_timeout=_CONNECT_TIMEOUT,
            application_name="headcount",
            options="-c synchronous_commit=off",  # a wake-up may be lost
        )


def queries_over(connection: psycopg.AsyncConnection) -> Queries:
    """PgQueuer's statements in the tables of ours."""
    return Queries(
        PsycopgDriver(connection),
        qbe=QueryBuilderEnvironment(SETTINGS),
        qbq=QueryQueueBuilder(SETTINGS),
        qbs=QuerySchedulerBuilder(SETTINGS),
    )


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
