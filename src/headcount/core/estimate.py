"""What the next calls are expected to bring, from what the last ones brought.

A fresh page of a TikTok keyword shows 25.8 new creators of 30 items (measured over
360 recorded items), falling slowly. A source not asked yet is expected to bring that
figure times the share of creators the filters let through, drawn towards what the
job's other sources brought; any other what its own sightings say.
"""

import math
from collections.abc import Iterable

from headcount.core.model import Job, Source

FRESH_YIELD = 25.8  # new creators a page of a keyword not asked yet
KEYWORD_HOLDS = 330  # creators at most: a keyword ends after 150 to 420 videos
_INERTIA = 0.5  # weight of what was known before the last page
_RARE = 0.8  # weight of the share of creators seen once, against the moving average
_PRIOR_WEIGHT = 12  # sources
_DOUBT = 0.02  # of the yield, for each sign that the source has ended
_DECLINE = 0.2  # of the yield, from page to page, ends of sources included
_SPREAD_OF_PAGES, _SPREAD_OF_SOURCES = 1.0, 1.4  # times the root of what is expected
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


def fresh_yield(job: Job) -> float:
    """New qualified creators that the first page of a source is expected to bring.

    The figure measured elsewhere weighs as much as so many sources of the job's own.
    """
    own = [source.found / source.pages for source in job.sources if source.pages]
    prior = _PRIOR_WEIGHT * FRESH_YIELD * acceptance(job)
    return (prior + sum(own)) / (_PRIOR_WEIGHT + len(own))


def expected_yield(source: Source, fresh: float) -> float:
    """New qualified creators that the source's next page is expected to bring.

    An item shows a new creator as often as the source's items so far were the only
    ones to show theirs (Good and Turing): in a page, `once / pages`.
    """
    if not source.pages:
        return fresh
    told = _RARE * source.once / source.pages + (1 - _RARE) * source.recent
    return told * _DOUBT**source.evidence


def level_of(yields: Iterable[float], missing: float) -> float:
    """The yield of the least page that the cheapest plan for `missing` takes.

    Where each page brings a fixed part less than the one before, the pages above a
    level bring, over all sources, the sum of how far each rises above it, divided by
    that part.
    """
    level, rest = 0.0, -missing * _DECLINE
    for number, brings in enumerate(sorted(yields, reverse=True), start=1):
        if brings <= level:
            break
        rest += brings
        level = rest / number
    return max(level, 0.0)


def chance_of(missing: int, expected: float, source: Source) -> float:
    """How likely the source's next page brings all that is missing, by a bell curve."""
    spread = _SPREAD_OF_PAGES if source.pages else _SPREAD_OF_SOURCES
    deviation = spread * math.sqrt(max(expected, 1.0))
    return math.erfc((missing - 0.5 - expected) / deviation / math.sqrt(2)) / 2
