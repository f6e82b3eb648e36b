"""Which pages are asked next, and how many at once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from builders import NOON, a_job

from headcount.core import planner
from headcount.core.calls import Call
from headcount.core.model import Job, Source, SourceState

SECOND = timedelta(seconds=1)


def job_of(*sources: Source, target: int = 100, out: tuple[int, ...] = ()) -> Job:
    calls = tuple(Call(number, number, "0", held=1, opened_at=NOON) for number in out)
    return replace(a_job(target=target), sources=sources, open_calls=calls)


def proven(number: int, recent: float) -> Source:
    """A source whose pages bring so many new creators."""
    return Source(number, f"keyword {number}", pages=1, recent=recent)


def chosen(job: Job, *, room: int = 9) -> list[int]:
    candidates = planner.askable(job, NOON)
    return [source.id for source in planner.choose(job, candidates, room=room)]


@pytest.mark.parametrize(
    ("source", "numbers"),
    [
        (Source(1, "tea"), [1]),
        (Source(1, "tea", retry_at=NOON - SECOND), [1]),
        (Source(1, "tea", retry_at=NOON), [1]),
        (Source(1, "tea", retry_at=NOON + SECOND), []),
        (Source(1, "tea", state=SourceState.DRY), []),
        (Source(1, "tea", state=SourceState.FAILING), []),
    ],
)
def test_an_open_source_is_asked_when_its_time_has_come(
    source: Source, numbers: list[int]
) -> None:
    assert [s.id for s in planner.askable(job_of(source), NOON)] == numbers


def test_a_source_is_asked_one_page_at_a_time() -> None:
    job = job_of(Source(1, "tea"), Source(2, "mate"), out=(1,))

    assert planner.askable(job, NOON) == [Source(2, "mate")]


def test_the_most_promising_source_is_asked_first() -> None:
    job = job_of(proven(1, 5.0), proven(2, 9.0), Source(3, "new"), proven(4, 9.0))

    assert chosen(job) == [3, 2, 4, 1]
    assert chosen(job, room=2) == [3, 2]
    assert chosen(job, room=0) == []


@pytest.mark.parametrize(
    ("target", "asked"),
    [(1, [1]), (10, [1]), (11, [1, 2]), (20, [1, 2]), (21, [1, 2, 3])],
)
def test_no_call_is_made_that_the_target_does_not_need(
    target: int, asked: list[int]
) -> None:
    job = job_of(proven(1, 10.0), proven(2, 10.0), proven(3, 10.0), target=target)

    assert chosen(job) == asked


@pytest.mark.parametrize(("target", "asked"), [(10, []), (11, [2]), (15, [2])])
def test_what_is_out_already_counts_towards_the_target(
    target: int, asked: list[int]
) -> None:
    job = job_of(
        proven(1, 10.0), proven(2, 5.0), proven(3, 4.0), target=target, out=(1,)
    )

    assert chosen(job) == asked
