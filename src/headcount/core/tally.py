"""The tally: the one place where a job's state changes.

How a job is counted, in plain English.

A job wants a target of N creators. Facts come in: a page arrived, a call failed, the
worker before us died, the user paused. Each rule below takes the change made so far,
adds one fact and returns the change that follows. Nothing here waits, reads a clock
or touches a disk; the store writes all of a change down in one transaction, or nothing.

*Counting.* A creator is told by the creator key and counts once, when the first of
their sightings qualifies. Qualified creators get the ordinals 1, 2, 3 and on. Those up
to N are delivered; those beyond are spares, paid for and kept: when the target is
raised they are delivered before any call is made. So a job can never deliver more than
N, whatever arrives. A rejected creator keeps the reason, and qualifies by a later video
that passes. A pending one waits for a call that tells more; only that call may reject
them. Each item is exactly one of: new, duplicate, rejected, pending, unusable.

*Staleness.* A page names the call it answers. If that call is not open, because it was
settled or given up, the fact changes nothing. Facts may come late, twice, in any order.

*Money.* A call is held in the ledger, at its highest price, before it is made. Caps are
checked against what was spent plus what is held, so they cannot be exceeded. A call
that was open when its worker died counts as spent: it may have been charged.

*The end of a source.* Providers lie about `has_more`, and an empty answer is often a
hiccup. So a source goes dry by evidence that adds up over consecutive answers:
    an empty answer that does not claim there is more   2
    an empty answer that claims there is more           1
    a page that claims to be the last                   1
    a page that shows nothing this source had not shown 1
    a cursor that does not move on                      1
and any page with something fresh wipes out what came before it. One answer shows 2 at
most and at 3 the end is confirmed, so it always takes two answers. An empty answer is
no page: the same cursor is asked again. A page with items is never asked again.

*Failures.* A source whose page failed waits, longer each time, and is set aside after
`attempts` failures in a row, or four times as many throttlings. Before a job ends
short, a source that was set aside gets another chance if any page has arrived since.

*The end of a job.* When N are delivered it is completed. When nothing more can be asked
it is partial, with one reason. Either way it ends only once no call is out.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from headcount.core.calls import (
    Call,
    CallKind,
    CallState,
    Endpoint,
    Failure,
    FailureKind,
    Page,
)
from headcount.core.count import Count
from headcount.core.estimate import updated_average
from headcount.core.hashtags import NO_HASHTAGS, noted
from headcount.core.model import (
    Change,
    Job,
    Known,
    Outcome,
    Reason,
    Source,
    SourceState,
)
from headcount.core.proposals import suggested
from headcount.core.sighting import Verdict
from headcount.core.tempo import answered

CONFIRMED = 3
PATIENCE = 4  # throttlings are forgiven this many times as often as failures
_FIRST_BACKOFF, _LONGEST_BACKOFF, _DOUBLINGS = 1.0, 60.0, 6
_HALTS = {
    FailureKind.OUT_OF_CREDITS: Reason.OUT_OF_CREDITS,
    FailureKind.KEY_REFUSED: Reason.PROVIDER_BLOCKED,
}


def settle(
    change: Change, call_id: int, page: Page, known: Known, now: datetime
) -> Change:
    """Count a page; one that answers no open call changes nothing."""
    job, call = change.job, _open_call(change.job, call_id)
    if call is None:
        return change
    if call.kind is CallKind.SUGGESTIONS:
        return _with_suggestions(change, call, page, now)
    count = Count(job, call, now)
    for sighting in page.sightings:
        count.add(sighting, known.get(sighting.key))
    closed = replace(
        call,
        state=CallState.SETTLED,
        credits=call.held if page.credits is None else page.credits,
        items=page.items,
        new=count.items[Verdict.QUALIFIED],
        duplicates=count.duplicates,
        rejected=count.items[Verdict.REJECTED],
        pending=count.items[Verdict.PENDING],
        unusable=page.items - len(page.sightings),
        size=page.size,
        duration_ms=page.duration_ms,
    )
    job = _with_totals(job, closed, count.creators)
    job = _with_rarity(job, count.once)
    job = _with_hashtags(job, job.source(call.source), page, count)
    source = _moved_on(job.source(call.source), closed, page, fresh=bool(count.posts))
    change = replace(
        change,
        job=_with_source(job, source),
        findings=change.findings + tuple(count.findings.values()),
        posts=change.posts + tuple(count.posts),
    )
    return _close(change, closed, now)


def _with_totals(job: Job, call: Call, creators: Counter[Verdict]) -> Job:
    job = replace(
        job,
        qualified=job.qualified + creators[Verdict.QUALIFIED],
        rejected=job.rejected + creators[Verdict.REJECTED],
        pending=job.pending + creators[Verdict.PENDING],
        pages=job.pages + 1,
        items=job.items + call.items,
        duplicates=job.duplicates + call.duplicates,
        rejections=job.rejections + call.rejected,
        unusable=job.unusable + call.unusable,
    )
    if job.outcome is None:
        return job
    # It was cancelled while this call was out: what came since is not missing.
    return replace(job, outcome=replace(job.outcome, short_by=job.missing))


def _with_rarity(job: Job, once: Mapping[int, int]) -> Job:
    """Count anew who was seen in one post only, and by which source."""
    sources = tuple(
        replace(source, once=source.once + once[source.id])
        if once.get(source.id)
        else source
        for source in job.sources
    )
    return replace(job, sources=sources)


def _with_hashtags(job: Job, source: Source, page: Page, count: Count) -> Job:
    """Note what the posts are about, where keywords of it might be asked some day."""
    if not job.search.expansion.expand.related:
        return job
    fresh = {video for *_, video in count.posts}
    posts = {s.video.id: s.hashtags for s in page.sightings if s.video.id in fresh}
    summary = noted(job.hashtags or NO_HASHTAGS, source.keyword, posts.values())
    return replace(job, hashtags=summary)


def _with_suggestions(change: Change, call: Call, page: Page, now: datetime) -> Change:
    """Open what the provider suggests; a source of it has no more than one answer."""
    job, asked = change.job, change.job.source(call.source)
    asked = replace(asked, state=SourceState.DRY, items=page.items, error=None)
    job = _with_source(job, asked)
    new = suggested(job, asked, page.suggestions)
    job = replace(job, sources=job.sources + new)
    closed = replace(
        call,
        state=CallState.SETTLED,
        credits=call.held if page.credits is None else page.credits,
        items=page.items,
        size=page.size,
        duration_ms=page.duration_ms,
    )
    return _close(replace(change, job=job), closed, now)


def _moved_on(source: Source, call: Call, page: Page, *, fresh: bool) -> Source:
    """The source after a page: further on, unless the answer was empty."""
    evidence = _evidence(0 if fresh else source.evidence, page, fresh=fresh)
    return replace(
        source,
        state=SourceState.DRY if evidence >= CONFIRMED else source.state,
        cursor=page.next_cursor if page.items else source.cursor,
        evidence=evidence,
        failures=0,
        throttles=0,
        retry_at=None,
        error=None,
        pages=source.pages + 1,
        items=source.items + page.items,
        found=source.found + call.new,
        recent=updated_average(source, call.new),
    )


def _evidence(before: int, page: Page, *, fresh: bool) -> int:
    """How strongly the answers up to this page say that the source has ended."""
    if not page.items:
        return before + (1 if page.more else 2)
    signs = (page.more is False, not fresh, page.stuck)
    return before + min(signs.count(True), CONFIRMED - 1)


def fail(
    change: Change, call_id: int, failure: Failure, jitter: float, now: datetime
) -> Change:
    """Take note of a call that brought no page; `jitter`, 0 to 1, spreads retries."""
    call = _open_call(change.job, call_id)
    if call is None:
        return change
    price = call.held if failure.charged else 0
    closed = replace(
        call,
        state=CallState.FAILED if failure.charged else CallState.REFUSED,
        credits=price if failure.credits is None else failure.credits,
        error=failure.message,
        size=failure.size,
        duration_ms=failure.duration_ms,
    )
    job = change.job
    source = _postponed(job, job.source(call.source), failure, jitter, now)
    job = _with_source(job, source)
    reason = _HALTS.get(failure.kind)
    if reason is not None:
        job = replace(job, halt=Outcome(job.missing, reason, failure.message))
    return _close(replace(change, job=job), closed, now)


def _postponed(
    job: Job, source: Source, failure: Failure, jitter: float, now: datetime
) -> Source:
    """The source after a failure: to be asked again later, or set aside."""
    if failure.kind is FailureKind.KEY_PAUSED:
        return replace(source, error=failure.message)
    throttled = failure.kind is FailureKind.THROTTLED
    failures = source.failures + (0 if throttled else 1)
    throttles = source.throttles + (1 if throttled else 0)
    attempts = job.search.limits.attempts
    given_up = failures >= attempts or throttles >= attempts * PATIENCE
    doublings = min(failures + throttles - 1, _DOUBLINGS)
    backoff = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2**doublings)
    wait = max(backoff * (0.5 + jitter / 2), failure.retry_after or 0.0)
    return replace(
        source,
        failures=failures,
        throttles=throttles,
        retry_at=now + timedelta(seconds=wait),
        state=_given_up(source) if given_up else source.state,
        set_aside=job.pages if given_up else None,
        error=failure.message,
    )


def _given_up(source: Source) -> SourceState:
    """What becomes of a source that fails; suggestions can be done without."""
    optional = source.endpoint is Endpoint.SUGGESTIONS
    return SourceState.DRY if optional else SourceState.FAILING


def give_up(change: Change, call_id: int, now: datetime) -> Change:
    """Stop waiting for a call; it may have been charged, so it counts as spent."""
    call = _open_call(change.job, call_id)
    if call is None:
        return change
    return _close(change, replace(call, state=CallState.LOST, credits=call.held), now)


def _open_call(job: Job, call_id: int) -> Call | None:
    return next((call for call in job.open_calls if call.id == call_id), None)


def _with_source(job: Job, source: Source) -> Job:
    sources = (*job.sources[: source.id - 1], source, *job.sources[source.id :])
    return replace(job, sources=sources)


def _close(change: Change, call: Call, now: datetime) -> Change:
    """Close a ledger line, and number it where it was or may have been charged."""
    job = change.job
    charged = job.charged + (1 if call.charged else 0)
    call = replace(call, number=charged if call.charged else None, closed_at=now)
    source = job.source(call.source)
    source = replace(
        source,
        refusals=0 if call.charged else source.refusals + 1,
        charged=source.charged + (1 if call.charged else 0),
        credits=source.credits + call.credits,
    )
    job = replace(
        _with_source(job, source),
        open_calls=tuple(other for other in job.open_calls if other.id != call.id),
        charged=charged,
        attempts=job.attempts + 1,
        credits=job.credits + call.credits,
        tempo=answered(job.tempo, call, now),
    )
    return replace(change, job=job, calls=(*change.calls, call))
