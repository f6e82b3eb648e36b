"""What a webhook is told, how often, and how long we go on trying."""

from dataclasses import replace
from datetime import timedelta

import pytest
from builders import NOON, a_job

from headcount.core.model import Job, Label, Outcome, Reason, Status
from headcount.core.webhooks import (
    PROGRESS,
    PROGRESS_EVERY,
    RETRIES,
    is_taken,
    is_told,
    job_of_message,
    message,
    message_id,
    next_attempt,
)

LABEL = Label("bob", "spring", "u-7", "https://hook.invalid/")


def at_work(status: Status = Status.PROCESSING) -> Job:
    return replace(a_job("tea", label=LABEL), status=status)


# ------------------------------------------------------------------------ what is told
@pytest.mark.parametrize("end", ["job.completed", "job.partial", "job.failed"])
def test_an_end_is_always_told(end: str) -> None:
    job = replace(at_work(), told_at=NOON)

    assert is_told(job, end, NOON)


@pytest.mark.parametrize(
    "event", ["job.pending", "job.processing", "job.paused", "job.cancelled"]
)
def test_what_its_owner_did_to_a_job_is_not_told(event: str) -> None:
    assert not is_told(at_work(), event, NOON)


@pytest.mark.parametrize("event", [PROGRESS, "job.completed"])
def test_a_job_without_a_webhook_tells_nothing(event: str) -> None:
    job = replace(at_work(), label=Label("bob"))

    assert not is_told(job, event, NOON)


def test_progress_is_told_at_once_and_then_after_a_while() -> None:
    job = replace(at_work(), told_at=NOON)
    almost = NOON + PROGRESS_EVERY - timedelta(microseconds=1)

    assert is_told(at_work(), PROGRESS, NOON)
    assert not is_told(job, PROGRESS, NOON)
    assert not is_told(job, PROGRESS, almost)
    assert is_told(job, PROGRESS, NOON + PROGRESS_EVERY)


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.PROCESSING}))
def test_no_progress_is_told_of_a_job_that_is_not_at_work(status: Status) -> None:
    assert not is_told(at_work(status), PROGRESS, NOON)


def test_a_message_is_known_by_its_job_and_event() -> None:
    assert message_id("k3v9", 17) == "k3v9_17"
    assert job_of_message("k3v9_17") == "k3v9"


def test_a_message_says_what_happened_when_and_where_the_job_is() -> None:
    job = replace(
        at_work(Status.PARTIAL),
        qualified=6,
        rejected=2,
        charged=3,
        credits=4,
        duplicates=5,
        started_at=NOON,
        ended_at=NOON + timedelta(seconds=9),
        outcome=Outcome(4, Reason.CALL_LIMIT),
    )

    told = message(job, "job.partial", NOON + timedelta(seconds=10))

    assert told == {
        "type": "job.partial",
        "timestamp": "2026-03-14T12:00:10.000Z",
        "data": {
            "id": "job-1",
            "status": "partial",
            "sandbox": False,
            "campaign": "spring",
            "endUser": "u-7",
            "current": 6,
            "target": 10,
            "progress": "60.0%",
            "apiCalls": 3,
            "duplicatesFound": 5,
            "averagePerCall": 2.0,
            "predictedCallsRemaining": 1,
            "spares": 0,
            "rejected": 2,
            "credits": 4,
            "outcome": {"shortBy": 4, "reason": "call_limit", "detail": None},
            "createdAt": "2026-03-14T12:00:00.000Z",
            "startedAt": "2026-03-14T12:00:00.000Z",
            "endedAt": "2026-03-14T12:00:09.000Z",
        },
    }


# ------------------------------------------------------------------------ how to go on
def test_only_a_status_of_the_two_hundreds_means_arrived() -> None:
    answers: list[int | str] = [199, 200, 204, 299, 300, "no answer"]

    assert [answer for answer in answers if is_taken(answer)] == [200, 204, 299]


def test_the_pauses_between_attempts_grow_from_seconds_to_hours() -> None:
    times = [
        next_attempt(number, 500, NOON, luck=0.5)
        for number in range(1, len(RETRIES) + 1)
    ]

    assert times == [NOON + pause for pause in RETRIES]
    assert sorted(RETRIES) == list(RETRIES)
    assert RETRIES[0] == timedelta(seconds=5)


def test_a_message_is_given_up_after_about_a_day() -> None:
    assert next_attempt(len(RETRIES) + 1, 500, NOON, luck=0.5) is None
    assert timedelta(hours=23) < sum(RETRIES, timedelta()) < timedelta(hours=25)


def test_luck_spreads_the_attempts_by_a_tenth_to_both_sides() -> None:
    early = next_attempt(6, "no answer", NOON, luck=0.0)
    late = next_attempt(6, "no answer", NOON, luck=1.0)

    assert early == NOON + timedelta(minutes=54)
    assert late == NOON + timedelta(minutes=66)


def test_an_endpoint_that_is_gone_is_left_alone_at_once() -> None:
    assert next_attempt(1, 410, NOON, luck=0.5) is None
