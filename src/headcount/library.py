"""Headcount as a library: find creators, all at once or as they come."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass, replace

from headcount import planning
from headcount.app import App
from headcount.bootstrap import open_app
from headcount.core.advice import advice
from headcount.core.calls import Call
from headcount.core.expansion import Expansion, build_expansion
from headcount.core.filters import Filters, filters_as_given
from headcount.core.model import Change, Finding, Job, Limits, Search
from headcount.core.plans import Plan
from headcount.core.report import exact_count_tracking
from headcount.core.rows import guide_row, row
from headcount.core.search import build_search
from headcount.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class Result:
    """A job as it ended, with its delivered creators by ordinal and its ledger."""

    job: Job
    creators: tuple[Finding, ...]
    posts_seen: tuple[int, ...]
    calls: tuple[Call, ...]

    @property
    def exact(self) -> bool:
        """Whether all that were asked for are there."""
        return not self.job.missing

    @property
    def advice(self) -> str:
        """What would help where creators are missing; empty where none is."""
        return advice(self.job)

    @property
    def tracking(self) -> dict[str, object]:
        """The statistics `exactCountTracking`, as `headcount/schema.json` has them."""
        return exact_count_tracking(self.job, self.calls)

    def rows(self) -> list[dict[str, object]]:
        """The creators as plain dictionaries, the same as `--format json` writes."""
        pairs = zip(self.creators, self.posts_seen, strict=True)
        return [row(self.job, finding, seen_in) for finding, seen_in in pairs]

    def guide_rows(self) -> list[dict[str, object]]:
        """The creators in the shape that existing front ends read."""
        return [guide_row(self.job, finding) for finding in self.creators]


async def find(  # noqa: PLR0913 - a search has as many parts as a user may name
    target: int,
    keywords: str | Iterable[str],
    *,
    filters: Filters | Mapping[str, object] | None = None,
    limits: Limits | None = None,
    expand: str | Expansion | None = None,
    sandbox: bool = False,
    settings: Settings | None = None,
) -> Result:
    """Find exactly `target` different creators, or end with the reason why not.

    `keywords` is a list, or a string in which commas separate them. `expand` says which
    new sources may be opened where they are not enough: off, variants, related, all, or
    an `Expansion` with words to leave out. Settings are read as the command line reads
    them, unless given; what `limits` leaves at its default comes from them.

    Raises:
        InvalidSearch: the search cannot be taken.
        InvalidSetting: the provider's key is missing, or a setting cannot be used.
        StoreError: the store cannot be used; what was settled is kept in it.
    """
    settings = settings or load_settings()
    async with open_app(settings) as app:
        search = _search(app.settings, target, keywords, filters, limits, expand)
        job = await _create(app, search, sandbox=sandbox)
        return await _result(app, await app.run(job.id))


async def stream(  # noqa: PLR0913 - the same
    target: int,
    keywords: str | Iterable[str],
    *,
    filters: Filters | Mapping[str, object] | None = None,
    limits: Limits | None = None,
    expand: str | Expansion | None = None,
    sandbox: bool = False,
    settings: Settings | None = None,
) -> AsyncGenerator[Change, None]:
    """Find creators, and yield each change as it is settled; the last one has ended.

    `change.job` has the counters, `change.calls` what came back, `change.findings`
    the creators judged by it. Closing the stream pauses the job, once what is out has
    been settled; `resume(change.job.id)` goes on. `contextlib.aclosing` closes it where
    a loop is left; a mere `break` does so a little later.

    Raises:
        As `find` does.
    """
    settings = settings or load_settings()
    changes: asyncio.Queue[Change | None] = asyncio.Queue()
    async with open_app(settings, watch=changes.put_nowait) as app:
        search = _search(app.settings, target, keywords, filters, limits, expand)
        job = await _create(app, search, sandbox=sandbox)
        running = asyncio.ensure_future(app.run(job.id))
        running.add_done_callback(lambda _: changes.put_nowait(None))
        try:
            while change := await changes.get():
                if change.calls or change.job.status is not change.before.status:
                    yield change
            await running
        finally:
            if not running.done():
                await app.pause(job.id)
                await running


async def plan(  # noqa: PLR0913 - the same
    target: int,
    keywords: str | Iterable[str],
    *,
    filters: Filters | Mapping[str, object] | None = None,
    limits: Limits | None = None,
    expand: str | Expansion | None = None,
    calls: int | None = None,
    sandbox: bool = False,
    settings: Settings | None = None,
) -> Plan:
    """Make a few calls, and tell what the search is expected to take.

    As many as `calls`, else one for each keyword and five at most. What they found is
    kept: `resume(plan.job.id)` goes on from it.

    Raises:
        As `find` does.
    """
    settings = settings or load_settings()
    search = _search(settings, target, keywords, filters, limits, expand)
    if sandbox:
        search = _in_sandbox(search, settings)
    async with open_app(settings) as app:
        await app.connect(search.provider)
        return await planning.plan(app, search, calls)


async def resume(job_id: str, *, settings: Settings | None = None) -> Result:
    """Go on with a job that was interrupted, killed, or ended short.

    Raises:
        NoSuchJob: no job has this id.
        InvalidSetting: the provider's key is missing.
        StoreError: the store cannot be used.
    """
    async with open_app(settings or load_settings()) as app:
        await app.resume(job_id)
        return await _result(app, await app.run(job_id))


def _search(
    settings: Settings,
    target: int,
    keywords: str | Iterable[str],
    filters: Filters | Mapping[str, object] | None,
    limits: Limits | None,
    expand: str | Expansion | None,
) -> Search:
    if isinstance(filters, Filters):
        filters = filters_as_given(filters)
    if not isinstance(expand, Expansion):
        expand = build_expansion(expand or settings.expand)
    return build_search(
        target,
        keywords.split(",") if isinstance(keywords, str) else keywords,
        filters=filters,
        limits=settings.filled(limits or Limits()),
        expansion=expand,
    )


async def _create(app: App, search: Search, *, sandbox: bool) -> Job:
    if sandbox:
        search = _in_sandbox(search, app.settings)
    await app.connect(search.provider)
    return await app.create(search)


def _in_sandbox(search: Search, settings: Settings) -> Search:
    return replace(search, provider=f"sandbox/{settings.sandbox_seed}")


async def _result(app: App, job: Job) -> Result:
    pairs = [pair async for pair in app.store.delivered(job.id)]
    calls = [call async for call in app.store.calls(job.id)]
    return Result(
        job=job,
        creators=tuple(finding for finding, _ in pairs),
        posts_seen=tuple(seen_in for _, seen_in in pairs),
        calls=tuple(calls),
    )
