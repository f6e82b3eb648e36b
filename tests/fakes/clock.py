"""A clock whose time passes only when nobody has anything else to do."""

import asyncio
import heapq
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

START = datetime(2026, 1, 1, tzinfo=UTC)
IDLE_CYCLES = 20


class Time:
    """The present, as a test sets it."""

    def __init__(self, present: datetime) -> None:
        self.present = present

    def now(self) -> datetime:
        return self.present


class FakeClock:
    """Virtual time: it jumps to the earliest sleeper when all tasks are waiting.

    "All are waiting" means: the event loop went round `IDLE_CYCLES` times after the
    last sleeper lay down, or was woken. That is plenty for tasks that pass results
    among themselves, and the order is always the same. It does not see work outside
    the loop: what waits for a thread or a socket must not share a loop with sleepers,
    or it must be done while the clock is `stopped`.
    """

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._order = count()
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._mover: asyncio.Task[None] | None = None
        self._stops = 0
        self._goes_on = asyncio.Event()
        self.slept: list[float] = []

    def now(self) -> datetime:
        """The virtual present."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Return when virtual time has come so far; `slept` lists all that is asked."""
        self.slept.append(seconds)
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        until = self._now + timedelta(seconds=seconds)
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (until, next(self._order), woken))
        if self._mover is None or self._mover.done():
            self._mover = asyncio.create_task(self._move())
        await woken

    def advance(self, seconds: float) -> None:
        """Let this much time pass at once, and wake whoever slept for less."""
        self._wake(self._now + timedelta(seconds=seconds))

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let no time pass in here: something outside the loop is waited for."""
        self._stops += 1
        self._goes_on.clear()
        try:
            yield
        finally:
            self._stops -= 1
            if not self._stops:
                self._goes_on.set()

    async def _move(self) -> None:
        while self._sleepers:
            await self._idle()
            while self._sleepers and self._sleepers[0][2].done():
                heapq.heappop(self._sleepers)  # its task was cancelled
            if self._sleepers:
                self._wake(max(self._now, self._sleepers[0][0]))

    async def _idle(self) -> None:
        """Let the loop go round until no sleeper came or went for long enough."""
        before, cycles = len(self.slept), 0
        while cycles < IDLE_CYCLES:
            if self._stops:
                await self._goes_on.wait()
                cycles = 0
            await asyncio.sleep(0)
            cycles = cycles + 1 if len(self.slept) == before else 0
            before = len(self.slept)

    def _wake(self, now: datetime) -> None:
        self._now = now
        while self._sleepers and self._sleepers[0][0] <= now:
            *_, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
