"""The contest of the planner with others: runs, and what they come to."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean

from market import World
from optimum import fewest_calls
from play import Play
from strategies import BASELINES, calls_joined, calls_of, foresight

from headcount.core.model import Speed

SHARES = (25, 50, 75, 90, 100)  # percent of a world's creators
JUDGED = SHARES[:-1]  # what the targets speak of
AT_ONCE = 8
PLANNER, JOINED, FORESIGHT = "headcount", "joined keywords", "with foresight"


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
