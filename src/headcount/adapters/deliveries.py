"""The messages to webhooks that wait in the database, for any number of senders.

They are written with the change that they tell of (see `rows.delivery_rows`). A sender
takes some by moving the time at which they are due: if it dies, they are due again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection, bindparam, func, select, update

from headcount.adapters.database import Database
from headcount.adapters.service_tables import deliveries as table
from headcount.adapters.tables import Moment

CLAIM = timedelta(minutes=1)  # for nobody else to take a message that is being sent
PER_ENDPOINT = 10  # messages taken at once


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message taken for the `attempts`-th time, and due again at `due_at`."""

    id: str
    owner: str
    url: str
    body: str
    attempts: int
    due_at: datetime


_NOW = bindparam("now", type_=Moment)
_IS_DUE = table.c.due_at <= _NOW
_IN_TURN = (
    select(
        table.c.id,
        func.row_number()
        .over(partition_by=(table.c.owner, table.c.url), order_by=table.c.due_at)
        .label("place"),
    )
    .where(_IS_DUE)
    .subquery()
)
_FIRST = select(_IN_TURN.c.id).where(_IN_TURN.c.place <= PER_ENDPOINT)
_DUE = (
    select(table.c.id, table.c.owner, table.c.url, table.c.body, table.c.attempts)
    .where(table.c.id.in_(_FIRST), _IS_DUE)
    .order_by(table.c.due_at)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_TAKE = (
    update(table)
    .where(table.c.id == bindparam("taken"))
    .values(attempts=table.c.attempts + 1, due_at=bindparam("until", type_=Moment))
)
_DELIVERED = (
    update(table)
    .where(table.c.id == bindparam("sent"), table.c.delivered_at.is_(None))
    .values(delivered_at=_NOW, due_at=None, error=None)
)
_POSTPONE = (
    update(table)
    .where(
        table.c.id == bindparam("sent"),
        table.c.due_at == bindparam("claimed", type_=Moment),
    )
    .values(due_at=bindparam("again", type_=Moment), error=bindparam("said"))
)


class Deliveries:
    """The due messages of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, now: datetime, limit: int) -> list[Delivery]:
        """Take messages that are due, the longest due first; nobody else gets them.

        That holds for a minute, within which they must be marked or postponed. Of one
        endpoint's only a few are taken, or one that hangs would hold up all others.
        """
        return await self._database.write(partial(_take, now=now, limit=limit))

    async def delivered(self, delivery: Delivery, now: datetime) -> None:
        """Note that a message has arrived; it is sent no more."""
        given = {"sent": delivery.id, "now": now}
        await self._database.write(lambda to: to.execute(_DELIVERED, given))

    async def postpone(
        self, delivery: Delivery, until: datetime | None, error: str
    ) -> None:
        """Have a message sent again, or never where `until` is `None`.

        Changes nothing once somebody else has taken it, or it has arrived after all.
        """
        given = {
            "sent": delivery.id,
            "claimed": delivery.due_at,
            "again": until,
            "said": error,
        }
        await self._database.write(lambda to: to.execute(_POSTPONE, given))


def _take(connection: Connection, now: datetime, limit: int) -> list[Delivery]:
    until = now + CLAIM
    due = connection.execute(_DUE, {"now": now, "limit": limit}).all()
    if due:
        given = [{"taken": row.id, "until": until} for row in due]
        connection.execute(_TAKE, given)
    return [
        Delivery(row.id, row.owner, row.url, row.body, row.attempts + 1, until)
        for row in due
    ]
