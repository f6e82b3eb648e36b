"""How long the planner takes for a decision, by what it has to look at."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from contest import AT_ONCE
from play import A_CREDIT

from headcount.core.calls import Endpoint
from headcount.core.decisions import Decision, decide
from headcount.core.expansion import Expand, Expansion
from headcount.core.hashtags import NO_HASHTAGS, Hashtags, noted
from headcount.core.model import Job, Search, SourceState, Status
from headcount.core.proposals import candidates
from headcount.core.search import new_job

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_TIMES = 21
_FOUND = 80  # creators by each source
_ENDLESS = 10**9  # creators that no sources hold
_RIVALS = Expansion(Expand.ALL, exclude=("rival",))
_TAGS = 8  # hashtags in the posts of a keyword
_WIDEST = 64  # keywords that the planner looks beside


def fixed(sources: int) -> Job:
    """A job of so many keywords that may open no others."""
    words = tuple(f"keyword{number}" for number in range(sources))
    return _asked(new_job("job", Search(100_000, words), EPOCH))


def sufficing(sources: int) -> Job:
    """A job that may open all kinds of sources, and needs none."""
    job = _grown(sources)
    return replace(job, search=replace(job.search, target=job.qualified + 100))


def exhausted(sources: int) -> Job:
    """A job that needs more and may open it, and has opened all there is."""
    return _grown(sources)


WAYS: Mapping[str, Callable[[int], Job]] = {
    "none to open": fixed,
    "all allowed, none needed": sufficing,
    "all allowed, none left": exhausted,
}
"""The jobs of so many sources that a decision is timed on."""


def decision_ms(job: Job) -> float:
    """How long the planner takes to decide on a job, in milliseconds; the median."""
    seconds = []
    for _ in range(_TIMES):
        start = time.perf_counter()
        decision(job)
        seconds.append(time.perf_counter() - start)
    return 1000 * sorted(seconds)[_TIMES // 2]


def decision(job: Job) -> Decision:
    """What the planner decides."""
    return decide(job, EPOCH, room=AT_ONCE, prices=A_CREDIT)


def _grown(sources: int) -> Job:
    """A job that has opened all that may be opened beside its keywords.

    Each of its first keywords has opened as much as one can; the others fill it up.
    """
    beside = len(candidates(_begun(1)))
    keywords = max(1, sources // (1 + beside), sources - _WIDEST * beside)
    job = _begun(keywords)
    while new := candidates(job):
        first = len(job.sources) + 1
        numbered = (replace(one, id=place) for place, one in enumerate(new, first))
        job = _asked(replace(job, sources=(*job.sources, *numbered)))
    return job


def _begun(keywords: int) -> Job:
    words = tuple(f"keyword{number}" for number in range(keywords))
    job = _asked(new_job("job", Search(_ENDLESS, words, expansion=_RIVALS), EPOCH))
    return replace(job, hashtags=_hashtags(words[:_WIDEST]))


def _hashtags(words: tuple[str, ...]) -> Hashtags:
    """As many counts as are kept; those that go with a keyword are all excluded."""
    told = NO_HASHTAGS
    for word in words:
        tags = [f"rival{word}{number}" for number in range(_TAGS)]
        told = noted(told, word, [tags] * 9 + [()] * 20)
    return told


def _asked(job: Job) -> Job:
    """The job after four pages of each source; a question has its only answer."""
    chance = random.Random(len(job.sources))  # noqa: S311 - a game, not a secret
    sources = tuple(
        replace(
            source,
            pages=4,
            items=120,
            found=_FOUND,
            once=chance.randint(0, _FOUND),
            recent=chance.uniform(0, 25),
            state=SourceState.DRY
            if source.endpoint is Endpoint.SUGGESTIONS
            else SourceState.OPEN,
        )
        for source in job.sources
    )
    return replace(
        job,
        sources=sources,
        status=Status.PROCESSING,
        pages=4 * len(sources),
        qualified=_FOUND,
    )
