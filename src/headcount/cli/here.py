"""The desk of this machine: its store, and this process to work on the jobs."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime

from headcount.adapters.statistics import recount
from headcount.app import App
from headcount.bootstrap import open_app
from headcount.cli.desk import Order
from headcount.cli.views import NewIds, View
from headcount.client.documents import (
    JobDocument,
    JobEvent,
    JobSheet,
    PlanDocument,
    event_of,
    value_of,
)
from headcount.client.results import StatisticsDocument
from headcount.core.advice import advice
from headcount.core.errors import HeadcountError, JobNotReady
from headcount.core.expansion import Expansion
from headcount.core.figures import statistics_document
from headcount.core.model import Change, Job, Limits, Search, Status
from headcount.core.plans import plan_document
from headcount.core.report import (
    Document,
    event,
    exact_count_tracking,
    job_document,
)
from headcount.core.rows import SHAPES
from headcount.core.selection import Selection
from headcount.core.sighting import Verdict
from headcount.core.statistics import Coverage, Statistics
from headcount.engine import LEASE
from headcount.planning import plan_of, widen
from headcount.runners.local import is_dead
from headcount.settings import Settings

_LOOK = 0.3  # seconds between two looks at the events of another process


class Here:
    """The desk over the store of this machine."""

    suffix = ""

    def __init__(self, app: App, screen: "Screen") -> None:
        self.app = app
        self._screen = screen

    # ------------------------------------------------------------------------- orders
    async def ready(self, search: Search) -> None:
        """Open the provider, which needs its key."""
        await self.app.connect(search.provider)

    async def create(self, search: Search) -> JobDocument:
        """Keep a new job."""
        return _document(await self.app.create(search))

    async def work(self, job: JobDocument, view: View) -> None:
        """Work on a job; Ctrl-C pauses it once what is out has been settled."""
        running = asyncio.ensure_future(self.app.run(job.id))
        with self._screen.shown_by(view):
            async with self._interruptible(job.id, view, running):
                try:
                    await running
                except asyncio.CancelledError:
                    await self.app.pause(job.id)
                except HeadcountError:
                    view.say(f"What was found is kept: headcount jobs resume {job.id}")
                    raise

    @asynccontextmanager
    async def _interruptible(
        self, job_id: str, view: View, running: asyncio.Future[Job]
    ) -> AsyncIterator[None]:
        """Turn the first Ctrl-C into a pause, and the second into an end at once."""
        loop, pauses = asyncio.get_running_loop(), set[asyncio.Task[Job]]()

        def interrupted() -> None:
            if pauses:
                running.cancel()
                return
            view.say("Settling the calls that are out; Ctrl-C again stops at once.")
            pauses.add(asyncio.ensure_future(self.app.pause(job_id)))

        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, interrupted)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)
            await asyncio.gather(*pauses, return_exceptions=True)

    async def order(self, job_id: str, order: Order) -> JobDocument:
        """Give an order, and return how the job stands."""
        acts = {
            Order.PAUSE: self.app.pause,
            Order.RESUME: self.app.resume,
            Order.CANCEL: self.app.cancel,
            Order.FINISH: self.app.finish,
        }
        return _document(await acts[order](job_id))

    async def top_up(
        self,
        job_id: str,
        target: int | None,
        limits: Limits,
        expansion: Expansion | None = None,
    ) -> JobDocument:
        """Raise the target or limits, if the job could be worked on here."""
        job = await self.app.store.load(job_id)
        await self.app.connect(job.search.provider)
        await widen(self.app, job_id, expansion)
        raised = await self.app.top_up(
            job_id,
            target,
            max_calls=limits.max_calls,
            max_credits=limits.max_credits,
            deadline=limits.deadline,
        )
        return _document(raised)

    async def delete(self, job_id: str) -> None:
        """Forget a job and all that it found.

        Raises:
            JobNotReady: somebody is working on it.
        """
        job = await self.app.store.load(job_id)
        if _worked_on(job, self.app.clock.now()):
            raise JobNotReady(
                f"job {job_id} is being worked on: headcount jobs cancel {job_id} first"
            )
        await self.app.store.delete(job_id)

    # ------------------------------------------------------------------------ answers
    async def jobs(
        self, status: Status | None
    ) -> AsyncIterator[tuple[JobDocument, str]]:
        """All jobs, the newest first, each with what would help it."""
        now = self.app.clock.now()
        async for job in self.app.store.jobs(Selection(status)):
            yield _document(job), help_for(job, now)

    async def job(self, job_id: str) -> JobSheet:
        """A job with its ledger."""
        job = await self.app.store.load(job_id)
        calls = [call async for call in self.app.store.calls(job_id)]
        told = {
            **job_document(job),
            "advice": help_for(job, self.app.clock.now()),
            "exactCountTracking": exact_count_tracking(job, calls),
        }
        return value_of(told, JobSheet)

    async def plan(self, job_id: str) -> PlanDocument:
        """What the rest of a job is expected to take, by all that it has seen."""
        plan = await plan_of(self.app, job_id)
        return value_of(plan_document(plan), PlanDocument)

    async def creators(self, job_id: str, shape: str) -> AsyncIterator[Document]:
        """The delivered creators by ordinal, in this shape."""
        job = await self.app.store.load(job_id)
        async for finding, seen_in in self.app.store.delivered(job_id):
            yield SHAPES[shape](job, finding, seen_in)

    async def events(self, job_id: str) -> AsyncIterator[JobEvent]:
        """All that happens to a job, as long as somebody works on it."""
        seen = 0
        while True:
            job = await self.app.store.load(job_id)
            async for told in self.app.store.events(job_id, seen):
                seen = told.id
                yield event_of(told.id, told.type, told.at, told.data)
            if job.status.ended or job.status is Status.PAUSED or _killed(job):
                return
            await self.app.clock.sleep(_LOOK)

    async def statistics(self, coverage: Coverage) -> StatisticsDocument:
        """The sums that are kept; where no service runs, nobody else rolls them up."""
        await self.app.store.figures.roll_up()
        return _figures(await self.app.statistics(coverage))

    async def recount(self, coverage: Coverage) -> StatisticsDocument:
        """The same, from every job anew."""
        now = self.app.clock.now()
        return _figures(await recount(self.app.store, coverage, now))


class Screen:
    """Shows the changes that this process makes to whoever looks at the moment."""

    def __init__(self, *, debug: bool) -> None:
        self._debug = debug
        self._view: View | None = None

    @contextmanager
    def shown_by(self, view: View) -> Iterator[None]:
        """Let this view show what happens while the block runs."""
        self._view = view
        try:
            yield
        finally:
            self._view = None

    def __call__(self, change: Change) -> None:
        """Show what has changed, if it is news."""
        told = event(change)
        if told and self._view:
            kind, news = told
            ids = new_ids(change) if self._debug else ()
            self._view(event_of(change.job.version, kind, datetime.now(UTC), news), ids)


@asynccontextmanager
async def open_here(settings: Settings) -> AsyncIterator[Here]:
    """The desk over the store that the settings name.

    Raises:
        StoreError: the store cannot be opened.
    """
    screen = Screen(debug=settings.debug)
    async with open_app(settings, watch=screen) as app:
        yield Here(app, screen)


def help_for(job: Job, now: datetime) -> str:
    """What would help a job that fell short, or that nobody works on any more."""
    if _stalled(job, now):
        return f"Nobody works on job {job.id} any more: headcount jobs resume {job.id}"
    return advice(job)


def new_ids(change: Change) -> NewIds:
    """The creators that qualified by each call just closed, in the order of these."""
    return [
        [
            finding.sighting.id
            for finding in change.findings
            if finding.call == call.id and finding.verdict is Verdict.QUALIFIED
        ]
        for call in change.calls
        if call.closed_at
    ]


def _worked_on(job: Job, now: datetime) -> bool:
    """Whether a living worker has the job."""
    alive = job.lease is not None and job.lease.expires_at > now
    return alive and not _killed(job)


def _killed(job: Job) -> bool:
    """Whether who worked on the job was a process of this machine that is gone."""
    return job.lease is not None and is_dead(job.lease.holder)


def _stalled(job: Job, now: datetime) -> bool:
    """Whether a job should go on, and nobody is there who does it."""
    if job.status not in {Status.PENDING, Status.PROCESSING} or _worked_on(job, now):
        return False
    overdue = job.due_at is not None and job.due_at + LEASE < now
    return job.lease is not None or overdue


def _document(job: Job) -> JobDocument:
    return value_of(job_document(job), JobDocument)


def _figures(statistics: Statistics) -> StatisticsDocument:
    return value_of(statistics_document(statistics), StatisticsDocument)
