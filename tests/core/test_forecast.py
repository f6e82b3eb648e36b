"""What is foretold of a job, and what is not."""

from dataclasses import replace

import pytest
from builders import NOON, a_job

from headcount.core.expansion import Expand, Expansion
from headcount.core.forecast import (
    Range,
    Seconds,
    calls_remaining,
    forecast,
    supplies,
)
from headcount.core.model import Job, Source, SourceState
from headcount.core.tempo import Tempo


def drawing_on(*sources: Source, target: int = 60) -> Job:
    pages = sum(source.pages for source in sources)
    return replace(a_job(target=target), sources=sources, pages=pages)


def asked(number: int, brings: int, *, pages: int = 1, evidence: int = 0) -> Source:
    """A source whose next page is expected to bring so many."""
    return Source(
        number,
        f"keyword {number}",
        pages=pages,
        found=brings * pages,
        once=brings * pages,
        recent=float(brings),
        evidence=evidence,
    )


DRY = Source(1, "tea", state=SourceState.DRY, pages=9, found=90, once=90, recent=9.0)


def test_nothing_more_is_needed_when_all_are_there() -> None:
    job = replace(drawing_on(asked(1, 20)), qualified=60)

    assert forecast(job).calls == Range(0, 0, 0)
    assert calls_remaining(job) == 0


def test_no_number_of_calls_is_told_when_no_source_is_left() -> None:
    ahead = forecast(replace(drawing_on(DRY), qualified=50))

    assert ahead.calls is None
    assert ahead.reach == Range(50, 50, 50)
    assert ahead.out_of_reach
    assert calls_remaining(drawing_on(DRY)) is None


def test_what_is_missing_by_less_than_a_page_takes_a_call() -> None:
    job = replace(drawing_on(asked(1, 20)), qualified=59)

    assert forecast(job).calls == Range(1, 1, 1)


def test_a_richer_source_needs_fewer_calls() -> None:
    [poor, rich] = [forecast(drawing_on(asked(1, brings))) for brings in (8, 24)]

    assert poor.calls
    assert rich.calls
    assert poor.calls.expected > 2 * rich.calls.expected


def test_the_best_pages_of_all_sources_are_counted_first() -> None:
    rich = asked(1, 20)
    alone, together = (
        calls_remaining(drawing_on(*sources))
        for sources in ((rich,), (rich, asked(2, 2)))
    )

    assert alone == together == 5


def test_a_range_lies_around_what_is_expected() -> None:
    calls = forecast(drawing_on(*(asked(n, 20) for n in range(1, 9)), target=500)).calls

    assert calls
    assert calls.low < calls.expected < calls.high <= 2 * calls.low


def test_a_target_beyond_the_sources_is_called_out_of_reach() -> None:
    [near, far] = [forecast(drawing_on(asked(1, 10), target=n)) for n in (40, 400)]

    assert not near.out_of_reach
    assert far.out_of_reach
    assert near.reach == far.reach
    assert far.reach.low < far.reach.expected < far.reach.high < 400


def test_emptying_the_sources_takes_a_call_more_to_confirm_each_end() -> None:
    ending = asked(1, 10, pages=4, evidence=1)

    assert (
        calls_remaining(drawing_on(ending)) == 2
    )  # the one that confirms, and a doubt


def test_a_keyword_in_its_last_pages_has_little_left() -> None:
    young, old, older, ended = (
        supplies(drawing_on(asked(1, 10, pages=pages)))[0] for pages in (1, 12, 14, 30)
    )

    assert young > 2 * old
    assert old > older == ended == 10


def test_only_what_is_left_in_it_counts_as_a_sources_supply() -> None:
    job = drawing_on(DRY, asked(2, 10, pages=14), asked(3, 10, evidence=2))

    assert supplies(job) == [0, 10, 0]


FORETOLD = {
    "one source": ([asked(1, 20)], 200, (5, 9, 12), (44, 89, 135)),
    "one far on": (
        [asked(1, 20), asked(2, 9, pages=4)],
        120,
        (8, 12, 16),
        (64, 128, 193),
    ),
    "one ending": (
        [asked(1, 20, evidence=1), asked(2, 12)],
        90,
        (6, 10, 14),
        (27, 54, 82),
    ),
    "within reach": (
        [asked(1, 24), asked(2, 20), asked(3, 18)],
        150,
        (7, 9, 13),
        (138, 277, 416),
    ),
    "far too few": ([asked(1, 3)], 900, (5, 9, 12), (6, 13, 21)),
    "the last page": ([asked(1, 20, pages=13)], 500, (1, 2, 2), (10, 20, 30)),
    "past the last page": ([asked(1, 20, pages=20)], 30, (1, 2, 2), (10, 20, 30)),
    "nothing known": (
        [Source(1, "tea"), Source(2, "mate")],
        300,
        (11, 20, 28),
        (101, 204, 306),
    ),
    "nothing to be had": ([asked(1, 0, pages=9)], 5, (2, 5, 6), (0, 0, 0)),
}


@pytest.mark.parametrize(
    ("sources", "target", "calls", "reach"), FORETOLD.values(), ids=FORETOLD
)
def test_what_is_foretold_of_these_jobs_stays_as_it_was_fitted(
    sources: list[Source],
    target: int,
    calls: tuple[int, int, int],
    reach: tuple[int, int, int],
) -> None:
    ahead = forecast(drawing_on(*sources, target=target))

    assert (ahead.calls, ahead.reach) == (Range(*calls), Range(*reach))


# ------------------------------------------------------------------------------- time
def at_tempo(job: Job, *, calls: int = 16) -> Job:
    """The job after calls of two seconds, of which two were out at once."""
    tempo = Tempo(NOON, calls, worked_ms=calls * 1_000, waited_ms=calls * 2_000)
    return replace(job, tempo=tempo)


def test_no_time_is_told_before_a_call_came_back() -> None:
    job = drawing_on(asked(1, 20))

    assert forecast(job).seconds is None
    assert forecast(replace(job, tempo=Tempo(NOON))).seconds is None


def test_no_time_is_told_where_no_source_is_left() -> None:
    assert forecast(at_tempo(drawing_on(DRY))).seconds is None


def test_no_time_is_needed_when_all_are_there() -> None:
    job = at_tempo(replace(drawing_on(asked(1, 20)), qualified=60))

    assert forecast(job).seconds == Seconds(0.0, 0.0, 0.0)


def test_each_call_adds_its_part_and_the_last_one_takes_its_time() -> None:
    ahead = forecast(at_tempo(drawing_on(*(asked(n, 20) for n in range(1, 9)))))
    assert ahead.calls
    assert ahead.seconds

    assert ahead.seconds.expected == ahead.calls.expected + 1.0
    assert ahead.seconds.low == pytest.approx(ahead.calls.low * 0.85)
    assert ahead.seconds.high == pytest.approx((ahead.calls.high + 2.0) * 1.15)


def test_one_source_is_asked_one_page_after_another_however_many_may_be_out() -> None:
    """Its calls cannot overlap, though those so far, of several sources, did."""
    ahead = forecast(at_tempo(drawing_on(asked(1, 20), target=200), calls=100))

    assert ahead.calls
    assert ahead.seconds
    assert ahead.seconds.expected == 2.0 * 13  # of all pages that it may still have
    assert ahead.seconds.high > 1.2 * ahead.seconds.expected


def test_calls_one_by_one_take_their_times_together() -> None:
    job = drawing_on(*(asked(n, 20) for n in range(1, 9)))
    tempo = Tempo(NOON, 9, worked_ms=18_000, waited_ms=18_000)

    ahead = forecast(replace(job, tempo=tempo))

    assert ahead.calls
    assert ahead.seconds
    assert ahead.seconds.expected == 2.0 * ahead.calls.expected


def test_a_time_is_less_sure_after_few_calls() -> None:
    sources = [asked(n, 20) for n in range(1, 9)]
    [few, many] = [
        forecast(at_tempo(drawing_on(*sources), calls=calls)).seconds
        for calls in (1, 100)
    ]

    assert few
    assert many
    assert few.low < many.low < many.expected == few.expected < many.high < few.high


# -------------------------------------------------------------------------- expansion
def widening(*sources: Source, target: int = 500) -> Job:
    """A job that may open new sources."""
    job = drawing_on(*sources, target=target)
    return replace(job, search=replace(job.search, expansion=Expansion(Expand.ALL)))


def opened(source: Source, *, calls: int) -> Source:
    return replace(source, origin='variant of "tea"', charged=calls)


def test_a_job_that_may_open_new_sources_is_expected_to_reach_its_target() -> None:
    ahead = forecast(widening(asked(1, 20)))

    assert not ahead.out_of_reach
    assert ahead.reach.low < 500 <= ahead.reach.expected <= ahead.reach.high
    assert forecast(drawing_on(asked(1, 20), target=500)).out_of_reach


def test_more_calls_are_foretold_than_its_own_sources_have_pages() -> None:
    [narrow, wide] = [
        forecast(job).calls
        for job in (drawing_on(asked(1, 20), target=500), widening(asked(1, 20)))
    ]

    assert narrow
    assert wide
    assert wide.low > narrow.high
    assert 1.5 * wide.low <= wide.expected < wide.high


def test_the_better_what_was_opened_the_fewer_calls() -> None:
    told = [
        forecast(widening(asked(1, 20), opened(asked(2, brings, pages=9), calls=9)))
        for brings in (2, 10, 20)
    ]

    [poor, fair, good] = [ahead.calls.expected for ahead in told if ahead.calls]
    assert poor > 1.5 * fair > 2 * good


def test_where_nothing_comes_of_it_the_calls_are_many_but_counted() -> None:
    nothing = opened(replace(asked(2, 0, pages=9), charged=9), calls=10_000)

    calls = forecast(widening(asked(1, 20), nothing)).calls

    assert calls
    assert calls.expected == 5_000


def test_what_its_own_sources_may_hold_needs_no_others() -> None:
    sources = [asked(n, 20) for n in range(1, 9)]

    [narrow, wide] = [
        forecast(job)
        for job in (drawing_on(*sources, target=300), widening(*sources, target=300))
    ]

    assert wide == narrow


# --------------------------------------------------------------------- the beginning
def test_nothing_is_called_out_of_reach_before_a_page_was_seen() -> None:
    ahead = forecast(drawing_on(Source(1, "tea"), target=900))

    assert ahead.reach.high < 900
    assert not ahead.out_of_reach


def test_before_the_first_page_the_range_is_wider() -> None:
    job = drawing_on(Source(1, "tea"), Source(2, "mate"), target=300)

    [before, later] = [forecast(replace(job, pages=n)).calls for n in (0, 9)]

    assert before
    assert later
    assert before.low < later.low < later.high < before.high
