"""Which new sources a job opens when its own cannot reach the target.

A candidate is worth what its way of asking is (see `ways`), times its relevance. As
many are opened as the forecast needs, and none before those that are open have shown
what they are worth.

*Relevance* goes from 0 to 1. The user's keywords, in whichever variant, have 1. A
hashtag has that of the keyword it was seen with, times how close the two are; what the
provider suggests has between half and all of it, by how many of the keyword's words
are repeated. So it falls with each step away from what was asked.
"""

import heapq
import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice, product
from typing import NamedTuple

from headcount.core.calls import Endpoint
from headcount.core.errors import InvalidSearch
from headcount.core.estimate import acceptance
from headcount.core.expansion import Expand, as_hashtag, squeezed
from headcount.core.forecast import reach
from headcount.core.hashtags import NO_HASHTAGS, companions
from headcount.core.model import Job, Source, SourceState
from headcount.core.search import fold_keyword
from headcount.core.ways import (
    AXES,
    COMPANION,
    FEED,
    LEAST,
    PERIOD,
    REGION,
    SORT,
    SUGGESTED_FOR,
    SUGGESTION,
    is_suggested,
    worth,
)

AGAIN_AFTER = timedelta(hours=1)  # by then most of a ranking is another one
_LOOKED_INTO = 2  # pages that tell what a source is worth
_WIDEST = 64  # keywords, or hashtags, that are looked at
_AT_ONCE = 8  # sources opened by one decision
_FOLLOWED = 10  # suggestions of an answer: an honest one has no more
_SUGGESTED = 0.5  # of the keyword's relevance, where no word of it is repeated


class _Idea(NamedTuple):
    """A source that might be opened, and which way of asking it belongs to."""

    way: str
    relevance: float
    endpoint: Endpoint
    keyword: str
    region: str | None
    sort: str | None
    period: str | None
    origin: str

    @property
    def sweep(self) -> int:
        """How often the same is asked: the second sweep is thought of elsewhere."""
        return 1

    @property
    def source(self) -> Source:
        """The source, without a number yet; only those that are opened need be made."""
        return Source(
            0,
            self.keyword,
            self.region,
            self.sort,
            self.period,
            endpoint=self.endpoint,
            origin=self.origin,
            relevance=self.relevance,
        )


class _Parent(NamedTuple):
    """A keyword that has brought something, and how relevant it is."""

    keyword: str
    relevance: float


_Identity = tuple[object, ...]


def proposals(job: Job, now: datetime) -> tuple[Source, ...]:
    """The sources to open now; none where the open ones may suffice, or none is left.

    Those that were opened for the second sweep may only be asked an hour later.
    """
    if not _is_time(job):
        return ()
    able = _able(job)
    if reach(able).high >= job.wanted:
        return ()
    new = candidates(job, _AT_ONCE) or _second_sweep(job, now)
    return _numbered(job, new[: _needed(able)]) if new else ()


def _is_time(job: Job) -> bool:
    """Whether more is allowed, the open ones are known, and an answer is likely."""
    if job.search.expansion.expand is Expand.OFF or not job.pages:
        return False
    failing = 0
    for source in job.sources:
        if source.state is SourceState.OPEN:
            if not _is_known(source):
                return False
        elif source.state is SourceState.FAILING and source.set_aside == job.pages:
            failing += 1
    return failing < 2  # and no page came since: then it is the provider that fails


def _is_known(source: Source) -> bool:
    """Whether an open source has shown what it is worth, or cannot do so now.

    Of what was suggested one poor answer is enough: all of it may be nonsense.
    """
    poor = source.evidence > 0 and is_suggested(source)
    return source.pages >= _LOOKED_INTO or source.retry_at is not None or poor


def _able(job: Job) -> Job:
    """The job without the sources that fail: what they may hold is not counted on."""
    able = tuple(s for s in job.sources if s.state is not SourceState.FAILING)
    return replace(job, sources=able)


def _needed(job: Job) -> int:
    """How many fresh sources are expected to bring what the job's own will not."""
    one_more = replace(job, sources=(*job.sources, Source(0, "")))
    there = reach(job).expected
    brings = max(1, reach(one_more).expected - there)
    return min(math.ceil((job.wanted - there) / brings), _AT_ONCE)


def _numbered(job: Job, new: Iterable[Source]) -> tuple[Source, ...]:
    first = len(job.sources) + 1
    return tuple(replace(source, id=number) for number, source in enumerate(new, first))


def candidates(job: Job, most: int | None = None) -> list[Source]:
    """The sources worth a call that are not there yet, the most promising first."""
    ways_worth, least = worth(job), LEAST * acceptance(job)
    ways = {way for way, (_, doubt) in ways_worth.items() if doubt >= least}
    if not ways:
        return []
    taken = {_identity(source) for source in job.sources}
    relevance_min = job.search.expansion.relevance_min
    ranked: list[tuple[float, int, _Idea]] = []
    for idea in _imaginable(job, ways, taken):
        hope, doubt = ways_worth[idea.way]
        if doubt * idea.relevance < least or idea.relevance < relevance_min:
            continue
        identity = _identity(idea)
        if identity not in taken:
            taken.add(identity)
            ranked.append((-hope * idea.relevance, len(ranked), idea))
    best = sorted(ranked) if most is None else heapq.nsmallest(most, ranked)
    return [idea.source for *_, idea in best]


def _imaginable(
    job: Job, ways: Collection[str], taken: Collection[_Identity]
) -> Iterator[_Idea]:
    """What might be opened in these ways, the most relevant first of two alike."""
    search, parents = job.search, _parents(job)
    if search.expansion.expand.variants:
        yield from _variants(job, ways, parents)
    if not search.expansion.expand.related:
        return
    if FEED in ways:
        yield from _feeds(job, parents)
    if COMPANION in ways:
        yield from _companions(job, parents, taken)
    if SUGGESTION in ways:
        # One at a time: what its answer brings tells what the next question is worth.
        questions = map(_question, parents)
        yield from islice((q for q in questions if _identity(q) not in taken), 1)


def _parents(job: Job) -> list[_Parent]:
    """The keywords that have brought most; one that brought nothing leads nowhere."""
    brought: dict[tuple[str, float], int] = {}
    for source in job.sources:
        if source.found and source.endpoint is Endpoint.KEYWORD:
            parent = (source.keyword, source.relevance)
            brought[parent] = brought.get(parent, 0) + source.found
    most = heapq.nsmallest(_WIDEST, brought, key=lambda parent: -brought[parent])
    return [_Parent(*parent) for parent in most]


# ---------------------------------------------------------------- what may be opened
def _variants(
    job: Job, ways: Collection[str], parents: Iterable[_Parent]
) -> Iterator[_Idea]:
    """The keywords asked in other ways; what the user named stays as it is."""
    asked = {axis: getattr(job.search, axis) for axis in AXES}
    variants = (
        (axis, {**asked, axis: value})
        for axis, values in AXES.items()
        if axis in ways and asked[axis] is None
        for value in values
    )
    for (axis, variant), (keyword, relevance) in product(variants, parents):
        yield _Idea(
            axis,
            relevance,
            Endpoint.KEYWORD,
            keyword,
            variant[REGION],
            variant[SORT],
            variant[PERIOD],
            f'variant of "{keyword}"',
        )


def _feeds(job: Job, parents: Iterable[_Parent]) -> Iterator[_Idea]:
    """The feeds of the keywords as hashtags, which do not tell followers."""
    filters, search = job.search.filters, job.search
    counted = filters.followers_min is not None or filters.followers_max is not None
    if counted or search.sort or search.period:
        return
    for keyword, relevance in parents:
        hashtag = as_hashtag(keyword)
        if hashtag and not search.expansion.excludes(keyword):
            feed = (Endpoint.HASHTAG, hashtag, search.region, None, None)
            yield _Idea(FEED, relevance, *feed, f'hashtag of "{keyword}"')


def _companions(
    job: Job, parents: Iterable[_Parent], taken: Collection[_Identity]
) -> Iterator[_Idea]:
    """Keywords of the hashtags that go with those there are."""
    relevance = dict(parents)
    known = {str(word) for endpoint, word, *_ in taken if endpoint is Endpoint.KEYWORD}
    for found in companions(job.hashtags or NO_HASHTAGS, known=known, most=_WIDEST):
        if found.keyword in relevance:
            yield from _keyword(
                job,
                COMPANION,
                found.hashtag,
                relevance[found.keyword] * found.closeness,
                f'hashtag seen with "{found.keyword}" '
                f"(score {found.score:.1f}, {found.posts} posts)",
            )


def _question(parent: _Parent) -> _Idea:
    """The question what the provider suggests for a keyword.

    It is as relevant as the best answer could be: the answers are judged one by one.
    """
    asked = (Endpoint.SUGGESTIONS, parent.keyword, None, None, None)
    origin = f'question what goes with "{parent.keyword}"'
    return _Idea(SUGGESTION, parent.relevance, *asked, origin)


def suggested(job: Job, asked: Source, texts: Iterable[str]) -> tuple[Source, ...]:
    """The sources that a provider's suggestions come to: the few most relevant."""
    taken = {_identity(source) for source in job.sources}
    origin = f'{SUGGESTED_FOR} "{asked.keyword}"'
    new: dict[_Identity, _Idea] = {}
    for text in texts:
        relevance = asked.relevance * _likeness(asked.keyword, text)
        if relevance >= job.search.expansion.relevance_min:
            for idea in _keyword(job, SUGGESTION, text, relevance, origin):
                new.setdefault(_identity(idea), idea)
    fit = (idea for identity, idea in new.items() if identity not in taken)
    best = heapq.nsmallest(_FOLLOWED, fit, key=lambda idea: -idea.relevance)
    return _numbered(job, (idea.source for idea in best))


def _likeness(keyword: str, text: str) -> float:
    """How much of a keyword is repeated: from a half, for nothing, to 1."""
    words = set(map(squeezed, keyword.split()))
    share = len(words & set(map(squeezed, text.split()))) / len(words)
    return _SUGGESTED + (1 - _SUGGESTED) * share


def _keyword(
    job: Job, way: str, text: str, relevance: float, origin: str
) -> Iterator[_Idea]:
    """A further keyword, unless it is unusable or excluded."""
    search = job.search
    try:
        keyword = fold_keyword(text)
    except InvalidSearch:
        return
    if not search.expansion.excludes(keyword):
        variant = (search.region, search.sort, search.period)
        yield _Idea(way, relevance, Endpoint.KEYWORD, keyword, *variant, origin)


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


def _identity(source: Source | _Idea) -> _Identity:
    """What makes two sources the same stream of pages."""
    return (
        source.endpoint,
        squeezed(source.keyword),
        source.region,
        source.sort,
        source.period,
        source.sweep,
    )
