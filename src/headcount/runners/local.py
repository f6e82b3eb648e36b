"""The local runner: works on jobs in this process, with nothing beside it."""

import asyncio
import os
import socket
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from headcount.core import lifecycle
from headcount.core.errors import InternalError, OperatorError, UsageError
from headcount.core.model import Change, Job, Known, Status
from headcount.engine import Engine
from headcount.ports import Clock, Store

_SHORTEST_LOOK, _LONGEST_LOOK = 0.1, 1.0  # seconds between two looks at a job


class LocalRunner:
    """Works on a job until it has ended or is paused; the waker of this process."""

    def __init__(self, engine: Engine, store: Store, clock: Clock) -> None:
        self._engine = engine
        self._store = store
        self._clock = clock
        self._nudges: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def run(self, job_id: str) -> Job:
        """Work on the job, waiting where it must wait, or another worker has it.

        Raises:
            InternalError: a defect of ours ended the job as failed.
        """
        nudge = self._nudges[job_id]
        try:
            while True:
                job = await self._advance(job_id, nudge)
                if job.status.ended or job.status is Status.PAUSED:
                    return job
                await self._until_due(job, nudge)
        finally:
            self._nudges.pop(job_id, None)

    async def wake(self, job_id: str, at: datetime) -> None:
        """Look at the job now, if it is worked on here; its row says when otherwise."""
        if job_id in self._nudges and at <= self._clock.now():
            self._nudges[job_id].set()

    async def _advance(self, job_id: str, nudge: asyncio.Event) -> Job:
        async with failing(job_id, self._store, self._clock):
            return await self._engine.advance(job_id, nudge=nudge)

    async def _until_due(self, job: Job, nudge: asyncio.Event) -> None:
        """Sleep until the job is due, or its lease runs out, or somebody nudges."""
        due = job.due_at or self._clock.now()
        seconds = (due - self._clock.now()).total_seconds()
        pause = max(_SHORTEST_LOOK, min(seconds, _LONGEST_LOOK))
        waits = [
            asyncio.ensure_future(self._clock.sleep(pause)),
            asyncio.ensure_future(nudge.wait()),
        ]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


@asynccontextmanager
async def failing(job_id: str, store: Store, clock: Clock) -> AsyncIterator[None]:
    """End a job as failed where the block meets a defect, lest it be tried for ever.

    Raises:
        InternalError: in the place of the defect.
    """
    try:
        yield
    except (UsageError, OperatorError):
        raise
    except Exception as error:
        detail = repr(error)  # which has nothing that a store could not keep
        now = clock.now()

        def rule(job: Job, _: Known) -> Change:
            return lifecycle.collapse(Change(job), detail, now)

        await store.change(job_id, rule)
        raise InternalError(
            f"job {job_id} failed by a defect of ours, please report it: {detail}"
        ) from error


def worker_name() -> str:
    """This process, told apart from all others: host, process id and start time."""
    pid = os.getpid()
    return f"{socket.gethostname()}/{pid}/{_started(pid)}"


def is_dead(holder: str) -> bool:
    """Whether a holder of leases was a process of this machine that is gone."""
    host, _, process = holder.partition("/")
    pid, _, started = process.partition("/")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _started(int(pid)) != started


def _started(pid: int) -> str:
    """The start time of a process in clock ticks; empty where the system hides it.

    A zombie has none: it is dead, though nobody has asked after it yet.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    state, *numbers = stat.rpartition(")")[2].split()
    return "" if state in "ZX" else numbers[18]
