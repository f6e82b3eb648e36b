"""What is held against a forecast is what came."""

from collections.abc import Iterator

import pytest
from contest import AT_ONCE, SHARES, wanted_of
from foretelling import (
    BEYOND,
    KINDS,
    PROGRESS,
    Foretold,
    Told,
    coverage,
    foretold,
    known_beyond,
    told_of,
)
from market import World, invent
from play import AS_RECORDED, Play

WORLD = invent(9_502)  # where with eight calls at once some come late


def told_at(share: int, at_once: int) -> Iterator[Foretold]:
    for told in foretold(WORLD):
        if (told.share, told.at_once) == (share, at_once):
            yield told


def test_a_range_holds_its_ends_and_is_as_wide_as_they_are_apart() -> None:
    held = [Told(2, 3, 4, came).held for came in (1, 2, 4, 5)]

    assert held == [False, True, True, False]
    assert Told(2, 3, 4, 4).width == 0.5


def test_coverage_is_the_share_of_ranges_that_hold() -> None:
    found = coverage([Told(2, 3, 4, 4), Told(2, 3, 4, 1)])

    assert found is not None
    assert (found.n, found.held, found.width) == (2, 0.5, 1.25)
    assert coverage([]) is None


@pytest.mark.parametrize("share", [*SHARES, BEYOND])
def test_the_truth_of_the_reach_is_all_creators_whatever_was_asked_for(
    share: int,
) -> None:
    told = list(told_at(share, 1))

    assert [one.progress for one in told] == list(PROGRESS)
    assert {one.reach.came for one in told} == {WORLD.creators}


@pytest.mark.parametrize("at_once", [1, AT_ONCE])
def test_the_truth_of_the_calls_is_those_made_from_there(at_once: int) -> None:
    play = Play(WORLD, wanted_of(WORLD, 50), at_once, latency=AS_RECORDED).run()

    first, *later = told_at(50, at_once)

    assert first.calls.came == play.calls
    assert first.seconds is None
    left = [one.calls.came for one in later]
    assert left == sorted(left, reverse=True)
    assert 0 < left[-1] < left[0] < play.calls


def test_the_truth_of_the_time_ends_with_the_target_and_not_with_late_calls() -> None:
    share = next(
        share
        for share in SHARES
        if Play(WORLD, wanted_of(WORLD, share), AT_ONCE, latency=AS_RECORDED).run().late
    )
    play = Play(WORLD, wanted_of(WORLD, share), AT_ONCE, latency=AS_RECORDED)
    times = [(play.seconds, job.missing) for job in play.steps()]
    reached = next(seconds for seconds, missing in times if not missing)
    assert reached < play.seconds

    moments = [
        round(reached - told.seconds.came, 3)
        for told in told_at(share, AT_ONCE)
        if told.seconds
    ]

    assert moments
    assert set(moments) <= {round(seconds, 3) for seconds, _ in times}


def test_beyond_what_there_is_the_truth_of_the_time_is_until_all_is_seen() -> None:
    play = Play(WORLD, wanted_of(WORLD, BEYOND), 1, latency=AS_RECORDED)
    times = [play.seconds for _ in play.steps()]

    *_, last = told_at(BEYOND, 1)

    assert last.seconds is not None
    moment = play.seconds - last.seconds.came
    assert any(moment == pytest.approx(seconds) for seconds in times)


def test_each_kind_is_looked_at_with_its_calls_at_once() -> None:
    all_told = foretold(WORLD)

    counted = {kind: len(told_of(kind, all_told)) for kind in KINDS}

    one, many = (
        sum(told.at_once == at_once for told in all_told) for at_once in (1, AT_ONCE)
    )
    firsts = len(SHARES) + 1  # before the first page no time is told
    assert list(counted.values()) == [one, one, one - firsts, many - firsts]


def test_of_a_world_of_one_page_little_is_foretold_and_nothing_is_wrong() -> None:
    told = foretold(World("small", {"tea": [["a"]]}))

    beyond = [one for one in told if one.share == BEYOND]
    assert beyond != told
    assert known_beyond(beyond) is not None
    assert known_beyond([]) is None
    assert foretold(World("empty", {"tea": [[]]})) == []
