"""What is told of a job."""

from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from builders import NOON, a_job

from headcount.core import report
from headcount.core.calls import Call, CallState
from headcount.core.filters import Filters
from headcount.core.model import (
    Change,
    Job,
    Limits,
    Outcome,
    Reason,
    Rest,
    Source,
    SourceState,
    Status,
)

CLOSED = Call(
    id=3,
    source=2,
    cursor="30",
    held=2,
    opened_at=NOON,
    state=CallState.SETTLED,
    number=2,
    attempts=2,
    credits=1,
    items=30,
    new=20,
    duplicates=5,
    rejected=3,
    pending=1,
    unusable=1,
    size=700,
    duration_ms=80,
    closed_at=NOON,
    error="told",
)
DETAIL = {
    "callNumber": 2,
    "keyword": "mate",
    "source": "keyword+region=US+period=week",
    "cursor": "30",
    "itemsReceived": 30,
    "newUnique": 20,
    "duplicates": 5,
    "rejected": 3,
    "pending": 1,
    "unusable": 1,
    "durationMs": 80,
    "responseBytes": 700,
    "attempts": 2,
    "credits": 1,
    "state": "settled",
    "error": "told",
    "timestamp": "2026-03-14T12:00:00.000Z",
    "origin": 'variant of "mate"',
}
PROGRESS = {
    "current": 30,
    "target": 100,
    "progress": "30.0%",
    "apiCalls": 4,
    "duplicatesFound": 9,
    "averagePerCall": 7.5,
    "predictedCallsRemaining": 9,
}
SOURCES = (
    Source(1, "tea", pages=1, recent=10.0),
    Source(
        2,
        "mate",
        region="US",
        period="week",
        state=SourceState.DRY,
        cursor="60",
        pages=2,
        items=50,
        found=20,
        origin='variant of "mate"',
    ),
)


def a_busy_job() -> Job:
    return replace(
        a_job(target=100),
        sources=SOURCES,
        status=Status.PROCESSING,
        qualified=30,
        rejected=5,
        pending=6,
        duplicates=9,
        charged=4,
        attempts=7,
        credits=8,
    )


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [
        (0, 10, "0.0%"),
        (1, 1_000, "0.1%"),
        (87, 100, "87.0%"),
        (999, 1_000, "99.9%"),
        (999_999, 1_000_000, "99.9%"),
        (7, 7, "100.0%"),
    ],
)
def test_a_share_is_cut_and_full_only_when_all_are_there(
    part: int, whole: int, told: str
) -> None:
    assert report.percent(part, whole) == told


def test_a_moment_is_told_in_utc_to_the_millisecond() -> None:
    there = timezone(timedelta(hours=2))
    time = (NOON + timedelta(microseconds=123_999)).astimezone(there)

    assert report.moment(time) == "2026-03-14T12:00:00.123Z"
    assert report.moment(None) is None


def test_progress_tells_what_a_bar_needs() -> None:
    assert report.progress(a_busy_job()) == PROGRESS
    assert report.progress(a_job())["averagePerCall"] == 0.0


def test_an_average_has_two_decimals() -> None:
    job = replace(a_busy_job(), charged=7)

    assert report.progress(job)["averagePerCall"] == 4.29


def test_a_call_is_told_as_the_ledger_has_it() -> None:
    assert report.call_detail(a_busy_job(), CLOSED) == DETAIL


def test_the_statistics_list_charged_calls_by_their_number() -> None:
    free = replace(CLOSED, id=4, number=None)
    first = replace(CLOSED, id=5, number=1)

    told = report.exact_count_tracking(a_busy_job(), [CLOSED, free, first])

    assert told == {
        "version": "2.0",
        "targetCount": 100,
        "uniqueCreatorsFound": 30,
        "spareCreators": 0,
        "rejectedCreators": 5,
        "pendingCreators": 6,
        "totalApiCalls": 4,
        "attempts": 7,
        "creditsSpent": 8,
        "duplicatesFound": 9,
        "averageCreatorsPerCall": 7.5,
        "predictedCallsRemaining": 9,
        "progress": "30.0%",
        "targetAchieved": False,
        "apiCallDetails": [DETAIL | {"callNumber": 1}, DETAIL],
    }


def test_a_target_is_achieved_when_none_are_missing() -> None:
    job = replace(a_busy_job(), qualified=103)

    told = report.exact_count_tracking(job, [])

    assert told["targetAchieved"] is True
    assert (told["uniqueCreatorsFound"], told["spareCreators"]) == (100, 3)


def test_a_search_is_told_in_the_form_in_which_it_may_be_asked_again() -> None:
    limits = Limits(max_calls=7, max_credits=8, deadline=NOON, attempts=2)
    job = a_job("tea", "mate", filters=Filters(no_ads=True), limits=limits)
    search = replace(job.search, region="US", sort="likes", period="week")

    assert report.search_document(replace(job, search=search)) == {
        "targetResults": 10,
        "keywords": ["tea", "mate"],
        "platform": "tiktok",
        "region": "US",
        "sort": "likes",
        "period": "week",
        "filters": {"noAds": True},
        "limits": {
            "maxCalls": 7,
            "maxCredits": 8,
            "deadline": "2026-03-14T12:00:00.000Z",
            "attempts": 2,
            "speed": "balanced",
        },
        "expand": "off",
        "expandExclude": [],
        "relevanceMin": 0.0,
    }


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (None, None),
        (Outcome(), {"shortBy": 0, "reason": None, "detail": None}),
        (
            Outcome(4, Reason.BUDGET, "why"),
            {"shortBy": 4, "reason": "budget", "detail": "why"},
        ),
    ],
)
def test_an_outcome_is_told_once_there_is_one(
    outcome: Outcome | None, told: dict[str, object] | None
) -> None:
    assert report.outcome_document(outcome) == told


def test_a_job_is_told_without_its_creators_and_calls() -> None:
    job = replace(
        a_busy_job(),
        qualified=101,
        started_at=NOON + timedelta(seconds=1),
        ended_at=NOON + timedelta(seconds=2),
        outcome=Outcome(),
    )

    assert report.job_document(job) == {
        "id": "job-1",
        "status": "processing",
        "sandbox": False,
        "owner": "local",
        "campaign": None,
        "endUser": None,
        "webhook": None,
        **report.search_document(job),
        **report.progress(job),
        "spares": 1,
        "rejected": 5,
        "credits": 8,
        "openCalls": len(job.open_calls),
        "callCap": 32,
        "outcome": {"shortBy": 0, "reason": None, "detail": None},
        "rest": None,
        "forecast": {
            "calls": {"low": 0, "expected": 0, "high": 0},
            "credits": {"low": 0, "expected": 0, "high": 0},
            "seconds": None,
            "reach": {"low": 105, "expected": 110, "high": 115},
            "outOfReach": False,
        },
        "sources": [
            {
                "keyword": "tea",
                "source": "keyword",
                "origin": None,
                "relevance": 1.0,
                "state": "open",
                "cursor": "0",
                "pages": 1,
                "itemsReceived": 0,
                "newUnique": 0,
                "supply": 9,
                "credits": 0,
                "error": None,
            },
            {
                "keyword": "mate",
                "source": "keyword+region=US+period=week",
                "origin": 'variant of "mate"',
                "relevance": 1.0,
                "state": "dry",
                "cursor": "60",
                "pages": 2,
                "itemsReceived": 50,
                "newUnique": 20,
                "supply": 0,
                "credits": 0,
                "error": None,
            },
        ],
        "expansion": {"sources": 1, "calls": 0, "credits": 0, "newUnique": 20},
        "createdAt": "2026-03-14T12:00:00.000Z",
        "startedAt": "2026-03-14T12:00:01.000Z",
        "endedAt": "2026-03-14T12:00:02.000Z",
    }


def test_credits_are_foretold_by_what_a_call_has_cost_so_far() -> None:
    dear = report.forecast_document(a_busy_job())
    new = report.forecast_document(a_job(target=100))
    done = report.forecast_document(replace(a_job(), sources=(SOURCES[1],)))

    assert dear["calls"] == {"low": 4, "expected": 9, "high": 13}
    assert dear["credits"] == {"low": 8, "expected": 18, "high": 26}
    assert new["credits"] == new["calls"]
    assert done["calls"] is None
    assert done["credits"] is None


def test_a_job_of_the_sandbox_says_so() -> None:
    job = a_job()
    search = replace(job.search, provider="sandbox/42")

    assert report.job_document(replace(job, search=search))["sandbox"] is True
    assert Source(1, "tea", sort="likes").name == "keyword+sort=likes"


def test_a_closed_call_is_news_and_an_open_one_is_not() -> None:
    job = a_busy_job()
    opened = replace(CLOSED, id=4, closed_at=None, state=CallState.OPEN)

    told = report.event(Change(job, calls=(CLOSED, opened)))

    assert told == (
        "job.progress",
        {
            "status": "processing",
            **PROGRESS,
            "credits": 8,
            "calls": [DETAIL],
            "outcome": None,
            "rest": None,
            "forecast": report.forecast_document(job),
        },
    )
    assert report.event(Change(job, calls=(opened,))) is None


def test_a_raised_target_is_news_though_the_job_stays_completed() -> None:
    before = replace(a_busy_job(), status=Status.COMPLETED, qualified=200)
    job = replace(before, search=replace(before.search, target=150))

    told = report.event(Change(job, before=before))

    assert told is not None
    assert (told[0], told[1]["target"]) == ("job.completed", 150)


def test_that_a_job_rests_is_news_once() -> None:
    rest = Rest(NOON + timedelta(hours=12), "the 5 credits a day are used up")
    resting = replace(a_busy_job(), rest=rest)
    told = {"until": "2026-03-15T00:00:00.000Z", "reason": rest.reason}

    begun = report.event(Change(resting, before=a_busy_job()))
    renewed = report.event(Change(replace(resting, fence=9), before=resting))
    ended = report.event(Change(a_busy_job(), before=resting))

    assert begun is not None
    assert (begun[0], begun[1]["rest"]) == ("job.progress", told)
    assert (renewed, ended) == (None, None)
    assert report.job_document(resting)["rest"] == told


def test_a_turn_of_the_status_is_news_by_its_name() -> None:
    job = replace(a_busy_job(), status=Status.PARTIAL, outcome=Outcome(70))

    told = report.event(Change(job, before=a_busy_job()))

    assert told is not None
    assert told[0] == "job.partial"
    assert (told[1]["status"], told[1]["calls"]) == ("partial", [])
    assert told[1]["outcome"] == {"shortBy": 70, "reason": None, "detail": None}
