"""Who may decide for a job, and what its owner may do with it.

Rules of the same kind as the tally's: each takes the change made so far and returns
the one that follows. A lease is a token and an expiry: a worker that lost it decides
nothing more, and its answers count only while their calls are open.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from headcount.core.calls import Call
from headcount.core.decisions import Ask, End, Open, decide
from headcount.core.errors import InvalidSearch, JobNotReady
from headcount.core.expansion import Expansion
from headcount.core.hashtags import Hashtags
from headcount.core.model import (
    Change,
    Job,
    Lease,
    Limits,
    Outcome,
    Reason,
    Source,
    SourceState,
    Status,
)
from headcount.core.tally import give_up


# ------------------------------------------------------------------ the worker's side
def claim(
    change: Change,
    lease: Lease,
    now: datetime,
    *,
    is_dead: Callable[[str], bool] = lambda _: False,
) -> Change:
    """Take the lease, unless a living worker has it or there is nothing to do.

    What a dead worker left open counts as spent, and its sources are free again.
    The token of `lease` is replaced by the next one of the job.
    """
    job = change.job
    if job.status not in {Status.PENDING, Status.PROCESSING}:
        return change
    if _at_work(job, now, is_dead):
        return change
    change = _abandoned(change, now)
    job = replace(
        change.job,
        status=Status.PROCESSING,
        started_at=job.started_at or now,
        fence=job.fence + 1,
        lease=replace(lease, token=job.fence + 1),
        due_at=lease.expires_at,
    )
    return replace(change, job=job)


def _at_work(job: Job, now: datetime, is_dead: Callable[[str], bool]) -> bool:
    """Whether a living worker has the lease."""
    lease = job.lease
    return lease is not None and lease.expires_at > now and not is_dead(lease.holder)


def _abandoned(change: Change, now: datetime) -> Change:
    """Count as spent what nobody waits for any more."""
    for call in change.job.open_calls:
        change = give_up(change, call.id, now)
    return change


def renew(change: Change, token: int, until: datetime) -> Change:
    """Keep the lease for longer; a fenced-off worker keeps nothing."""
    job = change.job
    if job.lease is None or not holds(job, token):
        return change
    lease = replace(job.lease, expires_at=until)
    due = until if job.status is Status.PROCESSING else None
    return replace(change, job=replace(job, lease=lease, due_at=due))


def release(change: Change, token: int, now: datetime, *, due_at: datetime) -> Change:
    """Hand the lease back; a job that is still at work must go on at `due_at`.

    What is still out then counts as spent: nobody waits for it any more.
    """
    if not holds(change.job, token):
        return change
    change = _abandoned(change, now)
    job = change.job
    due = due_at if job.status is Status.PROCESSING else None
    return replace(change, job=replace(job, lease=None, due_at=due))


def holds(job: Job, token: int) -> bool:
    """Whether this token is the one that may decide."""
    return job.lease is not None and job.lease.token == token


def proceed(
    change: Change, token: int, now: datetime, *, room: int, price: int
) -> Change:
    """Carry out the decision: hold the next calls, open sources, or end the job."""
    if not holds(change.job, token):
        return change
    job = _with_another_chance(change.job)
    decision = decide(job, now, room=room, price=price)
    if isinstance(decision, Ask):
        return _hold(replace(change, job=job), decision.sources, price, now)
    if isinstance(decision, Open):
        job = replace(job, sources=job.sources + decision.sources)
        change = replace(change, job=job)
        return proceed(change, token, now, room=room, price=price)
    if isinstance(decision, End):
        return replace(change, job=_ended(job, decision.outcome, now))
    if decision.rest != job.rest:
        return replace(change, job=replace(change.job, rest=decision.rest))
    return change


def _with_another_chance(job: Job) -> Job:
    """Reopen what was asked for and set aside, if nothing else is open.

    A page must have come since: then it was not the provider that failed.
    """
    if any(source.state is SourceState.OPEN for source in job.sources):
        return job
    sources = tuple(
        _forgiven(source)
        if source.set_aside is not None
        and source.set_aside < job.pages
        and source.origin is None
        else source
        for source in job.sources
    )
    return replace(job, sources=sources)


def _forgiven(source: Source) -> Source:
    return replace(
        source,
        state=SourceState.OPEN,
        failures=0,
        throttles=0,
        retry_at=None,
        set_aside=None,
    )


def _hold(
    change: Change, sources: tuple[Source, ...], price: int, now: datetime
) -> Change:
    """Write the asks into the ledger, before any of them is sent."""
    job = change.job
    opened = tuple(
        Call(
            id=job.lines + place,
            source=source.id,
            cursor=source.cursor,
            held=price,
            opened_at=now,
            kind=source.endpoint.kind,
            attempts=source.refusals + 1,
        )
        for place, source in enumerate(sources, start=1)
    )
    job = replace(
        job,
        open_calls=job.open_calls + opened,
        lines=job.lines + len(opened),
        rest=None,
    )
    return replace(change, job=job, calls=change.calls + opened)


def _ended(job: Job, outcome: Outcome, now: datetime) -> Job:
    """The job with its outcome; it needs no lease any more."""
    status = Status.PARTIAL if outcome.reason else Status.COMPLETED
    return replace(
        job,
        status=status,
        outcome=outcome,
        ended_at=now,
        due_at=None,
        lease=None,
        rest=None,
    )


# ------------------------------------------------------------------- the owner's side
def pause(change: Change) -> Change:
    """Ask nothing more for now; what is out is still counted when it comes."""
    if change.job.status.ended:
        return change
    job = replace(change.job, status=Status.PAUSED, due_at=None, rest=None)
    return replace(change, job=job)


def cancel(
    change: Change, now: datetime, *, is_dead: Callable[[str], bool] = lambda _: False
) -> Change:
    """End the job for good; what was found stays, and what is out is still counted."""
    if not _at_work(change.job, now, is_dead):
        change = _abandoned(change, now)
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
    if not _at_work(change.job, now, is_dead):
        change = _abandoned(change, now)
    job = change.job
    if job.status.ended:
        return change
    taken = Outcome(job.missing, Reason.FINISHED_BY_USER)
    if job.open_calls:
        job = replace(job, status=Status.PROCESSING, halt=taken, due_at=now)
        return replace(change, job=job)
    return replace(change, job=_ended(job, taken if job.missing else Outcome(), now))


def collapse(change: Change, detail: str, now: datetime) -> Change:
    """End the job as failed: a defect of ours, which `detail` names."""
    change = _abandoned(change, now)
    job = change.job
    if job.status.ended:
        return change
    ended = _ended(job, Outcome(job.missing, None, detail), now)
    return replace(change, job=replace(ended, status=Status.FAILED))


def nudge(change: Change, now: datetime) -> Change:
    """Have a job that rests looked at now: what it waits for may have changed."""
    job = change.job
    if job.rest is None:
        return change
    due_at = job.lease.expires_at if job.lease else now
    return replace(change, job=replace(job, rest=None, due_at=due_at))


def resume(change: Change, now: datetime) -> Change:
    """Let a paused, failed or partial job go on; others are left as they are."""
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
        job = _idled(job, now)
        job = _reopened(job, now) if job.missing else _ended(job, Outcome(), now)
    return replace(change, job=job)


def shelve(change: Change, limits: Limits, now: datetime) -> Change:
    """Leave a job that has looked around paused, under the limits it shall go on with.

    One that its provider refused stays as it ended.
    """
    if change.job.halt:
        return change
    return pause(top_up(change, change.job.target, limits, now))


def widen(change: Change, expansion: Expansion, hashtags: Hashtags) -> Change:
    """Let a job open new sources from now on; what it has opened stays open.

    `hashtags` are those of what it has found, where it has not noted them itself.
    """
    job = change.job
    search = replace(job.search, expansion=expansion)
    if job.hashtags is None and expansion.expand.related:
        job = replace(job, hashtags=hashtags)
    return replace(change, job=replace(job, search=search))


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
        source if source.state is SourceState.DRY else _forgiven(source)
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
