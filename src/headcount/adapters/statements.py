"""What a step asks of the database: every statement once, and who executes it.

Those that every database understands are made at import; `Statements` has those of
one database in its own words. Each is compiled once.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Insert,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)

from headcount.adapters import rows
from headcount.adapters.database import (
    Database,
    Prepared,
    filled,
    insert_missing,
    upsert,
)
from headcount.adapters.service_tables import (
    EVERY_KEY,
    allowances,
    deliveries,
    provider_keys,
)
from headcount.adapters.tables import (
    calls,
    creators,
    events,
    jobs,
    posts,
    sources,
)
from headcount.core.calls import Call
from headcount.core.errors import NoSuchJob
from headcount.core.model import Change, Job, Known, Seen, Source
from headcount.core.sighting import Verdict
from headcount.ports import Event

JOB_ID: BindParameter[str] = bindparam("job", type_=jobs.c.id.type)
STILL_OPEN = text("state = 'open'")  # in these words, or SQLite would not use the index

# --------------------------------------------------------------------------- one job
_VERSION = select(jobs.c.version).where(jobs.c.id == JOB_ID)
_STOP = select(provider_keys.c.reason).where(
    provider_keys.c.id == literal_column(f"'{EVERY_KEY}'"),
    provider_keys.c.paused_at.is_not(None),
)
_LOCK = select(
    jobs.c.version, exists().select_from(allowances), _STOP.scalar_subquery()
).where(jobs.c.id == JOB_ID)
_LOAD_JOB = select(*rows.JOB).where(jobs.c.id == JOB_ID)
_LOAD_SOURCES = (
    select(*rows.SOURCE).where(sources.c.job_id == JOB_ID).order_by(sources.c.id)
)
_LOAD_OPEN_CALLS = (
    select(*rows.CALL).where(calls.c.job_id == JOB_ID, STILL_OPEN).order_by(calls.c.id)
)
_CREATE_JOB = insert(jobs)
_TIME = select(func.clock_timestamp())
_DELETE_JOB = delete(jobs).where(jobs.c.id == JOB_ID)
POSTS_OF_CREATOR = and_(
    posts.c.job_id == creators.c.job_id, posts.c.number == creators.c.number
)


class Statements:
    """The statements of a step, in the words of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._version = Prepared(database, _VERSION)
        self._lock = Prepared(database, _LOCK.with_for_update(of=jobs))
        self._known = Prepared(
            database,
            select(
                creators.c.creator_key,
                creators.c.number,
                creators.c.verdict,
                posts.c.source,
                posts.c.video_id,
            )
            .outerjoin(posts, POSTS_OF_CREATOR)
            .where(
                database.among(creators.c.job_id, creators.c.creator_key, "job", "keys")
            ),
        )
        self._write_sources = self._upsert(sources, "job_id", "id")
        self._write_calls = self._upsert(calls, "job_id", "id")
        self._write_creators = self._upsert(creators, "job_id", "creator_key")
        self._write_posts = self._insert(insert_missing(database, posts), posts)
        self._write_event = self._insert(insert(events), events)
        self._write_deliveries = self._insert(insert(deliveries), deliveries)
        self._update_job = cache(self._update_of_job)

    def _upsert(self, table: Table, *by: str) -> Prepared:
        return self._insert(upsert(self._database, table, *by), table)

    def _insert(self, statement: Insert, table: Table) -> Prepared:
        return Prepared(self._database, filled(statement, table, table.columns.keys()))

    def _update_of_job(self, names: frozenset[str]) -> Prepared:
        """An update of these columns, so that only what changed is indexed anew."""
        this = update(jobs).where(jobs.c.id == JOB_ID)
        return Prepared(self._database, filled(this, jobs, sorted(names)))

    def create(self, connection: Connection, new: Sequence[Job]) -> None:
        """Write new jobs."""
        connection.execute(_CREATE_JOB, [rows.job_row(job) for job in new])
        found = (row for job in new for row in rows.source_rows(job.id, job.sources))
        self._write_sources.write(connection, found)

    def load(self, connection: Connection, job_id: str, remembered: Job | None) -> Job:
        """Read a job, unless it is the remembered one in the version it still has.

        Raises:
            NoSuchJob: no job has this id.
        """
        version, *_ = self._one(connection, self._version, job_id)
        return self._current(connection, job_id, remembered, version)

    def lock(
        self, connection: Connection, job_id: str, remembered: Job | None
    ) -> tuple[Job, bool, str | None]:
        """Read a job that nobody else changes before the transaction ends.

        Says too whether allowances are set, be it for this job's owner or others, and
        why all calls are stopped if they are.

        Raises:
            NoSuchJob: no job has this id.
        """
        version, limited, stop = self._one(connection, self._lock, job_id)
        job = self._current(connection, job_id, remembered, version)
        return job, bool(limited), stop

    def _one(
        self, connection: Connection, query: Prepared, job_id: str
    ) -> Sequence[Any]:
        found = query.read(connection, {"job": job_id})
        if not found:
            raise NoSuchJob(f"no job has the id {job_id!r}")
        row: Sequence[Any] = found[0]
        return row

    def _current(
        self, connection: Connection, job_id: str, remembered: Job | None, version: int
    ) -> Job:
        if remembered and remembered.version == version:
            return remembered
        given = {"job": job_id}
        return rows.job_of(
            connection.execute(_LOAD_JOB, given).one(),
            [Source(*row) for row in connection.execute(_LOAD_SOURCES, given)],
            [Call(*row) for row in connection.execute(_LOAD_OPEN_CALLS, given)],
        )

    def known(self, connection: Connection, job_id: str, keys: Sequence[str]) -> Known:
        """Read what a job knows of these creators."""
        if not keys:
            return {}
        found: dict[str, tuple[int, Verdict]] = {}
        seen: dict[str, set[tuple[int, str]]] = {}
        given = {"job": job_id, "keys": self._database.as_array(keys)}
        for row in self._known.read(connection, given):
            key, number, verdict, source, video = row
            found[key] = number, Verdict(verdict)
            seen.setdefault(key, set()).add((source, video))
        return {key: Seen(*found[key], frozenset(seen[key])) for key in found}

    def write(
        self,
        connection: Connection,
        before: Job,
        change: Change,
        news: Iterable[Event],
        told: Iterable[Event],
    ) -> None:
        """Write what a change makes of a job, and nothing of what stays the same.

        Of the news, `told` is what the job's webhook is to be told.
        """
        job = change.job
        old, new = rows.job_row(before), rows.job_row(job)
        changed = frozenset(name for name in new if new[name] != old[name])
        same = {id(source) for source in before.sources}
        moved = [source for source in job.sources if id(source) not in same]
        with self._database.together(connection):
            self._update_job(changed).write(connection, [{"job": job.id, **new}])
            self._write_sources.write(connection, rows.source_rows(job.id, moved))
            self._write_calls.write(connection, rows.call_rows(job.id, change.calls))
            found = rows.creator_rows(job.id, change.findings)
            self._write_creators.write(connection, found)
            self._write_posts.write(connection, rows.post_rows(job.id, change.posts))
            self._write_event.write(connection, rows.event_rows(job.id, news))
            self._write_deliveries.write(connection, rows.delivery_rows(job, told))


def time(connection: Connection) -> datetime:
    """Read the database's clock."""
    found: datetime = connection.execute(_TIME).scalar_one()
    return found.astimezone(UTC)


def forget(connection: Connection, job_id: str) -> None:
    """Delete a job and all that hangs on it.

    Raises:
        NoSuchJob: no job has this id.
    """
    if not connection.execute(_DELETE_JOB, {"job": job_id}).rowcount:
        raise NoSuchJob(f"no job has the id {job_id!r}")
