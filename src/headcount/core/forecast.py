"""What the rest of a job will take, and whether its sources can fill it.

From page to page a source brings less, by a law fitted to recordings: the nth page
brings n to the power of -0.6 of the first. It ends after some page, the fourteenth at
the latest, each as likely as another. The cheapest way through the pages so expected
gives the calls still needed, their sum what the sources have still to show. The time is
those calls at the job's tempo. Where new sources may be opened, what such have brought
gives the calls. The ranges hold the truth in about nine of ten jobs: they are fitted to
plays of invented markets, and of the sandbox.
"""

import heapq
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from headcount.core.estimate import expected_yield, fresh_yield
from headcount.core.expansion import Expand
from headcount.core.model import Job, Source, SourceState
from headcount.core.tempo import adds, doubt, took

_FADING = 0.6
_FIRST_END, _LAST_END = 2, 14  # pages of 30 videos: keywords end after 60 to 420
_EARLY = 0.12  # of the calls: how much less is known before the first page
_OPENED, _FEW = 2 / 3, 4  # of a fresh source's yield, for as many calls
_LATER = 0.57  # of what was opened so far: what the later ones bring
_LEAST = 0.1  # creators a call, so that nothing is divided by nothing
_LONG = 1.3  # times the calls that must follow one another, where there are many
_LATE = 2  # times what the last calls take: they are fewer at once, and some slow
_Ahead = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Range:
    """A figure that is expected, and between what it lies in nine cases of ten."""

    low: int
    expected: int
    high: int


@dataclass(frozen=True, slots=True)
class Seconds:
    """A time that is expected, and between what it lies in nine cases of ten."""

    low: float
    expected: float
    high: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is ahead of a job.

    `calls` it will still make: as many as complete it or, where the sources hold too
    few, as many as empty them; `None` when no source is left to ask. `seconds` are what
    they will take while somebody works on the job; `None` before a call came back.
    `reach` is how many creators it would have in the end if it had no target; one that
    may open new sources is expected to go on until it has them all.
    """

    calls: Range | None
    seconds: Seconds | None
    reach: Range
    target: int
    seen: bool = True

    @property
    def out_of_reach(self) -> bool:
        """Whether the target lies beyond even a happy turn, once a page was `seen`."""
        return self.seen and self.reach.high < self.target


def forecast(job: Job) -> Forecast:
    """Tell how many calls are still needed, and how many creators can be had."""
    sources = [s for s in job.sources if s.state is not SourceState.DRY]
    fresh = fresh_yield(job)
    left = sum(_supply(source, fresh) for source in sources)
    ahead = _reach(job.qualified, left)
    if _expands(job, left):
        way: _Way | None = _beyond(job, fresh)
        ahead = _no_less(ahead, job.wanted)
    else:
        way = _through(job, sources, left, fresh)
    calls = None if way is None else way.calls
    return Forecast(calls, _seconds(job, way), ahead, job.target, job.pages > 0)


def reach(job: Job) -> Range:
    """Tell how many creators the job would have in the end, of the sources it has."""
    return _reach(job.qualified, sum(supplies(job)))


def calls_remaining(job: Job) -> int | None:
    """Calls still needed for the missing creators; `None` when no source is open."""
    calls = forecast(job).calls
    return None if calls is None else calls.expected


def supplies(job: Job) -> list[int]:
    """How many new qualified creators each source is expected to show from here on."""
    fresh = fresh_yield(job)
    return [
        0 if source.state is SourceState.DRY else round(_supply(source, fresh))
        for source in job.sources
    ]


def _supply(source: Source, fresh: float) -> float:
    lasts = _lasts(source.pages, ending=source.evidence > 0)
    return lasts * expected_yield(source, fresh)


@cache
def _lasts(pages: int, *, ending: bool) -> float:
    """How many pages like the next one all pages to come are worth."""
    return sum(chance * part for chance, part in _ahead(pages, ending=ending))


def _pages_ahead(source: Source) -> _Ahead:
    return _ahead(source.pages, ending=source.evidence > 0)


@cache
def _ahead(pages: int, *, ending: bool) -> _Ahead:
    """Of each page to come, how likely it is there and its part of the next one's."""
    if ending or pages >= _LAST_END:
        return ((1.0, 1.0),)
    ends = _LAST_END - max(pages, _FIRST_END)
    return tuple(
        (min(1.0, (_LAST_END - number + 1) / ends), ((pages + 1) / number) ** _FADING)
        for number in range(pages + 1, _LAST_END + 1)
    )


def _no_less(ahead: Range, wanted: int) -> Range:
    """The reach of a job that opens new sources until it has what is wanted."""
    return Range(ahead.low, max(ahead.expected, wanted), max(ahead.high, wanted))


def _reach(found: int, left: float) -> Range:
    return Range(
        found + math.floor(0.5 * left),
        found + round(left),
        found + math.ceil(1.5 * left),
    )


@dataclass(frozen=True, slots=True)
class _Way:
    """The calls of a way to the end, of which so many must follow one another."""

    calls: Range
    chain: float


def _through(
    job: Job, sources: Iterable[Source], left: float, fresh: float
) -> _Way | None:
    """The way through the sources that there are; `None` where there are none."""
    if not job.missing:
        return _Way(Range(0, 0, 0), 0.0)
    streams = [(expected_yield(s, fresh), _pages_ahead(s)) for s in sources]
    if not streams:
        return None
    used = min(job.missing / max(left, 1.0), 1.2)  # of what there is
    early = _EARLY / (1 + job.pages)
    calls, chain = _cheapest(streams, job.missing)
    low = max(1, math.floor(calls * (1 - 0.25 * used - early)))
    high = math.ceil((1.28 + early) * calls + 0.6)
    return _Way(Range(low, max(1, round(calls + 0.7)), high), chain)


def _expands(job: Job, left: float) -> bool:
    """Whether the job goes beyond what it was given, as far as that is foreseeable."""
    if job.search.expansion.expand is Expand.OFF or not job.missing:
        return False
    return job.missing > left or any(source.origin for source in job.sources)


def _beyond(job: Job, fresh: float) -> _Way:
    """The way of a job that opens new sources, by what a call of such has brought.

    Before they have brought anything they are expected to bring two thirds of what
    others do. What is opened later brings less, for the best is opened first.
    """
    opened = [source for source in job.sources if source.origin]
    brought = _FEW * _OPENED * fresh + sum(source.found for source in opened)
    a_call = _LATER * brought / (_FEW + sum(source.charged for source in opened))
    calls = job.missing / max(a_call, _LEAST)
    low, high = max(1, math.floor(0.6 * calls)), math.ceil(1.4 * calls + 0.6)
    return _Way(Range(low, max(1, round(calls)), high), 0.0)


def _seconds(job: Job, way: _Way | None) -> Seconds | None:
    """What a way takes: each call adds a little, and the last one its whole time."""
    tempo = job.tempo
    if way is None or tempo is None or not tempo.calls:
        return None
    calls = way.calls
    if not calls.high:
        return Seconds(0.0, 0.0, 0.0)
    one, each, off = took(tempo), adds(tempo, job.open_calls), doubt(tempo)
    chain, last = way.chain * one, max(0.0, one - each)
    return Seconds(
        calls.low * each * (1 - off),
        max(calls.expected * each + last, chain),
        max(calls.high * each + _LATE * last, _LONG * chain) * (1 + off),
    )


def _cheapest(
    streams: Iterable[tuple[float, _Ahead]], missing: float
) -> tuple[float, float]:
    """Calls until the missing are found, or until all is seen and its end confirmed.

    And how many of them are of one source, which is asked one page at a time.
    """
    heap = [(-expected, expected, 0, ahead) for expected, ahead in streams]
    heapq.heapify(heap)
    calls = chain = 0.0
    while heap:
        negative, expected, place, ahead = heap[0]
        chance = ahead[place][0]
        brings = -negative * chance
        if brings >= missing > 0:
            return calls + missing / brings * chance, chain
        missing -= brings
        calls += chance
        chain = max(chain, 1.0 + place)
        if place + 1 < len(ahead):
            part = ahead[place + 1][1]
            heapq.heapreplace(heap, (-expected * part, expected, place + 1, ahead))
        else:
            heapq.heappop(heap)
            calls += 1 if place else 0
    return calls, chain
