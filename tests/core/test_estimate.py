"""What calls are expected to bring."""

from dataclasses import replace

import pytest
from builders import a_job

from headcount.core import estimate
from headcount.core.model import Job, Limits, Source, SourceState


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


def test_a_fresh_source_is_judged_by_others_and_by_its_own_pages_later() -> None:
    job = replace(a_job(), rejected=1)

    assert estimate.expected_yield(job, Source(1, "tea")) == 12.9
    assert estimate.expected_yield(job, Source(1, "tea", pages=1, recent=3.0)) == 3.0


def drawing_on(*sources: Source, target: int = 60) -> Job:
    return replace(a_job(target=target), sources=sources)


@pytest.mark.parametrize(
    ("job", "calls"),
    [
        (drawing_on(Source(1, "tea")), 3),
        (drawing_on(Source(1, "tea", pages=1, recent=10.0)), 6),
        (
            drawing_on(
                Source(1, "a", pages=1, recent=8.0), Source(2, "b", pages=1, recent=4.0)
            ),
            10,
        ),
        (drawing_on(Source(1, "tea", pages=1, recent=0.1)), 120),
        (drawing_on(Source(1, "tea", pages=1, recent=0.6)), 100),
        (
            drawing_on(
                Source(1, "tea", state=SourceState.FAILING, pages=1, recent=30.0)
            ),
            2,
        ),
        (
            drawing_on(
                Source(1, "a", state=SourceState.DRY),
                Source(2, "b", pages=1, recent=30.0),
            ),
            2,
        ),
        (drawing_on(Source(1, "tea", state=SourceState.DRY)), None),
        (replace(drawing_on(Source(1, "tea", state=SourceState.DRY)), qualified=60), 0),
        (replace(drawing_on(Source(1, "tea", pages=1, recent=1.0)), qualified=59), 1),
    ],
)
def test_the_calls_that_remain_are_told_from_the_sources_that_do(
    job: Job, calls: int | None
) -> None:
    assert estimate.calls_remaining(job) == calls
