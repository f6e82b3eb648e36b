"""The runner of a service: works on whatever is due, many jobs at a time.

The due time in a job's row is the only record that it must go on. So nothing is lost
when a process dies: whichever worker looks next finds the job due, as soon as the lease
of the dead one has expired. A wake-up only makes that look come sooner.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from headcount.core.errors import HeadcountError, NoSuchJob
from headcount.engine import Engine
from headcount.ports import Clock, FullStore
from headcount.runners.local import failing

_LOG = logging.getLogger(__name__)
LOOK = 1.0  # seconds between two looks at what is due
SLICE = timedelta(seconds=30)  # after which a job gives way to others that wait
REST = 30.0  # seconds until a job is tried again here that could not be worked on
GRACE = 20.0  # seconds for calls that are out when the service stops


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to be done every so often beside the jobs; `seconds` lie between."""

    name: str
    seconds: float
    do: Callable[[], Awaitable[object]]


class ServiceRunner:
    """Takes up to `places` jobs forward at once, until it is told to stop.

    `prepare` opens what a job needs, and says until when it rests here if it is to be
    left to other workers.
    """

    def __init__(
        self,
        engine: Engine,
        store: FullStore,
        clock: Clock,
        *,
        prepare: Callable[[str], Awaitable[datetime | None]],
        places: int = 50,
        chores: Sequence[Chore] = (),
    ) -> None:
        self._engine, self._store, self._clock = engine, store, clock
        self._prepare = prepare
        self._places, self._chores = places, chores
        self._at_work: dict[str, asyncio.Task[None]] = {}
        self._nudges: dict[str, asyncio.Event] = {}
        self._resting: dict[str, datetime] = {}
        self._bell = asyncio.Event()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until `stop` is called, then hand all leases back.

        What is out then is awaited and counted, for `GRACE` seconds at most.
        """
        _LOG.info("working on what is due, on %d jobs at once", self._places)
        chores = [asyncio.create_task(self._repeat(chore)) for chore in self._chores]
        try:
            while not self._stopping.is_set():
                await self._look()
                await self._pause()
        finally:
            await self._finish()  # while permits are still renewed
            for chore in chores:
                chore.cancel()
            await asyncio.gather(*chores, return_exceptions=True)

    def stop(self) -> None:
        """Claim nothing more, and ask nothing more."""
        self._engine.stop()
        self._stopping.set()
        self._bell.set()
        for nudge in self._nudges.values():
            nudge.set()

    async def wake(self, job_id: str, at: datetime) -> None:
        """Look at the job now; a wake-up for later is left to its row."""
        if at <= self._clock.now():
            self.take(job_id)

    def take(self, job_id: str) -> None:
        """Work on a job now if there is a place; it is found later if there is none."""
        self._resting.pop(job_id, None)
        if job_id in self._nudges:
            self._nudges[job_id].set()
        elif len(self._at_work) < self._places and not self._stopping.is_set():
            self._begin(job_id)

    @property
    def at_work(self) -> int:
        """How many jobs are being worked on here."""
        return len(self._at_work)

    async def _look(self) -> None:
        """Begin to work on what is due, as far as there are places."""
        now = self._clock.now()
        self._resting = {j: until for j, until in self._resting.items() if until > now}
        room = self._places - len(self._at_work)
        if not room:
            return
        try:
            due = await self._store.due(now, self._places + len(self._resting))
        except HeadcountError as error:
            _LOG.warning("cannot see what is due: %s", error)
            return
        busy = {*self._at_work, *self._resting}
        for job_id in [job_id for job_id in due if job_id not in busy][:room]:
            self._begin(job_id)

    def _begin(self, job_id: str) -> None:
        self._nudges[job_id] = asyncio.Event()
        self._at_work[job_id] = asyncio.create_task(self._advance(job_id))

    async def _advance(self, job_id: str) -> None:
        """Take one job forward for a time slice; what goes wrong is its own affair."""
        try:
            rests_until = await self._prepare(job_id)
            if rests_until is not None:
                self._resting[job_id] = rests_until
                return
            async with failing(job_id, self._store, self._clock):
                until = self._clock.now() + SLICE
                nudge = self._nudges[job_id]
                await self._engine.advance(job_id, until=until, nudge=nudge)
        except NoSuchJob:
            _LOG.info("job %s was deleted while it was worked on", job_id)
        except HeadcountError as error:
            _LOG.error("job %s cannot go on for now: %s", job_id, error)
            self._resting[job_id] = self._clock.now() + timedelta(seconds=REST)
        finally:
            del self._at_work[job_id], self._nudges[job_id]
            self._bell.set()

    async def _pause(self) -> None:
        """Wait until it is time to look again, or a wake-up or a free place comes."""
        alarm = asyncio.ensure_future(self._clock.sleep(LOOK))
        bell = asyncio.ensure_future(self._bell.wait())
        try:
            await asyncio.wait([alarm, bell], return_when=asyncio.FIRST_COMPLETED)
        finally:
            alarm.cancel()
            bell.cancel()
            await asyncio.gather(alarm, bell, return_exceptions=True)
        self._bell.clear()

    async def _repeat(self, chore: Chore) -> None:
        while True:
            try:
                await chore.do()
            except Exception:  # noqa: BLE001 - the other chores and the jobs go on
                _LOG.exception("%s failed, and will be tried again", chore.name)
            await self._clock.sleep(chore.seconds)

    async def _finish(self) -> None:
        """Await what is out, and then let go of what takes too long."""
        tasks = list(self._at_work.values())
        if not tasks:
            return
        grace = asyncio.ensure_future(self._clock.sleep(GRACE))
        everything = asyncio.ensure_future(asyncio.wait(tasks))
        await asyncio.wait({grace, everything}, return_when=asyncio.FIRST_COMPLETED)
        for task in [grace, everything, *tasks]:
            task.cancel()
        await asyncio.gather(grace, everything, *tasks, return_exceptions=True)
