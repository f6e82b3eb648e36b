"""Who may decide for a job, and what its owner may do with it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from builders import A_CREDIT, NOON, a_job

from headcount.core import lifecycle, ownership
from headcount.core.calls import Call, CallKind, CallState
from headcount.core.errors import InvalidSearch, JobNotReady
from headcount.core.model import (
    Change,
    Grant,
    Job,
    Lease,
    Limits,
    Outcome,
    Reason,
    Rest,
    Source,
    SourceState,
    Status,
)
from headcount.core.tempo import Tempo

SECOND = timedelta(seconds=1)
PRICES = dict.fromkeys(CallKind, 2)
LEASE = Lease(0, "ours", NOON + 30 * SECOND)
THEIRS = Lease(4, "theirs", NOON + SECOND)
SHORT = Outcome(5, Reason.SOURCES_EXHAUSTED)
ENDED = [Status.COMPLETED, Status.PARTIAL, Status.CANCELLED, Status.FAILED]
GOING = [Status.PENDING, Status.PROCESSING, Status.PAUSED]


def a_call(number: int = 1, source: int = 1) -> Call:
    return Call(number, source, "0", held=2, opened_at=NOON)


def leased(job: Job | None = None) -> Job:
    """A job at work under the token 4."""
    return replace(job or a_job(), status=Status.PROCESSING, fence=4, lease=THEIRS)


def ended(status: Status = Status.PARTIAL, job: Job | None = None) -> Job:
    return replace(job or a_job(), status=status, outcome=SHORT, ended_at=NOON)


def claimed(job: Job, *, dead: str = "") -> Change:
    return lifecycle.claim(Change(job), LEASE, NOON, is_dead=lambda h: h == dead)


def with_sources(job: Job, *sources: Source) -> Job:
    return replace(job, sources=sources)


# ---------------------------------------------------------------------------- the lease
def test_a_claim_takes_the_lease_with_a_new_token() -> None:
    job = claimed(replace(a_job(), fence=4)).job

    assert job == replace(
        a_job(),
        status=Status.PROCESSING,
        started_at=NOON,
        fence=5,
        lease=replace(LEASE, token=5),
        due_at=LEASE.expires_at,
        tempo=Tempo(NOON),
    )


def test_a_job_starts_only_once() -> None:
    started = replace(a_job(), started_at=NOON - SECOND)

    assert claimed(started).job.started_at == NOON - SECOND


@pytest.mark.parametrize("status", [Status.PAUSED, *ENDED])
def test_there_is_nothing_to_claim_where_nothing_is_to_be_done(status: Status) -> None:
    assert not claimed(replace(a_job(), status=status)).changed


def test_a_living_worker_keeps_the_lease_until_it_expires() -> None:
    job = leased()

    assert not claimed(job).changed
    assert lifecycle.claim(Change(job), LEASE, THEIRS.expires_at).changed
    assert not lifecycle.claim(Change(job), LEASE, NOON).changed


def test_a_dead_worker_loses_the_lease_at_once() -> None:
    assert claimed(leased(), dead="theirs").job.fence == 5
    assert not claimed(leased(), dead="another").changed


def test_what_a_dead_worker_left_open_counts_as_spent() -> None:
    job = replace(leased(), open_calls=(a_call(1, 1), a_call(2, 2)), lines=2)
    job = with_sources(job, Source(1, "tea"), Source(2, "mate"))

    change = claimed(job, dead="theirs")

    lost = [(line.state, line.closed_at) for line in change.calls]
    assert lost == [(CallState.LOST, NOON)] * 2
    assert (change.job.charged, change.job.credits) == (2, 4)
    assert change.job.open_calls == ()


def test_a_renewed_lease_lasts_longer_and_puts_the_job_off() -> None:
    later = NOON + 40 * SECOND

    job = lifecycle.renew(Change(leased()), 4, later).job

    assert job.lease == Lease(4, "theirs", later)
    assert job.due_at == later


@pytest.mark.parametrize("status", [Status.PAUSED, Status.CANCELLED])
def test_a_job_that_shall_not_go_on_is_never_due(status: Status) -> None:
    job = replace(leased(), status=status)

    assert lifecycle.renew(Change(job), 4, NOON).job.due_at is None
    assert lifecycle.release(Change(job), 4, NOON, due_at=NOON).job.due_at is None


def test_a_released_job_is_due_and_free() -> None:
    job = lifecycle.release(Change(leased()), 4, NOON, due_at=NOON + SECOND).job

    assert (job.lease, job.due_at) == (None, NOON + SECOND)


def test_what_is_out_when_a_lease_is_handed_back_counts_as_spent() -> None:
    job = replace(leased(), open_calls=(a_call(),), lines=1)
    job = with_sources(job, Source(1, "tea"))

    change = lifecycle.release(Change(job), 4, NOON, due_at=NOON)

    assert [(c.state, c.closed_at) for c in change.calls] == [(CallState.LOST, NOON)]
    assert (change.job.open_calls, change.job.charged) == ((), 1)


def test_a_defect_ends_the_job_with_its_lease_and_what_was_out() -> None:
    job = replace(leased(), open_calls=(a_call(),), lines=1)
    job = with_sources(job, Source(1, "tea"))

    change = lifecycle.collapse(Change(job), "a defect", NOON)

    failed = change.job
    assert (failed.lease, failed.open_calls, failed.charged) == (None, (), 1)
    assert [c.closed_at for c in change.calls] == [NOON]


def test_a_second_cancel_closes_what_a_dead_worker_left_out() -> None:
    job = replace(leased(), open_calls=(a_call(),), lines=1)
    job = with_sources(job, Source(1, "tea"))
    cancelled = ownership.cancel(Change(job), NOON).job

    later = ownership.cancel(Change(cancelled), THEIRS.expires_at).job

    assert (len(cancelled.open_calls), later.open_calls) == (1, ())
    assert (later.status, later.ended_at) == (Status.CANCELLED, NOON)


def test_a_job_resumed_while_its_worker_lives_is_due_when_the_lease_runs_out() -> None:
    job = replace(leased(), status=Status.PAUSED, due_at=None)

    resumed = ownership.resume(Change(job), NOON).job

    assert (resumed.status, resumed.due_at) == (Status.PROCESSING, THEIRS.expires_at)


@pytest.mark.parametrize("job", [leased(), replace(leased(), lease=None)])
def test_a_fenced_off_worker_decides_nothing(job: Job) -> None:
    nothing = Change(job)

    assert not lifecycle.holds(job, 3)
    assert lifecycle.renew(nothing, 3, NOON) is nothing
    assert lifecycle.release(nothing, 3, NOON, due_at=NOON) is nothing
    assert lifecycle.proceed(nothing, 3, NOON, room=1, prices=PRICES) is nothing


# -------------------------------------------------------------------------- proceeding
def proceeded(job: Job, *, room: int = 9) -> Change:
    return lifecycle.proceed(Change(job), 4, NOON, room=room, prices=PRICES)


def test_an_ask_is_held_in_the_ledger_before_it_is_sent() -> None:
    first = Source(1, "tea", cursor="30", refusals=2)
    job = replace(leased(a_job(target=90)), lines=7, open_calls=(a_call(7, 2),))
    job = with_sources(job, first, Source(2, "mate"), Source(3, "coffee"))

    change = proceeded(job)

    assert change.calls == (
        Call(8, 1, "30", held=2, opened_at=NOON, attempts=3),
        Call(9, 3, "0", held=2, opened_at=NOON, attempts=1),
    )
    assert change.job.open_calls == (a_call(7, 2), *change.calls)
    assert (change.job.lines, change.job.held) == (9, 6)


def test_asks_are_added_to_the_change_before_them() -> None:
    before = Change(leased(), calls=(a_call(),))

    change = lifecycle.proceed(before, 4, NOON, room=1, prices=PRICES)

    assert [call.id for call in change.calls] == [1, 1]
    assert change.before is before.job


def test_waiting_changes_nothing() -> None:
    assert not proceeded(leased(), room=0).changed


@pytest.mark.parametrize(
    ("qualified", "status", "outcome"),
    [
        (10, Status.COMPLETED, Outcome()),
        (5, Status.PARTIAL, Outcome(5, Reason.SOURCES_EXHAUSTED)),
    ],
)
def test_an_ended_job_has_an_outcome_and_no_lease(
    qualified: int, status: Status, outcome: Outcome
) -> None:
    dry = Source(1, "tea", state=SourceState.DRY)
    job = replace(leased(with_sources(a_job(), dry)), qualified=qualified)

    assert proceeded(job).job == replace(
        job, status=status, outcome=outcome, ended_at=NOON, due_at=None, lease=None
    )


FAILED = Source(
    1,
    "tea",
    state=SourceState.FAILING,
    failures=3,
    throttles=2,
    retry_at=NOON + SECOND,
    set_aside=4,
)


def test_a_source_set_aside_has_another_chance_after_a_page_of_another() -> None:
    dry = Source(2, "mate", state=SourceState.DRY)
    job = replace(leased(with_sources(a_job(), FAILED, dry)), pages=5)

    change = proceeded(job)

    assert [call.source for call in change.calls] == [1]
    assert change.job.sources == (Source(1, "tea"), dry)


@pytest.mark.parametrize(("pages", "status"), [(4, "partial"), (5, "processing")])
def test_without_a_page_in_between_there_is_no_other_chance(
    pages: int, status: str
) -> None:
    job = replace(leased(with_sources(a_job(), FAILED)), pages=pages)

    assert proceeded(job).job.status == status


def test_a_source_stays_aside_while_another_is_open() -> None:
    job = replace(leased(with_sources(a_job(), FAILED, Source(2, "mate"))), pages=9)

    change = proceeded(job)

    assert [call.source for call in change.calls] == [2]
    assert change.job.sources[0] == FAILED


# ---------------------------------------------------------------------------- the owner
@pytest.mark.parametrize("status", GOING)
def test_a_job_that_has_not_ended_can_be_paused(status: Status) -> None:
    job = replace(leased(), status=status, due_at=NOON, open_calls=(a_call(),))

    paused = ownership.pause(Change(job)).job

    assert paused == replace(job, status=Status.PAUSED, due_at=None)


@pytest.mark.parametrize("status", GOING)
def test_a_job_that_has_not_ended_can_be_cancelled_or_fail(status: Status) -> None:
    job = replace(leased(), status=status, due_at=NOON, qualified=4)

    cancelled = ownership.cancel(Change(job), NOON).job
    failed = lifecycle.collapse(Change(job), "a defect", NOON).job

    assert (cancelled.status, failed.status) == (Status.CANCELLED, Status.FAILED)
    assert cancelled.outcome == Outcome(6)
    assert failed.outcome == Outcome(6, None, "a defect")
    for job in (cancelled, failed):
        assert (job.ended_at, job.due_at) == (NOON, None)


@pytest.mark.parametrize("end", [ownership.cancel, ownership.finish])
def test_what_a_dead_worker_has_out_is_counted_as_spent_by_an_end(
    end: Callable[..., Change],
) -> None:
    job = replace(leased(), open_calls=(a_call(),), lines=1)
    job = with_sources(job, Source(1, "tea"))

    left = end(Change(job), NOON).job
    closed = end(Change(job), NOON, is_dead=lambda holder: holder == "theirs").job

    lost = end(Change(job), NOON, is_dead=lambda _: True).calls
    assert [(c.state, c.closed_at) for c in lost] == [(CallState.LOST, NOON)]
    assert (len(left.open_calls), left.charged) == (1, 0)
    assert (len(closed.open_calls), closed.charged) == (0, 1)
    assert closed.status.ended


def test_a_finished_job_ends_with_what_it_has() -> None:
    job = replace(leased(), qualified=4)

    finished = ownership.finish(Change(job), NOON).job

    assert finished.status is Status.PARTIAL
    assert finished.outcome == Outcome(6, Reason.FINISHED_BY_USER)
    assert (finished.ended_at, finished.lease, finished.due_at) == (NOON, None, None)


def test_a_finished_job_that_lacks_nothing_is_completed() -> None:
    finished = ownership.finish(Change(replace(leased(), qualified=10)), NOON).job

    assert (finished.status, finished.outcome) == (Status.COMPLETED, Outcome())


def test_a_finished_job_waits_for_what_is_out() -> None:
    job = replace(leased(), status=Status.PAUSED, open_calls=(a_call(),), lines=1)
    job = with_sources(job, Source(1, "tea"))

    finishing = ownership.finish(Change(job), NOON).job

    assert (finishing.status, finishing.due_at) == (Status.PROCESSING, NOON)
    assert not proceeded(finishing).changed
    answered = replace(finishing, open_calls=())
    assert proceeded(answered).job.outcome == Outcome(10, Reason.FINISHED_BY_USER)


@pytest.mark.parametrize("status", ENDED)
def test_an_end_is_not_overwritten(status: Status) -> None:
    nothing = Change(ended(status))

    assert ownership.pause(nothing) is nothing
    assert ownership.cancel(nothing, NOON) is nothing
    assert ownership.finish(nothing, NOON) is nothing
    assert lifecycle.collapse(nothing, "a defect", NOON) is nothing


@pytest.mark.parametrize("status", [Status.PAUSED, Status.PARTIAL, Status.FAILED])
def test_a_resumed_job_tries_again_what_was_set_aside(status: Status) -> None:
    dry = Source(2, "mate", state=SourceState.DRY, evidence=3)
    waiting = Source(3, "coffee", failures=1, retry_at=NOON + SECOND)
    job = with_sources(ended(status), FAILED, dry, waiting)
    job = replace(job, halt=Outcome(5, Reason.OUT_OF_CREDITS))

    resumed = ownership.resume(Change(job), NOON).job

    assert resumed == replace(
        job,
        status=Status.PENDING,
        sources=(Source(1, "tea"), dry, Source(3, "coffee")),
        halt=None,
        outcome=None,
        ended_at=None,
        due_at=NOON,
    )


@pytest.mark.parametrize(
    "status", sorted(set(Status) - {Status.PAUSED, Status.PARTIAL, Status.FAILED})
)
def test_other_jobs_are_not_resumed(status: Status) -> None:
    nothing = Change(ended(status))

    assert ownership.resume(nothing, NOON) is nothing


@pytest.mark.parametrize(
    ("lease", "status"),
    [
        (None, Status.PENDING),
        (Lease(4, "ours", NOON), Status.PENDING),
        (Lease(4, "ours", NOON + SECOND), Status.PROCESSING),
    ],
)
def test_a_job_resumed_under_a_living_lease_is_still_at_work(
    lease: Lease | None, status: Status
) -> None:
    job = replace(leased(), status=Status.PAUSED, lease=lease)

    assert ownership.resume(Change(job), NOON).job.status is status


# --------------------------------------------------------------------------- topping up
def topped_up(job: Job, target: int, limits: Limits | None = None) -> Change:
    later = NOON + SECOND
    return ownership.top_up(Change(job), target, limits or Limits(), later)


def test_topping_up_delivers_spares_before_any_call() -> None:
    job = replace(ended(Status.COMPLETED), qualified=14)

    complete = topped_up(job, 14).job

    assert (complete.status, complete.delivered) == (Status.COMPLETED, 14)
    assert (complete.outcome, complete.ended_at) == (Outcome(), NOON + SECOND)
    assert complete.search == replace(job.search, target=14)


def test_topping_up_beyond_the_spares_reopens_the_job() -> None:
    job = topped_up(replace(ended(Status.COMPLETED), qualified=14), 15).job

    assert (job.status, job.missing, job.outcome) == (Status.PENDING, 1, None)
    assert job.due_at == NOON + SECOND


@pytest.mark.parametrize("status", GOING)
def test_topping_up_a_job_that_has_not_ended_only_raises_the_target(
    status: Status,
) -> None:
    job = replace(leased(), status=status, due_at=NOON)

    assert topped_up(job, 50).job == replace(job, search=replace(job.search, target=50))


def test_new_limits_reopen_a_job_that_ended_short() -> None:
    job = topped_up(ended(), 10, Limits(max_calls=99)).job

    assert (job.status, job.search.limits) == (Status.PENDING, Limits(max_calls=99))


def test_topping_up_to_what_is_asked_already_changes_nothing() -> None:
    assert not topped_up(ended(), 10).changed


def test_a_target_is_never_lowered() -> None:
    with pytest.raises(InvalidSearch) as error:
        topped_up(ended(), 9)

    assert error.value.field == "target"
    assert str(error.value) == (
        "job job-1 has a target of 10 already, and what was delivered never goes "
        "back: expected 10 or more, not 9"
    )


def test_a_cancelled_job_is_not_topped_up() -> None:
    with pytest.raises(JobNotReady) as error:
        topped_up(ended(Status.CANCELLED), 20)

    assert str(error.value) == "job job-1 was cancelled: start a new one instead"


# ------------------------------------------------------------------------------ resting
REST = Rest(NOON + 60 * SECOND, "the 3 credits a day are used up")
GRANT = Grant(credits=0, renews_at=REST.until, daily=REST.reason)


def decided(job: Job) -> Change:
    return lifecycle.proceed(Change(job), 4, NOON, room=9, prices=A_CREDIT)


def test_a_job_whose_owner_may_not_spend_rests() -> None:
    change = decided(replace(leased(), grant=GRANT))

    assert (change.job.rest, change.calls) == (REST, ())
    assert not decided(change.job).changed


def test_a_job_rests_no_more_when_it_asks() -> None:
    change = decided(replace(leased(), rest=REST))

    assert change.job.rest is None
    assert len(change.calls) == 1


def test_a_job_rests_no_more_when_it_only_waits_for_an_answer() -> None:
    job = replace(leased(), rest=REST, open_calls=(a_call(),))

    assert decided(job).job.rest is None


@pytest.mark.parametrize(
    "end",
    [
        ownership.pause,
        lambda change: ownership.cancel(change, NOON),
        lambda change: ownership.finish(change, NOON),
        lambda change: lifecycle.collapse(change, "a defect", NOON),
    ],
)
def test_a_job_that_is_stopped_does_not_rest(end: Callable[[Change], Change]) -> None:
    assert end(Change(replace(leased(), rest=REST))).job.rest is None


def test_a_job_is_released_until_its_rest_is_over() -> None:
    job = replace(leased(), rest=REST)

    released = lifecycle.release(Change(job), 4, NOON, due_at=REST.until).job

    assert (released.due_at, released.rest) == (REST.until, REST)


def test_a_nudged_job_is_looked_at_now() -> None:
    job = replace(leased(), rest=REST, lease=None, due_at=REST.until)

    nudged = ownership.nudge(Change(job), NOON).job

    assert (nudged.rest, nudged.due_at) == (None, NOON)


def test_a_nudged_job_stays_with_whoever_has_its_lease() -> None:
    job = replace(leased(), rest=REST, due_at=THEIRS.expires_at)

    assert ownership.nudge(Change(job), NOON).job.due_at == THEIRS.expires_at


def test_a_job_that_does_not_rest_is_not_nudged() -> None:
    assert not ownership.nudge(Change(leased()), NOON).changed
