"""What calls are expected to bring."""

import math
from dataclasses import replace

import pytest
from builders import a_job

from headcount.core import estimate
from headcount.core.model import Limits, Source

_DEVIATION = estimate._SPREAD_OF_PAGES * math.sqrt(10)


@pytest.mark.parametrize(
    ("target", "calls", "cap"),
    [(1, 1, 23), (25, 1, 23), (26, 2, 26), (100, 4, 32), (1_000, 39, 137)],
)
def test_the_default_cap_is_three_times_what_is_expected_and_twenty(
    target: int, calls: int, cap: int
) -> None:
    assert estimate.expected_calls(target) == calls
    assert estimate.default_call_cap(target) == cap
    assert estimate.call_cap(a_job(target=target)) == cap


def test_a_cap_of_the_users_own_stands() -> None:
    assert estimate.call_cap(a_job(limits=Limits(max_calls=1))) == 1


@pytest.mark.parametrize(
    ("qualified", "rejected", "share"), [(0, 0, 1.0), (0, 1, 0.5), (2, 9, 0.25)]
)
def test_the_acceptance_starts_at_all_and_follows_what_is_judged(
    qualified: int, rejected: int, share: float
) -> None:
    job = replace(a_job(), qualified=qualified, rejected=rejected)

    assert estimate.acceptance(job) == share


@pytest.mark.parametrize(
    ("pages", "recent", "new", "average"),
    [(0, 0.0, 20, 20.0), (1, 20.0, 10, 15.0), (7, 4.0, 0, 2.0)],
)
def test_an_average_moves_half_way_to_the_last_page(
    pages: int, recent: float, new: int, average: float
) -> None:
    source = Source(1, "tea", pages=pages, recent=recent)

    assert estimate.updated_average(source, new) == average


def test_a_fresh_source_is_judged_by_what_is_measured_and_by_the_jobs_others() -> None:
    asked = Source(2, "mate", pages=2, found=12)
    job = replace(a_job(), rejected=1)

    assert estimate.fresh_yield(job) == 12.9
    others = replace(job, sources=(*job.sources, asked))
    assert estimate.fresh_yield(others) == pytest.approx((12 * 12.9 + 6) / 13)


@pytest.mark.parametrize(
    ("source", "brings"),
    [
        (Source(1, "tea"), 20.0),
        (Source(1, "tea", pages=2, once=30, recent=10.0), 14.0),
        (Source(1, "tea", pages=2, once=30, recent=10.0, evidence=1), 0.28),
        (Source(1, "tea", pages=3, once=0, recent=0.0), 0.0),
    ],
)
def test_a_page_brings_new_creators_as_often_as_they_were_seen_only_once(
    source: Source, brings: float
) -> None:
    assert estimate.expected_yield(source, fresh=20.0) == pytest.approx(brings)


@pytest.mark.parametrize(
    ("yields", "missing", "level"),
    [
        ([], 10, 0.0),
        ([10.0], 10, 8.0),
        ([10.0, 8.0], 10, 8.0),
        ([8.0, 10.0], 20, 7.0),
        ([10.0, 8.0, 1.0], 20, 7.0),
        ([10.0, 0.0], 1_000, 0.0),
    ],
)
def test_a_plan_takes_from_each_source_what_rises_above_one_level(
    yields: list[float], missing: float, level: float
) -> None:
    assert estimate.level_of(yields, missing) == pytest.approx(level)


def test_a_page_is_as_likely_to_bring_more_as_less_than_expected() -> None:
    tried, new = Source(1, "tea", pages=1), Source(2, "mate")

    assert estimate.chance_of(10, 9.5, tried) == pytest.approx(0.5)
    assert estimate.chance_of(10, 20.0, tried) > estimate.chance_of(10, 20.0, new) > 0.9
    assert estimate.chance_of(20, 9.5, new) > estimate.chance_of(20, 9.5, tried)
    assert 0 < estimate.chance_of(2, 0.0, tried) < 0.1


@pytest.mark.parametrize(
    ("missing", "expected", "chance"),
    [(11, 10.5, 0.5), (12, 10.0, 0.5 * math.erfc(1.5 / _DEVIATION / math.sqrt(2)))],
)
def test_the_chance_to_finish_alone_is_that_of_a_bell_curve(
    missing: int, expected: float, chance: float
) -> None:
    source = Source(1, "tea", pages=1)

    assert estimate.chance_of(missing, expected, source) == pytest.approx(chance)
