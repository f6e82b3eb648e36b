"""What all machines know of a provider's key: its next turn, and whether it is closed.

A turn is a row moved ahead by compare-and-set, in a transaction of its own, and only
where a spacing is set. Whether a key is closed is read every few seconds and told at
once by whoever closes it here: a late reader makes a call that is refused, no more. How
many calls may be out is said by `permits`.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from math import ceil
from secrets import token_hex

from sqlalchemy import Connection, or_, select, update

from headcount.adapters.database import Database, insert_missing
from headcount.adapters.pace import KeyPace
from headcount.adapters.permits import Permits, Share
from headcount.adapters.service_tables import EVERY_KEY
from headcount.adapters.service_tables import provider_keys as keys
from headcount.core.calls import Failure, FailureKind
from headcount.core.errors import StoreError
from headcount.ports import Clock, Slots

_LOG = logging.getLogger(__name__)
_TURN = timedelta(milliseconds=50)  # which a turn lasts at least
_PEEP = 1.0  # seconds between two looks at a key that is closed while calls are out
LOOK_AGAIN = timedelta(seconds=30)  # at a key that is closed
_SPENT = "out of credits"  # how the reason begins where the provider closed the key


@dataclass(frozen=True, slots=True)
class Closed:
    """Since when a key is closed, and why."""

    since: datetime
    reason: str

    @property
    def spent(self) -> bool:
        """Whether it lacks credits, and opens with new ones; or by hand alone."""
        return self.reason.startswith(_SPENT)


def key_id(provider: str, key: str) -> str:
    """The name of a key, which does not tell the key."""
    return f"{provider}/{sha256(key.encode()).hexdigest()[:12]}"


class Gates:
    """The turns, closures and permits of all provider keys, in the database.

    `worker` tells whose permits they are; no two objects are taken for one.
    """

    def __init__(self, database: Database, *, worker: str = "worker") -> None:
        self._database = database
        self.permits = Permits(database, holder=f"{worker}/{token_hex(4)}")
        self._insert = insert_missing(database, keys)
        self.closed: Mapping[str, Closed] = {}

    async def refresh(self) -> None:
        """Read which keys are closed."""
        self.closed = await self._database.read(_closed)

    async def close(self, key: str, reason: str, now: datetime) -> None:
        """Let no call be made with a key until it is opened again."""
        await self._set(key, paused_at=now, reason=reason)

    async def open(self, key: str) -> None:
        """Let calls be made with a key again."""
        await self._set(key, paused_at=None, reason=None)

    async def next_turn(
        self, key: str, now: datetime, spacing: timedelta
    ) -> datetime | None:
        """Take the turn if it has come, or say when it will."""
        take = partial(self._take_turn, key=key, now=now, spacing=spacing)
        return await self._database.jot(take)

    async def return_turn(self, key: str, taken: datetime, now: datetime) -> None:
        """Give back a turn that was not used, unless another one was taken since."""
        mine = update(keys).where(keys.c.id == key, keys.c.next_at == taken)
        await self._database.write(lambda c: c.execute(mine.values(next_at=now)))

    def _take_turn(
        self, connection: Connection, key: str, now: datetime, spacing: timedelta
    ) -> datetime | None:
        free = or_(keys.c.next_at.is_(None), keys.c.next_at <= now)
        take = update(keys).where(keys.c.id == key, free).values(next_at=now + spacing)
        if connection.execute(take).rowcount:
            return None
        connection.execute(self._insert, {"id": key})  # where it is the first of all
        if connection.execute(take).rowcount:
            return None
        return connection.scalar(select(keys.c.next_at).where(keys.c.id == key))

    async def _set(self, key: str, **values: object) -> None:
        def write(connection: Connection) -> Mapping[str, Closed]:
            connection.execute(self._insert, {"id": key})
            connection.execute(update(keys).where(keys.c.id == key).values(**values))
            return _closed(connection)

        self.closed = await self._database.write(write)


def _closed(connection: Connection) -> Mapping[str, Closed]:
    found = connection.execute(
        select(keys.c.id, keys.c.paused_at, keys.c.reason).where(
            keys.c.paused_at.is_not(None)
        )
    )
    return {key: Closed(since, reason) for key, since, reason in found}


class FleetPace:
    """The pace of a key that all machines share.

    At most `concurrency` calls are out on all of them together, and their starts are
    `spacing` apart. A key without credits is closed for all, and the jobs wait.
    """

    def __init__(
        self,
        gates: Gates,
        key: str,
        clock: Clock,
        *,
        concurrency: int,
        spacing: timedelta = timedelta(0),
    ) -> None:
        self._gates, self._key, self._clock = gates, key, clock
        self._spacing = spacing
        self._local = KeyPace(clock, concurrency=concurrency, spacing=spacing)
        self._ours_until = clock.now()  # the end of the turn that we have
        self.share = Share(self._local, gates.permits, key, clock)

    async def take(self, wanted: int) -> Slots:
        """Reserve up to `wanted` slots; with a spacing one, when it is our turn."""
        if self._shut():
            return Slots(0)
        slots = await self.share.take(min(wanted, 1) if self._spacing else wanted)
        if slots.next_at is None or not self._spacing:
            return slots
        return slots if await self._has_turn(slots.next_at) else Slots(0)

    async def _has_turn(self, next_at: datetime) -> bool:
        """Whether a call may begin a spacing before this; without, the slot is free.

        Where calls follow close upon another a turn is for some of them, or each would
        wait for the database.
        """
        if next_at <= self._ours_until:
            return True
        start = next_at - self._spacing
        ends = start + self._spacing * max(1, ceil(_TURN / self._spacing))
        turn: datetime | None = ends
        try:
            turn = await self._gates.next_turn(self._key, start, ends - start)
        except (
            StoreError
        ) as error:  # a page may be waiting to be settled: no turn, then
            _LOG.warning("no turn for %s: %s", self._key, error)
        finally:
            if turn is not None:
                await self._local.give_back(Slots(1, next_at), 1)
        if turn is None:
            self._ours_until = ends
            return True
        self._local.hold_off((turn - start).total_seconds())
        return False

    async def give_back(self, slots: Slots, unused: int) -> None:
        """Return slots that were not used; another's turn since then stands."""
        await self._local.give_back(slots, unused)
        if unused and self._spacing and slots.next_at == self._ours_until:
            now = self._clock.now()
            await self._gates.return_turn(self._key, slots.next_at, now)

    def done(self) -> None:
        """Free the slot of a call that has come back."""
        self._local.done()

    async def heed(self, failure: Failure) -> Failure:
        """Rest where the provider asks for it; without credits, close the key."""
        if failure.kind is not FailureKind.OUT_OF_CREDITS:
            return await self._local.heed(failure)
        _LOG.warning("the key %s is closed: %s", self._key, failure.message)
        try:
            if self._key not in self._gates.closed:  # what is closed by hand stays so
                reason = f"{_SPENT}: {failure.message}"
                await self._gates.close(self._key, reason, self._clock.now())
        except StoreError as error:
            _LOG.warning("nobody else knows it yet: %s", error)
            self._local.hold_off(LOOK_AGAIN.total_seconds())
        return replace(failure, kind=FailureKind.KEY_PAUSED)

    def closed_until(self) -> datetime | None:
        """When to look again, where the key is closed, or others have all permits."""
        if self._shut():
            return self._clock.now() + LOOK_AGAIN
        return self.share.starved_until()

    async def ready(self) -> None:
        """Return when a slot may be free."""
        while self._shut():
            await self._clock.sleep(_PEEP)
        await self._local.ready()

    def _shut(self) -> bool:
        closed = self._gates.closed
        return self._key in closed or EVERY_KEY in closed
