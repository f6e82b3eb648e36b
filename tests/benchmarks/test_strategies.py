"""The rule of each way to choose that the planner is measured against."""

from collections.abc import Sequence

import pytest
from market import Pages, World
from strategies import (
    BASELINES,
    Board,
    Strategy,
    Stream,
    calls_joined,
    calls_of,
    foresight,
    good_ucb,
    greedy,
    one_after_another,
    play,
    round_robin,
    ucb,
)

RICH: Pages = [["a", "b", "c"], ["d"], ["e", "f"]]
POOR: Pages = [["a"], ["b"], ["g", "h", "i"]]
FAIR: Pages = [["j", "k"], ["l", "m"]]


def order(way: Strategy) -> str:
    """Which of the three is asked at each call, until all have ended."""
    asked: list[str] = []

    def noted(board: Board, left: Sequence[int]) -> int:
        number = way(board, left)
        asked.append("rpf"[number])
        return number

    play(noted, (RICH, POOR, FAIR), wanted=100)
    return "".join(asked)


def board_of(*streams: Stream) -> Board:
    calls = sum(stream.asked for stream in streams)
    return Board(list(streams), history=[0] * calls)


def test_round_robin_asks_each_in_its_turn_as_long_as_it_lasts() -> None:
    assert order(round_robin) == "rpfrpfrp"


def test_one_after_another_asks_each_to_its_end() -> None:
    assert order(one_after_another) == "rrrpppff"


def test_greedy_opens_all_and_then_asks_whoever_brought_most_the_last_time() -> None:
    # 3, 0 and 2 at first; then r brings 1, f its last 2, and r before p, which brings 0
    assert order(greedy) == "rpfrfrpp"


def test_foresight_opens_all_and_then_asks_whoever_brings_most_the_next_time() -> None:
    # f brings 2, r first 1 and then 2; p shows whom r has shown, before its last page
    assert order(foresight) == "rpffrrpp"


@pytest.mark.parametrize(("asked", "chosen"), [(2, 0), (1, 1)])
def test_ucb_asks_a_poor_keyword_as_long_as_it_was_hardly_tried(
    asked: int, chosen: int
) -> None:
    # 30 creators a page are a mean of 1, and the bonus is the root of 2 ln(n) / asked:
    # 1.76 against 1.52 at ten calls, 1.74 against 2.10 at nine.
    board = board_of(Stream([], asked=8, found=240), Stream([], asked=asked))

    assert ucb(board, [0, 1]) == chosen


@pytest.mark.parametrize(("items", "chosen"), [(30, 0), (15, 1)])
def test_good_ucb_asks_a_spent_keyword_as_long_as_few_items_say_so(
    items: int, chosen: int
) -> None:
    # The share seen once is 1 and 0, and the bonus 2.41 roots of ln(4 N) / items: 1.41
    # against 1.16 at 270 items, 1.41 against 1.64 at 255.
    board = board_of(Stream([], items=240, once=240), Stream([], items=items))

    assert good_ucb(board, [0, 1]) == chosen


@pytest.mark.parametrize("way", [ucb, good_ucb, greedy])
def test_who_was_never_asked_is_asked_first_in_the_order_given(way: Strategy) -> None:
    asked = Stream([], asked=1, items=30, found=30, last=30, once=30)

    assert way(board_of(asked, Stream([]), Stream([])), [0, 1, 2]) == 1


@pytest.mark.parametrize("way", BASELINES.values())
def test_nobody_asks_a_keyword_that_has_ended(way: Strategy) -> None:
    best = Stream([], asked=2, items=60, found=60, last=30, once=60)
    poor = Stream([], asked=2, items=60)

    assert way(board_of(best, poor), [1]) == 1


def test_a_creator_whom_another_keyword_shows_counts_once_for_neither() -> None:
    board = Board([Stream(RICH), Stream(POOR)])

    board.ask(0)
    board.ask(1)

    assert [stream.once for stream in board.streams] == [2, 0]
    assert [stream.found for stream in board.streams] == [3, 0]
    assert board.history == [3, 3]


@pytest.mark.parametrize("way", BASELINES.values())
def test_a_keyword_that_shows_nobody_costs_the_call_that_says_so(way: Strategy) -> None:
    world = World("small", {"mate": [[]], "tea": FAIR})

    assert calls_of(way, world, 4) == 3


def test_all_keywords_in_one_query_may_never_show_so_many() -> None:
    world = World("small", {"tea": RICH}, joined=[["a"], ["b", "c"]])

    assert [calls_joined(world, wanted) for wanted in (1, 3, 4)] == [1, 2, None]
