"""The desk of a server: it keeps the jobs and works on them, whoever looks on."""

import asyncio
import shlex
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial

import typer
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from headcount.cli.desk import Order
from headcount.cli.views import View
from headcount.client import Client, JobDocument, JobEvent, JobSheet, StatisticsDocument
from headcount.client.documents import PlanDocument, document_of
from headcount.core.errors import HeadcountError, JobNotReady
from headcount.core.expansion import Expansion
from headcount.core.model import Limits, Search, Status
from headcount.core.report import Document
from headcount.core.selection import Selection
from headcount.core.statistics import Coverage
from headcount.settings import Settings

_UNDER_WAY = {Status.PENDING, Status.PROCESSING}


class Afar:
    """The desk of a server."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._say: Callable[[str], None] = partial(typer.echo, err=True)

    @property
    def suffix(self) -> str:
        """The option by which a further command turns to the same server."""
        return f" --server {shlex.quote(self._client.server)}"

    # ------------------------------------------------------------------------- orders
    async def ready(self, search: Search) -> None:
        """Nothing: what a search needs is there or not at the server."""

    async def create(self, search: Search) -> JobDocument:
        """Have the server begin a job."""
        return await self._client.create(
            search.target,
            search.keywords,
            filters=search.filters,
            limits=self._capped(search.limits),
            sandbox=search.provider.startswith("sandbox/"),
            platform=search.platform,
            region=search.region,
            sort=search.sort,
            period=search.period,
            expansion=None if search.expansion == Expansion() else search.expansion,
        )

    def _capped(self, limits: Limits) -> Limits:
        """The limits under the cap for testing, which holds for whatever is begun."""
        testing = self._settings.max_calls_for_testing
        caps = [cap for cap in (limits.max_calls, testing) if cap is not None]
        return replace(limits, max_calls=min(caps, default=None))

    async def work(self, job: JobDocument, view: View) -> None:
        """Look on until the job has ended or is paused; Ctrl-C only stops looking."""
        self._say = view.say
        looking = asyncio.ensure_future(self._look_on(job, view))
        loop, signals = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, looking.cancel)
        try:
            with suppress(asyncio.CancelledError):
                await looking
        except HeadcountError:
            more = f"headcount jobs resume {job.id}{self.suffix}"
            view.say(f"The job goes on without us. To look again: {more}")
            raise
        finally:
            for number in signals:
                loop.remove_signal_handler(number)

    async def _look_on(self, job: JobDocument, view: View) -> None:
        after = None if job.api_calls else 0  # nothing has happened that was shown
        async with aclosing(self._until_it_rests(job.id, after)) as events:
            async for event in events:
                view(event)

    async def order(self, job_id: str, order: Order) -> JobDocument:
        """Give an order, and return how the job stands."""
        acts = {
            Order.PAUSE: self._client.pause,
            Order.RESUME: self._client.resume,
            Order.CANCEL: self._client.cancel,
            Order.FINISH: self._client.finish,
        }
        return await acts[order](job_id)

    async def top_up(
        self,
        job_id: str,
        target: int | None,
        limits: Limits,
        expansion: Expansion | None = None,
    ) -> JobDocument:
        """Raise the target or limits to absolute values."""
        limits = self._capped(limits)
        return await self._client.top_up(
            job_id, target, limits=limits, expansion=expansion
        )

    async def delete(self, job_id: str) -> None:
        """Forget a job and all that it found.

        Raises:
            JobNotReady: it is under way; the server itself would cancel it first.
        """
        job = await self._client.job(job_id)
        if job.status in _UNDER_WAY:
            cancel = f"headcount jobs cancel {job_id}{self.suffix}"
            raise JobNotReady(f"job {job_id} is being worked on: {cancel} first")
        await self._client.delete(job_id)

    # ------------------------------------------------------------------------ answers
    async def jobs(
        self, status: Status | None
    ) -> AsyncIterator[tuple[JobDocument, str]]:
        """All jobs that the key may see; what would help one is told with it alone."""
        async for job in self._client.jobs(Selection(status)):
            yield job, ""

    async def job(self, job_id: str) -> JobSheet:
        """A job with its ledger."""
        return await self._client.job(job_id)

    async def plan(self, job_id: str) -> PlanDocument:
        """What the rest of a job is expected to take, by all that it has seen."""
        return await self._client.plan(job_id)

    async def creators(self, job_id: str, shape: str) -> AsyncIterator[Document]:
        """The delivered creators by ordinal, in this shape."""
        found = self._client.creators if shape == "rows" else self._client.guide_rows
        async for row in found(job_id):
            yield document_of(row)

    def events(self, job_id: str) -> AsyncIterator[JobEvent]:
        """All that has happened to a job and will, until it ends or is paused."""
        return self._until_it_rests(job_id, 0)

    async def _until_it_rests(
        self, job_id: str, after: int | None
    ) -> AsyncGenerator[JobEvent, None]:
        async with aclosing(self._client.events(job_id, after)) as events:
            async for event in events:
                yield event
                if event.news.status is Status.PAUSED and await self._rests(job_id):
                    return

    async def _rests(self, job_id: str) -> bool:
        """Whether a job is paused now: an event may be of long ago."""
        return (await self._client.job(job_id)).status is Status.PAUSED

    async def statistics(self, coverage: Coverage) -> StatisticsDocument:
        """The figures of the jobs that have ended."""
        return await self._client.statistics(coverage)

    def tell(self, details: RetryDetails) -> None:
        """Say why it takes a while."""
        if isinstance(details.caused_by, Exception):
            self._say(f"{details.caused_by}. Trying again.")


@asynccontextmanager
async def open_afar(settings: Settings) -> AsyncIterator[Afar]:
    """The desk of the server that the settings name.

    Raises:
        InvalidSetting: its address or the key cannot be used.
        ServerError: nobody answers there.
        WrongServer: what answers is no Headcount server, or one of another API.
    """
    key = settings.api_key.get_secret_value() if settings.api_key else None
    client = Client(settings.server or "", key, allow_http=settings.server_allow_http)
    async with client:
        await client.check()
        desk = Afar(client, settings)
        set_on_retry_hooks([desk.tell])  # else it logs, where data go
        try:
            yield desk
        finally:
            set_on_retry_hooks(None)
