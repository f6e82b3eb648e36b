"""All that is asked of the database: every statement once, and who executes it.

Statements are made at import, so that SQLAlchemy compiles each of them once.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Insert,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    tuple_,
    update,
)

from headcount.adapters import rows, sqlite
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
from headcount.core.model import Change, Job, Known, Seen, Source, Status
from headcount.core.sighting import Verdict
from headcount.ports import Event

BATCH = 1_000  # rows read in one go, so that nobody waits long for a reader

_JOB: BindParameter[str] = bindparam("job")
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
# The id is left as it is: to write it makes SQLite visit all that refers to it.
_UPDATE_JOB = sqlite.Prepared(
    update(jobs).where(jobs.c.id == bindparam("id", type_=jobs.c.id.type)),
    jobs,
    *(column.name for column in jobs.columns if column is not jobs.c.id),
)
_DELETE_JOB = delete(jobs).where(jobs.c.id == _JOB)


def create(connection: Connection, job: Job) -> None:
    """Write a new job."""
    connection.execute(_CREATE_JOB, rows.job_row(job))
    _WRITE_SOURCES.write(connection, rows.source_rows(job.id, job.sources))


def load(connection: Connection, job_id: str, remembered: Job | None) -> Job:
    """Read a job, unless it is the remembered one in the version it still has.

    Raises:
        NoSuchJob: no job has this id.
    """
    given = {"job": job_id}
    version = connection.execute(_VERSION, given).scalar()
    if version is None:
        raise NoSuchJob(f"no job has the id {job_id!r}")
    if remembered and remembered.version == version:
        return remembered
    return rows.job_of(
        connection.execute(_LOAD_JOB, given).one(),
        [Source(*row) for row in connection.execute(_LOAD_SOURCES, given)],
        [Call(*row) for row in connection.execute(_LOAD_OPEN_CALLS, given)],
    )


def forget(connection: Connection, job_id: str) -> None:
    """Delete a job and all that hangs on it.

    Raises:
        NoSuchJob: no job has this id.
    """
    if not connection.execute(_DELETE_JOB, {"job": job_id}).rowcount:
        raise NoSuchJob(f"no job has the id {job_id!r}")


# ------------------------------------------------------------------------- one change
def _prepared(statement: Insert, table: Table) -> sqlite.Prepared:
    """A statement that gives every column but the one that numbers itself."""
    names = [c.name for c in table.columns if c is not creators.c.id]
    return sqlite.Prepared(statement, table, *names)


_POSTS_OF_CREATOR = and_(
    posts.c.job_id == creators.c.job_id, posts.c.creator_key == creators.c.creator_key
)
_KNOWN = (
    select(creators.c.creator_key, creators.c.verdict, posts.c.source, posts.c.video_id)
    .outerjoin(posts, _POSTS_OF_CREATOR)
    .where(creators.c.job_id == _JOB)
    .where(sqlite.among(creators.c.creator_key, "keys"))
)
_WRITE_SOURCES = _prepared(sqlite.upsert(sources, "job_id", "id"), sources)
_WRITE_CALLS = _prepared(sqlite.upsert(calls, "job_id", "id"), calls)
_WRITE_CREATORS = _prepared(sqlite.upsert(creators, "job_id", "creator_key"), creators)
_WRITE_POSTS = _prepared(sqlite.insert_missing(posts), posts)
_WRITE_EVENT = _prepared(insert(events), events)


def known(connection: Connection, job_id: str, keys: Sequence[str]) -> Known:
    """Read what a job knows of these creators."""
    if not keys:
        return {}
    verdicts: dict[str, Verdict] = {}
    seen: dict[str, set[tuple[int, str]]] = {}
    found = connection.execute(_KNOWN, {"job": job_id, "keys": sqlite.as_array(keys)})
    for key, verdict, source, video in found:
        verdicts[key] = verdict
        seen.setdefault(key, set()).add((source, video))
    return {key: Seen(verdicts[key], frozenset(seen[key])) for key in verdicts}


def write(
    connection: Connection, before: Job, change: Change, event: Event | None
) -> None:
    """Write what a change makes of a job; sources that stay the same are left alone."""
    job = change.job
    same = {id(source) for source in before.sources}
    moved = [source for source in job.sources if id(source) not in same]
    _UPDATE_JOB.write(connection, [rows.job_row(job)])
    _WRITE_SOURCES.write(connection, rows.source_rows(job.id, moved))
    _WRITE_CALLS.write(connection, rows.call_rows(job.id, change.calls))
    _WRITE_CREATORS.write(connection, rows.creator_rows(job.id, change.findings))
    _WRITE_POSTS.write(connection, rows.post_rows(job.id, change.posts))
    _WRITE_EVENT.write(connection, rows.event_rows(job.id, [event] if event else []))


# ------------------------------------------------------------------------- long lists
# Each list starts with the column by which the next batch goes on.
_AFTER: BindParameter[int] = bindparam("after")
_SEEN_IN = (
    select(func.count(posts.c.video_id.distinct()))
    .where(_POSTS_OF_CREATOR)
    .scalar_subquery()
)
DELIVERED = (
    select(creators.c.ordinal, *rows.FINDING, _SEEN_IN)
    .join(jobs, jobs.c.id == creators.c.job_id)
    .where(creators.c.job_id == _JOB, creators.c.ordinal > _AFTER)
    .where(creators.c.ordinal <= jobs.c.target)
    .order_by(creators.c.ordinal)
    .limit(BATCH)
)
FINDINGS = (
    select(creators.c.id, *rows.FINDING, _SEEN_IN)
    .where(creators.c.job_id == _JOB, creators.c.id > _AFTER)
    .order_by(creators.c.id)
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


_NEWEST_FIRST = (
    select(*rows.JOB).order_by(jobs.c.created_at.desc(), jobs.c.id.desc()).limit(BATCH)
)
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


def jobs_before(
    connection: Connection, last: Job | None, status: Status | None
) -> list[Job]:
    """Read the newest jobs, or those that come next to the last one read."""
    statement = _NEWEST_FIRST
    if status is not None:
        statement = statement.where(jobs.c.status == status)
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
