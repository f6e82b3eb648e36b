"""The routes of jobs: begin one, look at them, take one further, forget it."""

import base64
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Response

from headcount.adapters.requests import Kept
from headcount.core.advice import advice
from headcount.core.errors import NoSuchJob
from headcount.core.model import Job, Search, Status
from headcount.core.plans import plan_document
from headcount.core.report import (
    Document,
    exact_count_tracking,
    job_document,
)
from headcount.core.selection import Selection
from headcount.planning import plan_of, widen
from headcount.web.answers import (
    answers,
    created,
    json_answer,
    nothing,
    page_of,
)
from headcount.web.asks import SearchAsk, TopUpAsk, Words
from headcount.web.once import ByKey
from headcount.web.problems import invalid
from headcount.web.site import Here, JobId, Reader, Site, Writer

routes = APIRouter(prefix="/api/jobs", tags=["Jobs"])
_TIME = "A time with its zone, such as 2026-01-31T12:00:00Z."
_Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
_Cursor = Annotated[
    str | None,
    Query(max_length=200, description="`nextCursor` of the page before."),
]


@routes.post("", status_code=201, responses=created("jobDocument"))
async def create_job(
    ask: SearchAsk, site: Here, caller: Writer, once: ByKey
) -> Response:
    """Begin a search. It is worked on in the background."""

    async def begin() -> Kept:
        job = await _begun(site, once.job_id)
        job = job or await _begin(site, ask, caller.owner, once.job_id)
        return Kept(201, _text(job_document(job)), f"/api/jobs/{job.id}")

    return await once(begin)


async def _begin(site: Site, ask: SearchAsk, owner: str, job_id: str | None) -> Job:
    """Keep a new job, unless it is plain already that nothing can come of it."""
    search = site.door.search(ask, site.app.clock.now())
    label = site.door.label(ask, owner)
    if label.webhook is not None:
        await (await site.app.webhooks()).destinations.admit(label.webhook)
    if site.crew.works:
        await site.app.connect(search.provider)
    return await site.app.create(search, label, job_id=job_id)


async def _begun(site: Site, job_id: str | None) -> Job | None:
    """The job that the same request has made already, before a crash."""
    if job_id is None:
        return None
    try:
        return await site.app.store.load(job_id)
    except NoSuchJob:
        return None


async def _selected(  # noqa: PLR0913 - as many as a list can be narrowed by
    caller: Reader,
    *,
    status: Annotated[Status | None, Query(description="Only these.")] = None,
    campaign: Annotated[Words | None, Query(description="Only of this one.")] = None,
    end_user: Annotated[
        Words | None, Query(alias="endUser", description="Only for this one.")
    ] = None,
    keyword: Annotated[
        Words | None, Query(description="Only those with this among their keywords.")
    ] = None,
    created_from: Annotated[
        str | None, Query(alias="createdFrom", description=f"From then on. {_TIME}")
    ] = None,
    created_to: Annotated[
        str | None, Query(alias="createdTo", description=f"Until before then. {_TIME}")
    ] = None,
) -> Selection:
    """Which jobs a caller asks for, of those that they may see."""
    return Selection(
        status=status,
        owner=caller.sees,
        campaign=campaign,
        end_user=end_user,
        keyword=keyword,
        created_from=_moment("?createdFrom", created_from),
        created_to=_moment("?createdTo", created_to),
    )


@routes.get("", responses=answers("jobPage"))
async def list_jobs(
    site: Here,
    selection: Annotated[Selection, Depends(_selected)],
    limit: _Limit = 50,
    cursor: _Cursor = None,
) -> Response:
    """List jobs, the newest first, in pages."""
    after = _place(cursor) if cursor else None
    found = site.app.store.jobs(selection, after=after, batch=limit + 1)
    page, more = await page_of(found, limit)
    jobs = [job_document(job) for job in page]
    return json_answer(
        {"jobs": jobs, "nextCursor": _cursor(page[-1]) if more else None}
    )


@routes.get("/{job_id}", responses=answers("job", 404))
async def show_job(job_id: JobId, site: Here, caller: Reader) -> Response:
    """Show a job with its statistics, and what would help where it fell short."""
    job = await site.job(job_id, caller)
    calls = [call async for call in site.app.store.calls(job_id)]
    tracking = exact_count_tracking(job, calls)
    more = {"advice": advice(job), "exactCountTracking": tracking}
    return json_answer({**job_document(job), **more})


@routes.get("/{job_id}/plan", responses=answers("plan", 404))
async def show_plan(job_id: JobId, site: Here, caller: Reader) -> Response:
    """Tell what the rest of a job is expected to take, by all that it has seen."""
    await site.job(job_id, caller)
    return json_answer(plan_document(await plan_of(site.app, job_id)))


@routes.delete("/{job_id}", status_code=204, responses=nothing())
async def delete_job(job_id: JobId, site: Here, caller: Writer) -> Response:
    """Forget a job and all that it found. One that is worked on is cancelled first."""
    job = await site.job(job_id, caller)
    if not job.status.ended:
        await site.app.cancel(job_id)
    await site.app.store.delete(job_id)
    return Response(status_code=204)


@routes.post("/{job_id}/pause", responses=answers("jobDocument", 404, 409))
async def pause_job(job_id: JobId, site: Here, caller: Writer, once: ByKey) -> Response:
    """Ask nothing more for now; what is out is still counted."""
    await site.job(job_id, caller)
    return await once(lambda: _told(site.app.pause(job_id)))


@routes.post("/{job_id}/resume", responses=answers("jobDocument", 404, 409))
async def resume_job(
    job_id: JobId, site: Here, caller: Writer, once: ByKey
) -> Response:
    """Let a paused, failed or partial job go on; others are left as they are."""
    await site.job(job_id, caller)
    return await once(lambda: _told(site.app.resume(job_id)))


@routes.post("/{job_id}/cancel", responses=answers("jobDocument", 404, 409))
async def cancel_job(
    job_id: JobId, site: Here, caller: Writer, once: ByKey
) -> Response:
    """End a job for good; what it found stays."""
    await site.job(job_id, caller)
    return await once(lambda: _told(site.app.cancel(job_id)))


@routes.post("/{job_id}/finish", responses=answers("jobDocument", 404, 409))
async def finish_job(
    job_id: JobId, site: Here, caller: Writer, once: ByKey
) -> Response:
    """Take what a job has as its result; it can be topped up later."""
    await site.job(job_id, caller)
    return await once(lambda: _told(site.app.finish(job_id)))


@routes.post("/{job_id}/topup", responses=answers("jobDocument", 400, 404, 409, 413))
async def top_up_job(
    job_id: JobId, ask: TopUpAsk, site: Here, caller: Writer, once: ByKey
) -> Response:
    """Raise the target or limits to absolute values; spares come before any call."""
    await site.job(job_id, caller)

    async def raise_it() -> Kept:
        limits = site.door.limits(ask.limits, site.app.clock.now())
        await widen(site.app, job_id, site.door.expansion(ask))
        return await _told(site.app.top_up(job_id, ask.target_results, **limits))

    return await once(raise_it)


async def _told(change: Awaitable[Job]) -> Kept:
    return Kept(200, _text(job_document(await change)))


def _text(document: Document) -> str:
    return msgspec.json.encode(document).decode()


# ------------------------------------------------------------------------------ pages
def _cursor(job: Job) -> str:
    """A job's place in the list, which stays when the job is deleted."""
    text = f"{job.created_at.isoformat()} {job.id}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _place(cursor: str) -> Job:
    """The place as a job that has no more than its place."""
    try:
        text = base64.b64decode(cursor, altchars=b"-_", validate=True).decode("ascii")
        time, _, job_id = text.partition(" ")
        created = datetime.fromisoformat(time).astimezone(UTC)
    except (ValueError, OverflowError):
        raise invalid("?cursor", "expected the nextCursor of the page before") from None
    if not job_id.isalnum():
        raise invalid("?cursor", "expected the nextCursor of the page before")
    return Job(job_id, Search(1, ()), created, ())


def _moment(field: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise invalid(field, "expected a time with its zone, such as 2026-01-31T12:00:00Z")
