"""What is foretold of a search on its way, and what came.

Searches are played with calls that take as long as recorded ones, one at a time and
eight. Noted is what is foretold before the first page, which nobody holds against it,
and at a quarter, a half and three quarters of the way.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import mean

from contest import AT_ONCE, SHARES, wanted_of
from market import World
from play import AS_RECORDED, Play

from headcount.core.forecast import Range, Seconds, forecast
from headcount.core.model import Job

BEYOND = 125  # a target that no world holds, to see what is foretold then
PROGRESS = (0, 25, 50, 75)  # percent of the way


@dataclass(frozen=True, slots=True)
class Told:
    """A figure with its range, and what it came to."""

    low: float
    expected: float
    high: float
    came: float

    @property
    def held(self) -> bool:
        """Whether the range held the truth."""
        return self.low <= self.came <= self.high

    @property
    def width(self) -> float:
        """How wide the range is, over the truth where that is not next to nothing."""
        return (self.high - self.low) / max(self.came, 1)


@dataclass(frozen=True, slots=True)
class Foretold:
    """All that is foretold at some progress; of time nothing before the first page.

    `calls` are those still needed. `reach` is how many creators the sources hold in
    all. `seconds` go from there until the target is reached, or until all is seen where
    it lies beyond.
    """

    world: str
    share: int
    at_once: int
    progress: int
    calls: Told
    reach: Told
    seconds: Told | None
    out_of_reach: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of so many ranges, the share that held the truth, and how wide they are."""

    n: int
    held: float
    width: float


def coverage(told: Sequence[Told]) -> Coverage | None:
    """How good the ranges are; `None` where nothing was told."""
    if not told:
        return None
    held, width = (one.held for one in told), (one.width for one in told)
    return Coverage(len(told), mean(held), mean(width))


Pick = Callable[[Foretold], Told | None]
KINDS: dict[str, tuple[int, Pick]] = {
    "calls": (1, lambda told: told.calls),
    "creators in all": (1, lambda told: told.reach),
    "seconds": (1, lambda told: told.seconds),
    f"seconds, {AT_ONCE} at once": (AT_ONCE, lambda told: told.seconds),
}
"""What is foretold: with how many calls at once it is looked at, and where it is."""


def told_of(kind: str, foretold: Iterable[Foretold]) -> list[Told]:
    """All of one kind that was foretold."""
    at_once, pick = KINDS[kind]
    told = (pick(one) for one in foretold if one.at_once == at_once)
    return [one for one in told if one is not None]


def foretold(world: World) -> list[Foretold]:
    """What is foretold on the way to each share of a world, and beyond it."""
    shares = (*SHARES, BEYOND) if world.creators else ()
    return [
        told
        for share in shares
        for at_once in (1, AT_ONCE)
        for told in _foretold(world, share, at_once)
    ]


def _foretold(world: World, share: int, at_once: int) -> list[Foretold]:
    play = Play(world, wanted_of(world, share), at_once, latency=AS_RECORDED)
    marks: list[tuple[int, Job, datetime]] = [(0, play.job, play.now)]
    ahead, reached = list(PROGRESS[1:]), None
    for job in play.steps():
        held = min(job.target, world.creators)
        while ahead and 100 * job.delivered >= ahead[0] * held:
            marks.append((ahead.pop(0), job, play.now))
        if not job.missing:
            reached = reached or play.now
    end = _End(world, share, play, reached or play.now)
    told = (end.held_against(*mark) for mark in marks)
    return [one for one in told if one is not None]


@dataclass(frozen=True, slots=True)
class _End:
    """How a search ended, to hold against what was foretold of it."""

    world: World
    share: int
    play: Play
    reached: datetime

    def held_against(self, progress: int, job: Job, at: datetime) -> Foretold | None:
        """What was foretold, where anything was still to come."""
        ahead = forecast(job)
        if not job.missing or ahead.calls is None:
            return None
        left = (self.reached - at).total_seconds()
        return Foretold(
            self.world.name,
            self.share,
            self.play.concurrency,
            progress,
            _told(ahead.calls, self.play.calls - job.charged),
            _told(ahead.reach, self.world.creators),
            _told(ahead.seconds, left) if ahead.seconds else None,
            ahead.out_of_reach,
        )


def _told(ahead: Range | Seconds, came: float) -> Told:
    return Told(ahead.low, ahead.expected, ahead.high, came)


def known_beyond(foretold: Iterable[Foretold]) -> float | None:
    """The share of the targets beyond that are known to be, with one call at a time."""
    beyond = [
        told.out_of_reach
        for told in foretold
        if (told.share, told.at_once) == (BEYOND, 1)
    ]
    return mean(beyond) if beyond else None
