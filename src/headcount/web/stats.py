"""The routes of the figures: what the jobs that have ended come to."""

import re
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from headcount.adapters.keys import Scope
from headcount.core.errors import InvalidSearch
from headcount.core.figures import exact_count_status, statistics_document
from headcount.core.statistics import Coverage, cover
from headcount.web.answers import answers, json_answer
from headcount.web.asks import Words
from headcount.web.problems import Problem, invalid
from headcount.web.site import Caller, Here, Reader, allowed

routes = APIRouter(tags=["Statistics"])
_Day = Annotated[str | None, Query(json_schema_extra={"format": "date"})]
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


async def _coverage(
    caller: Reader,
    *,
    since: Annotated[
        _Day, Query(description="Only jobs created on this day or later, in UTC.")
    ] = None,
    until: Annotated[
        _Day, Query(description="Only jobs created up to this day, in UTC.")
    ] = None,
    keyword: Annotated[
        Words | None, Query(description="Only those with this among their keywords.")
    ] = None,
    owner: Annotated[
        Words | None,
        Query(description="Only this owner's; a key of scope admin sees them all."),
    ] = None,
) -> Coverage:
    """Which jobs a caller asks about, of those that they may see."""
    if caller.sees not in {None, owner or caller.sees}:
        raise Problem(403, "the figures of another owner take a key of scope admin")
    days = _day("?since", since), _day("?until", until)
    try:
        return cover(*days, keyword=keyword, owner=caller.sees or owner)
    except InvalidSearch as error:
        name = "?keyword" if error.field == "keywords" else f"?{error.field}"
        raise invalid(name, str(error)) from None


_Covered = Annotated[Coverage, Depends(_coverage)]


@routes.get("/api/stats", responses=answers("statistics"))
async def show_statistics(site: Here, covered: _Covered) -> Response:
    """Show the key figures of the jobs that have ended."""
    return json_answer(statistics_document(await site.app.statistics(covered)))


@routes.get("/admin/exact-count-status", responses=answers("exactCountStatus"))
async def show_exact_count_status(
    site: Here,
    covered: _Covered,
    _: Annotated[Caller, Depends(allowed(Scope.ADMIN))],
) -> Response:
    """Show how the service does, in one flat object; for keys of scope admin."""
    return json_answer(exact_count_status(await site.app.statistics(covered)))


def _day(field: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise invalid(field, "expected a day such as 2026-01-31")
