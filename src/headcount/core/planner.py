"""Which pages to ask next, and how many at once.

The yardstick is the number of new qualified creators that a call is expected to bring
for its price, in creators for what a page of a keyword costs. The cheapest plan that is
expected to bring all that is missing takes from each source the pages above a *level*,
the same for all: the better a source, the more of it. A page above the level is worth
asking now; one below it waits, for it may never be needed. Asks are added, best first,
only while those already out are not expected to bring all that is missing: a call that
the target does not need is never made on purpose.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from headcount.core.calls import CallKind, Prices
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


def choose(
    job: Job,
    candidates: Iterable[Source],
    *,
    room: int,
    prices: Prices,
    credits: int | None = None,  # noqa: A002 - the field's own word
) -> tuple[Source, ...]:
    """Pick at most `room` sources to ask now, the most promising for its price first.

    No more than `credits` are held for them together, if these are limited.
    """
    brings = _expected_yields(job)
    ranked = sorted(
        _Ask(-_worth(source, brings, prices), source.id) for source in candidates
    )
    ranked = _affordable(job, ranked, prices, credits)
    if not ranked or room < 1:
        return ()
    if not job.open_calls and brings[ranked[0].number - 1] >= job.missing:
        likeliest = min(ranked, key=lambda ask: (-_chance(job, brings, ask), ask))
        return (job.source(likeliest.number),)
    return _worth_asking(job, ranked[:room], brings)


class _Ask(NamedTuple):
    """A source that may be asked; the best sorts first, then the one opened first."""

    negative_worth: float
    number: int


def _expected_yields(job: Job) -> list[float]:
    """What the next page of each source is expected to bring; nothing where dry."""
    fresh = fresh_yield(job)
    return [
        expected_yield(source, fresh) if source.state is SourceState.OPEN else 0.0
        for source in job.sources
    ]


def _worth(source: Source, brings: Sequence[float], prices: Prices) -> float:
    """The creators expected of a source for what a page of a keyword costs."""
    return brings[source.id - 1] * prices[CallKind.PAGE] / prices[source.endpoint.kind]


def _affordable(
    job: Job, ranked: Sequence[_Ask], prices: Prices, credits_: int | None
) -> list[_Ask]:
    """Those that can be paid for, if the better ones are."""
    if credits_ is None:
        return list(ranked)
    afforded: list[_Ask] = []
    for ask in ranked:
        price = prices[job.source(ask.number).endpoint.kind]
        if price <= credits_:
            credits_ -= price
            afforded.append(ask)
    return afforded


def _chance(job: Job, brings: Sequence[float], ask: _Ask) -> float:
    """How likely the source's next page brings all that is missing."""
    return chance_of(job.missing, brings[ask.number - 1], job.source(ask.number))


def _worth_asking(
    job: Job, ranked: Sequence[_Ask], brings: Sequence[float]
) -> tuple[Source, ...]:
    haste = HASTE[job.search.limits.speed]
    out = sum(brings[call.source - 1] for call in job.open_calls)
    least = haste.below * level_of(brings, job.missing - out)
    chosen: list[Source] = []
    for ask in ranked:
        at_work = chosen or job.open_calls
        enough = out >= haste.beyond * job.missing
        if enough or (-ask.negative_worth < least and at_work):
            break
        chosen.append(job.source(ask.number))
        out += brings[ask.number - 1]
    return tuple(chosen)
