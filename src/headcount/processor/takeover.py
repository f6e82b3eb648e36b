"""Rules by which a job takes over what was collected before it, and goes on again."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from headcount.core import ownership
from headcount.core.calls import Call, CallState
from headcount.core.model import (
    Change,
    Finding,
    Job,
    Known,
    Reason,
    Search,
    Status,
)
from headcount.core.sighting import Sighting, Verdict

_NOTE = "collected before, and taken over"
_OUTSIDE = {Reason.OUT_OF_CREDITS, Reason.PROVIDER_BLOCKED}
_CAPPED = {Reason.CALL_LIMIT, Reason.BUDGET}


def take_over(
    change: Change, creators: Collection[Sighting], known: Known, now: datetime
) -> Change:
    """Number creators that the job does not know as if it had found them first.

    They come with a line of the ledger that was not charged. Those that it knows
    change nothing, so it may be done again.
    """
    new = [creator for creator in creators if creator.key not in known]
    job = change.job
    if not new:
        return change
    line = Call(
        id=job.lines + 1,
        source=1,
        cursor=job.sources[0].cursor,
        held=0,
        opened_at=now,
        state=CallState.REFUSED,
        new=len(new),
        closed_at=now,
        error=_NOTE,
    )
    taken = replace(
        job,
        qualified=job.qualified + len(new),
        lines=line.id,
        attempts=job.attempts + 1,
    )
    return replace(
        change,
        job=taken,
        calls=(*change.calls, line),
        findings=change.findings + _findings(job, new, line, now),
    )


def _findings(
    job: Job, creators: Iterable[Sighting], line: Call, now: datetime
) -> tuple[Finding, ...]:
    """Creators as what the job finds next, all of them qualified."""
    return tuple(
        Finding(
            number=job.found + place,
            key=creator.key,
            verdict=Verdict.QUALIFIED,
            sighting=creator,
            source=line.source,
            call=line.id,
            found_at=now,
            ordinal=job.qualified + place,
        )
        for place, creator in enumerate(creators, start=1)
    )


def begin_at(change: Change, cursor: str | None) -> Change:
    """Go on where an earlier query of the same single keyword stood."""
    job = change.job
    if cursor is None or len(job.sources) > 1 or job.started_at or job.lines:
        return change
    source = replace(job.sources[0], cursor=cursor)
    return replace(change, job=replace(job, sources=(source,)))


def go_on(change: Change, search: Search, now: datetime) -> Change:
    """Reopen a job of which more is asked, or which may find now what it missed.

    Raises:
        InvalidSearch: less is asked than before.
        JobNotReady: more is asked of a job that was cancelled.
    """
    job = change.job
    if search.target != job.target:
        return ownership.top_up(change, search.target, job.search.limits, now)
    reason = job.outcome.reason if job.outcome else None
    hindered = job.status is Status.PARTIAL and reason in _OUTSIDE
    if hindered or job.status is Status.FAILED:
        return ownership.resume(change, now)
    if job.status is Status.PARTIAL and reason in _CAPPED:
        return ownership.top_up(change, search.target, search.limits, now)
    return change


def differs(job: Job, search: Search) -> str | None:
    """Which part of a search is not the one that the job began with, if any."""
    ours, theirs = job.search, search
    parts = {
        "keywords": (_folded(ours.keywords), _folded(theirs.keywords)),
        "region": (ours.region, theirs.region),
        "sandbox": (job.sandbox, theirs.provider.startswith("sandbox/")),
    }
    return next((name for name, (old, new) in parts.items() if old != new), None)


def _folded(keywords: tuple[str, ...]) -> set[str]:
    return {keyword.casefold() for keyword in keywords}
