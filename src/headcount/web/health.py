"""The routes for who runs the service: is it alive, and can it do its work?"""

from fastapi import APIRouter, Response

from headcount.core.errors import HeadcountError
from headcount.web.answers import json_answer, reference
from headcount.web.problems import MEDIA_TYPE, Problem
from headcount.web.site import Here

routes = APIRouter(tags=["Health"])
_well = {
    "description": "It is.",
    "content": {"application/json": {"schema": reference("health")}},
}
_unwell = {
    "description": "Not now; the detail says why.",
    "content": {MEDIA_TYPE: {"schema": reference("problem")}},
}


@routes.get("/healthz", responses={200: _well})
async def health() -> Response:
    """Whether the process is alive."""
    return json_answer({"status": "ok"})


@routes.get("/readyz", responses={200: _well, 503: _unwell})
async def readiness(site: Here) -> Response:
    """Whether the store answers, and jobs are worked on if they are to be here."""
    try:
        await site.app.store.versions(["none"])
    except HeadcountError:
        raise Problem(503, "the store does not answer") from None
    if not site.crew.well:
        raise Problem(503, "no jobs are worked on in this process any more")
    return json_answer({"status": "ok"})
