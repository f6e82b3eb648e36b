"""The fewest calls, beside all choices that there are."""

from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from market import Pages, World
from optimum import Optimum, fewest_calls, fewest_in_order

PAGES = st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=4), min_size=1)
KEYWORDS = st.lists(PAGES.filter(lambda pages: len(pages) <= 3), min_size=1, max_size=4)


def a_world(*keywords: Pages) -> World:
    return World("small", {f"k{place}": pages for place, pages in enumerate(keywords)})


def choices(keywords: Sequence[Pages], least: int) -> Iterator[tuple[int, int]]:
    """Of each choice of first pages, its calls and the creators it shows."""
    lengths = [range(least, len(pages) + 1) for pages in keywords]
    for taken in product(*lengths):
        chosen = zip(keywords, taken, strict=True)
        shown = {who for pages, n in chosen for page in pages[:n] for who in page}
        yield sum(taken), len(shown)


def fewest(keywords: Sequence[Pages], wanted: int, *, least: int = 0) -> int | None:
    enough = (n for n, shown in choices(keywords, least) if shown >= wanted)
    return min(enough, default=None)


@settings(max_examples=40)
@given(KEYWORDS)
def test_the_optimum_is_the_best_of_all_choices_of_first_pages(
    keywords: list[Pages],
) -> None:
    world = a_world(*keywords)

    for wanted in range(1, world.creators + 1):
        assert fewest_calls(world, wanted) == Optimum(fewest(keywords, wanted) or 0)


@settings(max_examples=40)
@given(KEYWORDS)
def test_in_order_it_is_the_best_of_the_choices_that_open_the_first_so_many(
    keywords: list[Pages],
) -> None:
    world = a_world(*keywords)

    for wanted in range(1, world.creators + 1):
        opened = range(1, len(keywords) + 1)
        each = [fewest(keywords[:number], wanted, least=1) for number in opened]
        best = min(calls for calls in each if calls is not None)
        assert fewest_in_order(world, wanted) == Optimum(best)


def test_in_order_a_poor_keyword_is_paid_for_before_a_rich_one() -> None:
    world = a_world([["a"]], [[]], [["b", "c"]])

    assert fewest_calls(world, 2) == Optimum(1)
    assert fewest_in_order(world, 2) == Optimum(3)


def test_nobody_needs_no_call_and_more_than_there_are_cannot_be_wanted() -> None:
    world = a_world([["a"], ["a", "b"]])

    assert fewest_calls(world, 0) == Optimum(0)
    assert fewest_calls(world, 2) == Optimum(2)
    with pytest.raises(ValueError, match="expected at most 2 creators wanted, not 3"):
        fewest_calls(world, 3)
