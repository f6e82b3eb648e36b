"""How few calls the planner needs: `python benchmarks/allocation.py WORLD.json...`.

Serves each world, asks for 25, 50, 75, 90 and 100 % of its creators, and compares the
calls with the fewest possible and with other ways to choose. Without a file it takes
the worlds that ship; `--invented N` adds N of the model in `market`, by seeds on which
nothing was tuned.
"""

import argparse
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import mean

from contest import (
    AT_ONCE,
    FORESIGHT,
    JUDGED,
    PLANNER,
    SHARES,
    Hurry,
    Race,
    against_the_best,
    average,
    hurries,
    races,
    worst_twentieth,
)
from deciding import WAYS, decision_ms
from figures import Figure, Say
from foretelling import (
    BEYOND,
    KINDS,
    PROGRESS,
    Foretold,
    coverage,
    foretold,
    known_beyond,
    told_of,
)
from market import World, invent, named_apart, read_world
from rich.console import Console
from rich.table import Table

from headcount.core.model import Speed

SHIPPED = Path(__file__).with_name("worlds")
HELD_OUT = 9_000  # the first seed on which nothing was tuned
_INVENTED = 30
_MANY_KEYWORDS = 12
_WIDTH = 110  # columns, wherever it is printed
_MOST_MISSED = 15  # percent of the ranges, which are meant to miss ten
_LIMITS_MS = {20: 0.2, 2_000: 5.0}


@dataclass(slots=True)
class Contest:
    """All that was played on some worlds."""

    races: list[Race] = field(default_factory=list)
    hurries: list[Hurry] = field(default_factory=list)
    foretold: list[Foretold] = field(default_factory=list)

    def play(self, world: World) -> None:
        """Play everything on one more world."""
        run = races(world)
        self.races += run
        self.hurries += hurries(world, run)
        self.foretold += foretold(world)


def held_out(number: int) -> list[World]:
    """So many invented worlds, the same ones every time."""
    return [invent(HELD_OUT + place) for place in range(number)]


# ------------------------------------------------------------------------ the figures
async def measure(say: Say) -> AsyncIterator[Figure]:
    """Play the worlds that ship and some invented ones, and compare with targets."""
    shipped, invented = Contest(), Contest()
    for path in sorted(SHIPPED.glob("*.json")):
        say(path.stem)
        shipped.play(read_world(path))
    for world in held_out(_INVENTED):
        say(world.name)
        invented.play(world)
    for name, contest in (("shipped", shipped), ("invented", invented)):
        for figure in figures(contest, name):
            yield figure
    for way, job in WAYS.items():
        for sources, limit in _LIMITS_MS.items():
            took = decision_ms(job(sources))
            what = f"a decision among {sources:,} sources, {way}"
            yield Figure("allocation", what, took, limit, n=21, unit="ms")


def figures(contest: Contest, worlds: str) -> Iterator[Figure]:
    """What a contest comes to, beside the targets."""
    judged = [race for race in contest.races if race.share in JUDGED]
    ratios = [race.ratio(PLANNER) for race in judged]
    over = f"calls over the fewest possible, {worlds} worlds, 25-90 %"
    guessing = average(judged, FORESIGHT, JUDGED)
    yield Figure("allocation", f"{over}, mean", mean(ratios), 1.05, n=len(ratios))
    yield Figure("allocation", f"{over}, mean with foresight", guessing, n=len(ratios))
    p95 = worst_twentieth(ratios)
    yield Figure("allocation", f"{over}, p95", p95, 1.15, n=len(ratios))
    others = against_the_best(contest.races)
    what = f"calls over the best other way, the worst of the {worlds} worlds"
    yield Figure("allocation", what, max(others.values()), 1.03, n=len(others))
    for speed in Speed:
        yield from _hurried(contest, speed, worlds)
    for kind in KINDS:
        for progress in PROGRESS:
            yield from _covered(contest.foretold, kind, progress, worlds)


def _hurried(contest: Contest, speed: Speed, worlds: str) -> Iterator[Figure]:
    runs = [run for run in contest.hurries if run.speed == speed.value]
    calls = sum(run.calls for run in runs)
    late = 100 * sum(run.late for run in runs) / calls
    what = f"calls after the target, {AT_ONCE} at once, {speed.value}, {worlds} worlds"
    yield Figure("allocation", what, late, 2, n=calls, unit="%")
    times = [
        run.seconds / run.best_seconds
        for run in runs
        if run.keywords >= _MANY_KEYWORDS and run.share in JUDGED
    ]
    if times:
        what = f"time over the best schedule, {speed.value}, {worlds} worlds"
        yield Figure("allocation", what, mean(times), 1.15, n=len(times))


def _covered(
    foretold: Sequence[Foretold], kind: str, progress: int, worlds: str
) -> Iterator[Figure]:
    """How many ranges missed; how many held, too, as a wide one misses nothing."""
    at = [told for told in foretold if told.progress == progress]
    found = coverage(told_of(kind, at))
    if found is None:
        return
    limit = _MOST_MISSED if progress else None  # nothing is known before the first page
    for what, share, target in (
        ("outside", 1 - found.held, limit),
        ("inside", found.held, None),
    ):
        told = f"{kind} {what} the range foretold at {progress} %, {worlds} worlds"
        yield Figure("allocation", told, 100 * share, target, n=found.n, unit="%")


# ------------------------------------------------------------------------- the tables
def tables(contest: Contest) -> Iterator[Table]:
    """The figures for the eye."""
    yield _by_way(contest.races)
    yield _by_world(contest.races)
    yield _by_speed(contest.hurries)
    yield _by_progress(contest.foretold)
    yield _by_target(contest.foretold)


def table(title: str, *columns: str) -> Table:
    """An empty table with these columns, all but the first for figures."""
    drawn = Table(title=title, title_justify="left")
    drawn.add_column(columns[0], no_wrap=True)
    for column in columns[1:]:
        drawn.add_column(column, justify="right")
    return drawn


def _by_way(races: Sequence[Race]) -> Table:
    shares = [f"{share} %" for share in SHARES]
    title = "Calls over the fewest possible"
    drawn = table(title, "way", *shares, "25-90 %", "p95", "worst")
    for way in races[0].calls:
        met = [race for race in races if way in race.calls]
        ratios = [race.ratio(way) for race in met if race.share in JUDGED]
        means = [average(met, way, [share]) for share in SHARES]
        cells = [*means, mean(ratios), worst_twentieth(ratios), max(ratios)]
        drawn.add_row(way, *(f"{cell:.3f}" for cell in cells))
    return drawn


def _by_world(races: Sequence[Race]) -> Table:
    drawn = table(
        "Each world: calls of the planner / the fewest possible (* not proven)",
        "world",
        *(f"{share} %" for share in SHARES),
        "over the best other way",
    )
    for world, over in against_the_best(races).items():
        own = [race for race in races if race.world == world]
        cells = [
            f"{race.calls[PLANNER]}/{race.fewest}{'' if race.exact else '*'}"
            for race in own
        ]
        drawn.add_row(world, *cells, f"{over:.3f}")
    return drawn


def _by_speed(hurries: Sequence[Hurry]) -> Table:
    title = f"{AT_ONCE} calls at once, a second each, 25-90 %"
    drawn = table(
        title, "speed", "calls over the fewest", "late calls", "time over the best"
    )
    for speed in Speed:
        runs = [r for r in hurries if r.speed == speed.value and r.share in JUDGED]
        calls = mean(run.calls / run.fewest for run in runs)
        late = sum(run.late for run in runs) / sum(run.calls for run in runs)
        time = mean(run.seconds / run.best_seconds for run in runs)
        drawn.add_row(speed.value, f"{calls:.3f}", f"{late:.2%}", f"{time:.3f}")
    return drawn


def _by_progress(foretold: Sequence[Foretold]) -> Table:
    drawn = table(
        "Ranges foretold on the way, meant to hold nine of ten (width over the truth)",
        "progress",
        *KINDS,
        f"known to be out of reach at {BEYOND} %",
    )
    for progress in PROGRESS:
        at = [told for told in foretold if told.progress == progress]
        known = known_beyond(at)
        beyond = "" if known is None else f"{known:.0%}"
        drawn.add_row(f"{progress} %", *_held(at), beyond)
    return drawn


def _by_target(foretold: Sequence[Foretold]) -> Table:
    title = f"The same at {PROGRESS[1]} to {PROGRESS[-1]} % of the way, by the target"
    drawn = table(title, "target", *KINDS)
    for share in (*SHARES, BEYOND):
        at = [told for told in foretold if told.progress and told.share == share]
        drawn.add_row(f"{share} %", *_held(at))
    return drawn


def _held(foretold: Sequence[Foretold]) -> Iterator[str]:
    """Of each kind, the share of ranges that held the truth, and how wide they are."""
    for kind in KINDS:
        found = coverage(told_of(kind, foretold))
        yield f"{found.held:.1%} ({found.width:.2f})" if found else ""


def main() -> None:
    """Play the worlds of the command line."""
    parser = argparse.ArgumentParser(description="Measure how few calls are needed.")
    parser.add_argument("worlds", nargs="*", type=Path, metavar="WORLD.json")
    parser.add_argument(
        "--invented", type=int, default=0, metavar="N", help="add N invented worlds"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, not tables")
    given = parser.parse_args()
    paths = given.worlds or ([] if given.invented else sorted(SHIPPED.glob("*.json")))
    try:
        worlds = named_apart([*map(read_world, paths), *held_out(given.invented)])
    except (OSError, ValueError) as error:
        parser.error(str(error))
    contest = Contest()
    for world in worlds:
        contest.play(world)
    if not contest.races:
        parser.error("expected a world with at least one creator")
    if given.json:
        print(json.dumps(asdict(contest)))
        return
    for table in tables(contest):
        Console(width=_WIDTH).print(table)


if __name__ == "__main__":
    main()
