"""All lists that are asked of the database: jobs, and what each of them found."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal,
    select,
    tuple_,
)

from headcount.adapters import rows
from headcount.adapters.statements import JOB_ID, POSTS_OF_CREATOR, STILL_OPEN
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
from headcount.core.model import Job, Source
from headcount.core.selection import Selection

BATCH = 1_000  # rows read in one go, so that nobody waits long for a reader

# Each list starts with the column by which the next batch goes on.
_AFTER: BindParameter[int] = bindparam("after")
_CALL_OF_CREATOR = and_(
    calls.c.job_id == creators.c.job_id, calls.c.id == creators.c.call
)
_SEEN_IN = (
    select(func.count(posts.c.video_id.distinct()))
    .where(POSTS_OF_CREATOR)
    .scalar_subquery()
)
DELIVERED = (
    select(creators.c.ordinal, *rows.FINDING, _SEEN_IN)
    .join_from(creators, calls, _CALL_OF_CREATOR)
    .join(jobs, jobs.c.id == creators.c.job_id)
    .where(creators.c.job_id == JOB_ID, creators.c.ordinal > _AFTER)
    .where(creators.c.ordinal <= jobs.c.delivered)
    .order_by(creators.c.ordinal)
    .limit(BATCH)
)
FINDINGS = (
    select(creators.c.number, *rows.FINDING, _SEEN_IN)
    .join_from(creators, calls, _CALL_OF_CREATOR)
    .where(creators.c.job_id == JOB_ID, creators.c.number > _AFTER)
    .order_by(creators.c.number)
    .limit(BATCH)
)
CALLS = (
    select(calls.c.id, *rows.CALL)
    .where(calls.c.job_id == JOB_ID, calls.c.id > _AFTER)
    .order_by(calls.c.id)
    .limit(BATCH)
)
EVENTS = (
    select(events.c.id, *rows.EVENT)
    .where(events.c.job_id == JOB_ID, events.c.id > _AFTER)
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
    .where(calls.c.job_id.in_(_IDS), STILL_OPEN)
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


MOST_COUNTED = 10_000  # jobs; the index on due times is all that is read of more
_GOING_ON = (
    select(jobs.c.due_at, jobs.c.lease_token)
    .where(jobs.c.due_at.is_not(None))
    .order_by(jobs.c.due_at)
    .limit(MOST_COUNTED)
    .subquery()
)
_STANDING = select(
    func.count().filter(_GOING_ON.c.due_at <= _NOW).label("due"),
    func.count()
    .filter(_GOING_ON.c.due_at > _NOW, _GOING_ON.c.lease_token.is_not(None))
    .label("at_work"),
    func.count()
    .filter(_GOING_ON.c.due_at > _NOW, _GOING_ON.c.lease_token.is_(None))
    .label("waiting"),
)


def standing(connection: Connection, now: datetime) -> dict[str, int]:
    """Count the jobs that are to go on: due, at work, or waiting for their time.

    Those that have been due for longest come first, as far as they are counted.
    """
    return dict(connection.execute(_STANDING, {"now": now}).one()._asdict())
