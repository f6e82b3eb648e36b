"""The route of the metrics, for Prometheus."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from headcount.adapters.keys import Scope
from headcount.adapters.metrics import MEDIA_TYPE, UNKNOWN, Standing
from headcount.core.errors import HeadcountError
from headcount.web.answers import Told, problems
from headcount.web.site import Caller, Here, Site, allowed

routes = APIRouter(tags=["Metrics"])
_STATES = ("due", "at_work", "waiting")
_told: Told = {
    200: {
        "description": "All metrics of this process.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    },
    **problems(),
}


@routes.get("/metrics", responses=_told)
async def show_metrics(
    site: Here, _: Annotated[Caller, Depends(allowed(Scope.METRICS))]
) -> Response:
    """Show the metrics in the text format of Prometheus.

    This takes a key of scope `metrics`, which opens nothing else, or of `admin`.
    """
    told = site.metrics.told(await _standing(site))
    return Response(told, media_type=MEDIA_TYPE)


async def _standing(site: Site) -> Standing:
    """How things stand; where the database does not answer, what this process knows."""
    app = site.app
    try:
        jobs: dict[str, float] = {**await app.store.standing(app.clock.now())}
        await app.gates.refresh()
        closed: float = len(app.gates.closed)
    except HeadcountError:
        jobs, closed = dict.fromkeys(_STATES, UNKNOWN), UNKNOWN
    runner = site.crew.runner
    return Standing(
        jobs=jobs,
        keys_closed=closed,
        at_work=runner.at_work if runner else 0,
        watchers=site.broadcast.watchers,
    )
