"""The engine and its providers as observers see them; and who traces, where wanted."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from headcount.acts import Fetch, Observer, Observers, Step
from headcount.core.calls import Answer, Call, CallKind
from headcount.core.errors import InvalidSetting
from headcount.core.model import Job, Source
from headcount.engine import Channel, Engine, Watch, Worker
from headcount.ports import Clock, Provider, Store
from headcount.settings import Settings


class ObservedProvider:
    """A provider each of whose calls is an act."""

    def __init__(self, provider: Provider, observers: Observers) -> None:
        self._provider, self._observers = provider, observers

    def price(self, kind: CallKind) -> int:
        """The most credits that a call of this kind can cost."""
        return self._provider.price(kind)

    async def fetch(self, call: Call, source: Source) -> Answer:
        """Make one request."""
        with self._observers.during(Fetch(call, source)) as act:
            act.answer = answer = await self._provider.fetch(call, source)
        return answer


class ObservedEngine(Engine):
    """An engine each of whose steps is an act, and so is each call within it."""

    def __init__(
        self,
        observers: Observers,
        store: Store,
        channels: Callable[[str], Channel],
        clock: Clock,
        *,
        worker: Worker,
        watch: Watch,
    ) -> None:
        def observed(name: str) -> Channel:
            channel = channels(name)
            provider = ObservedProvider(channel.provider, observers)
            return replace(channel, provider=provider)

        super().__init__(store, observed, clock, worker=worker, watch=watch)
        self._observers = observers

    async def advance(
        self,
        job_id: str,
        *,
        until: datetime | None = None,
        nudge: asyncio.Event | None = None,
    ) -> Job:
        """Take a job as far as it goes, at most until the end of the time slice."""
        with self._observers.during(Step(job_id)) as act:
            act.job = job = await super().advance(job_id, until=until, nudge=nudge)
        return job


@asynccontextmanager
async def tracing(settings: Settings) -> AsyncIterator[tuple[Observer, ...]]:
    """Who traces what is done, where the settings name a collector for it.

    Raises:
        InvalidSetting: a collector is named, and the extra is not installed.
    """
    endpoint = settings.traces_endpoint
    if endpoint is None:
        yield ()
        return
    try:
        from headcount.adapters.traces import open_traces  # noqa: PLC0415 - an extra
    except ImportError:
        raise InvalidSetting(
            "OTEL_EXPORTER_OTLP_ENDPOINT: traces need what is not installed: install "
            "headcount[otel], or set OTEL_TRACES_EXPORTER to none"
        ) from None
    async with open_traces(endpoint) as traces:
        yield (traces,)
