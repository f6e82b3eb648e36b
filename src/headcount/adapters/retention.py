"""Forgets what has lain in a database for long: a batch at a time, each on its own.

An ended job goes with all that it found. Unlike one that its owner deletes, it still
counts in the figures: what was spent and delivered does not change with its age.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import accumulate, takewhile

from sqlalchemy import Connection, bindparam, delete, func, select

from headcount.adapters.database import Database
from headcount.adapters.service_tables import deliveries
from headcount.adapters.tables import Moment, jobs

BATCH = 100  # jobs looked at in one go
ITEMS = 20_000  # items that the jobs of one batch have had, beyond the first job's
MESSAGES = 1_000  # messages forgotten in one go
MESSAGES_KEPT = timedelta(days=30)  # from the event that they tell of

_BEFORE = bindparam("before", type_=Moment)
# A job ends after it was created: so the index of the newest finds the old ones.
_OLD = (jobs.c.created_at < _BEFORE, jobs.c.ended_at < _BEFORE)
_COUNT = select(func.count()).select_from(jobs).where(*_OLD)
_OLDEST = (
    select(jobs.c.id, jobs.c["items"])
    .where(*_OLD)
    .order_by(jobs.c.created_at, jobs.c.id)
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)
_FORGET = delete(jobs).where(jobs.c.id.in_(bindparam("ids", expanding=True)))
_DONE = (
    select(deliveries.c.id)
    .where(deliveries.c.due_at.is_(None), deliveries.c.created_at < _BEFORE)
    .limit(MESSAGES)
    .with_for_update(skip_locked=True)
)
_DROP = delete(deliveries).where(deliveries.c.id.in_(bindparam("ids", expanding=True)))


class Retention:
    """What is old in a database, by the end of a job or the time of a message."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now

    async def count_jobs(self, older_than: timedelta) -> int:
        """How many jobs ended longer ago than this."""
        given = {"before": self._now() - older_than}
        return await self._database.read(
            lambda of: of.execute(_COUNT, given).scalar_one()
        )

    async def forget_jobs(self, older_than: timedelta) -> int:
        """Forget the jobs that ended longer ago than this; returns how many.

        Several may do so at once: each takes jobs that no other one has. What is
        reopened in the meantime stays.
        """
        return await self._in_batches(_forget_jobs, self._now() - older_than)

    async def forget_messages(self) -> int:
        """Forget old messages to webhooks that have arrived, or were given up."""
        return await self._in_batches(_forget_messages, self._now() - MESSAGES_KEPT)

    async def _in_batches(
        self, forget: Callable[[Connection, datetime], int], before: datetime
    ) -> int:
        """Forget until nothing is left, letting others in between."""
        forgotten = 0
        while number := await self._database.write(lambda of: forget(of, before)):
            forgotten += number
        return forgotten


def _forget_jobs(connection: Connection, before: datetime) -> int:
    """Forget a few jobs, fewer where they are large."""
    oldest = connection.execute(_OLDEST, {"before": before}).all()
    sums = accumulate(items for _, items in oldest)
    within = list(takewhile(lambda items: items <= ITEMS, sums))
    ids = [row.id for row in oldest[: max(1, len(within))]]
    if ids:
        connection.execute(_FORGET, {"ids": ids})
    return len(ids)


def _forget_messages(connection: Connection, before: datetime) -> int:
    ids = list(connection.execute(_DONE, {"before": before}).scalars())
    if ids:
        connection.execute(_DROP, {"ids": ids})
    return len(ids)
