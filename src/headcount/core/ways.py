"""The ways in which a job may ask further, and what each has been worth to it.

A way is worth what its sources have brought a call in this very job. One that was tried
little is judged by all that the job has opened, and before that by what a fresh source
is expected to bring. So a way that disappoints is left for another one, and where all
of them do, nothing more is opened.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from headcount.core.calls import Endpoint
from headcount.core.estimate import fresh_yield
from headcount.core.model import Job, Source

PERIOD, SORT, REGION = "period", "sort", "region"
AXES = {
    PERIOD: ("this-month", "last-3-months", "last-6-months", "this-week"),
    SORT: ("most-liked", "date-posted"),
    REGION: ("US", "GB", "CA", "AU", "DE", "FR", "ES", "BR", "MX", "PH", "ID"),
}
"""What else may be asked of a keyword; periods that are longer show more."""
SUGGESTED_FOR = "suggested for"  # how the origin of such a source begins
FEED, COMPANION, SUGGESTION = "feed", "companion", "suggestion"
WAYS = (*AXES, FEED, COMPANION, SUGGESTION)
_WEIGHT = 2  # calls that the expectation of a fresh source weighs as much as
LEAST = 1.0
"""New creators before filters that a call for a new source must be expected to bring.

A fresh keyword brings 26, and the default cap is made for 9. With less than one each
creator costs more than a credit, and a cap ends the job long before its target. Filters
lower it in proportion: who asks for rare creators means to pay more for each.
"""


class Worth(NamedTuple):
    """How many new creators a call for a way of asking is expected to bring.

    `hope` judges it by itself, and tells which way is next. `doubt` judges it by all
    that the job has opened, and tells when to stop; each way is tried once.
    """

    hope: float
    doubt: float


def worth(job: Job) -> dict[str, Worth]:
    """What each way is worth to the job by now."""
    ways: dict[str, list[Source]] = {way: [] for way in WAYS}
    for source in job.sources:
        if source.origin is not None:
            ways[_way(job, source)].append(source)
    fresh = fresh_yield(job)
    together = _mean(chain(*ways.values()), fresh, 1)
    return {way: _judged(sources, fresh, together) for way, sources in ways.items()}


def _judged(sources: Sequence[Source], fresh: float, together: float) -> Worth:
    """What a way is worth that has these sources; nothing where they only failed."""
    if any(source.charged for source in sources):
        hope = _mean(sources, fresh, _WEIGHT)
        return Worth(hope, _mean(sources, together, 1))
    failed = any(source.set_aside is not None for source in sources)
    return Worth(0.0, 0.0) if failed else Worth(fresh, fresh)


def _mean(sources: Iterable[Source], before: float, weight: int) -> float:
    """New creators a call, what was known before weighing as much as so many calls."""
    calls, found = weight, weight * before
    for source in sources:
        calls, found = calls + source.charged, found + source.found
    return found / calls


def _way(job: Job, source: Source) -> str:
    """In which way a source that was opened differs from what was asked."""
    if source.endpoint is Endpoint.HASHTAG:
        return FEED
    if source.endpoint is Endpoint.SUGGESTIONS or is_suggested(source):
        return SUGGESTION
    if source.period != job.search.period:
        return PERIOD
    if source.sort != job.search.sort:
        return SORT
    return COMPANION if source.region == job.search.region else REGION


def is_suggested(source: Source) -> bool:
    """Whether the provider suggested the keyword of a source."""
    return source.origin is not None and source.origin.startswith(SUGGESTED_FOR)
