"""Which new sources a job opens when its own cannot reach the target.

A candidate is worth what sources of its kind have brought a page in this very job,
times its relevance; where none was tried, what a fresh source is expected to bring. So
a way of asking that disappoints is left for another one. As many are opened as the
forecast needs, and none before those that are open have shown what they are worth.

*Relevance* goes from 0 to 1. The user's keywords, in whichever variant, have 1. A
hashtag has that of the keyword it was seen with, times how close the two are; what the
provider suggests has between half and all of it, by how many of the keyword's words
are repeated. So it falls with each step away from what was asked.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product

from headcount.core.calls import Endpoint
from headcount.core.errors import InvalidSearch
from headcount.core.estimate import fresh_yield
from headcount.core.expansion import Expand, squeezed
from headcount.core.forecast import reach
from headcount.core.hashtags import NO_HASHTAGS, companions
from headcount.core.model import Job, Source, SourceState
from headcount.core.search import fold_keyword

AGAIN_AFTER = timedelta(hours=1)  # by then most of a ranking is another one
AXES = {
    "period": ("this-month", "last-3-months", "last-6-months", "this-week"),
    "sort": ("most-liked", "date-posted"),
    "region": ("US", "GB", "CA", "AU", "DE", "FR", "ES", "BR", "MX", "PH", "ID"),
}
"""What else may be asked of a keyword; periods that are longer show more."""
_LOOKED_INTO = 2  # pages that tell what a source is worth
_WIDEST = 64  # keywords that are looked at for something beside them
_AT_ONCE = 8  # sources opened by one decision
_SUGGESTED = 0.5  # of the keyword's relevance, where no word of it is repeated
_WEIGHT = 2  # pages that a fresh source's expectation weighs as much as


@dataclass(frozen=True, slots=True)
class _Parent:
    """A keyword that has brought something, and how relevant it is."""

    keyword: str
    relevance: float


def proposals(job: Job, now: datetime) -> tuple[Source, ...]:
    """The sources to open now; none where the open ones may suffice, or none is left.

    Those that were opened for the second sweep may only be asked an hour later.
    """
    if not _is_time(job):
        return ()
    grown = job
    for source in (candidates(job) or _second_sweep(job, now))[:_AT_ONCE]:
        if _may_suffice(grown):
            break
        added = replace(source, id=len(grown.sources) + 1)
        grown = replace(grown, sources=(*grown.sources, added))
    return grown.sources[len(job.sources) :]


def _is_time(job: Job) -> bool:
    """Whether more is allowed, needed, and likely to be answered."""
    if job.search.expansion.expand is Expand.OFF or not job.pages:
        return False
    unknown = any(
        source.pages < _LOOKED_INTO and source.retry_at is None
        for source in job.sources
        if source.state is SourceState.OPEN
    )
    # Where two fail and no page came since, it is the provider that fails.
    last = [s for s in job.sources if s.set_aside == job.pages]
    failing = [s for s in last if s.state is SourceState.FAILING]
    return not unknown and len(failing) < 2 and not _may_suffice(job)


def _may_suffice(job: Job) -> bool:
    """Whether the sources that can be asked may hold all that is missing."""
    able = tuple(
        replace(source, state=SourceState.DRY)
        if source.state is SourceState.FAILING
        else source
        for source in job.sources
    )
    return reach(replace(job, sources=able)).high >= job.wanted


def candidates(job: Job) -> list[Source]:
    """The sources that are allowed and not there yet, the most promising first."""
    worth, fresh = _worth(job), fresh_yield(job)
    taken = {_identity(source) for source in job.sources}
    least = job.search.expansion.relevance_min
    ranked: list[tuple[float, int, Source]] = []
    for source in _imaginable(job):
        value = worth.get(_way(job, source), fresh) * source.relevance
        if value and source.relevance >= least and _identity(source) not in taken:
            taken.add(_identity(source))
            ranked.append((-value, len(ranked), source))
    return [source for *_, source in sorted(ranked)]


def _imaginable(job: Job) -> Iterator[Source]:
    """Whatever might be opened, the most relevant first where two are the same."""
    search, parents = job.search, _parents(job)
    if search.expansion.expand.variants:
        yield from _variants(job, parents)
    if search.expansion.expand.related:
        yield from _feeds(job, parents)
        yield from _companions(job, parents)
        yield from map(_question, parents)


def _parents(job: Job) -> list[_Parent]:
    """The keywords that have brought most; one that brought nothing leads nowhere."""
    brought: dict[_Parent, int] = {}
    for source in job.sources:
        if source.endpoint is Endpoint.KEYWORD:
            parent = _Parent(source.keyword, source.relevance)
            brought[parent] = brought.get(parent, 0) + source.found
    rich = [parent for parent, found in brought.items() if found]
    return heapq.nsmallest(_WIDEST, rich, key=lambda parent: -brought[parent])


# ---------------------------------------------------------------- what may be opened
def _variants(job: Job, parents: Iterable[_Parent]) -> Iterator[Source]:
    """The keywords asked in other ways; what the user named stays as it is."""
    search = job.search
    asked = {"region": search.region, "sort": search.sort, "period": search.period}
    ways = [
        {**asked, axis: value}
        for axis, values in AXES.items()
        for value in values
        if asked[axis] is None
    ]
    for way, parent in product(ways, parents):
        yield Source(
            0,
            parent.keyword,
            way["region"],
            way["sort"],
            way["period"],
            origin=f'variant of "{parent.keyword}"',
            relevance=parent.relevance,
        )


def _feeds(job: Job, parents: Iterable[_Parent]) -> Iterator[Source]:
    """The feeds of the keywords as hashtags, which do not tell followers."""
    filters, search = job.search.filters, job.search
    counted = filters.followers_min is not None or filters.followers_max is not None
    if counted or search.sort or search.period:
        return
    for parent in parents:
        if not search.expansion.excludes(parent.keyword):
            yield Source(
                0,
                squeezed(parent.keyword),
                search.region,
                endpoint=Endpoint.HASHTAG,
                origin=f'hashtag of "{parent.keyword}"',
                relevance=parent.relevance,
            )


def _companions(job: Job, parents: Iterable[_Parent]) -> Iterator[Source]:
    """Keywords of the hashtags that go with those there are."""
    relevance = {parent.keyword: parent.relevance for parent in parents}
    for found in companions(job.hashtags or NO_HASHTAGS):
        if found.keyword in relevance:
            yield from _keyword(
                job,
                found.hashtag,
                relevance[found.keyword] * found.closeness,
                f'hashtag seen with "{found.keyword}" '
                f"(score {found.score:.1f}, {found.posts} posts)",
            )


def _question(parent: _Parent) -> Source:
    """The question what the provider suggests for a keyword."""
    return Source(
        0,
        parent.keyword,
        endpoint=Endpoint.SUGGESTIONS,
        origin=f'question what goes with "{parent.keyword}"',
        relevance=parent.relevance * (1 + _SUGGESTED) / 2,
    )


def suggested(job: Job, asked: Source, texts: Iterable[str]) -> tuple[Source, ...]:
    """The sources that a provider's suggestions come to, if they are any good."""
    parent = next(s.relevance for s in job.sources if s.keyword == asked.keyword)
    there = {_identity(source) for source in job.sources}
    new: dict[tuple[object, ...], Source] = {}
    for text in texts:
        relevance = parent * _likeness(asked.keyword, text)
        origin = f'suggested for "{asked.keyword}"'
        for source in _keyword(job, text, relevance, origin):
            enough = relevance >= job.search.expansion.relevance_min
            if enough and _identity(source) not in there:
                new.setdefault(_identity(source), source)
    first = len(job.sources) + 1
    return tuple(replace(s, id=number) for number, s in enumerate(new.values(), first))


def _likeness(keyword: str, text: str) -> float:
    """How much of a keyword is repeated: from a half, for nothing, to 1."""
    words = set(keyword.casefold().split())
    share = len(words & set(text.casefold().split())) / len(words)
    return _SUGGESTED + (1 - _SUGGESTED) * share


def _keyword(job: Job, text: str, relevance: float, origin: str) -> Iterator[Source]:
    """A further keyword, unless it is unusable or excluded."""
    search = job.search
    try:
        keyword = fold_keyword(text)
    except InvalidSearch:
        return
    if not search.expansion.excludes(keyword):
        yield Source(
            0,
            keyword,
            search.region,
            search.sort,
            search.period,
            origin=origin,
            relevance=relevance,
        )


def _second_sweep(job: Job, now: datetime) -> list[Source]:
    """The same questions from their start, where the user gave them the time."""
    deadline, allowed = job.search.limits.deadline, job.search.expansion.expand
    later = now + AGAIN_AFTER
    if not (allowed.variants and allowed.related and deadline and later < deadline):
        return []
    there = {_identity(source) for source in job.sources}
    dry = [s for s in job.sources if s.state is SourceState.DRY and s.found]
    again = [
        Source(
            0,
            source.keyword,
            source.region,
            source.sort,
            source.period,
            endpoint=source.endpoint,
            sweep=2,
            retry_at=later,
            origin=f'second sweep of "{source.keyword}"',
            relevance=source.relevance,
        )
        for source in sorted(dry, key=lambda source: -source.found)
    ]
    return [source for source in again if _identity(source) not in there]


# ------------------------------------------------------------------ what it is worth
def _worth(job: Job) -> dict[str, float]:
    """What a page of each way of asking has brought; nothing of one that only fails."""
    ways: dict[str, list[Source]] = {}
    for source in job.sources:
        if source.origin is not None:
            ways.setdefault(_way(job, source), []).append(source)
    return {way: _mean(sources, fresh_yield(job)) for way, sources in ways.items()}


def _mean(sources: Sequence[Source], fresh: float) -> float:
    pages = sum(source.pages for source in sources)
    if not pages and any(s.state is SourceState.FAILING for s in sources):
        return 0.0
    found = sum(source.found for source in sources)
    return (_WEIGHT * fresh + found) / (_WEIGHT + pages)


def _way(job: Job, source: Source) -> str:
    """In which way a source differs from what was asked."""
    if source.endpoint is not Endpoint.KEYWORD:
        return source.endpoint.value
    if source.keyword not in job.search.keywords:
        return "keyword"
    axes = (a for a in AXES if getattr(source, a) != getattr(job.search, a))
    return next(axes, "asked")


def _identity(source: Source) -> tuple[object, ...]:
    """What makes two sources the same stream of pages."""
    return (
        source.endpoint,
        squeezed(source.keyword),
        source.region,
        source.sort,
        source.period,
        source.sweep,
    )
