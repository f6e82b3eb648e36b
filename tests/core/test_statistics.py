"""What a job counts for, where, and what many come to."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from builders import NOON, a_job

from headcount.core import lifecycle, ownership
from headcount.core.errors import InvalidSearch
from headcount.core.model import (
    Change,
    Job,
    Label,
    Lease,
    Limits,
    Outcome,
    Reason,
    Status,
)
from headcount.core.statistics import (
    ALL_KEYWORDS,
    EVERYTHING,
    LARGER,
    Coverage,
    Group,
    Kind,
    Place,
    Sums,
    counts_of,
    cover,
    day_of,
    difference,
    kind_of,
    statistics_of,
    total,
)

HERE = Place("2026-03-14", "ada", Kind.REAL, Status.PARTIAL, 100)
TODAY = NOON.date()
ONE = Sums(jobs=1, calls=3, credits=2, creators=7, duplicates=4)


def an_ended(*keywords: str, target: int = 10) -> Job:
    """A job that ended short after a minute, with 7 creators by 3 calls."""
    job = a_job(*keywords, target=target, label=Label(owner="ada"))
    return replace(
        job,
        status=Status.PARTIAL,
        qualified=7,
        charged=3,
        credits=2,
        duplicates=4,
        started_at=NOON,
        ended_at=NOON + timedelta(seconds=60),
        outcome=Outcome(3, Reason.CALL_LIMIT),
    )


# ------------------------------------------------------------------ what one job adds
def test_a_job_counts_for_all_and_for_each_of_its_keywords() -> None:
    sums = Sums(1, 0, 3, 2, 7, 4, 1, 60_000)

    counted = counts_of(an_ended("tea", "çay"))

    assert counted == {
        HERE: sums,
        replace(HERE, keyword="tea"): sums,
        replace(HERE, keyword="çay"): sums,
    }


@pytest.mark.parametrize("status", [Status.PENDING, Status.PROCESSING, Status.PAUSED])
def test_a_job_that_has_not_ended_counts_for_nothing(status: Status) -> None:
    assert counts_of(replace(an_ended(), status=status)) == {}


def test_a_job_is_exact_when_no_creator_is_missing() -> None:
    job = an_ended()

    exact = [
        counts_of(replace(job, qualified=number))[HERE].exact for number in (9, 10, 11)
    ]

    assert exact == [0, 1, 1]


def test_spares_are_not_counted_as_delivered() -> None:
    assert counts_of(replace(an_ended(), qualified=13))[HERE].creators == 10


@pytest.mark.parametrize(
    ("target", "size"),
    [
        (1, 100),
        (100, 100),
        (101, 250),
        (250, 250),
        (500, 500),
        (1_000, 1_000),
        (1_001, LARGER),
        (1_000_000, LARGER),
    ],
)
def test_a_job_counts_with_those_of_about_its_target(target: int, size: int) -> None:
    counted = counts_of(an_ended(target=target))

    assert {place.size for place in counted} == {size}


def test_a_job_that_was_never_begun_has_no_processing_time() -> None:
    job = replace(an_ended(), started_at=None)

    assert counts_of(job)[HERE] == replace(ONE, timed=0, processing_ms=0)


def test_a_job_without_an_end_has_no_processing_time() -> None:
    job = replace(an_ended(), ended_at=None)

    assert counts_of(job)[HERE] == replace(ONE, timed=0, processing_ms=0)


def test_a_day_is_one_of_utc() -> None:
    tokyo = timezone(timedelta(hours=9))

    assert day_of(datetime(2026, 3, 14, 8, 59, tzinfo=tokyo)) == "2026-03-13"
    assert day_of(datetime(2026, 3, 14, 9, 0, tzinfo=tokyo)) == "2026-03-14"


# ---------------------------------------------------------------------------- its kind
def with_caps(max_calls: int | None, testing: int | None, target: int = 10) -> Job:
    job = an_ended(target=target)
    limits = Limits(max_calls=max_calls, max_calls_for_testing=testing)
    return replace(job, search=replace(job.search, limits=limits))


@pytest.mark.parametrize(
    ("max_calls", "testing", "kind"),
    [
        (None, None, Kind.REAL),
        (None, 999, Kind.REAL),
        (None, 5, Kind.TEST_CAPPED),
        (5, 5, Kind.REAL),
        (6, 5, Kind.TEST_CAPPED),
        (4, 5, Kind.REAL),
    ],
)
def test_a_job_is_test_capped_if_that_cap_allowed_it_fewer_calls(
    max_calls: int | None, testing: int | None, kind: Kind
) -> None:
    assert kind_of(with_caps(max_calls, testing)) is kind


def test_a_sandbox_job_is_one_whatever_its_caps() -> None:
    job = with_caps(None, 1)
    job = replace(job, search=replace(job.search, provider="sandbox/7"))

    assert kind_of(job) is Kind.SANDBOX


# ------------------------------------------------------------------ what a change adds
def test_a_job_that_ends_adds_what_it_counts_for() -> None:
    job = an_ended()
    before = replace(job, status=Status.PROCESSING, ended_at=None)

    assert difference(before, job) == counts_of(job)


def test_a_job_that_was_not_there_before_takes_nothing_away() -> None:
    assert difference(None, an_ended()) == counts_of(an_ended())


def test_a_job_that_goes_on_adds_nothing() -> None:
    job = replace(an_ended(), status=Status.PROCESSING)

    assert difference(job, replace(job, qualified=9)) == {}


def test_a_job_that_ended_and_stays_as_it_is_adds_nothing() -> None:
    job = an_ended()

    assert difference(job, replace(job, lease=None, version=9)) == {}


def test_a_job_that_is_forgotten_is_taken_back() -> None:
    counted = counts_of(an_ended())

    taken = difference(an_ended(), None)

    assert taken == {place: -sums for place, sums in counted.items()}


def test_a_job_that_ended_in_another_way_moves_from_one_place_to_the_other() -> None:
    job = an_ended()
    after = replace(job, status=Status.COMPLETED, qualified=10)

    moved = difference(job, after)

    assert moved[HERE].jobs == -1
    assert moved[replace(HERE, status=Status.COMPLETED)] == Sums(
        1, 1, 3, 2, 10, 4, 1, 60_000
    )


def test_what_comes_late_is_added_where_the_job_counts_already() -> None:
    job = an_ended()

    late = difference(job, replace(job, charged=4, credits=3))

    assert late[HERE] == Sums(calls=1, credits=1)


# -------------------------------------------------------------- the time it lay ended
def claim(job: Job, now: datetime) -> Job:
    lease = Lease(0, "worker", now + timedelta(seconds=30))
    return lifecycle.claim(Change(job), lease, now).job


def seconds(job: Job) -> float:
    return counts_of(job)[replace(HERE, status=job.status)].processing_ms / 1000


def test_the_time_between_an_end_and_the_next_run_is_left_out() -> None:
    later = NOON + timedelta(days=3)
    reopened = ownership.resume(Change(an_ended()), later).job

    again = ownership.finish(Change(reopened), later + timedelta(seconds=5)).job

    assert seconds(again) == 65


def test_a_job_that_is_topped_up_from_its_spares_takes_no_time() -> None:
    spared = replace(an_ended(), qualified=15, status=Status.COMPLETED)
    later = NOON + timedelta(days=3)

    topped = ownership.top_up(Change(spared), 15, Limits(), later).job

    assert topped.ended_at == later
    assert seconds(topped) == 60


def test_the_time_it_lay_ended_adds_up_over_several_runs() -> None:
    job = an_ended()

    for day in (1, 2, 3):
        start = NOON + timedelta(days=day)
        job = ownership.resume(Change(job), start).job
        job = ownership.finish(Change(job), start + timedelta(seconds=1)).job

    assert seconds(job) == 63


def test_a_pause_is_part_of_the_processing_time() -> None:
    job = claim(a_job(label=Label(owner="ada")), NOON)
    paused = ownership.pause(Change(job)).job

    resumed = ownership.resume(Change(paused), NOON + timedelta(seconds=40)).job
    ended = ownership.finish(Change(resumed), NOON + timedelta(seconds=50)).job

    assert seconds(ended) == 50


# -------------------------------------------------------------------- what many come to
def test_sums_of_one_place_are_added_up_and_those_of_nothing_left_out() -> None:
    there = replace(HERE, owner="bob")

    added = total([{HERE: ONE, there: ONE}, {HERE: ONE, there: -ONE}])

    assert added == {HERE: ONE + ONE}


def test_sums_come_in_the_order_of_their_places() -> None:
    """So that two who write them never wait for each other in a circle."""
    places = [replace(HERE, owner=owner) for owner in ("b", "c", "a")]

    assert list(total([dict.fromkeys(places, ONE)])) == sorted(places)


def test_statistics_count_a_job_once_whatever_its_keywords() -> None:
    counted = counts_of(an_ended("tea", "çay"))

    found = statistics_of(counted, EVERYTHING, NOON)

    assert found.groups == {Group(Kind.REAL, Status.PARTIAL, 100): counted[HERE]}
    assert (found.coverage, found.at) == (EVERYTHING, NOON)


def test_statistics_of_a_keyword_are_those_of_its_jobs() -> None:
    counted = total([counts_of(an_ended("tea", "çay")), counts_of(an_ended("tea"))])

    found = {
        word: statistics_of(counted, Coverage(keyword=word), NOON)
        for word in ("tea", "çay", "mate")
    }

    assert [s.sums(Kind.REAL).jobs for s in found.values()] == [2, 1, 0]
    assert [s.top_keywords for s in found.values()] == [("tea",), ("çay",), ()]


def test_the_same_group_of_several_days_and_owners_is_added_up() -> None:
    yesterday = replace(an_ended(), created_at=NOON - timedelta(days=1))

    found = statistics_of(
        total([counts_of(an_ended()), counts_of(yesterday)]), EVERYTHING, NOON
    )

    assert found.groups[Group(Kind.REAL, Status.PARTIAL, 100)].jobs == 2


def test_the_keywords_of_most_real_processed_jobs_come_first() -> None:
    jobs = [
        an_ended("tea", "çay"),
        an_ended("tea", "Tee"),
        replace(an_ended("mate"), status=Status.FAILED),
        replace(an_ended("mate"), created_at=NOON - timedelta(days=1)),
        replace(an_ended("mate"), label=Label(owner="bob")),
        replace(an_ended("withdrawn"), status=Status.CANCELLED),
    ]
    invented = an_ended("invented")
    search = replace(invented.search, provider="sandbox/1")
    jobs.append(replace(invented, search=search))

    found = statistics_of(total(map(counts_of, jobs)), EVERYTHING, NOON)

    assert found.top_keywords == ("mate", "tea", "Tee", "çay")


def test_ten_keywords_are_listed_at_most() -> None:
    words = [f"word {number:02}" for number in range(12)]

    found = statistics_of(counts_of(an_ended(*words)), EVERYTHING, NOON)

    assert found.top_keywords == tuple(words[:10])


def test_sums_can_be_had_by_status_and_size() -> None:
    jobs = [
        an_ended(),
        an_ended(target=400),
        replace(an_ended(), status=Status.FAILED),
    ]
    found = statistics_of(total(map(counts_of, jobs)), EVERYTHING, NOON)

    assert found.sums(Kind.REAL).jobs == 3
    assert found.sums(Kind.REAL, [Status.PARTIAL]).jobs == 2
    assert found.sums(Kind.REAL, [Status.PARTIAL], [500]).jobs == 1
    assert found.sums(Kind.SANDBOX) == Sums()


# ---------------------------------------------------------------------- what is covered
def test_a_single_day_can_be_covered() -> None:
    assert cover(TODAY, TODAY) == Coverage(since=TODAY, until=TODAY)


def test_nothing_given_covers_everything() -> None:
    assert cover() == EVERYTHING


def test_a_keyword_is_covered_as_searches_have_it() -> None:
    asked = cover(keyword="  green   tea ", owner="ada")

    assert asked == Coverage(keyword="green tea", owner="ada")


def test_days_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(
        InvalidSearch, match="not after 2026-03-14, not 2026-03-15"
    ) as raised:
        cover(TODAY + timedelta(days=1), TODAY)

    assert raised.value.field == "since"


def test_a_keyword_that_no_job_can_have_is_refused() -> None:
    with pytest.raises(InvalidSearch, match="a keyword is blank"):
        cover(keyword=" ")


def test_no_keyword_can_be_taken_for_all_of_them() -> None:
    assert not ALL_KEYWORDS.strip()
