"""What is foretold of a job, and what is not."""

from dataclasses import replace

from builders import a_job

from headcount.core.forecast import Range, calls_remaining, forecast, supplies
from headcount.core.model import Job, Source, SourceState


def drawing_on(*sources: Source, target: int = 60) -> Job:
    return replace(a_job(target=target), sources=sources)


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
