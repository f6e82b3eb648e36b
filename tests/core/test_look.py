"""A job that only looks around pauses by itself, and goes on when it is resumed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from builders import A_CREDIT, NOON, a_job, a_page

from headcount.core import lifecycle, ownership, tally
from headcount.core.calls import CallKind, Endpoint, Failure, FailureKind
from headcount.core.decisions import Ask, End, Pause, Wait, decide
from headcount.core.expansion import Expand, Expansion
from headcount.core.model import (
    Change,
    Job,
    Lease,
    Limits,
    Look,
    Reason,
    Source,
    SourceState,
    Status,
)

LEASE = Lease(0, "worker", NOON + timedelta(days=1))


def looking(calls: int, each: int = 1, *, target: int = 500) -> Job:
    """A job of three keywords, claimed."""
    limits = Limits(max_calls=40, look=Look(calls, each))
    job = a_job("tea", "mate", "cocoa", target=target, limits=limits)
    return lifecycle.claim(Change(job), LEASE, NOON).job


def proceeded(job: Job, *, room: int = 9) -> Job:
    return lifecycle.proceed(Change(job), 1, NOON, room=room, prices=A_CREDIT).job


def with_pages(job: Job, *, creators: int = 25) -> Job:
    """The job once all that is out came back as pages of new creators."""
    for call in job.open_calls:
        first = 100 * job.pages
        page = a_page(range(first, first + creators))
        job = tally.settle(Change(job), call.id, page, {}, NOON).job
    return job


def looked(calls: int = 3, each: int = 1) -> Job:
    """The job when it has nothing more to look at."""
    job = proceeded(looking(calls, each))
    while job.open_calls:
        job = proceeded(with_pages(job))
    return job


def test_it_looks_at_each_source_and_pauses() -> None:
    job = looked()

    assert [source.pages for source in job.sources] == [1, 1, 1]
    assert (job.status, job.due_at, job.outcome) == (Status.PAUSED, None, None)


def test_it_makes_no_more_calls_than_it_was_to() -> None:
    job = looked(calls=2)

    assert (job.charged, job.status) == (2, Status.PAUSED)


def test_it_may_look_at_more_than_one_page_of_each() -> None:
    assert [source.pages for source in looked(6, each=2).sources] == [2, 2, 2]


def test_nothing_is_asked_while_the_last_looks_are_out() -> None:
    job = proceeded(looking(2))

    assert len(job.open_calls) == 2
    assert decide(job, NOON, room=9, prices=A_CREDIT) == Wait()
    assert decide(with_pages(job), NOON, room=9, prices=A_CREDIT) == Pause()


def test_a_source_that_fails_is_tried_again_while_there_are_calls() -> None:
    job = proceeded(looking(2), room=1)
    failure = Failure(FailureKind.UNAVAILABLE, "no answer", charged=False)
    job = tally.fail(Change(job), job.open_calls[0].id, failure, 0.5, NOON).job

    later = decide(job, NOON + timedelta(minutes=2), room=9, prices=A_CREDIT)

    assert isinstance(later, Ask)
    assert len(later.sources) == 2


def test_a_look_that_finds_all_is_completed() -> None:
    job = proceeded(with_pages(proceeded(looking(3, target=20))))

    assert (job.status, job.delivered) == (Status.COMPLETED, 20)


def test_a_look_at_sources_that_hold_nothing_ends_as_any_job_does() -> None:
    job = looking(9)
    dry = tuple(replace(source, state=SourceState.DRY) for source in job.sources)

    decision = decide(replace(job, sources=dry), NOON, room=9, prices=A_CREDIT)

    assert isinstance(decision, End)
    assert decision.outcome.reason is Reason.SOURCES_EXHAUSTED


def test_a_look_that_just_meets_the_cap_pauses_as_any_other() -> None:
    job = looking(2)
    limits = replace(job.search.limits, max_calls=2)
    job = replace(job, search=replace(job.search, limits=limits))

    assert decide(with_pages(proceeded(job)), NOON, room=9, prices=A_CREDIT) == Pause()


def test_a_cap_below_the_look_holds() -> None:
    job = looking(3)
    limits = replace(job.search.limits, max_calls=1)
    job = replace(job, search=replace(job.search, limits=limits))

    decision = decide(with_pages(proceeded(job)), NOON, room=9, prices=A_CREDIT)

    assert isinstance(decision, End)
    assert decision.outcome.reason is Reason.CALL_LIMIT


def test_a_look_that_cannot_pay_for_the_rest_ends_and_waits_for_nobody() -> None:
    """A page could be paid for, but that source was seen; the question is dearer."""
    limits = Limits(max_credits=2, look=Look(9, 1))
    job = lifecycle.claim(Change(a_job(target=90, limits=limits)), LEASE, NOON).job
    seen = replace(job.source(1), pages=1, found=9, once=9, recent=9.0)
    dear = Source(2, "tea", endpoint=Endpoint.SUGGESTIONS)
    job = replace(job, sources=(seen, dear), charged=1, credits=1, qualified=9)
    prices = {**A_CREDIT, CallKind.SUGGESTIONS: 3}

    decision = decide(job, NOON, room=9, prices=prices)

    assert isinstance(decision, End)
    assert decision.outcome.reason is Reason.BUDGET


def test_a_look_opens_no_new_ground() -> None:
    job = looked()
    wide = replace(job.search, expansion=Expansion(Expand.ALL))
    job = replace(job, search=wide, status=Status.PROCESSING)

    assert decide(job, NOON, room=9, prices=A_CREDIT) == Pause()


@pytest.mark.parametrize("status", [Status.PAUSED, Status.PROCESSING])
def test_resumed_it_goes_on_to_its_end_from_what_it_saw(status: Status) -> None:
    """A look that was killed half-way is processing, and goes on all the same."""
    job = replace(looked(calls=2), status=status, lease=None)

    job = ownership.resume(Change(job), NOON).job

    assert job.search.limits == Limits(max_calls=40)
    job = lifecycle.claim(Change(job), LEASE, NOON).job
    decision = decide(job, NOON, room=9, prices=A_CREDIT)
    assert isinstance(decision, Ask)
    assert {source.cursor for source in decision.sources} == {"0", "30"}


def test_topped_up_after_its_end_it_goes_on_to_the_new_target() -> None:
    done = proceeded(with_pages(proceeded(looking(3, target=20))))

    job = ownership.top_up(Change(done), 500, done.search.limits, NOON).job

    job = proceeded(lifecycle.claim(Change(job), LEASE, NOON).job)
    assert job.search.limits.look is None
    assert job.status is Status.PROCESSING


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.CANCELLED])
def test_what_has_ended_for_good_is_left_as_it_is(status: Status) -> None:
    change = Change(replace(looked(), status=status))

    assert ownership.resume(change, NOON) is change


def test_topped_up_it_stays_paused() -> None:
    job = ownership.top_up(Change(looked()), 900, Limits(max_calls=90), NOON).job

    assert (job.status, job.target) == (Status.PAUSED, 900)
