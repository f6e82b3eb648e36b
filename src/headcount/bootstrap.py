"""The only place where concrete things meet: settings in, a working app out."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from weakref import WeakValueDictionary

from headcount.adapters.clock import SystemClock
from headcount.adapters.http import open_client
from headcount.adapters.pace import KeyPace
from headcount.adapters.providers.scrapecreators import ScrapeCreators
from headcount.adapters.sql import SqlStore
from headcount.core import lifecycle
from headcount.core.errors import InvalidSetting, StoreError
from headcount.core.model import Change, Job, Known, Label, Limits, Search
from headcount.core.search import new_job
from headcount.engine import Channel, Engine, Watch, Worker
from headcount.ports import Rule, Waker
from headcount.runners.local import LocalRunner, is_dead, worker_name
from headcount.runners.service import Chore, ServiceRunner
from headcount.sandbox import Faults, Sandbox, World, serving
from headcount.settings import Settings, data_folder

_PACES: WeakValueDictionary[tuple[int, str, str], KeyPace] = WeakValueDictionary()
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class App:
    """Headcount put together: takes searches, works on jobs, answers about them."""

    def __init__(
        self, settings: Settings, store: SqlStore, stack: AsyncExitStack, watch: Watch
    ) -> None:
        self.settings = settings
        self.store = store
        self.clock = SystemClock()
        self._stack = stack
        self._channels: dict[str, Channel] = {}
        worker = Worker(worker_name(), is_dead)
        self._engine = Engine(
            store, self._channels.__getitem__, self.clock, worker=worker, watch=watch
        )
        self.runner = LocalRunner(self._engine, store, self.clock)
        self.wakers: list[Waker] = [self.runner]

    async def create(self, search: Search, label: Label | None = None) -> Job:
        """Keep a new job for this search; nothing is asked yet."""
        search = replace(search, limits=self._capped(search.limits))
        job = new_job(_new_id(), search, self.clock.now(), label=label)
        job = await self.store.create(job)
        await self._wake(job.id)
        return job

    def service(self, chores: Sequence[Chore] = ()) -> ServiceRunner:
        """A runner that works on all that is due, in this process."""
        runner = ServiceRunner(
            self._engine,
            self.store,
            self.clock,
            prepare=self._prepare,
            places=self.settings.jobs_at_once,
            chores=chores,
        )
        self.wakers.append(runner)
        return runner

    async def _prepare(self, job_id: str) -> None:
        job = await self.store.load(job_id)
        await self.connect(job.search.provider)

    async def run(self, job_id: str) -> Job:
        """Work on a job until it has ended, or somebody pauses it."""
        await self._prepare(job_id)
        return await self.runner.run(job_id)

    async def connect(self, provider: str) -> Channel:
        """Open the channel to a provider, once.

        Raises:
            InvalidSetting: the key is missing, or the address cannot be used.
        """
        if provider not in self._channels:
            self._channels[provider] = await self._open_channel(provider)
        return self._channels[provider]

    async def pause(self, job_id: str) -> Job:
        """Ask nothing more for now."""
        return await self._apply(job_id, lambda job, _: lifecycle.pause(Change(job)))

    async def resume(self, job_id: str) -> Job:
        """Let a paused, failed or partial job go on, under the caps now in force.

        Raises:
            JobNotReady: the job was cancelled.
        """
        now = self.clock.now()

        def rule(job: Job, _: Known) -> Change:
            limits = self._capped(job.search.limits)
            change = lifecycle.top_up(Change(job), job.target, limits, now)
            return lifecycle.resume(change, now)

        return await self._apply(job_id, rule)

    async def cancel(self, job_id: str) -> Job:
        """End a job for good, with what it has."""
        now = self.clock.now()
        return await self._apply(
            job_id, lambda job, _: lifecycle.cancel(Change(job), now, is_dead=is_dead)
        )

    async def finish(self, job_id: str) -> Job:
        """Take what a job has as its result."""
        now = self.clock.now()
        return await self._apply(
            job_id, lambda job, _: lifecycle.finish(Change(job), now, is_dead=is_dead)
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
            return lifecycle.top_up(Change(job), aim, self._capped(raised), now)

        return await self._apply(job_id, rule)

    async def _apply(self, job_id: str, rule: Rule) -> Job:
        change = await self.store.change(job_id, rule)
        await self._wake(job_id)
        return change.job

    async def _wake(self, job_id: str) -> None:
        """Have the job looked at soon, after the commit; its row says it anyway."""
        for waker in self.wakers:
            await waker.wake(job_id, self.clock.now())

    def _capped(self, limits: Limits) -> Limits:
        """The limits with the cap for testing as it is set now."""
        testing = self.settings.max_calls_for_testing
        return replace(limits, max_calls_for_testing=testing)

    async def _open_channel(self, name: str) -> Channel:
        key, url = await self._address(name)
        settings = self.settings
        client = await self._stack.enter_async_context(
            open_client(read_timeout=settings.timeout, connections=settings.concurrency)
        )
        provider = ScrapeCreators(
            client, key=key, url=url, total_timeout=settings.timeout
        )
        return Channel(provider, self._pace(url, key))

    def _pace(self, url: str, key: str) -> KeyPace:
        """The pace of a key: one for the process, however many apps it has.

        Where their settings differ, those of the app that came first hold.
        """
        place = (id(asyncio.get_running_loop()), url, key)
        pace = _PACES.get(place)
        if pace is None:
            spacing = timedelta(milliseconds=self.settings.rate_limit_ms)
            concurrency = self.settings.concurrency
            pace = KeyPace(self.clock, concurrency=concurrency, spacing=spacing)
            _PACES[place] = pace
        return pace

    async def _address(self, name: str) -> tuple[str, str]:
        """The key and URL of a provider; a sandbox is started for its own."""
        kind, _, seed = name.partition("/")
        if kind == "sandbox":
            return "sandbox-key", await self._start_sandbox(int(seed))
        key = self.settings.scrapecreators_api_key
        if key is None or not key.get_secret_value().strip():
            raise InvalidSetting(
                "no key: set SCRAPECREATORS_API_KEY to your ScrapeCreators API key, "
                "or try with --sandbox, which needs none"
            )
        return key.get_secret_value().strip(), self.settings.scrapecreators_api_url

    async def _start_sandbox(self, seed: int) -> str:
        try:
            faults = Faults.parse(self.settings.sandbox_faults)
        except ValueError as error:
            raise InvalidSetting(f"HEADCOUNT_SANDBOX_FAULTS: {error}") from None
        sandbox = Sandbox(
            World(seed),
            faults=faults,
            latency_ms=self.settings.sandbox_latency_ms,
            credits=10_000_000,
        )
        return await self._stack.enter_async_context(serving(sandbox))


@asynccontextmanager
async def open_app(
    settings: Settings, watch: Watch = lambda _: None
) -> AsyncIterator[App]:
    """Open the store, and close all that was opened at the end.

    Raises:
        StoreError: the store cannot be opened.
    """
    async with AsyncExitStack() as stack:
        store = await SqlStore.open(_store_url(settings))
        stack.push_async_callback(store.close)
        yield App(settings, store, stack, watch)


def _store_url(settings: Settings) -> str:
    """Where the jobs are; the folder of the default place is made where missing."""
    if settings.database_url is None:
        folder = data_folder()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"{folder} cannot be made ({error.strerror}): name another place by "
                "HEADCOUNT_DATABASE_URL, such as sqlite:///jobs.db"
            ) from None
    return settings.store_url


def _new_id() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(10))
