"""What is told of a job: the statistics and documents that every surface shows.

The JSON names and their meaning are held by `headcount/schema.json`. Counts are
numbers; `progress` is a string such as "87.0%", and "100.0%" only when all are there.
"""

import math
from collections.abc import Iterable
from datetime import UTC, datetime

from headcount.core.calls import Call
from headcount.core.estimate import call_cap
from headcount.core.filters import filters_as_given
from headcount.core.forecast import (
    Range,
    Seconds,
    calls_remaining,
    forecast,
    supplies,
)
from headcount.core.model import Change, Job, Limits, Outcome, Rest, Source

VERSION = "2.0"
API_HEADER = "Headcount-Api"  # is on every answer of a server
API_VERSION = "1"  # goes up when clients of the version before would not understand
Document = dict[str, object]


def percent(part: int, whole: int) -> str:
    """A share with one decimal, cut rather than rounded: 999 of 1000 is "99.9%"."""
    tenths = part * 1000 // whole
    return f"{tenths // 10}.{tenths % 10}%"


def moment(time: datetime | None) -> str | None:
    """A time in ISO 8601, UTC, to the millisecond."""
    if time is None:
        return None
    text = time.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _average(job: Job) -> float:
    return round(job.delivered / job.charged, 2) if job.charged else 0.0


def progress(job: Job) -> Document:
    """The numbers of a progress bar."""
    return {
        "current": job.delivered,
        "target": job.target,
        "progress": percent(job.delivered, job.target),
        "apiCalls": job.charged,
        "duplicatesFound": job.duplicates,
        "averagePerCall": _average(job),
        "predictedCallsRemaining": calls_remaining(job),
    }


def call_detail(job: Job, call: Call) -> Document:
    """One closed call as the ledger has it; it has a number if it may be charged."""
    source = job.source(call.source)
    return {
        "callNumber": call.number,
        "keyword": source.keyword,
        "source": source.name,
        "cursor": call.cursor,
        "itemsReceived": call.items,
        "newUnique": call.new,
        "duplicates": call.duplicates,
        "rejected": call.rejected,
        "pending": call.pending,
        "unusable": call.unusable,
        "durationMs": call.duration_ms,
        "responseBytes": call.size,
        "attempts": call.attempts,
        "credits": call.credits,
        "state": call.state.value,
        "error": call.error,
        "timestamp": moment(call.closed_at),
        "origin": source.origin,
    }


def exact_count_tracking(job: Job, calls: Iterable[Call]) -> Document:
    """The whole statistics of a job, with the details of each charged call."""
    numbered = sorted((c.number, c) for c in calls if c.number is not None)
    return {
        "version": VERSION,
        "targetCount": job.target,
        "uniqueCreatorsFound": job.delivered,
        "spareCreators": job.spares,
        "rejectedCreators": job.rejected,
        "pendingCreators": job.pending,
        "totalApiCalls": job.charged,
        "attempts": job.attempts,
        "creditsSpent": job.credits,
        "duplicatesFound": job.duplicates,
        "averageCreatorsPerCall": _average(job),
        "predictedCallsRemaining": calls_remaining(job),
        "progress": percent(job.delivered, job.target),
        "targetAchieved": not job.missing,
        "apiCallDetails": [call_detail(job, call) for _, call in numbered],
    }


def search_document(job: Job) -> Document:
    """What was asked, in the form in which it may be asked again."""
    search = job.search
    return {
        "targetResults": search.target,
        "keywords": list(search.keywords),
        "platform": search.platform,
        "region": search.region,
        "sort": search.sort,
        "period": search.period,
        "filters": filters_as_given(search.filters),
        "limits": _limits(search.limits),
        "expand": search.expansion.expand.value,
        "expandExclude": list(search.expansion.exclude),
        "relevanceMin": search.expansion.relevance_min,
    }


def _limits(limits: Limits) -> Document:
    return {
        "maxCalls": limits.max_calls,
        "maxCredits": limits.max_credits,
        "deadline": moment(limits.deadline),
        "attempts": limits.attempts,
        "speed": limits.speed.value,
    }


def outcome_document(outcome: Outcome | None) -> Document | None:
    """How a job ended; `None` while it has not."""
    if outcome is None:
        return None
    return {
        "shortBy": outcome.short_by,
        "reason": outcome.reason.value if outcome.reason else None,
        "detail": outcome.detail,
    }


def rest_document(rest: Rest | None) -> Document | None:
    """Why a job waits, and until when; `None` where it does not."""
    return (
        None if rest is None else {"until": moment(rest.until), "reason": rest.reason}
    )


def job_document(job: Job) -> Document:
    """A job as `jobs show` and the API give it, without its creators and calls."""
    return {
        "id": job.id,
        "status": job.status.value,
        "sandbox": job.sandbox,
        "owner": job.label.owner,
        "campaign": job.label.campaign,
        "endUser": job.label.end_user,
        "webhook": job.label.webhook,
        **search_document(job),
        **progress(job),
        "spares": job.spares,
        "rejected": job.rejected,
        "credits": job.credits,
        "openCalls": len(job.open_calls),
        "callCap": call_cap(job),
        "outcome": outcome_document(job.outcome),
        "rest": rest_document(job.rest),
        "forecast": forecast_document(job),
        "sources": list(map(_source, job.sources, supplies(job))),
        "expansion": expansion_document(job),
        "createdAt": moment(job.created_at),
        "startedAt": moment(job.started_at),
        "endedAt": moment(job.ended_at),
    }


def forecast_document(job: Job) -> Document:
    """What is ahead of a job; credits by what a call has cost so far."""
    ahead, price = forecast(job), job.credits / job.charged if job.charged else 1.0
    calls = ahead.calls
    return {
        "calls": None if calls is None else _range(calls, times=1.0),
        "credits": None if calls is None else _range(calls, times=price),
        "reach": _range(ahead.reach, times=1.0),
        "outOfReach": ahead.out_of_reach,
        "seconds": seconds_document(ahead.seconds),
    }


def _range(figures: Range, *, times: float) -> Document:
    return {
        "low": math.floor(figures.low * times),
        "expected": math.ceil(figures.expected * times),
        "high": math.ceil(figures.high * times),
    }


def seconds_document(seconds: Seconds | None) -> Document | None:
    """A time with its range, to a tenth of a second; `None` where it is not known."""
    if seconds is None:
        return None
    return {
        "low": round(seconds.low, 1),
        "expected": round(seconds.expected, 1),
        "high": round(seconds.high, 1),
    }


def expansion_document(job: Job) -> Document:
    """The sources that a job opened itself, what they cost, and what they brought."""
    opened = [source for source in job.sources if source.origin is not None]
    return {
        "sources": len(opened),
        "calls": sum(source.charged for source in opened),
        "credits": sum(source.credits for source in opened),
        "newUnique": sum(source.found for source in opened),
    }


def _source(source: Source, supply: int) -> Document:
    return {
        "keyword": source.keyword,
        "source": source.name,
        "origin": source.origin,
        "relevance": round(source.relevance, 3),
        "state": source.state.value,
        "cursor": source.cursor,
        "pages": source.pages,
        "itemsReceived": source.items,
        "newUnique": source.found,
        "supply": supply,
        "credits": source.credits,
        "error": source.error,
    }


def event(change: Change) -> tuple[str, Document] | None:
    """What watchers are told of a change, as type and data; `None` for no news."""
    job = change.job
    closed = [call_detail(job, call) for call in change.calls if call.closed_at]
    before = change.before
    turned = (job.status, job.target) != (before.status, before.target)
    was = before.rest
    rests = job.rest and (was is None or was.reason != job.rest.reason)
    if not (closed or turned or rests):
        return None
    return (f"job.{job.status.value}" if turned else "job.progress", news(job, closed))


def news(job: Job, closed: Iterable[Document] = ()) -> Document:
    """The data of an event: how the job stands, and the calls just closed."""
    return {
        "status": job.status.value,
        **progress(job),
        "credits": job.credits,
        "calls": list(closed),
        "outcome": outcome_document(job.outcome),
        "rest": rest_document(job.rest),
        "forecast": forecast_document(job),
    }
