"""The allowances of owners and their users, read and written within a job's change.

Their rows are locked until the change is committed, after the job's and in the order of
their holders, so that two changes never wait for each other. Where no allowance is set,
none of this takes place.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, astuple, fields, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    text,
    tuple_,
    type_coerce,
    update,
)

from headcount.adapters.database import Database, Prepared, filled, upsert
from headcount.adapters.service_tables import allowances
from headcount.adapters.tables import calls, creators, jobs
from headcount.core.allowances import EVERYONE, Allowance, Taken, concerns
from headcount.core.calls import CallState
from headcount.core.model import Job

_COLUMNS = [allowances.c[field.name] for field in fields(Allowance)]
_HOLDER = tuple_(allowances.c.owner, allowances.c.end_user)
_ALL = select(*_COLUMNS).order_by(allowances.c.owner, allowances.c.end_user)
_OF = _ALL.where(_HOLDER.in_(bindparam("holders", expanding=True))).with_for_update()
_USED = ("day", "credits_used", "month", "creators_used")
_WRITE_USED = update(allowances).where(
    allowances.c.owner == bindparam("of_owner"),
    allowances.c.end_user == bindparam("of_end_user"),
)
# A change that began before an allowance was set might not be counted: none is under
# way while what was used is counted.
_ALONE = "LOCK TABLE {schema}.jobs IN EXCLUSIVE MODE"


class Allowances:
    """What holders may use, and what they have used."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._write_used = Prepared(database, filled(_WRITE_USED, allowances, _USED))

    # ------------------------------------------------------ within the change of a job
    def of(self, connection: Connection, job: Job, now: datetime) -> list[Allowance]:
        """Lock and read those that a job takes from, as of now."""
        holders = concerns(job)
        found = connection.execute(_OF, {"holders": holders}) if holders else ()
        return [Allowance(*row).at(now) for row in found]

    def take(
        self, connection: Connection, locked: Iterable[Allowance], taken: Taken
    ) -> None:
        """Write down what was taken of those that `of` has locked."""
        if taken == Taken():
            return
        used = [asdict(allowance.less(taken)) for allowance in locked]
        for row in used:
            row |= {"of_owner": row["owner"], "of_end_user": row["end_user"]}
        self._write_used.write(connection, used)

    # --------------------------------------------------------------- for those who set
    async def all(self, now: datetime, *, owner: str | None = None) -> list[Allowance]:
        """Those that are set, as of now; of one owner with their users, or of all."""
        these = _ALL if owner is None else _ALL.where(allowances.c.owner == owner)
        found = await self._database.read(lambda c: c.execute(these).all())
        return [Allowance(*row).at(now) for row in found]

    async def set(self, allowance: Allowance, now: datetime) -> Allowance:
        """Set both limits of a holder; what was used already is counted.

        One that limits nothing is removed.
        """
        return await self._database.write(
            partial(self._set, allowance=allowance, now=now)
        )

    def _set(
        self, connection: Connection, allowance: Allowance, now: datetime
    ) -> Allowance:
        schema = self._database.schema
        if schema:
            connection.execute(text(_ALONE.format(schema=schema)))
        if allowance.credits_per_day is allowance.creators_per_month is None:
            here = tuple_(*astuple(allowance)[:2])
            connection.execute(delete(allowances).where(here == _HOLDER))
            return allowance
        counted = replace(
            allowance.at(now),
            credits_used=_credits_used(connection, allowance, now),
            creators_used=_creators_used(connection, allowance, now),
        )
        statement = upsert(self._database, allowances, "owner", "end_user")
        connection.execute(statement, asdict(counted))
        return counted


def _credits_used(connection: Connection, allowance: Allowance, now: datetime) -> int:
    """What the calls held today have cost, or may."""
    cost = case((calls.c.state == CallState.OPEN, calls.c.held), else_=calls.c.credits)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return _sum(
        connection,
        select(func.sum(cost))
        .join_from(calls, jobs, calls.c.job_id == jobs.c.id)
        .where(calls.c.opened_at >= midnight, *_jobs_since(allowance, midnight)),
    )


def _creators_used(connection: Connection, allowance: Allowance, now: datetime) -> int:
    """How many delivered creators were found this month."""
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found_by = and_(calls.c.job_id == creators.c.job_id, calls.c.id == creators.c.call)
    return _sum(
        connection,
        select(func.count())
        .select_from(creators)
        .join(jobs, jobs.c.id == creators.c.job_id)
        .join(calls, found_by)
        .where(creators.c.ordinal <= jobs.c.delivered)
        .where(calls.c.closed_at >= first, *_jobs_since(allowance, first)),
    )


def _jobs_since(
    allowance: Allowance, moment: datetime
) -> Iterator[ColumnElement[bool]]:
    """Whether a job is the holder's, costs something, and was at work since then."""
    if allowance.owner != EVERYONE:
        yield jobs.c.owner == allowance.owner
    if allowance.end_user:
        yield jobs.c.end_user == allowance.end_user
    yield type_coerce(jobs.c.search, Text).not_like('%"provider":"sandbox/%')
    yield or_(jobs.c.ended_at.is_(None), jobs.c.ended_at >= moment)


def _sum(connection: Connection, query: Select[Any]) -> int:
    return int(connection.scalar(query) or 0)
