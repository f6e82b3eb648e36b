"""The ways of others to choose the next page, to measure the planner against.

Each plays the same worlds page by page, one call at a time, and is told honestly when a
keyword has ended. `foresight` is nobody's way: it knows the next page of every keyword
that was opened, and still has to guess which to open. No planner can know more.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from market import PAGE, Pages, World


@dataclass(slots=True)
class Stream:
    """A keyword, as far as it was asked."""

    pages: Pages
    asked: int = 0
    items: int = 0
    found: int = 0
    last: int = 0  # creators that its latest page added
    once: int = 0  # creators that only one item has shown, and it was this keyword's


@dataclass(slots=True)
class Board:
    """What a strategy sees."""

    streams: list[Stream]
    seen: dict[str, list[int]] = field(default_factory=dict)
    """Of each creator, how often they were seen, and by which stream first."""
    history: list[int] = field(default_factory=list)
    """How many creators were seen after each call."""

    @property
    def calls(self) -> int:
        """How many calls were made."""
        return len(self.history)

    def ask(self, number: int) -> None:
        """Take the next page of a stream."""
        stream = self.streams[number]
        before = stream.found
        for creator in stream.pages[stream.asked]:
            times, first = self.seen.setdefault(creator, [0, number])
            if times == 0:
                stream.found += 1
                stream.once += 1
            if times == 1:
                self.streams[first].once -= 1
            self.seen[creator][0] += 1
            stream.items += 1
        stream.last = stream.found - before
        stream.asked += 1
        self.history.append(len(self.seen))


Strategy = Callable[[Board, Sequence[int]], int]
"""Chooses one of the streams that have not ended."""


def calls_of(strategy: Strategy, world: World, wanted: int) -> int:
    """How many calls the strategy takes to see so many creators."""
    return play(strategy, list(world.keywords.values()), wanted).calls


def calls_joined(world: World, wanted: int) -> int | None:
    """How many calls all keywords in one query take; `None` where they never do."""
    board = play(one_after_another, [world.joined], wanted)
    return board.calls if len(board.seen) >= wanted else None


def play(strategy: Strategy, keywords: Sequence[Pages], wanted: int) -> Board:
    """Ask until so many creators were seen, or until all keywords have ended."""
    board = Board([Stream(pages) for pages in keywords])
    while len(board.seen) < wanted:
        streams = enumerate(board.streams)
        left = [number for number, s in streams if s.asked < len(s.pages)]
        if not left:
            break
        board.ask(strategy(board, left))
    return board


def round_robin(board: Board, left: Sequence[int]) -> int:
    """Each keyword in its turn."""
    return min(left, key=lambda number: (board.streams[number].asked, number))


def one_after_another(_: Board, left: Sequence[int]) -> int:
    """The first keyword to its end, then the second."""
    return left[0]


def ucb(board: Board, left: Sequence[int]) -> int:
    """UCB1 (Auer 2002): the mean share of new creators a page, and a bonus."""

    def index(number: int) -> float:
        stream = board.streams[number]
        if not stream.asked:
            return math.inf
        bonus = math.sqrt(2 * math.log(board.calls) / stream.asked)
        return stream.found / PAGE / stream.asked + bonus

    return max(left, key=lambda number: (index(number), -number))


def good_ucb(board: Board, left: Sequence[int]) -> int:
    """Good-UCB (Bubeck, Ernst, Garivier 2013): the missing mass, and a bonus."""
    items = sum(stream.items for stream in board.streams)

    def index(number: int) -> float:
        stream = board.streams[number]
        if not stream.items:
            return math.inf
        bonus = (1 + math.sqrt(2)) * math.sqrt(math.log(4 * items) / stream.items)
        return stream.once / stream.items + bonus

    return max(left, key=lambda number: (index(number), -number))


def greedy(board: Board, left: Sequence[int]) -> int:
    """The keyword whose last page brought most, those unopened first."""

    def brought(number: int) -> float:
        stream = board.streams[number]
        return stream.last if stream.asked else math.inf

    return max(left, key=lambda number: (brought(number), -number))


def foresight(board: Board, left: Sequence[int]) -> int:
    """The keyword whose next page brings most, those unopened guessed at."""

    def brings(number: int) -> float:
        stream = board.streams[number]
        if not stream.asked:
            return _GUESS
        page = stream.pages[stream.asked]
        return len({creator for creator in page if creator not in board.seen})

    return max(left, key=lambda number: (brings(number), -number))


_GUESS = 20.0  # the best of the whole numbers, tried over the invented worlds
BASELINES: dict[str, Strategy] = {
    "round-robin": round_robin,
    "one after another": one_after_another,
    "UCB1": ucb,
    "Good-UCB": good_ucb,
    "greedy": greedy,
}
