"""One call takes a job of the caller's table forward by a time slice.

The job is ours while the call lasts, and counted by the same engine as all others:
in the store, if the settings name one, else in memory, out of the metadata and back.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from headcount.core.errors import InternalError, InvalidSearch, InvalidSetting
from headcount.core.model import Job, Outcome, Status
from headcount.core.rows import guide_row
from headcount.core.search import new_job
from headcount.engine import Channel, Engine, Worker
from headcount.processor.asked import Asked, read_job
from headcount.processor.beginning import Beginning, begin, begun
from headcount.processor.carried import Carried, Keeper, pack, read_carried
from headcount.processor.handles import Recognising
from headcount.processor.place import Place, open_memory, open_store, our_id
from headcount.processor.told import Processed, Standing
from headcount.runner_settings import MARGIN
from headcount.runners.local import failing, is_dead, worker_name
from headcount.settings import Settings, load_settings

_LOG = logging.getLogger(__name__)
_AT_WORK = {Status.PENDING, Status.PROCESSING}
_LINES = 60  # of the ledger that are read back


@dataclass(frozen=True, slots=True)
class Slice:
    """How long a call takes a job forward, and when it is let go of: seconds."""

    seconds: float
    limit: float


async def process_tiktok_job_with_exact_count(
    job: Mapping[str, object],
    job_id: str,
    *,
    seconds: float | None = None,
    sandbox: bool = False,
    state: Keeper | None = None,
    settings: Settings | None = None,
) -> Processed:
    """Take a job of your own table forward, and say what to store and when to go on.

    `job` has `keywords`, `targetResults`, and if they are there `platform`, `region`,
    `metadata` as the last call returned it, and `creators`, those that you have. The
    slice is `seconds` long, by default HEADCOUNT_QSTASH_SLICE. `state` says where the
    job is kept from call to call: by default in the store if the settings name one.

    Raises:
        InvalidSearch: a part of the job cannot be used; `field` is its path.
        InvalidSetting: a setting is missing, or cannot be used.
        StoreError: the store cannot be used; what was settled is kept in it.
    """
    settings = settings or load_settings()
    seconds = settings.qstash_slice if seconds is None else seconds
    asked = read_job(job, job_id, settings=settings, sandbox=sandbox)
    carried = read_carried(asked.metadata, job_id)
    async with _place(settings, seconds, _keeper(settings, state, carried)) as place:
        limit = settings.qstash_limit - MARGIN
        return await process_in(place, asked, carried, Slice(seconds, limit))


def process_tiktok_job_with_exact_count_sync(
    job: Mapping[str, object],
    job_id: str,
    *,
    seconds: float | None = None,
    sandbox: bool = False,
    state: Keeper | None = None,
    settings: Settings | None = None,
) -> Processed:
    """Do the same where no event loop runs, as in a view of Django or Flask.

    Raises:
        As `process_tiktok_job_with_exact_count` does.
    """
    working = process_tiktok_job_with_exact_count(
        job, job_id, seconds=seconds, sandbox=sandbox, state=state, settings=settings
    )
    return asyncio.run(working)


def _keeper(
    settings: Settings, asked: Keeper | None, carried: Carried | None
) -> Keeper:
    """Where the job is kept: where it began, whatever is set since."""
    has_store = settings.database_url is not None
    keeper = asked or (carried.kept_in if carried else None)
    if carried and keeper != carried.kept_in:
        raise InvalidSearch(
            "metadata.headcount.keptIn",
            f"metadata.headcount.keptIn: the job is kept in the {carried.kept_in}, "
            f"where it began, and cannot go on in the {keeper}",
        )
    if keeper == "store" and not has_store:
        raise InvalidSetting(
            "HEADCOUNT_DATABASE_URL: the job is kept in a store: name the one"
        )
    return keeper or ("store" if has_store else "metadata")


def _place(
    settings: Settings, seconds: float, keeper: Keeper
) -> AbstractAsyncContextManager[Place]:
    within = {"runner": "local", "timeout": settings.time_for_calls(seconds)}
    inner = settings.model_copy(update=within)
    return open_store(inner) if keeper == "store" else open_memory(inner)


async def process_in(
    place: Place, asked: Asked, carried: Carried | None, time: Slice
) -> Processed:
    """Take a job forward where it is kept.

    Raises:
        InvalidSearch: a part of the job cannot be used.
        StoreError: the store cannot be used.
    """
    start = begin(asked, carried)
    if start.target < 1:
        return await _told(place, asked, start, _done(asked, place.clock.now()))
    job = await begun(place, asked, carried, start)
    job = await _advanced(place, job, start.handles, time)
    return await _told(place, asked, start, job)


def _done(asked: Asked, now: datetime) -> Job:
    """What stands for a job where all were collected before there was one."""
    job = new_job(our_id(asked.job_id), asked.search, now)
    return replace(job, status=Status.COMPLETED, outcome=Outcome(), ended_at=now)


async def _advanced(
    place: Place, job: Job, handles: tuple[str, ...], time: Slice
) -> Job:
    """One step; what takes too long is let go of before the host ends it."""
    if job.status not in _AT_WORK:
        return job
    channel = await place.connect(job.search.provider)
    known = Channel(Recognising(channel.provider, handles), channel.pace)
    engine = Engine(
        place.store,
        lambda _: known,
        place.clock,
        worker=Worker(worker_name(), is_dead),
    )
    until = place.clock.now() + timedelta(seconds=time.seconds)
    try:
        async with (
            asyncio.timeout(time.limit),
            failing(job.id, place.store, place.clock),
        ):
            return await engine.advance(job.id, until=until)
    except TimeoutError:
        _LOG.warning("job %s: a step took too long", job.id)
    except InternalError:
        _LOG.exception("job %s met a defect, and has ended as failed", job.id)
    return await place.store.load(job.id)


async def _told(place: Place, asked: Asked, start: Beginning, job: Job) -> Processed:
    """What is stored with the creators that they do not have yet."""
    store = place.store
    new = [
        finding
        async for finding, _ in store.delivered(job.id, start.handed_over)
        # Another worker may have gone on since the job was read.
        if finding.key not in start.theirs and (finding.ordinal or 0) <= job.delivered
    ]
    calls = [call async for call in store.calls(job.id, max(0, job.lines - _LINES))]
    carried = Carried(
        job_id=asked.job_id,
        kept_in="store" if place.lasts else "metadata",
        handed_over=job.delivered,
        before=start.before,
        handles=start.handles,
        state=None if place.lasts or start.target < 1 else await pack(store, job),
    )
    standing = Standing(job, asked.target, start.before)
    earlier = [] if place.lasts else start.details
    return standing.told(
        tuple(guide_row(job, finding) for finding in new),
        standing.metadata(start.metadata, earlier, calls, carried),
        start.notes,
        place.clock.now(),
    )
