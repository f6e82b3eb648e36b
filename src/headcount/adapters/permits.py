"""Permits: how many calls of a provider's key each process may have out.

All processes together hold at most as many permits as calls may be out at once. Each
keeps what it got until others want some too; then it gives back what is beyond its
fair share, as its calls return. Permits expire unless they are renewed, so what a dead
process held is soon free again. A process that cannot renew its own stops asking in
time; only what it has out by then may be beyond the number.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, select

from headcount.adapters.database import Database, insert_missing, upsert
from headcount.adapters.pace import KeyPace
from headcount.adapters.service_tables import permits
from headcount.adapters.service_tables import provider_keys as keys
from headcount.core.errors import StoreError
from headcount.ports import Clock, Slots

_LOG = logging.getLogger(__name__)
RENEWAL = timedelta(seconds=1)
LASTS = timedelta(seconds=12)  # until what a dead process held is free again
_TRUSTED = LASTS - timedelta(seconds=2)  # clocks differ a little
_PATIENCE = timedelta(seconds=3)  # for others to give back what is beyond their share
_REMEMBERED = 5  # renewals for which what was needed is taken to be needed again
_FORGET = delete(permits).where(
    permits.c.key == bindparam("of"),
    permits.c.holder.in_(bindparam("holders", expanding=True)),
)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a process holds of a key's permits, and how many it has a use for.

    What it holds it cannot give back yet; `hoped` is what it may soon have a use for.
    """

    held: int
    wanted: int
    hoped: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """What a process holds from now on, and how many of these new calls may use."""

    held: int
    usable: int


def granted(concurrency: int, mine: Claim, others: Sequence[Claim]) -> Grant:
    """What a process gets of a key's permits.

    While nobody lacks any, it keeps what it has and gets what it hopes for. Else it is
    due a fair share of what it has a use for.
    """
    room = max(0, concurrency - sum(other.held for other in others))
    usable = max(mine.held, mine.wanted, mine.hoped)
    if any(other.wanted > other.held for other in others):
        usable = _fair_share(concurrency, mine, others)
    usable = min(usable, room)
    return Grant(held=min(room, max(mine.held, usable)), usable=usable)


def _fair_share(concurrency: int, mine: Claim, others: Sequence[Claim]) -> int:
    """As much as anybody else gets, or all that is wanted.

    What cannot be divided stays with those who hold more: moving it gains nothing.
    """
    hungry = sorted([mine, *others], key=lambda claim: claim.wanted)
    left = concurrency
    while hungry and hungry[0].wanted * len(hungry) <= left:
        left -= hungry.pop(0).wanted
    if not hungry:
        return mine.wanted
    level, rest = divmod(left, len(hungry))
    ahead = sum(claim.held > mine.held for claim in hungry)
    return min(mine.wanted, level + (ahead < rest))


class Permits:
    """The permits of all keys in the database, for one process: their `holder`."""

    def __init__(self, database: Database, *, holder: str) -> None:
        self._database, self._holder = database, holder
        self._insert_key = insert_missing(database, keys)
        self._upsert = upsert(database, permits, "key", "holder")

    async def claim(
        self, key: str, mine: Claim, *, concurrency: int, now: datetime
    ) -> Grant:
        """Hold as many of a key's permits as this process may, until they expire.

        Raises:
            StoreError: it is not known what was written.
        """

        def work(connection: Connection) -> Grant:
            self._lock(connection, key)
            others, gone = self._others(connection, key, now)
            grant = granted(concurrency, mine, others)
            if grant.held or mine.wanted:
                row = {
                    "key": key,
                    "holder": self._holder,
                    "number": grant.held,
                    "wanted": mine.wanted,
                    "expires_at": now + LASTS,
                }
                connection.execute(self._upsert, row)
            else:
                gone.append(self._holder)
            if gone:
                connection.execute(_FORGET, {"of": key, "holders": gone})
            return grant

        return await self._database.write(work)

    def _lock(self, connection: Connection, key: str) -> None:
        """Let nobody else look at the permits of this key until the commit."""
        lock = select(keys.c.id).where(keys.c.id == key).with_for_update()
        if connection.execute(lock).first() is None:
            connection.execute(self._insert_key, {"id": key})
            connection.execute(lock)

    def _others(
        self, connection: Connection, key: str, now: datetime
    ) -> tuple[list[Claim], list[str]]:
        """What other processes hold, and whose permits have expired."""
        columns = (permits.c.holder, permits.c.number, permits.c.wanted)
        of_key = select(*columns, permits.c.expires_at).where(permits.c.key == key)
        live, gone = [], []
        for holder, number, wanted, expires_at in connection.execute(of_key):
            if holder == self._holder:
                continue
            if expires_at > now:
                live.append(Claim(number, wanted))
            else:
                gone.append(holder)
        return live, gone


class Share:
    """What this process has of a key's permits, as the limit of its own pace."""

    def __init__(
        self, local: KeyPace, permits: Permits, key: str, clock: Clock
    ) -> None:
        self._local, self._permits, self._key = local, permits, key
        self._clock = clock
        self._concurrency = local.allowed
        self._needed: deque[int] = deque(maxlen=_REMEMBERED)
        self._good_until = self._ask_at = clock.now()
        self._refused_since: datetime | None = None
        self._hoped = 0  # as many as jobs asked for, some of which they may not use
        self._held = 0  # more than is allowed, until calls have returned
        self._listed = False  # whether the database may know of us
        self._turn = asyncio.Lock()
        local.allow(0)

    async def take(self, wanted: int) -> Slots:
        """Reserve up to `wanted` slots, asking for permits where none is free."""
        if self._clock.now() >= self._good_until:
            self._local.allow(0)  # others may have them by now
        slots = await self._local.take(wanted)
        if slots.number or not wanted or not self._may_ask():
            return slots
        await asyncio.shield(self._ask(wanted))
        return await self._local.take(wanted)

    async def renew(self) -> None:
        """Keep what is needed, and get or give back what has become fair."""
        await asyncio.shield(self._renew())

    async def hand_back(self) -> None:
        """Let others have all that is not in use."""
        await asyncio.shield(self._hand_back())

    def starved_until(self) -> datetime | None:
        """When to look again, where there is none to be had, and nothing is out."""
        since, now = self._refused_since, self._clock.now()
        if since is None or self._local.out or now - since < _PATIENCE:
            return None
        return now + _PATIENCE

    def _may_ask(self) -> bool:
        """Whether it is permits that are lacking, and asking might help."""
        lacking = self._local.out >= self._local.allowed < self._concurrency
        return lacking and self._clock.now() >= self._ask_at

    # What follows takes place in turn, and to its end also where nobody waits for it:
    # else what is written last might not be what was heard last.
    async def _ask(self, wanted: int) -> None:
        async with self._turn:
            if not self._may_ask():
                return  # another's turn has brought some, or was in vain
            out = self._local.out
            self._hoped = out + wanted
            await self._claim(max([*self._needed, out + 1]))

    async def _renew(self) -> None:
        refused = self._refused_since is not None
        self._needed.append(max(self._local.needed(), int(refused)))
        needed = max(self._needed)
        if not needed:
            await self._hand_back()
            return
        async with self._turn:
            await self._claim(needed)
            if self._held > max(self._local.allowed, self._local.out):
                await self._claim(needed)  # nothing of the surplus is in use by now

    async def _hand_back(self) -> None:
        async with self._turn:
            self._needed.clear()
            self._hoped = 0
            self._local.allow(0)
            if self._listed:
                await self._claim(0)

    async def _claim(self, wanted: int) -> None:
        """Claim permits; in the meantime no more are used than before."""
        now, local, most = self._clock.now(), self._local, self._concurrency
        mine = Claim(max(local.out, local.allowed), min(wanted, most), self._hoped)
        self._listed = True
        try:
            grant = await self._permits.claim(
                self._key, mine, concurrency=most, now=now
            )
        except StoreError as error:
            _LOG.warning("no permits for %s: %s", self._key, error)
            self._ask_at = now + RENEWAL
        else:
            self._heed(grant, mine, now)

    def _heed(self, grant: Grant, mine: Claim, now: datetime) -> None:
        self._good_until, self._held = now + _TRUSTED, grant.held
        self._local.allow(grant.usable)
        self._listed = bool(grant.held or mine.wanted)
        if grant.usable >= mine.hoped:
            self._hoped = 0
        if grant.usable < mine.wanted:
            self._ask_at = now + RENEWAL  # which asks again
        if grant.usable or not mine.wanted:
            self._refused_since = None
        elif self._refused_since is None:
            self._refused_since = now
