"""What the next calls are expected to bring, from what the last ones brought.

A fresh page of a TikTok keyword shows 25.8 new creators of 30 items (measured over
360 recorded items), falling slowly. A source not asked yet is expected to bring that
figure times the share of creators the filters let through, any other what the moving
average of its own pages says.
"""

import math

from headcount.core.model import Job, Source, SourceState

FRESH_YIELD = 25.8  # new creators a page of a keyword not asked yet
KEYWORD_HOLDS = 330  # creators at most: a keyword ends after 150 to 420 videos
_INERTIA = 0.5  # weight of what was known before the last page
_CAP_FACTOR, _CAP_FLOOR = 3, 20


def expected_calls(missing: int) -> int:
    """Calls that `missing` creators should take from fresh sources without filters."""
    return math.ceil(missing / FRESH_YIELD)


def default_call_cap(target: int) -> int:
    """The cap in force where the user named none: three times the expectation, +20."""
    return _CAP_FACTOR * expected_calls(target) + _CAP_FLOOR


def call_cap(job: Job) -> int:
    """How many calls the job may make in all, by its own limit or the default one."""
    limits = job.search.limits
    cap = default_call_cap(job.target) if limits.max_calls is None else limits.max_calls
    return min(cap, limits.max_calls_for_testing or cap)


def acceptance(job: Job) -> float:
    """The share of judged creators that the filters let through; 1.0 at the start."""
    return (job.qualified + 1) / (job.qualified + job.rejected + 1)


def updated_average(source: Source, new: int) -> float:
    """The moving average of new creators a page, after a page that brought `new`."""
    if source.pages == 0:
        return float(new)
    return _INERTIA * source.recent + (1 - _INERTIA) * new


def expected_yield(job: Job, source: Source) -> float:
    """New qualified creators that the source's next page is expected to bring."""
    if source.pages == 0:
        return FRESH_YIELD * acceptance(job)
    return source.recent


def calls_remaining(job: Job) -> int | None:
    """Calls still needed for the missing creators; `None` when no source is open."""
    if not job.missing:
        return 0
    open_sources = [s for s in job.sources if s.state is not SourceState.DRY]
    if not open_sources:
        return None
    yields = [max(expected_yield(job, source), 0.5) for source in open_sources]
    return math.ceil(job.missing / (sum(yields) / len(yields)))
