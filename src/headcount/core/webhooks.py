"""What a webhook is told of its job, how often, and how long we go on trying.

The messages are those of the events that watchers see, under the same names; of calls
and creators they say no more than their numbers, so that a message stays small.
"""

from datetime import datetime, timedelta

from headcount.core.model import Job, Status
from headcount.core.report import Document, moment, outcome_document, progress

PROGRESS = "job.progress"
TOLD = (PROGRESS, "job.completed", "job.partial", "job.failed")
PROGRESS_EVERY = timedelta(seconds=10)
GONE = 410  # what an endpoint answers that wants nothing more
RETRIES = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=6),
    timedelta(hours=10),
)
_SPREAD = 0.2  # of a delay, so that what failed together does not return together


def is_told(job: Job, event: str, now: datetime) -> bool:
    """Whether the job's webhook is told of an event of this type.

    Ends always are; progress is while the job is at work, and not too often.
    """
    if job.label.webhook is None or event not in TOLD:
        return False
    if event != PROGRESS:
        return True
    rested = job.told_at is None or now - job.told_at >= PROGRESS_EVERY
    return rested and job.status is Status.PROCESSING


def message_id(job_id: str, event_id: int) -> str:
    """What makes two messages the same one: it stays, however often it is sent."""
    return f"{job_id}_{event_id}"


def job_of_message(message_id: str) -> str:
    """The job that a message tells of."""
    return message_id.rpartition("_")[0]


def message(job: Job, event: str, at: datetime) -> Document:
    """What is sent to the webhook: the event's type and time, and where the job is."""
    return {"type": event, "timestamp": moment(at), "data": told_of(job)}


def told_of(job: Job) -> Document:
    """A job as a message has it."""
    return {
        "id": job.id,
        "status": job.status.value,
        "sandbox": job.sandbox,
        "campaign": job.label.campaign,
        "endUser": job.label.end_user,
        **progress(job),
        "spares": job.spares,
        "rejected": job.rejected,
        "credits": job.credits,
        "outcome": outcome_document(job.outcome),
        "createdAt": moment(job.created_at),
        "startedAt": moment(job.started_at),
        "endedAt": moment(job.ended_at),
    }


def is_taken(answer: int | str) -> bool:
    """Whether an answer, a status or what went wrong, says that the message arrived."""
    return isinstance(answer, int) and 200 <= answer < 300


def next_attempt(
    attempts: int, answer: int | str, now: datetime, *, luck: float
) -> datetime | None:
    """When to try again after so many attempts, the last with this answer.

    `None` gives up: a day has passed, or the endpoint is gone. `luck` lies between 0
    and 1, and spreads the delays.
    """
    if answer == GONE or attempts > len(RETRIES):
        return None
    return now + RETRIES[attempts - 1] * (1 + _SPREAD * (luck - 0.5))
