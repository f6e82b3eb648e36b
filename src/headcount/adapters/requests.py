"""What was answered to requests that named an idempotency key.

A request is claimed before it is worked on, so that of two at once one is answered
only. Its answer is kept for a day; a claim whose answer never came was a crash, and may
be taken over after a while.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import partial

from sqlalchemy import Connection, and_, bindparam, delete, select, update

from headcount.adapters.database import Database, insert_missing
from headcount.adapters.service_tables import requests
from headcount.adapters.tables import Moment

KEPT = timedelta(days=1)
FORGOTTEN = 1_000  # in one go, so that nobody waits long
PATIENCE = timedelta(minutes=1)  # with a claim whose answer has not come


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was given."""

    status: int
    body: str
    location: str | None = None


class Taken(Enum):
    """Why a key cannot be claimed."""

    BY_ANOTHER = auto()  # another request has used it
    UNDER_WAY = auto()  # the same request is being answered


_THIS = and_(
    requests.c.owner == bindparam("of_owner"), requests.c.key == bindparam("of_key")
)
_READ = select(
    requests.c.fingerprint,
    requests.c.created_at,
    requests.c.status,
    requests.c.body,
    requests.c.location,
).where(_THIS)
_KEEP = update(requests).where(_THIS)
_RELEASE = delete(requests).where(_THIS, requests.c.status.is_(None))
_OLD = (
    select(requests.c.owner, requests.c.key)
    .where(requests.c.created_at < bindparam("before", type_=Moment))
    .limit(FORGOTTEN)
    .with_for_update(skip_locked=True)
)
_FORGET = delete(requests).where(_THIS)


class Requests:
    """The requests of a store that are to be answered once."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now
        self._insert = insert_missing(database, requests).returning(requests.c.key)

    async def claim(
        self, owner: str, key: str, fingerprint: str
    ) -> Kept | Taken | None:
        """Take it on to answer a request; otherwise the answer there is, or why not.

        `fingerprint` tells this request from others of the same key.
        """
        work = partial(self._claim, owner=owner, key=key, fingerprint=fingerprint)
        return await self._database.write(work)

    def _claim(
        self, connection: Connection, owner: str, key: str, fingerprint: str
    ) -> Kept | Taken | None:
        now, this = self._now(), {"of_owner": owner, "of_key": key}
        row = {"owner": owner, "key": key, "fingerprint": fingerprint}
        if connection.execute(self._insert, {**row, "created_at": now}).first():
            return None
        found = connection.execute(_READ.with_for_update(), this).one_or_none()
        if found is None:  # it was released in between: the next try will claim it
            return Taken.UNDER_WAY
        if found.fingerprint != fingerprint:
            return Taken.BY_ANOTHER
        if found.status is not None:
            return Kept(found.status, found.body, found.location)
        if found.created_at > now - PATIENCE:
            return Taken.UNDER_WAY
        connection.execute(_KEEP.values(created_at=now), this)
        return None

    async def keep(self, owner: str, key: str, answer: Kept) -> None:
        """Keep the answer to a request that was claimed."""
        kept = _KEEP.values(
            status=answer.status, body=answer.body, location=answer.location
        )
        this = {"of_owner": owner, "of_key": key}
        await self._database.write(lambda to: to.execute(kept, this))

    async def release(self, owner: str, key: str) -> None:
        """Let a request that was claimed be made anew: it was not answered."""
        this = {"of_owner": owner, "of_key": key}
        await self._database.write(lambda to: to.execute(_RELEASE, this))

    async def forget(self) -> None:
        """Forget the answers that are too old to be asked for again."""
        before = self._now() - KEPT
        while await self._database.write(partial(_forget, before=before)):
            pass  # a batch is gone, and others may have been in between


def _forget(connection: Connection, before: datetime) -> int:
    old = connection.execute(_OLD, {"before": before}).all()
    if old:
        given = [{"of_owner": owner, "of_key": key} for owner, key in old]
        connection.execute(_FORGET, given)
    return len(old)
