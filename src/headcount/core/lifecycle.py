"""Who may decide for a job, and what follows from a decision.

Rules of the same kind as the tally's: each takes the change made so far and returns
the one that follows. A lease is a token and an expiry: a worker that lost it decides
nothing more, and its answers count only while their calls are open.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from headcount.core.calls import Call, Prices
from headcount.core.decisions import Ask, End, Open, Wait, decide
from headcount.core.model import (
    Change,
    Job,
    Lease,
    Outcome,
    Rest,
    Source,
    SourceState,
    Status,
)
from headcount.core.tally import give_up
from headcount.core.tempo import begun


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
    if at_work(job, now, is_dead):
        return change
    change = abandoned(change, now)
    job = replace(
        change.job,
        status=Status.PROCESSING,
        started_at=job.started_at or now,
        fence=job.fence + 1,
        lease=replace(lease, token=job.fence + 1),
        due_at=lease.expires_at,
        tempo=begun(job.tempo, now),
    )
    return replace(change, job=job)


def at_work(job: Job, now: datetime, is_dead: Callable[[str], bool]) -> bool:
    """Whether a living worker has the lease."""
    lease = job.lease
    return lease is not None and lease.expires_at > now and not is_dead(lease.holder)


def abandoned(change: Change, now: datetime) -> Change:
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
    change = abandoned(change, now)
    job = change.job
    due = due_at if job.status is Status.PROCESSING else None
    return replace(change, job=replace(job, lease=None, due_at=due))


def holds(job: Job, token: int) -> bool:
    """Whether this token is the one that may decide."""
    return job.lease is not None and job.lease.token == token


def proceed(
    change: Change, token: int, now: datetime, *, room: int, prices: Prices
) -> Change:
    """Carry out the decision: hold the next calls, open sources, or end the job."""
    if not holds(change.job, token):
        return change
    job = _with_another_chance(change.job)
    decision = decide(job, now, room=room, prices=prices)
    if isinstance(decision, Ask):
        return _hold(replace(change, job=job), decision.sources, prices, now)
    if isinstance(decision, Open):
        job = replace(job, sources=job.sources + decision.sources)
        change = replace(change, job=job)
        return proceed(change, token, now, room=room, prices=prices)
    if isinstance(decision, End):
        return replace(change, job=ended(job, decision.outcome, now))
    if isinstance(decision, Wait):
        return _at_rest(change, decision.rest)
    return replace(change, job=paused(job))


def _at_rest(change: Change, rest: Rest | None) -> Change:
    """Note why the job waits, if that is news; nothing else of it has changed."""
    if rest == change.job.rest:
        return change
    return replace(change, job=replace(change.job, rest=rest))


def _with_another_chance(job: Job) -> Job:
    """Reopen what was asked for and set aside, if nothing else is open.

    A page must have come since: then it was not the provider that failed.
    """
    if any(source.state is SourceState.OPEN for source in job.sources):
        return job
    sources = tuple(
        forgiven(source)
        if source.set_aside is not None
        and source.set_aside < job.pages
        and source.origin is None
        else source
        for source in job.sources
    )
    return replace(job, sources=sources)


def forgiven(source: Source) -> Source:
    """The source as if it had never failed."""
    return replace(
        source,
        state=SourceState.OPEN,
        failures=0,
        throttles=0,
        retry_at=None,
        set_aside=None,
    )


def _hold(
    change: Change, sources: tuple[Source, ...], prices: Prices, now: datetime
) -> Change:
    """Write the asks into the ledger, before any of them is sent."""
    job = change.job
    opened = tuple(
        Call(
            id=job.lines + place,
            source=source.id,
            cursor=source.cursor,
            held=prices[source.endpoint.kind],
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


def paused(job: Job) -> Job:
    """The job, to be asked nothing until somebody lets it go on."""
    return replace(job, status=Status.PAUSED, due_at=None, rest=None)


def ended(job: Job, outcome: Outcome, now: datetime) -> Job:
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


def collapse(change: Change, detail: str, now: datetime) -> Change:
    """End the job as failed: a defect of ours, which `detail` names."""
    change = abandoned(change, now)
    job = change.job
    if job.status.ended:
        return change
    over = ended(job, Outcome(job.missing, None, detail), now)
    return replace(change, job=replace(over, status=Status.FAILED))
