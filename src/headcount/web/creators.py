"""The routes of what a job found: its creators in several forms, and its ledger."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from headcount.adapters.exports import FORMATS, Found, stream
from headcount.core.model import Job
from headcount.core.report import call_detail
from headcount.core.rows import SHAPES
from headcount.web.answers import answers, json_answer, page_of
from headcount.web.problems import Problem
from headcount.web.site import Here, JobId, Reader

routes = APIRouter(prefix="/api/jobs/{job_id}", tags=["Results"])
_MOST = 1_000
_Limit = Annotated[int, Query(ge=1, le=_MOST, description="How many at most.")]
_After = Annotated[
    str | None,
    Query(
        alias="cursor",
        pattern="^[0-9]{1,9}$",
        description="`nextCursor` of the page before.",
    ),
]
_ShapeName = Annotated[
    Literal["rows", "guide"],
    Query(description="What a creator looks like; CSV has the same, flat."),
]
_NDJSON = "application/x-ndjson"
_STREAMED = {_NDJSON: "jsonl", "application/jsonl": "jsonl", "text/csv": "csv"}
_JSON = "application/json"
_creator_answers = answers("creatorPage", 404, 406)
_creator_answers[200]["content"] |= {
    _NDJSON: {"schema": {"type": "string"}},
    "text/csv": {"schema": {"type": "string"}},
}


@routes.get("/creators", responses=_creator_answers)
async def list_creators(  # noqa: PLR0913 - as many as there are forms of a list
    job_id: JobId,
    site: Here,
    caller: Reader,
    *,
    shape: _ShapeName = "rows",
    limit: _Limit = 100,
    after: _After = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "*/*",
) -> Response:
    """The delivered creators by ordinal: a page, or all of them as NDJSON or CSV.

    The header `Accept` chooses the form. While a job is at work, `nextCursor` is null
    at the last creator so far. A stream that broke off goes on beyond the ordinal given
    as `cursor`.
    """
    job = await site.job(job_id, caller)
    media = _chosen(accept)
    found = site.app.store.delivered(job_id, int(after or 0))
    if media != _JSON:
        return _streamed(job, found, media, shape)
    page, more = await page_of(found, limit)
    rows = [SHAPES[shape](job, finding, seen_in) for finding, seen_in in page]
    last = str(page[-1][0].ordinal) if more else None
    return json_answer({"creators": rows, "nextCursor": last})


@routes.get("/calls", responses=answers("callPage", 404))
async def list_calls(
    job_id: JobId,
    site: Here,
    caller: Reader,
    limit: _Limit = 100,
    after: _After = None,
) -> Response:
    """The ledger of a job, in the order the calls were held, open ones left out."""
    job = await site.job(job_id, caller)
    page, more = await page_of(site.app.store.calls(job_id, int(after or 0)), limit)
    details = [call_detail(job, call) for call in page if call.closed_at]
    last = str(page[-1].id) if more else None
    return json_answer({"calls": details, "nextCursor": last})


def _streamed(job: Job, found: Found, media: str, shape: str) -> Response:
    """All these creators, in a stream that takes no more memory for more of them."""
    form = _STREAMED[media]
    chunks = stream(found, job=job, tracking={}, fmt=form, shape=shape)
    name = f'attachment; filename="{job.id}.{form}"'
    media_type = FORMATS[form].media_type if form == "csv" else media
    headers = {"Content-Disposition": name}
    return StreamingResponse(chunks, headers=headers, media_type=media_type)


def _chosen(accept: str) -> str:
    """The form that a client likes best of those there are.

    Raises:
        Problem: it takes none of them.
    """
    wishes = []
    for place, wish in enumerate(accept.split(",")):
        media, *parameters = (part.strip().lower() for part in wish.split(";"))
        weights = [p[2:] for p in parameters if p.startswith("q=")]
        wishes.append((-_weight(weights), place, media))
    for weight, _, media in sorted(wishes):
        if weight and media in {_JSON, "*/*", "application/*", ""}:
            return _JSON
        if weight and media in _STREAMED:
            return media
        if weight and media == "text/*":
            return "text/csv"
    raise Problem(406, f"creators are not to be had as {accept[:80]!a}")


def _weight(given: list[str]) -> float:
    try:
        return float(given[0]) if given else 1.0
    except ValueError:
        return 1.0
