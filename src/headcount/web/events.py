"""The route of a job's events: what happens to it, as it happens."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from headcount.core.model import Job
from headcount.core.report import news
from headcount.ports import Event
from headcount.web.answers import Told, problems
from headcount.web.broadcast import frame
from headcount.web.site import Here, JobId, Reader, Site

routes = APIRouter(prefix="/api/jobs/{job_id}", tags=["Results"])
_MEDIA = "text/event-stream"
_ID = "^[0-9]{1,9}$"
_Last = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        pattern=_ID,
        description="The last event seen: those that came after it follow.",
    ),
]
_After = Annotated[
    str | None,
    Query(
        pattern=_ID,
        description="As Last-Event-ID, where no header can be set; 0 is before all.",
    ),
]
_told: Told = {
    200: {
        "description": "Events until the job has ended: `job.progress`, and `job.` "
        "with each status it comes to. Their data is in the schema `news`.",
        "content": {_MEDIA: {"schema": {"type": "string"}}},
    },
    204: {"description": "The job has ended, and nothing came after that event."},
    **problems(404),
}


@routes.get("/events", responses=_told)
async def follow_job(
    job_id: JobId,
    site: Here,
    caller: Reader,
    last: _Last = None,
    after: _After = None,
) -> Response:
    """Follow a job as server-sent events.

    It begins with how the job stands now; or, where the last event seen is named, with
    what came since. A reader that comes back by `Last-Event-ID` misses nothing.
    """
    job = await site.job(job_id, caller)
    given = last or after
    since = job.version if given is None else min(int(given), job.version)
    if given is None:
        first = frame(_standing(site, job))
    elif job.status.ended and not await _any(site, job_id, since):
        return Response(status_code=204)
    else:
        first = None
    events = site.broadcast.follow(site.app.store, job_id, since, first=first)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events, headers=headers, media_type=_MEDIA)


def _standing(site: Site, job: Job) -> Event:
    """How a job stands now, as an event."""
    now = site.app.clock.now()
    return Event(job.version, f"job.{job.status.value}", now, news(job))


async def _any(site: Site, job_id: str, since: int) -> bool:
    """Whether anything happened to a job after an event."""
    async for _ in site.app.store.events(job_id, since):
        return True
    return False
