"""What a job's owner may do with it, at any moment.

Rules of the same kind as those of `lifecycle`: what is out is still counted, also where
the job has ended by then.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from headcount.core.errors import InvalidSearch, JobNotReady
from headcount.core.expansion import Expansion
from headcount.core.hashtags import Hashtags
from headcount.core.lifecycle import abandoned, at_work, ended, forgiven, paused
from headcount.core.model import (
    Change,
    Job,
    Limits,
    Outcome,
    Reason,
    SourceState,
    Status,
)


def pause(change: Change) -> Change:
    """Ask nothing more for now; what is out is still counted when it comes."""
    if change.job.status.ended:
        return change
    return replace(change, job=paused(change.job))


def cancel(
    change: Change, now: datetime, *, is_dead: Callable[[str], bool] = lambda _: False
) -> Change:
    """End the job for good; what was found stays, and what is out is still counted."""
    if not at_work(change.job, now, is_dead):
        change = abandoned(change, now)
    job = change.job
    if job.status.ended:
        return change
    outcome = Outcome(job.missing)
    job = replace(
        job,
        status=Status.CANCELLED,
        outcome=outcome,
        ended_at=now,
        due_at=None,
        rest=None,
    )
    return replace(change, job=job)


def finish(
    change: Change, now: datetime, *, is_dead: Callable[[str], bool] = lambda _: False
) -> Change:
    """Take what is there as the result, as soon as what is out has been counted."""
    if not at_work(change.job, now, is_dead):
        change = abandoned(change, now)
    job = change.job
    if job.status.ended:
        return change
    taken = Outcome(job.missing, Reason.FINISHED_BY_USER)
    if job.open_calls:
        job = replace(job, status=Status.PROCESSING, halt=taken, due_at=now)
        return replace(change, job=job)
    return replace(change, job=ended(job, taken if job.missing else Outcome(), now))


def nudge(change: Change, now: datetime) -> Change:
    """Have a job that rests looked at now: what it waits for may have changed."""
    job = change.job
    if job.rest is None:
        return change
    due_at = job.lease.expires_at if job.lease else now
    return replace(change, job=replace(job, rest=None, due_at=due_at))


def resume(change: Change, now: datetime) -> Change:
    """Let a paused, failed or partial job go on; others are left as they are.

    One that was only to look around goes on to its end, also while it looks.
    """
    if change.job.status in {Status.COMPLETED, Status.CANCELLED}:
        return change
    change = _committed(change)
    if change.job.status not in {Status.PAUSED, Status.PARTIAL, Status.FAILED}:
        return change
    return replace(change, job=_reopened(_idled(change.job, now), now))


def top_up(change: Change, target: int, limits: Limits, now: datetime) -> Change:
    """Raise the target to an absolute number; spares are delivered before any call.

    Raises:
        InvalidSearch: the target lies below the one the job has.
        JobNotReady: the job was cancelled.
    """
    job = change.job
    if job.status is Status.CANCELLED:
        raise JobNotReady(f"job {job.id} was cancelled: start a new one instead")
    if target < job.target:
        raise InvalidSearch(
            "target",
            f"job {job.id} has a target of {job.target} already, and what was "
            f"delivered never goes back: expected {job.target} or more, not {target}",
        )
    if (target, limits) == (job.target, job.search.limits):
        return change
    job = replace(job, search=replace(job.search, target=target, limits=limits))
    if job.status.ended:
        job = _idled(_committed(Change(job)).job, now)
        job = _reopened(job, now) if job.missing else ended(job, Outcome(), now)
    return replace(change, job=job)


def widen(change: Change, expansion: Expansion, hashtags: Hashtags) -> Change:
    """Let a job open new sources from now on; what it has opened stays open.

    `hashtags` are those of what it has found, where it has not noted them itself.
    """
    job = change.job
    search = replace(job.search, expansion=expansion)
    if job.hashtags is None and expansion.expand.related:
        job = replace(job, hashtags=hashtags)
    return replace(change, job=replace(job, search=search))


def _committed(change: Change) -> Change:
    """The job without the bounds of a first look, if it has any."""
    search = change.job.search
    if search.limits.look is None:
        return change
    limits = replace(search.limits, look=None)
    return replace(
        change, job=replace(change.job, search=replace(search, limits=limits))
    )


def _idled(job: Job, now: datetime) -> Job:
    """The job with the time that it lay ended up to now, if it has."""
    if job.ended_at is None:
        return job
    idle = round((now - job.ended_at).total_seconds() * 1000)
    return replace(job, idle_ms=job.idle_ms + idle)


def _reopened(job: Job, now: datetime) -> Job:
    """A further run: what was set aside is tried again, what is dry stays dry."""
    lease = job.lease if job.lease and job.lease.expires_at > now else None
    sources = tuple(
        source if source.state is SourceState.DRY else forgiven(source)
        for source in job.sources
    )
    return replace(
        job,
        status=Status.PROCESSING if lease else Status.PENDING,
        sources=sources,
        halt=None,
        outcome=None,
        ended_at=None,
        due_at=lease.expires_at if lease else now,
    )
