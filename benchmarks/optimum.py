"""The clairvoyant optimum: the fewest calls that could have shown so many creators.

Who knows all pages beforehand chooses how many of the first pages of each keyword to
take; which choice is the smallest is an integer program, solved exactly by HiGHS.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from market import Pages, World
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

_PATIENCE = 120.0  # seconds, for worlds far beyond those that ship
_Shown = tuple[int, ...]  # the first page of each keyword that shows a creator


@dataclass(frozen=True, slots=True)
class Optimum:
    """The fewest calls; `exact` is false where the search for a proof took too long.

    `calls` is then what is proven: no fewer can do.
    """

    calls: int
    exact: bool = True


def fewest_calls(world: World, wanted: int) -> Optimum:
    """The size of the smallest choice of first pages that shows `wanted` creators."""
    keywords = list(world.keywords.values())
    if wanted <= 0:
        return Optimum(0)
    if len(keywords) == 1:
        return Optimum(_of_one(keywords[0], wanted))
    program = _Program(keywords)
    return program.solved(wanted, program.bounds)


def fewest_in_order(world: World, wanted: int) -> Optimum:
    """The fewest calls of anybody who opens the keywords in the order given.

    Whoever has paid for a keyword's first page is told all its others, and nobody
    opens one keyword too many. So this bounds every way that has nothing to go by
    before it opens a keyword, however clever it is.
    """
    keywords = list(world.keywords.values())
    best, held = Optimum(sum(map(len, keywords))), set[str]()
    for opened, pages in enumerate(keywords, start=1):
        held.update(creator for page in pages for creator in page)
        if opened >= best.calls:
            break
        if len(held) >= wanted:
            program = _Program(keywords[:opened])
            found = program.solved(wanted, program.each_opened())
            best = min(best, found, key=lambda optimum: optimum.calls)
    return best


def _of_one(pages: Pages, wanted: int) -> int:
    seen: set[str] = set()
    for number, page in enumerate(pages, start=1):
        seen.update(page)
        if len(seen) >= wanted:
            return number
    raise ValueError(f"expected at most {len(seen)} creators wanted, not {wanted}")


class _Program:
    """The matrices: one variable a page, then one a group of like creators."""

    def __init__(self, keywords: Sequence[Pages]) -> None:
        *self._starts, self._pages = accumulate(map(len, keywords), initial=0)
        self._largest = max(len(page) for pages in keywords for page in pages)
        groups = Counter(_first_shown(keywords, self._starts).values())
        self._groups, counts = list(groups), list(groups.values())
        size = self._pages + len(counts)
        self.costs = np.array([1.0] * self._pages + [0.0] * len(counts))
        self.integrality = np.array([1] * self._pages + [0] * len(counts))
        self.bounds = Bounds(0, np.array([1.0] * self._pages + counts))
        self._counts, self._size = counts, size

    def solved(self, wanted: int, bounds: Bounds) -> Optimum:
        """The smallest choice of pages within these bounds."""
        solved = milp(
            self.costs,
            constraints=[
                LinearConstraint(self.prefixes(), ub=0),
                LinearConstraint(self.covers(), ub=0),
                LinearConstraint(self.counts(), lb=wanted),
            ],
            bounds=bounds,
            integrality=self.integrality,
            options={"time_limit": _PATIENCE, "mip_rel_gap": 0.0},
        )
        if solved.status == 0:
            return Optimum(round(solved.fun))
        proven = max(wanted / self._largest, solved.mip_dual_bound or 0)
        return Optimum(math.ceil(proven - 1e-6), exact=False)

    def each_opened(self) -> Bounds:
        """The bounds where the first page of each keyword is taken."""
        least = np.zeros(self._size)
        least[self._starts] = 1
        return Bounds(least, self.bounds.ub)

    def prefixes(self) -> coo_array:
        """No page without the page before it."""
        later = [page for page in range(self._pages) if page not in set(self._starts)]
        entries = [
            entry
            for row, page in enumerate(later)
            for entry in ((row, page, 1), (row, page - 1, -1))
        ]
        return self._matrix(entries, len(later))

    def covers(self) -> coo_array:
        """No creator who is on none of the pages taken."""
        entries: list[tuple[int, int, int]] = []
        for row, (pages, count) in enumerate(
            zip(self._groups, self._counts, strict=True)
        ):
            entries.append((row, self._pages + row, 1))
            entries += [(row, page, -count) for page in pages]
        return self._matrix(entries, len(self._groups))

    def counts(self) -> coo_array:
        """All creators shown, in one row."""
        shown = range(self._pages, self._size)
        return self._matrix([(0, column, 1) for column in shown], 1)

    def _matrix(self, entries: Iterable[tuple[int, int, int]], rows: int) -> coo_array:
        taken = np.array(list(entries), dtype=int).reshape(-1, 3)
        where = (taken[:, 0], taken[:, 1])
        return coo_array((taken[:, 2], where), shape=(rows, self._size))


def _first_shown(keywords: Sequence[Pages], starts: Iterable[int]) -> dict[str, _Shown]:
    """Of each creator, the first page of each keyword that shows them."""
    shown: dict[str, dict[int, int]] = {}
    for number, (start, pages) in enumerate(zip(starts, keywords, strict=True)):
        for place, page in enumerate(pages, start):
            for creator in page:
                shown.setdefault(creator, {}).setdefault(number, place)
    return {creator: tuple(first.values()) for creator, first in shown.items()}
