"""How few calls anybody could need: `python benchmarks/bound.py`.

The optimum knows all pages beforehand. Nobody who pays for a page to see it does, so
this measures those who know less than it and still more than anybody can: who is told
all pages of a keyword at its first, who is told the make-up of every keyword, and who
is told that of the keywords opened. Each is compared with the optimum, at 25 to 90 %.
"""

import argparse
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from statistics import mean

import numpy as np
from allocation import HELD_OUT, SHIPPED, table
from contest import JUDGED, PLANNER, wanted_of, worst_twentieth
from market import MakeUp, World, invent_told, items_of, read_world
from optimum import fewest_calls, fewest_in_order
from play import Play
from rich.console import Console
from rich.table import Table
from strategies import Board, calls_of

IN_ORDER, SHUFFLED = "all pages at the first", "the same, in other orders"
TOLD_ALL, TOLD_OPENED = "make-up of all keywords", "make-up of those opened"
_ORDERS = 5
_GUESS = 22.0  # at a keyword not opened: the best of the whole numbers
_INVENTED = 40
_ITEMS = [items_of(page) for page in range(14)]
Ratio = tuple[str, int, float]  # whose, at what share, over the fewest calls


class Told:
    """Asks the keyword whose next page should bring most, by its make-up.

    With a `guess` it is not told the make-up of keywords that it has not opened.
    """

    def __init__(self, make_ups: Sequence[MakeUp], guess: float | None = None) -> None:
        names = {name for make_up in make_ups for name in make_up.chances}
        self._places = {name: place for place, name in enumerate(sorted(names))}
        self._chances = np.zeros((len(make_ups), len(names)))
        for row, make_up in enumerate(make_ups):
            places = [self._places[name] for name in make_up.chances]
            self._chances[row, places] = list(make_up.chances.values())
        self._fresh = [1 - make_up.repeats for make_up in make_ups]
        self._guess = guess

    def __call__(self, board: Board, left: Sequence[int]) -> int:
        """The best of the keywords left."""
        missing = np.ones(len(self._places), dtype=bool)
        missing[[self._places[name] for name in board.seen]] = False
        return max(
            left, key=lambda number: (self._brings(board, number, missing), -number)
        )

    def _brings(self, board: Board, number: int, missing: np.ndarray) -> float:
        stream = board.streams[number]
        if not stream.asked and self._guess is not None:
            return self._guess
        share = self._fresh[number] if stream.asked else 1.0
        not_shown = 1 - share * self._chances[number, missing]
        return float(np.sum(1 - not_shown ** _ITEMS[stream.asked]))


def measured(world: World, make_ups: Sequence[MakeUp] = ()) -> Iterator[Ratio]:
    """The ratios of everybody on a world; who is told needs the make-ups."""
    ways = {}
    if make_ups:
        ways = {TOLD_ALL: Told(make_ups), TOLD_OPENED: Told(make_ups, _GUESS)}
    for share in JUDGED:
        wanted = wanted_of(world, share)
        fewest = fewest_calls(world, wanted).calls
        yield IN_ORDER, share, fewest_in_order(world, wanted).calls / fewest
        for other in _shuffled(world):
            yield SHUFFLED, share, fewest_in_order(other, wanted).calls / fewest
        for name, way in ways.items():
            yield name, share, calls_of(way, world, wanted) / fewest
        yield PLANNER, share, Play(world, wanted).run().calls / fewest


def _shuffled(world: World) -> Iterator[World]:
    for seed in range(_ORDERS):
        order = list(world.keywords.items())
        random.Random(seed).shuffle(order)  # noqa: S311 - a game, not a secret
        yield World(world.name, dict(order))


def drawn(title: str, ratios: Iterable[Ratio]) -> Table:
    """One row for each, as in the tables of `allocation`."""
    by_name: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for name, share, ratio in ratios:
        by_name[name].append((share, ratio))
    shares = [f"{share} %" for share in JUDGED]
    rows = table(title, "told", *shares, "25-90 %", "p95")
    for name, pairs in by_name.items():
        means = [mean(ratio for at, ratio in pairs if at == share) for share in JUDGED]
        all_of = [ratio for _, ratio in pairs]
        cells = [*means, mean(all_of), worst_twentieth(all_of)]
        rows.add_row(name, *(f"{cell:.3f}" for cell in cells))
    return rows


def main() -> None:
    """Measure on the worlds that ship, and on so many that are invented."""
    parser = argparse.ArgumentParser(description="Measure what anybody could reach.")
    parser.add_argument("--invented", type=int, default=_INVENTED, metavar="N")
    number = parser.parse_args().invented
    shipped = map(read_world, sorted(SHIPPED.glob("*.json")))
    ratios = [ratio for world in shipped for ratio in measured(world)]
    Console().print(drawn("The worlds that ship", ratios))
    invented = map(invent_told, range(HELD_OUT, HELD_OUT + number))
    ratios = [ratio for world, told in invented for ratio in measured(world, told)]
    if ratios:
        Console().print(drawn(f"{number} invented worlds", ratios))


if __name__ == "__main__":
    main()
