"""Which pages are asked next, and how many at once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from builders import A_CREDIT, NOON, a_job

from headcount.core import planner
from headcount.core.calls import Call, CallKind, Endpoint
from headcount.core.model import Job, Limits, Source, SourceState, Speed

SECOND = timedelta(seconds=1)


def job_of(
    *sources: Source,
    target: int = 100,
    out: tuple[int, ...] = (),
    speed: Speed = Speed.LEAN,
) -> Job:
    calls = tuple(Call(number, number, "0", held=1, opened_at=NOON) for number in out)
    job = a_job(target=target, limits=Limits(speed=speed))
    return replace(job, sources=sources, open_calls=calls)


def proven(number: int, brings: int, *, evidence: int = 0) -> Source:
    """A source whose next page is expected to bring so many new creators."""
    return Source(
        number,
        f"keyword {number}",
        pages=1,
        found=brings,
        once=brings,
        recent=float(brings),
        evidence=evidence,
    )


def chosen(job: Job, *, room: int = 9) -> list[int]:
    candidates = planner.askable(job, NOON)
    return [
        source.id
        for source in planner.choose(job, candidates, room=room, prices=A_CREDIT)
    ]


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
    job = job_of(proven(1, 5), proven(2, 9), Source(3, "new"), proven(4, 9), target=200)

    assert chosen(job) == [3, 2, 4, 1]
    assert chosen(job, room=2) == [3, 2]
    assert chosen(job, room=0) == []


def test_where_nothing_may_be_asked_nothing_is() -> None:
    assert chosen(job_of()) == []


@pytest.mark.parametrize(
    ("target", "asked"),
    [(1, [1]), (10, [1]), (11, [1, 2]), (20, [1, 2]), (21, [1, 2, 3])],
)
def test_no_call_is_made_that_the_target_does_not_need(
    target: int, asked: list[int]
) -> None:
    job = job_of(proven(1, 10), proven(2, 10), proven(3, 10), target=target)

    assert chosen(job) == asked


@pytest.mark.parametrize(("target", "asked"), [(10, []), (11, [2]), (15, [2])])
def test_what_is_out_already_counts_towards_the_target(
    target: int, asked: list[int]
) -> None:
    job = job_of(proven(1, 10), proven(2, 10), proven(3, 9), target=target, out=(1,))

    assert chosen(job, room=1) == asked


@pytest.mark.parametrize(
    ("speed", "brings", "asked"),
    [
        (Speed.LEAN, 16, []),
        (Speed.BALANCED, 16, [2]),
        (Speed.BALANCED, 12, []),
        (Speed.FAST, 12, [2, 3]),
    ],
)
def test_a_poor_source_waits_while_a_better_one_is_out_unless_time_is_worth_more(
    speed: Speed, brings: int, asked: list[int]
) -> None:
    sources = proven(1, 20), proven(2, brings), proven(3, 2)

    assert chosen(job_of(*sources, target=30, out=(1,), speed=speed)) == asked


@pytest.mark.parametrize(
    ("speed", "asked"),
    [(Speed.LEAN, []), (Speed.BALANCED, [2]), (Speed.FAST, [2])],
)
def test_a_speed_may_ask_for_a_little_more_than_is_missing(
    speed: Speed, asked: list[int]
) -> None:
    sources = proven(1, 20), proven(2, 20)

    assert chosen(job_of(*sources, target=20, out=(1,), speed=speed)) == asked


def test_a_source_that_yields_little_is_asked_when_nothing_else_is_left() -> None:
    job = job_of(proven(1, 1, evidence=2), target=50)

    assert chosen(job) == [1]


def test_a_source_that_gave_signs_of_its_end_waits_behind_one_that_did_not() -> None:
    job = job_of(proven(1, 20, evidence=1), proven(2, 3), target=50)

    assert chosen(job, room=1) == [2]


@pytest.mark.parametrize(("target", "asked"), [(8, [2]), (17, [1])])
def test_the_last_call_goes_to_the_source_likeliest_to_finish_alone(
    target: int, asked: list[int]
) -> None:
    new = replace(a_job(target=target), rejected=4)  # a fifth is let through
    hopeful, tried = Source(1, "new"), proven(2, 16)
    tried = replace(tried, found=172)  # so the new one is expected to bring 18
    job = replace(new, sources=(hopeful, tried))

    assert chosen(job) == asked


def test_a_page_that_brings_just_what_is_missing_is_asked_alone() -> None:
    sources = [
        Source(n, f"word {n}", pages=1, found=20, once=20, recent=20.0) for n in (1, 2)
    ]
    job = replace(a_job(target=20), sources=tuple(sources))

    assert len(planner.choose(job, sources, room=2, prices=A_CREDIT)) == 1


def test_what_a_dry_source_once_brought_does_not_count() -> None:
    def word(number: int, brings: int, state: SourceState = SourceState.OPEN) -> Source:
        return Source(
            number,
            f"word {number}",
            state=state,
            pages=1,
            found=brings,
            once=brings,
            recent=float(brings),
        )

    sources = (word(1, 12), word(2, 10), word(3, 30, SourceState.DRY))
    job = replace(a_job(target=60), sources=sources)

    assert planner.choose(job, sources[:2], room=2, prices=A_CREDIT) == sources[:2]


def test_a_dry_source_does_not_count_where_little_is_left_either() -> None:
    def rare(number: int, once: int, state: SourceState = SourceState.OPEN) -> Source:
        return Source(
            number,
            f"word {number}",
            state=state,
            pages=10,
            found=once,
            once=once,
            recent=once / 10,
        )

    sources = (rare(1, 5), rare(2, 4), rare(3, 5, SourceState.DRY))
    job = replace(a_job(target=1), sources=sources)

    assert planner.choose(job, sources[:2], room=2, prices=A_CREDIT) == sources[:2]


# ------------------------------------------------------------------------------ prices
def a_mix() -> Job:
    """Two keywords, and a feed that brings a half more than either."""
    word = Source(1, "tea", pages=1, found=20, once=20, recent=20.0)
    feed = Source(3, "tea", pages=1, found=30, once=30, recent=30.0)
    feed = replace(feed, endpoint=Endpoint.SUGGESTIONS)
    return replace(a_job(target=900), sources=(word, replace(word, id=2), feed))


@pytest.mark.parametrize(("price", "order"), [(1, [3, 1, 2]), (2, [1, 2, 3])])
def test_what_counts_is_what_a_call_brings_for_its_price(
    price: int, order: list[int]
) -> None:
    job, prices = a_mix(), {**A_CREDIT, CallKind.SUGGESTIONS: price}

    asked = planner.choose(job, job.sources, room=9, prices=prices)

    assert [source.id for source in asked] == order


def test_where_credits_are_few_the_best_that_they_pay_for_are_asked() -> None:
    job, prices = a_mix(), {CallKind.PAGE: 3, CallKind.SUGGESTIONS: 4}

    asked = [
        [
            source.id
            for source in planner.choose(
                job, job.sources, room=9, prices=prices, credits=given
            )
        ]
        for given in (2, 3, 4, 6, 7, 10)
    ]

    assert asked == [[], [1], [3], [3], [3, 1], [3, 1, 2]]


def test_near_the_end_the_likeliest_is_asked_even_where_there_is_room_for_one() -> None:
    """A tried source is surer to bring what is missing than a new one is."""
    tried = Source(2, "mate", pages=2, found=50, once=50, recent=25.0)
    job = replace(a_job(target=22), sources=(Source(1, "tea"), tried))

    assert chosen(job, room=1) == [2]
