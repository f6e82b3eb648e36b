"""The store in a database: one transaction a change, off the event loop.

SQLAlchemy is used synchronously in a thread of its own, which takes less than half the
time of an asynchronous driver.
"""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import URL, Connection, Select, make_url
from sqlalchemy.exc import ArgumentError

from headcount.acts import Observers, Write
from headcount.adapters import lists, schema, statements
from headcount.adapters.allowances import Allowances
from headcount.adapters.database import Database
from headcount.adapters.gathered import Gathered
from headcount.adapters.sqlite import Sqlite
from headcount.adapters.statements import Statements
from headcount.adapters.statistics import Figures
from headcount.core import report
from headcount.core.allowances import granted, taken
from headcount.core.calls import Call
from headcount.core.errors import InvalidSetting
from headcount.core.model import Change, Finding, Job
from headcount.core.selection import ALL_JOBS, Selection
from headcount.core.statistics import difference
from headcount.core.webhooks import is_told
from headcount.ports import Event, Rule

_EXAMPLES = (
    "a URL such as sqlite:///headcount.db or postgresql://user:password@host/database"
)
_REMEMBERED = 64  # jobs, as they were last seen: what runs is not read again


class SqlStore:
    """Both sides of a store, `Store` and `Records`, in a database."""

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], datetime],
        observers: Observers | None = None,
    ) -> None:
        self.database, self._now = database, now
        self._observers = observers or Observers()
        self.figures = Figures(database, now=now)
        self.allowances = Allowances(database)
        self._statements = Statements(database)
        self._created = Gathered(self._create)
        self._remembered: dict[str, Job] = {}

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        busy_timeout: float = 10.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        observers: Observers | None = None,
    ) -> "SqlStore":
        """Open the store at a URL such as `sqlite:///headcount.db`, or make it.

        `observers` see every change of a job.

        Raises:
            InvalidSetting: the URL cannot be read, or names another database.
            StoreError: the database cannot be used, and why.
        """
        database = open_database(url, busy_timeout=busy_timeout)
        try:
            await schema.ready(database)
        except BaseException:
            await database.close()
            raise
        return cls(database, now=now, observers=observers)

    async def time(self) -> datetime | None:
        """The present as the database has it; `None` where it has no clock."""
        if self.database.schema is None:
            return None
        return await self.database.read(statements.time)

    # --------------------------------------------------------------- the writing side
    async def create(self, job: Job) -> Job:
        """Keep a new job."""
        return await self._created(job)

    async def load(self, job_id: str) -> Job:
        """The job as it stands."""
        job = await self.database.read(partial(self._load, job_id=job_id))
        if not job.status.ended:
            self._remember(job)  # who takes it forward next need not read it again
        return job

    async def change(self, job_id: str, rule: Rule, keys: Sequence[str] = ()) -> Change:
        """Apply a rule to the job, and write all that it changes, or nothing."""
        work = partial(self._apply, job_id=job_id, rule=rule, keys=keys)
        with self._observers.during(Write(job_id)) as act:
            act.change = change = await self.database.write(work)
        self._remember(change.job)
        return change

    async def delete(self, job_id: str) -> None:
        """Forget a job and all that it found."""
        await self.database.write(partial(self._forget, job_id=job_id))
        self._remembered.pop(job_id, None)

    async def close(self) -> None:
        """Let go of the database, once what is under way is finished."""
        await self.database.close()

    # --------------------------------------------------------------- the reading side
    async def jobs(
        self,
        selection: Selection = ALL_JOBS,
        *,
        after: Job | None = None,
        batch: int = lists.BATCH,
    ) -> AsyncIterator[Job]:
        """The jobs selected, the newest first; or those that come after this one."""
        read = partial(lists.jobs_after, selection=selection, limit=batch)
        while found := await self.database.read(partial(read, last=after)):
            for job in found:
                yield job
            after = found[-1]

    async def versions(self, job_ids: Collection[str]) -> dict[str, int]:
        """The versions of these jobs, as far as they exist."""
        return await self.database.read(partial(lists.versions, job_ids=job_ids))

    async def due(self, now: datetime, limit: int) -> list[str]:
        """The ids of jobs that should be looked at by now, the longest due first."""
        return await self.database.read(partial(lists.due, now=now, limit=limit))

    async def standing(self, now: datetime) -> dict[str, int]:
        """How many jobs are due, at work, or waiting; not more than 10,000 in all."""
        return await self.database.read(partial(lists.standing, now=now))

    async def delivered(
        self, job_id: str, after: int = 0
    ) -> AsyncIterator[tuple[Finding, int]]:
        """The delivered creators beyond an ordinal, each with the number of posts."""
        rows = self._rows(lists.DELIVERED, job_id, after)
        async for _, *values, seen_in in rows:
            yield Finding(*values), seen_in

    async def findings(self, job_id: str) -> AsyncIterator[tuple[Finding, int]]:
        """All creators of a job in the order found, spares and rejected ones too."""
        async for _, *values, seen_in in self._rows(lists.FINDINGS, job_id):
            yield Finding(*values), seen_in

    async def calls(self, job_id: str, after: int = 0) -> AsyncIterator[Call]:
        """The ledger of a job beyond the call with this id, as the calls were held."""
        async for _, *values in self._rows(lists.CALLS, job_id, after):
            yield Call(*values)

    async def events(self, job_id: str, after: int = 0) -> AsyncIterator[Event]:
        """What happened to a job since the event with this id."""
        async for _, *values in self._rows(lists.EVENTS, job_id, after):
            yield Event(*values)

    async def _rows(
        self, statement: Select[Any], job_id: str, after: int = 0
    ) -> AsyncIterator[Sequence[Any]]:
        """All rows of a list, in batches that are each a transaction of their own."""
        read = partial(lists.batch, statement=statement, job_id=job_id)
        while batch := await self.database.read(partial(read, after=after)):
            for row in batch:
                yield row
            after = batch[-1][0]

    async def _create(self, new: list[Job]) -> list[Job]:
        await self.database.write(partial(self._statements.create, new=new))
        return new

    # ------------------------------------------------------------ in one transaction
    def _load(self, connection: Connection, job_id: str) -> Job:
        remembered = self._remembered.get(job_id)
        return self._statements.load(connection, job_id, remembered)

    def _lock(
        self, connection: Connection, job_id: str
    ) -> tuple[Job, bool, str | None]:
        remembered = self._remembered.get(job_id)
        return self._statements.lock(connection, job_id, remembered)

    def _apply(
        self, connection: Connection, job_id: str, rule: Rule, keys: Sequence[str]
    ) -> Change:
        before, limited, stop = self._lock(connection, job_id)
        now = self._now()
        held = self.allowances.of(connection, before, now) if limited else []
        job = granted(before, held, now, stop=stop)
        change = rule(job, self._statements.known(connection, job_id, keys))
        if change.job is job:
            return change
        change = replace(change, job=replace(change.job, version=before.version + 1))
        news = self._news(change)
        told = [e for e in news if is_told(change.job, e.type, e.at)]
        if told:
            change = replace(change, job=replace(change.job, told_at=told[0].at))
        self._statements.write(connection, before, change, news, told)
        added = difference(before, change.job)
        self.figures.add(connection, _name(change.job), added)
        self.allowances.take(connection, held, taken(before, change, now))
        return change

    def _forget(self, connection: Connection, job_id: str) -> None:
        job, *_ = self._lock(connection, job_id)
        statements.forget(connection, job_id)
        name = _name(replace(job, version=job.version + 1))
        self.figures.add(connection, name, difference(job, None))

    def _news(self, change: Change) -> list[Event]:
        news = report.event(change)
        return (
            [Event(change.job.version, news[0], self._now(), news[1])] if news else []
        )

    def _remember(self, job: Job) -> None:
        """Keep a job as it was committed, and drop the one kept longest.

        Parts that were read while it changed are of a version that is gone by then.
        """
        self._remembered.pop(job.id, None)
        self._remembered[job.id] = job
        if len(self._remembered) > _REMEMBERED:
            del self._remembered[next(iter(self._remembered))]


def _name(job: Job) -> str:
    """What the change is called that brought the job to its version."""
    return f"{job.id}.{job.version}"


def open_database(url: str, *, busy_timeout: float = 10.0) -> Database:
    """Find the kind of database that a URL names; nothing is connected yet.

    Raises:
        InvalidSetting: the URL cannot be read, or names another kind.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise InvalidSetting(f"HEADCOUNT_DATABASE_URL: expected {_EXAMPLES}") from None
    if parsed.drivername in {"sqlite", "sqlite+pysqlite"}:
        return Sqlite(parsed, busy_timeout=busy_timeout)
    if parsed.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
        return _postgres(parsed)
    raise InvalidSetting(
        f"HEADCOUNT_DATABASE_URL: expected {_EXAMPLES}, not one of {parsed.drivername}"
    )


def _postgres(url: URL) -> Database:
    try:
        from headcount.adapters.postgres import Postgres  # noqa: PLC0415 - an extra
    except ImportError:
        raise InvalidSetting(
            "HEADCOUNT_DATABASE_URL names a Postgres, whose driver is not installed: "
            "install headcount[postgres]"
        ) from None
    return Postgres(url)
