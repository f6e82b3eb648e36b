"""Headcount put together: every concrete thing has its place here, and one only."""

import secrets
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from headcount.acts import Observers, Wake
from headcount.adapters.clock import SystemClock
from headcount.adapters.gates import Gates
from headcount.adapters.requests import Requests
from headcount.adapters.retention import Retention
from headcount.adapters.sql import SqlStore
from headcount.channels import Channels
from headcount.core import ownership
from headcount.core.allowances import EVERYONE, Allowance
from headcount.core.errors import InvalidSetting
from headcount.core.expansion import Expansion
from headcount.core.hashtags import Hashtags
from headcount.core.model import Change, Job, Known, Label, Limits, Search, Status
from headcount.core.search import new_job
from headcount.core.selection import Selection
from headcount.core.statistics import EVERYTHING, Coverage, Statistics
from headcount.engine import Channel, Watch, Worker
from headcount.observed import ObservedEngine
from headcount.ports import Rule, Waker
from headcount.runners.local import LocalRunner, failing, is_dead, worker_name
from headcount.runners.service import Chore, ServiceRunner
from headcount.settings import Settings
from headcount.wakers import announcer, qstash_waker

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from headcount.adapters.webhooks import Resolver, Webhooks

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class App:
    """Headcount put together: takes searches, works on jobs, answers about them."""

    def __init__(
        self,
        settings: Settings,
        store: SqlStore,
        clock: SystemClock,
        stack: AsyncExitStack,
        *,
        watch: Watch,
        observers: Observers,
    ) -> None:
        self.settings = settings
        self.store = store
        self.clock = clock
        self.observers = observers
        self.resolve: Resolver | None = None  # how webhooks' names are looked up
        self._stack = stack
        self._webhooks: Webhooks | None = None
        self.gates = Gates(store.database, worker=worker_name())
        self.channels = Channels(settings, self.clock, stack, self.gates)
        stack.push_async_callback(self.channels.hand_back_permits)
        worker = Worker(worker_name(), is_dead)
        channels = self.channels.opened
        self._engine = ObservedEngine(
            observers, store, channels, self.clock, worker=worker, watch=watch
        )
        self.runner = LocalRunner(self._engine, store, self.clock)
        self.wakers: list[Waker] = [self.runner]
        self.announcer = announcer(settings, self.clock)
        if self.announcer is not None:
            stack.push_async_callback(self.announcer.close)
            self.wakers.append(self.announcer)
        self.post = qstash_waker(settings, store, self.clock)
        if self.post is not None:
            stack.push_async_callback(self.post.close)
            self.wakers.append(self.post)
        now = self.clock.now
        self.requests = Requests(store.database, now=now)
        self.retention = Retention(store.database, now=now)
        self.chores = [
            Chore("reading the database's clock", 60.0, self.check_clock),
            Chore("reading which keys are closed", 5.0, self.gates.refresh),
            Chore("renewing permits for calls", 1.0, self.channels.renew_permits),
            Chore("looking for new credits", 60.0, self.channels.look_for_credits),
            Chore("rolling up the statistics", 60.0, store.figures.roll_up),
            Chore("sending to webhooks", 1.0, self._send_to_webhooks),
            Chore("forgetting old requests", 3_600.0, self.requests.forget),
            Chore("forgetting old messages", 3_600.0, self.retention.forget_messages),
            Chore("forgetting old jobs", 600.0, self._forget_old_jobs),
        ]

    async def create(
        self, search: Search, label: Label | None = None, *, job_id: str | None = None
    ) -> Job:
        """Keep a new job for this search; nothing is asked yet."""
        search = replace(search, limits=self._capped(search.limits))
        job = new_job(job_id or _new_id(), search, self.clock.now(), label=label)
        job = await self.store.create(job)
        await self._wake(job.id)
        return job

    def service(self) -> ServiceRunner:
        """A runner that works on all that is due, in this process.

        From here on, a key without credits is closed for all jobs, which wait.
        """
        self.channels.share_keys()
        runner = ServiceRunner(
            self._engine,
            self.store,
            self.clock,
            prepare=self._prepare,
            places=self.settings.jobs_at_once,
            chores=self.chores,
        )
        if self.announcer is None:
            self.wakers.append(runner)
        else:  # whoever has a place for it is woken, on whichever machine
            listen = partial(self.announcer.listen, runner.take)
            self.chores.append(Chore("listening for wake-ups", 1.0, listen))
        return runner

    async def check_clock(self) -> None:
        """Go by the time of the database, where that has one of its own."""
        time = await self.store.time()
        if time is not None:
            self.clock.set_by(time)

    async def _prepare(self, job_id: str) -> datetime | None:
        """Open what the job needs; when to try again, where others have all permits."""
        job = await self.store.load(job_id)
        await self.connect(job.search.provider)
        return self.channels.starved_until(job.search.provider)

    async def run(self, job_id: str) -> Job:
        """Work on a job until it has ended, or somebody pauses it."""
        await self._prepare(job_id)
        return await self.runner.run(job_id)

    async def advance(self, job_id: str, seconds: float) -> Job:
        """Take a job forward by a time slice, on a channel that is connected.

        Raises:
            InternalError: a defect of ours ended the job as failed.
        """
        async with (
            self.channels.permits_renewed(),
            failing(job_id, self.store, self.clock),
        ):
            until = self.clock.now() + timedelta(seconds=seconds)
            return await self._engine.advance(job_id, until=until)

    async def connect(self, provider: str) -> Channel:
        """Open the channel to a provider, once.

        Raises:
            InvalidSetting: the key is missing, or the address cannot be used.
        """
        return await self.channels.connect(provider)

    async def pause(self, job_id: str) -> Job:
        """Ask nothing more for now."""
        return await self._apply(job_id, lambda job, _: ownership.pause(Change(job)))

    async def resume(self, job_id: str) -> Job:
        """Let a paused, failed or partial job go on, under the caps now in force.

        Raises:
            JobNotReady: the job was cancelled.
        """
        now = self.clock.now()

        def rule(job: Job, _: Known) -> Change:
            limits = self._capped(job.search.limits)
            change = ownership.top_up(Change(job), job.target, limits, now)
            return ownership.resume(change, now)

        return await self._apply(job_id, rule)

    async def cancel(self, job_id: str) -> Job:
        """End a job for good, with what it has."""
        now = self.clock.now()
        return await self._apply(
            job_id, lambda job, _: ownership.cancel(Change(job), now, is_dead=is_dead)
        )

    async def widen(self, job_id: str, expansion: Expansion, hashtags: Hashtags) -> Job:
        """Let a job open new sources, given the hashtags of what it has found."""
        return await self._apply(
            job_id, lambda job, _: ownership.widen(Change(job), expansion, hashtags)
        )

    async def finish(self, job_id: str) -> Job:
        """Take what a job has as its result."""
        now = self.clock.now()
        return await self._apply(
            job_id, lambda job, _: ownership.finish(Change(job), now, is_dead=is_dead)
        )

    async def top_up(
        self, job_id: str, target: int | None = None, **limits: object
    ) -> Job:
        """Raise the target or limits to absolute values; `None` leaves one as is."""
        now = self.clock.now()

        def rule(job: Job, _: Known) -> Change:
            aim = job.target if target is None else target
            given = {name: v for name, v in limits.items() if v is not None}
            raised = replace(job.search.limits, **given)  # type: ignore[arg-type] # as declared by Limits
            return ownership.top_up(Change(job), aim, self._capped(raised), now)

        return await self._apply(job_id, rule)

    async def allow(self, allowance: Allowance) -> Allowance:
        """Set what a holder may use; whoever waits for it looks at once."""
        now = self.clock.now()
        done = await self.store.allowances.set(allowance, now)
        owner = None if allowance.owner == EVERYONE else allowance.owner
        waiting = Selection(status=Status.PROCESSING, owner=owner)
        async for job in self.store.jobs(waiting):
            if job.rest:
                await self._apply(
                    job.id, lambda job, _: ownership.nudge(Change(job), now)
                )
        return done

    async def webhooks(self) -> "Webhooks":
        """What knows the webhooks' secrets and sends to them; opened once.

        Raises:
            InvalidSetting: the extra that it needs is not installed.
        """
        if self._webhooks is None:
            self._webhooks = await self._stack.enter_async_context(_webhooks(self))
        return self._webhooks

    async def _send_to_webhooks(self) -> None:
        courier = (await self.webhooks()).courier
        await courier.deliver_due()

    async def _forget_old_jobs(self) -> None:
        days = self.settings.retention_days
        if days is not None:
            await self.retention.forget_jobs(timedelta(days=days))

    async def statistics(self, coverage: Coverage = EVERYTHING) -> Statistics:
        """What the jobs covered come to up to now, those that just ended included."""
        return await self.store.figures.read(coverage)

    async def _apply(self, job_id: str, rule: Rule) -> Job:
        change = await self.store.change(job_id, rule)
        await self._wake(job_id)
        return change.job

    async def _wake(self, job_id: str) -> None:
        """Have the job looked at soon, after the commit; its row says it anyway."""
        with self.observers.during(Wake(job_id)):
            for waker in self.wakers:
                await waker.wake(job_id, self.clock.now())

    def _capped(self, limits: Limits) -> Limits:
        """The limits with the cap for testing as it is set now."""
        testing = self.settings.max_calls_for_testing
        return replace(limits, max_calls_for_testing=testing)


def _webhooks(app: App) -> "AbstractAsyncContextManager[Webhooks]":
    try:
        from headcount.adapters.webhooks import (  # noqa: PLC0415 - an extra
            look_up,
            open_webhooks,
        )
    except ImportError:
        raise InvalidSetting(
            "webhooks need what is not installed: install headcount[server]"
        ) from None
    return open_webhooks(
        app.store.database,
        app.clock,
        allow_private=app.settings.webhook_allow_private,
        resolve=app.resolve or look_up,
        observers=app.observers,
    )


def _new_id() -> str:
    return "".join(_ALPHABET[byte % 32] for byte in secrets.token_bytes(10))
