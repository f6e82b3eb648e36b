"""The contest of the planner with others: runs, and what they come to."""

import math
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime
from statistics import mean

from market import World
from optimum import fewest_calls
from play import Play
from strategies import BASELINES, calls_joined, calls_of, foresight

from headcount.core.decisions import decide
from headcount.core.forecast import forecast
from headcount.core.model import Search, Speed, Status
from headcount.core.search import new_job

SHARES = (25, 50, 75, 90, 100)  # percent of a world's creators
JUDGED = SHARES[:-1]  # what the targets speak of
BEYOND = 125  # a target that no world holds, to see what is foretold then
AT_ONCE = 8
PLANNER, JOINED, FORESIGHT = "headcount", "joined keywords", "with foresight"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Race:
    """The calls of each way to so many of a world's creators; `None`: never there."""

    world: str
    keywords: int
    share: int
    wanted: int
    fewest: int
    exact: bool
    calls: dict[str, int | None]

    def ratio(self, way: str) -> float:
        """The calls of a way over the fewest possible."""
        calls = self.calls[way]
        return math.inf if calls is None else calls / self.fewest


@dataclass(frozen=True, slots=True)
class Hurry:
    """A search with eight calls at once, a second each."""

    world: str
    keywords: int
    share: int
    speed: str
    calls: int
    fewest: int
    late: int
    seconds: float
    best_seconds: int


@dataclass(frozen=True, slots=True)
class Foretold:
    """What was foretold at some progress, and what came."""

    world: str
    share: int
    progress: int
    low: int
    expected: int
    high: int
    calls: int
    out_of_reach: bool

    @property
    def held(self) -> bool:
        """Whether the range held the truth."""
        return self.low <= self.calls <= self.high


def wanted_of(world: World, share: int) -> int:
    """So many percent of a world's creators, and at least one."""
    return max(1, math.ceil(world.creators * share / 100))


def races(world: World) -> list[Race]:
    """The planner and the others, one call at a time."""
    return [_race(world, share) for share in SHARES] if world.creators else []


def _race(world: World, share: int) -> Race:
    wanted = wanted_of(world, share)
    fewest = fewest_calls(world, wanted)
    calls: dict[str, int | None] = {PLANNER: Play(world, wanted).run().calls}
    calls |= {name: calls_of(way, world, wanted) for name, way in BASELINES.items()}
    if world.joined:
        calls[JOINED] = calls_joined(world, wanted)
    calls[FORESIGHT] = calls_of(foresight, world, wanted)
    return Race(
        world.name,
        len(world.keywords),
        share,
        wanted,
        fewest.calls,
        fewest.exact,
        calls,
    )


def hurries(world: World, run: Sequence[Race]) -> list[Hurry]:
    """The planner at its three speeds, with eight calls at once."""
    return [_hurry(world, race, speed) for race in run for speed in Speed]


def _hurry(world: World, race: Race, speed: Speed) -> Hurry:
    play = Play(world, race.wanted, AT_ONCE, speed).run()
    longest = max(play.asked.count(source) for source in set(play.asked))
    return Hurry(
        race.world,
        race.keywords,
        race.share,
        speed.value,
        play.calls,
        race.fewest,
        play.late,
        play.seconds,
        max(math.ceil(play.calls / AT_ONCE), longest),
    )


def foretold(world: World) -> list[Foretold]:
    """What is foretold at 25, 50 and 75 % of the way, with one call at a time."""
    shares = (*SHARES, BEYOND) if world.creators else ()
    return [told for share in shares for told in _foretold(world, share)]


def _foretold(world: World, share: int) -> list[Foretold]:
    play = Play(world, wanted_of(world, share))
    marks, jobs = [25, 50, 75], []
    for job in play.steps():
        held = min(job.target, world.creators)
        while marks and 100 * job.delivered >= marks[0] * held:
            jobs.append((marks.pop(0), job))
    told: list[Foretold] = []
    for progress, job in jobs:
        ahead = forecast(job)
        if job.missing and ahead.calls:
            left = play.calls - job.charged
            figures = (*astuple(ahead.calls), left, ahead.out_of_reach)
            told.append(Foretold(world.name, share, progress, *figures))
    return told


def average(races: Iterable[Race], way: str, shares: Sequence[int]) -> float:
    """The mean ratio of a way to the optimum over these shares."""
    return mean(race.ratio(way) for race in races if race.share in shares)


def worst_twentieth(numbers: Iterable[float]) -> float:
    """What nineteen of twenty numbers do not exceed."""
    ranked = sorted(numbers)
    return ranked[math.ceil(0.95 * len(ranked)) - 1]


def against_the_best(races: Sequence[Race]) -> dict[str, float]:
    """The planner's mean calls on each world, over those of the best of the others."""
    return {
        world: max(
            average(own, PLANNER, JUDGED) / average(own, way, JUDGED)
            for way in own[0].calls
            if way not in {PLANNER, FORESIGHT}
        )
        for world in {race.world: None for race in races}
        for own in [[race for race in races if race.world == world]]
    }


def decision_ms(sources: int) -> float:
    """How long the planner takes with so many sources, in milliseconds; the median."""
    decide = _decision(sources)
    seconds = []
    for _ in range(21):
        start = time.perf_counter()
        decide()
        seconds.append(time.perf_counter() - start)
    return 1000 * sorted(seconds)[10]


def _decision(sources: int) -> Callable[[], object]:
    chance = random.Random(sources)  # noqa: S311 - a game, not a secret
    words = tuple(f"keyword{number}" for number in range(sources))
    job = new_job("job", Search(100_000, words), EPOCH)
    asked = tuple(
        replace(
            source,
            pages=4,
            items=120,
            found=80,
            once=chance.randint(0, 80),
            recent=chance.uniform(0, 25),
        )
        for source in job.sources
    )
    job = replace(job, sources=asked, status=Status.PROCESSING, qualified=80)
    return lambda: decide(job, EPOCH, room=AT_ONCE, price=1)
