"""All that is asked of the database: every statement once, and who executes it.

Those that every database understands are made at import; `Statements` has those of
one database in its own words. Each is compiled once.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Insert,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    text,
    tuple_,
    update,
)

from headcount.adapters import rows
from headcount.adapters.database import Database, Prepared, filled
from headcount.adapters.service_tables import deliveries
from headcount.adapters.tables import (
    Moment,
    calls,
    creators,
    events,
    jobs,
    posts,
    sources,
)
from headcount.core.calls import Call
from headcount.core.errors import NoSuchJob
from headcount.core.model import Change, Job, Known, Seen, Selection, Source
from headcount.core.sighting import Verdict
from headcount.ports import Event

BATCH = 1_000  # rows read in one go, so that nobody waits long for a reader

_JOB: BindParameter[str] = bindparam("job", type_=jobs.c.id.type)
_OPEN = text("state = 'open'")  # in these words, or SQLite would not use the index

# --------------------------------------------------------------------------- one job
_VERSION = select(jobs.c.version).where(jobs.c.id == _JOB)
_LOAD_JOB = select(*rows.JOB).where(jobs.c.id == _JOB)
_LOAD_SOURCES = (
    select(*rows.SOURCE).where(sources.c.job_id == _JOB).order_by(sources.c.id)
)
_LOAD_OPEN_CALLS = (
    select(*rows.CALL).where(calls.c.job_id == _JOB, _OPEN).order_by(calls.c.id)
)
_CREATE_JOB = insert(jobs)
_TIME = select(func.clock_timestamp())
_DELETE_JOB = delete(jobs).where(jobs.c.id == _JOB)
_POSTS_OF_CREATOR = and_(
    posts.c.job_id == creators.c.job_id, posts.c.number == creators.c.number
)


class Statements:
    """The statements of a step, in the words of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._version = Prepared(database, _VERSION)
        self._lock = Prepared(database, _VERSION.with_for_update())
        self._known = Prepared(
            database,
            select(
                creators.c.creator_key,
                creators.c.number,
                creators.c.verdict,
                posts.c.source,
                posts.c.video_id,
            )
            .outerjoin(posts, _POSTS_OF_CREATOR)
            .where(
                database.among(creators.c.job_id, creators.c.creator_key, "job", "keys")
            ),
        )
        self._write_sources = self._upsert(sources, "job_id", "id")
        self._write_calls = self._upsert(calls, "job_id", "id")
        self._write_creators = self._upsert(creators, "job_id", "creator_key")
        self._write_posts = self._insert(database.insert_missing(posts), posts)
        self._write_event = self._insert(insert(events), events)
        self._write_deliveries = self._insert(insert(deliveries), deliveries)
        self._update_job = cache(self._update_of_job)

    def _upsert(self, table: Table, *by: str) -> Prepared:
        return self._insert(self._database.upsert(table, *by), table)

    def _insert(self, statement: Insert, table: Table) -> Prepared:
        return Prepared(self._database, filled(statement, table, table.columns.keys()))

    def _update_of_job(self, names: frozenset[str]) -> Prepared:
        """An update of these columns, so that only what changed is indexed anew."""
        this = update(jobs).where(jobs.c.id == _JOB)
        return Prepared(self._database, filled(this, jobs, sorted(names)))

    def create(self, connection: Connection, job: Job) -> None:
        """Write a new job."""
        connection.execute(_CREATE_JOB, rows.job_row(job))
        self._write_sources.write(connection, rows.source_rows(job.id, job.sources))

    def load(
        self,
        connection: Connection,
        job_id: str,
        remembered: Job | None,
        *,
        lock: bool = False,
    ) -> Job:
        """Read a job, unless it is the remembered one in the version it still has.

        With `lock`, nobody else changes it before the transaction ends.

        Raises:
            NoSuchJob: no job has this id.
        """
        given = {"job": job_id}
        found = (self._lock if lock else self._version).read(connection, given)
        if not found:
            raise NoSuchJob(f"no job has the id {job_id!r}")
        if remembered and remembered.version == found[0][0]:
            return remembered
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


# ------------------------------------------------------------------------- long lists
# Each list starts with the column by which the next batch goes on.
_AFTER: BindParameter[int] = bindparam("after")
_CALL_OF_CREATOR = and_(
    calls.c.job_id == creators.c.job_id, calls.c.id == creators.c.call
)
_SEEN_IN = (
    select(func.count(posts.c.video_id.distinct()))
    .where(_POSTS_OF_CREATOR)
    .scalar_subquery()
)
DELIVERED = (
    select(creators.c.ordinal, *rows.FINDING, _SEEN_IN)
    .join_from(creators, calls, _CALL_OF_CREATOR)
    .join(jobs, jobs.c.id == creators.c.job_id)
    .where(creators.c.job_id == _JOB, creators.c.ordinal > _AFTER)
    .where(creators.c.ordinal <= jobs.c.target)
    .order_by(creators.c.ordinal)
    .limit(BATCH)
)
FINDINGS = (
    select(creators.c.number, *rows.FINDING, _SEEN_IN)
    .join_from(creators, calls, _CALL_OF_CREATOR)
    .where(creators.c.job_id == _JOB, creators.c.number > _AFTER)
    .order_by(creators.c.number)
    .limit(BATCH)
)
CALLS = (
    select(calls.c.id, *rows.CALL)
    .where(calls.c.job_id == _JOB, calls.c.id > _AFTER)
    .order_by(calls.c.id)
    .limit(BATCH)
)
EVENTS = (
    select(events.c.id, *rows.EVENT)
    .where(events.c.job_id == _JOB, events.c.id > _AFTER)
    .order_by(events.c.id)
    .limit(BATCH)
)


def batch(
    connection: Connection, statement: Select[Any], job_id: str, after: int
) -> Sequence[Row[Any]]:
    """Read the rows of a list that come next."""
    return connection.execute(statement, {"job": job_id, "after": after}).all()


_NEWEST_FIRST = select(*rows.JOB).order_by(jobs.c.created_at.desc(), jobs.c.id.desc())
_PLACE = tuple_(jobs.c.created_at, jobs.c.id)
_IDS: BindParameter[list[str]] = bindparam("ids", expanding=True)
_SOURCES_OF = (
    select(sources.c.job_id, *rows.SOURCE)
    .where(sources.c.job_id.in_(_IDS))
    .order_by(sources.c.job_id, sources.c.id)
)
_OPEN_CALLS_OF = (
    select(calls.c.job_id, *rows.CALL)
    .where(calls.c.job_id.in_(_IDS), _OPEN)
    .order_by(calls.c.job_id, calls.c.id)
)


def jobs_after(
    connection: Connection, last: Job | None, selection: Selection, limit: int
) -> list[Job]:
    """Read the newest jobs of a selection, or those that come next to the last one."""
    statement = _NEWEST_FIRST.where(*_selected(selection)).limit(limit)
    if last is not None:
        place = tuple_(literal(last.created_at, Moment), literal(last.id))
        statement = statement.where(place > _PLACE)
    found = connection.execute(statement).all()
    of_job: dict[str, list[Source]] = {row.id: [] for row in found}
    out: dict[str, list[Call]] = {row.id: [] for row in found}
    given = {"ids": list(of_job)}
    for job_id, *values in connection.execute(_SOURCES_OF, given):
        of_job[job_id].append(Source(*values))
    for job_id, *values in connection.execute(_OPEN_CALLS_OF, given):
        out[job_id].append(Call(*values))
    return [rows.job_of(row, of_job[row.id], out[row.id]) for row in found]


def _selected(selection: Selection) -> Iterator[ColumnElement[bool]]:
    """What is asked of a job for each field of a selection that is set."""
    tests: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        "status": jobs.c.status.__eq__,
        "owner": jobs.c.owner.__eq__,
        "campaign": jobs.c.campaign.__eq__,
        "end_user": jobs.c.end_user.__eq__,
        "keyword": _has_keyword,
        "created_from": jobs.c.created_at.__ge__,
        "created_to": jobs.c.created_at.__lt__,
    }
    for name, test in tests.items():
        value = getattr(selection, name)
        if value is not None:
            yield test(value)


def _has_keyword(keyword: str) -> ColumnElement[bool]:
    return exists().where(sources.c.job_id == jobs.c.id, sources.c.keyword == keyword)


_VERSIONS = select(jobs.c.id, jobs.c.version).where(jobs.c.id.in_(_IDS))


def versions(connection: Connection, job_ids: Collection[str]) -> dict[str, int]:
    """Read the versions that these jobs have, as far as they exist."""
    found = connection.execute(_VERSIONS, {"ids": list(job_ids)})
    return {row.id: row.version for row in found}


_NOW: BindParameter[datetime] = bindparam("now", type_=Moment)
_DUE = (
    select(jobs.c.id)
    .where(jobs.c.due_at <= _NOW)
    .order_by(jobs.c.due_at)
    .limit(bindparam("limit"))
)


def due(connection: Connection, now: datetime, limit: int) -> list[str]:
    """Read the ids of the jobs that have been due for longest."""
    found = connection.execute(_DUE, {"now": now, "limit": limit})
    return list(found.scalars())
