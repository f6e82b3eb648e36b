"""One step of a job: claim, decide, hold, fetch, settle, and hand back.

`advance` is all that a runner ever calls. It may be called twice, late, or by two
workers at once: the lease lets one of them decide, and an answer counts once. Between
two transactions nothing is remembered that a crash could not lose: what is held stands
in the ledger before it is sent, and what came back is counted in the transaction that
holds the next ask.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from headcount.core import lifecycle, tally
from headcount.core.calls import (
    Answer,
    Call,
    CallKind,
    Failure,
    FailureKind,
    Page,
    Prices,
)
from headcount.core.decisions import waiting_until
from headcount.core.errors import StoreBusy
from headcount.core.model import Change, Job, Known, Lease, Source, Status
from headcount.ports import Clock, Pace, Provider, Rule, Store

_LOG = logging.getLogger(__name__)
LEASE = timedelta(seconds=12)  # so that others go on soon after a crash
RENEWAL = timedelta(seconds=4)
GRACE = timedelta(seconds=10)  # for calls still out when the target is reached
PATIENCE = timedelta(seconds=20)  # with a store that is busy, or away for a restart

Fact = Callable[[Change, Known, datetime], Change]
Watch = Callable[[Change], None]


@dataclass(frozen=True, slots=True)
class Channel:
    """A provider with the pace that all jobs of its key share."""

    provider: Provider
    pace: Pace


@dataclass(frozen=True, slots=True)
class Worker:
    """Who holds the leases, and how to tell that another holder is dead."""

    name: str
    is_dead: Callable[[str], bool] = lambda _: False


@dataclass(slots=True)
class _Step:
    """One claim of a job, from its lease to the release."""

    job: Job
    token: int
    channel: Channel
    prices: Prices
    until: datetime | None
    nudge: asyncio.Event
    renew_at: datetime
    out: dict[asyncio.Task[Answer], Call] = field(default_factory=dict)
    starved: bool = False  # every free slot was used, and more may be wanted
    offered: bool = False  # it was woken by a slot that may be free, and nothing else
    enough_at: datetime | None = None  # when the target was seen to be reached


class Engine:
    """Takes jobs forward, one step at a time."""

    def __init__(
        self,
        store: Store,
        channels: Callable[[str], Channel],
        clock: Clock,
        *,
        worker: Worker,
        watch: Watch = lambda _: None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._channels = channels
        self._clock = clock
        self._worker = worker
        self._watch = watch
        self._jitter = jitter
        self._stopped = False

    def stop(self) -> None:
        """Ask nothing more: what is out is counted, then every step ends."""
        self._stopped = True

    async def advance(
        self,
        job_id: str,
        *,
        until: datetime | None = None,
        nudge: asyncio.Event | None = None,
    ) -> Job:
        """Take a job as far as it goes, at most until the end of the time slice.

        Returns the job as it was left: ended, paused, due again at `due_at`, or
        untouched where another worker has the lease. Setting `nudge` makes a waiting
        step look at the job again.

        Raises:
            NoSuchJob: no job has this id.
            StoreError: nothing more can be written; calls still out count as spent.
        """
        nudge = nudge or asyncio.Event()
        nudge.clear()  # what it was set for is looked at now
        job = await self._store.load(job_id)
        channel = self._channels(job.search.provider)
        claimed = await self._claim(job_id)
        if not claimed.changed:
            return claimed.job
        step = _Step(
            job=claimed.job,
            token=claimed.job.fence,
            channel=channel,
            prices={kind: channel.provider.price(kind) for kind in CallKind},
            until=until,
            nudge=nudge,
            renew_at=self._clock.now(),
        )
        try:
            await self._decide(step)
            while step.out or self._goes_on(step):
                await self._answers(step)
            return await self._release(step)
        except asyncio.CancelledError:
            await self._release(step)  # so that others need not wait for its expiry
            raise
        finally:
            for task in step.out:
                task.cancel()

    async def _claim(self, job_id: str) -> Change:
        """Take the lease; the change that changes nothing where that cannot be."""
        now = self._clock.now()
        lease = Lease(0, self._worker.name, now + LEASE)

        def rule(job: Job, _: Known) -> Change:
            is_dead = self._worker.is_dead
            return lifecycle.claim(Change(job), lease, now, is_dead=is_dead)

        return await self._write(job_id, rule)

    def _goes_on(self, step: _Step) -> bool:
        """Whether there may be more to ask within this claim and its time slice."""
        job, now = step.job, self._clock.now()
        at_work = job.status is Status.PROCESSING and lifecycle.holds(job, step.token)
        if self._stopped or not at_work or step.channel.pace.closed_until():
            return False
        return step.until is None or max(now, waiting_until(job) or now) < step.until

    async def _answers(self, step: _Step) -> None:
        """Wait for what comes first, and count every answer that is in."""
        done = await self._wait(step)
        for task in done:
            call = step.out.pop(task)
            await self._count(step, call, task.result())
        if not done:
            if self._overdue(step):
                await self._abandon(step)
            await self._decide(step)

    async def _wait(self, step: _Step) -> list[asyncio.Task[Answer]]:
        """Return the answers that are in; none when it is time to look again."""
        pause = asyncio.ensure_future(self._clock.sleep(self._pause(step)))
        nudge = asyncio.ensure_future(step.nudge.wait())
        signals = [pause, nudge]
        if step.starved:
            signals.append(asyncio.ensure_future(step.channel.pace.ready()))
        try:
            await asyncio.wait(
                [*step.out, *signals], return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            step.offered = not (pause.done() or nudge.done())
            for signal in signals:
                signal.cancel()
            await asyncio.gather(*signals, return_exceptions=True)
        step.nudge.clear()
        return [task for task in step.out if task.done()]

    def _pause(self, step: _Step) -> float:
        """Seconds until the lease wants renewing, or something else is due before."""
        now = self._clock.now()
        deadline = step.job.search.limits.deadline
        times = [waiting_until(step.job), step.until, deadline]
        if step.enough_at:
            times.append(step.enough_at + GRACE)
        ahead = [time for time in times if time and time > now]
        return max(0.0, (min([step.renew_at, *ahead]) - now).total_seconds())

    async def _count(self, step: _Step, call: Call, answer: Answer) -> None:
        """Settle a page, or take note of a failure, and hold the next asks."""
        if isinstance(answer, Page):
            keys = [sighting.key for sighting in answer.sightings]
            await self._decide(step, _settled(call, answer), keys)
            return
        failure = await step.channel.pace.heed(answer)
        await self._decide(step, _failed(call, failure, self._jitter()))

    def _overdue(self, step: _Step) -> bool:
        """Whether what is out is no longer needed and has had time enough."""
        enough_at = step.enough_at
        return bool(step.out and enough_at and self._clock.now() >= enough_at + GRACE)

    async def _abandon(self, step: _Step) -> None:
        for task, call in list(step.out.items()):
            task.cancel()
            del step.out[task]
            await self._decide(step, _given_up(call))

    async def _decide(
        self, step: _Step, fact: Fact | None = None, keys: Sequence[str] = ()
    ) -> None:
        """Write a fact down with what follows from it, then send what is held."""
        now, pace = self._clock.now(), step.channel.pace
        sliced = step.until is not None and now >= step.until
        wanted = 0 if sliced or self._stopped else len(step.job.sources)
        slots = await pace.take(wanted)
        if step.offered and not fact and not slots.number:
            return  # another job was faster: there is nothing to write down

        def rule(job: Job, known: Known) -> Change:
            change = fact(Change(job), known, now) if fact else Change(job)
            change = lifecycle.renew(change, step.token, now + LEASE)
            room = slots.number - len(_unsent(step, change.job))
            return lifecycle.proceed(
                change, step.token, now, room=room, prices=step.prices
            )

        opened: list[Call] = []
        try:
            change = await self._write(step.job.id, rule, keys)
            opened = _unsent(step, change.job)
        finally:
            await pace.give_back(slots, slots.number - len(opened))
        step.job, step.starved = change.job, len(opened) == slots.number < wanted
        step.enough_at = None if step.job.missing else step.enough_at or now
        step.renew_at = now + RENEWAL
        self._send(step, opened)
        self._show(change)

    def _show(self, change: Change) -> None:
        """Tell the watcher, who must not be able to harm a job that is paid for."""
        try:
            self._watch(change)
        except Exception:  # noqa: BLE001 - whatever it is, it is not the job's
            _LOG.exception("a watcher of job %s failed", change.job.id)

    def _send(self, step: _Step, opened: list[Call]) -> None:
        pace = step.channel.pace
        for call in opened:
            fetch = self._fetch(step.channel, call, step.job.source(call.source))
            task = asyncio.ensure_future(fetch)
            # A task that is cancelled before it begins would skip its own `finally`.
            task.add_done_callback(lambda _: pace.done())
            step.out[task] = call

    async def _fetch(self, channel: Channel, call: Call, source: Source) -> Answer:
        """Ask; a defect of the provider's code is a failure of the call too."""
        try:
            return await channel.provider.fetch(call, source)
        except Exception as error:  # noqa: BLE001 - whatever it is, the call is paid
            text = f"the provider's adapter failed: {error!r}"  # as the store can keep
            return Failure(FailureKind.UNAVAILABLE, text)

    async def _release(self, step: _Step) -> Job:
        now = self._clock.now()
        opens_at = step.channel.pace.closed_until() or now

        def rule(job: Job, _: Known) -> Change:
            due = max(now, waiting_until(job) or now, opens_at)
            return lifecycle.release(Change(job), step.token, now, due_at=due)

        return (await self._write(step.job.id, rule)).job

    async def _write(self, job_id: str, rule: Rule, keys: Sequence[str] = ()) -> Change:
        """Change the job, trying again while the store is busy: a page is paid for."""
        gives_up_at = self._clock.now() + PATIENCE
        while True:
            try:
                return await self._store.change(job_id, rule, keys)
            except StoreBusy:
                if self._clock.now() >= gives_up_at:
                    raise
                await self._clock.sleep(0.5 + self._jitter())


def _unsent(step: _Step, job: Job) -> list[Call]:
    """The calls held by this step that are not out.

    There are some before it decides only where a commit took place unheard: the
    connection was lost, and the change was tried again.
    """
    out = {call.id for call in step.out.values()}
    ours = job.open_calls if lifecycle.holds(job, step.token) else ()
    return [call for call in ours if call.id not in out]


def _settled(call: Call, page: Page) -> Fact:
    return lambda change, known, now: tally.settle(change, call.id, page, known, now)


def _failed(call: Call, failure: Failure, jitter: float) -> Fact:
    return lambda change, _, now: tally.fail(change, call.id, failure, jitter, now)


def _given_up(call: Call) -> Fact:
    return lambda change, _, now: tally.give_up(change, call.id, now)
