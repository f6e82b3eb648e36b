"""Which pages to ask next, and how many at once.

The yardstick is the number of new qualified creators a call is expected to bring. The
cheapest plan that is expected to bring all that is missing takes from each source the
pages above one *level*, the same for all: the better a source, the more of it. A page
above the level is worth asking now; one below it waits, for it may never be needed.
Asks are added, best first, only while those already out are not expected to bring all
that is missing: a call that the target does not need is never made on purpose.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from headcount.core.estimate import (
    chance_of,
    expected_yield,
    fresh_yield,
    level_of,
)
from headcount.core.model import Job, Source, SourceState, Speed


@dataclass(frozen=True, slots=True)
class Haste:
    """What a speed allows: pages `below` the level, and asks `beyond` what is missing.

    Both are factors: of the level, and of the creators that are missing.
    """

    below: float
    beyond: float


HASTE = {
    Speed.LEAN: Haste(1.0, 1.0),
    Speed.BALANCED: Haste(0.85, 1.1),
    Speed.FAST: Haste(0.0, 1.15),
}


def askable(job: Job, now: datetime) -> list[Source]:
    """The open sources that have no call out, need not wait, and may be asked more."""
    busy = {call.source for call in job.open_calls}
    look = job.search.limits.look
    return [
        source
        for source in job.sources
        if source.state is SourceState.OPEN
        and source.id not in busy
        and (source.retry_at is None or source.retry_at <= now)
        and (look is None or source.pages < look.each)
    ]


def choose(job: Job, candidates: Iterable[Source], *, room: int) -> tuple[Source, ...]:
    """Pick at most `room` sources to ask now, the most promising first."""
    brings = _expected_yields(job)
    ranked = sorted((-brings[source.id - 1], source.id) for source in candidates)
    if not ranked or room < 1:
        return ()
    if not job.open_calls and -ranked[0][0] >= job.missing:
        likeliest = min(ranked, key=lambda pair: (-_chance(job, *pair), pair))
        return (job.source(likeliest[1]),)
    return _worth_asking(job, ranked[:room], brings)


def _expected_yields(job: Job) -> list[float]:
    """What the next page of each source is expected to bring; nothing where dry."""
    fresh = fresh_yield(job)
    return [
        expected_yield(source, fresh) if source.state is SourceState.OPEN else 0.0
        for source in job.sources
    ]


def _chance(job: Job, negative: float, number: int) -> float:
    """How likely the source's next page brings all that is missing."""
    return chance_of(job.missing, -negative, job.source(number))


def _worth_asking(
    job: Job, ranked: Sequence[tuple[float, int]], brings: Sequence[float]
) -> tuple[Source, ...]:
    haste = HASTE[job.search.limits.speed]
    out = sum(brings[call.source - 1] for call in job.open_calls)
    least = haste.below * level_of(brings, job.missing - out)
    chosen: list[Source] = []
    for negative, number in ranked:
        at_work = chosen or job.open_calls
        if out >= haste.beyond * job.missing or (-negative < least and at_work):
            break
        chosen.append(job.source(number))
        out -= negative
    return tuple(chosen)
