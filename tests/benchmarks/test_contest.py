"""What the planner is compared by, and what must hold on any world."""

import pytest
from contest import PLANNER, SHARES, against_the_best, races, wanted_of
from market import World, invent, named_apart
from play import Play
from strategies import BASELINES

SEEDS = range(9_500, 9_506)


@pytest.mark.parametrize("seed", SEEDS)
def test_with_one_keyword_nobody_needs_a_call_more_than_the_fewest(seed: int) -> None:
    word, pages = next(iter(invent(seed).keywords.items()))

    run = races(World("one keyword", {word: pages}))

    assert [race.share for race in run] == list(SHARES)
    assert {race.ratio(way) for race in run for way in race.calls} == {1.0}


@pytest.mark.parametrize("seed", SEEDS)
def test_with_one_call_at_a_time_none_comes_late(seed: int) -> None:
    world = invent(seed)

    late = [Play(world, wanted_of(world, share)).run().late for share in SHARES]

    assert late == [0] * len(SHARES)


def test_an_empty_keyword_costs_everybody_the_same_call() -> None:
    world = World("small", {"mate": [[]], "tea": [["a", "b"], ["c"]]})

    *_, everybody = races(world)

    assert everybody.fewest == 2
    assert {everybody.calls[way] for way in (PLANNER, *BASELINES)} == {3}


def test_worlds_of_one_name_are_told_apart() -> None:
    tea, mate = ({word: [["a", "b"], ["c"]]} for word in ("tea", "mate"))
    given = [
        World("one", tea),
        World("one", mate),
        World("two", tea),
        World("one", tea),
    ]

    worlds = named_apart(given)

    names = ["one", "one (2)", "two", "one (3)"]
    assert [world.name for world in worlds] == names
    assert [world.keywords for world in worlds] == [tea, mate, tea, tea]
    run = [race for world in worlds for race in races(world)]
    assert list(against_the_best(run)) == names


def test_a_world_without_creators_is_not_raced() -> None:
    assert races(World("empty", {"tea": [[]]})) == []
