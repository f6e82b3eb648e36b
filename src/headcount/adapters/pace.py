"""The pace of one provider key, which all jobs of this process share."""

import asyncio
from datetime import datetime, timedelta

from headcount.core.calls import Failure, FailureKind
from headcount.ports import Clock, Slots


class KeyPace:
    """At most `concurrency` calls out at once, and their starts `spacing` apart.

    With a spacing there is never more than one slot free, so calls do not come in
    bursts after a rest.
    """

    def __init__(
        self, clock: Clock, *, concurrency: int, spacing: timedelta = timedelta(0)
    ) -> None:
        self._clock = clock
        self._concurrency, self._spacing = concurrency, spacing
        self._out = self._most_out = self._waiting = 0
        self._spaced_until = self._resting_until = clock.now()
        self._changed = asyncio.Event()

    @property
    def allowed(self) -> int:
        """How many calls may be out at once."""
        return self._concurrency

    @property
    def out(self) -> int:
        """How many calls are out, or about to be."""
        return self._out

    def allow(self, concurrency: int) -> None:
        """Let so many calls be out at once from now on; those that are out stay so."""
        raised = concurrency > self._concurrency
        self._concurrency = concurrency
        if raised:
            self._changed.set()

    def needed(self) -> int:
        """How many slots would have been used since this was last asked."""
        needed = max(self._most_out, self._out + self._waiting)
        self._most_out = self._out
        return needed

    async def take(self, wanted: int) -> Slots:
        """Reserve up to `wanted` slots, as many as are free."""
        taken = min(wanted, self._free())
        if taken <= 0:
            return Slots(0)
        self._out += taken
        self._spaced_until = self._clock.now() + self._spacing
        return Slots(taken, self._spaced_until)

    async def give_back(self, slots: Slots, unused: int) -> None:
        """Return slots that were not used; another's spacing since then stands."""
        self._out -= unused
        self._most_out = max(self._most_out, self._out)
        if unused:
            if self._spacing and self._spaced_until == slots.next_at:
                self._spaced_until = self._clock.now()
            self._changed.set()

    def done(self) -> None:
        """Free the slot of a call that has come back."""
        self._out -= 1
        self._changed.set()

    async def heed(self, failure: Failure) -> Failure:
        """Rest where the provider asks for it; what it means the job decides."""
        if failure.kind is FailureKind.THROTTLED:
            self.hold_off(failure.retry_after or 0.0)
        return failure

    def closed_until(self) -> datetime | None:
        """No key is closed for long by its pace alone."""
        return None

    def hold_off(self, seconds: float) -> None:
        """Free no slot for this long; a longer rest that was asked before stands."""
        until = self._clock.now() + timedelta(seconds=seconds)
        self._resting_until = max(self._resting_until, until)

    async def ready(self) -> None:
        """Return when a slot may be free; another task may still be faster."""
        self._waiting += 1
        try:
            while self._free() <= 0:
                # No turn is given away between look and wait: nothing is missed.
                self._changed.clear()
                await self._change()
        finally:
            self._waiting -= 1

    def _free(self) -> int:
        if self._closed_for() > timedelta(0):
            return 0
        room = self._concurrency - self._out
        return min(room, 1) if self._spacing else room

    def _closed_for(self) -> timedelta:
        opens_at = max(self._spaced_until, self._resting_until)
        return opens_at - self._clock.now()

    async def _change(self) -> None:
        """Wait for a slot to come back, or where one is there, for its time."""
        alarm = None
        if self._out < self._concurrency:
            alarm = asyncio.create_task(self._ring_after(self._closed_for()))
        try:
            await self._changed.wait()
        finally:
            if alarm is not None:
                alarm.cancel()

    async def _ring_after(self, wait: timedelta) -> None:
        await self._clock.sleep(wait.total_seconds())
        self._changed.set()
