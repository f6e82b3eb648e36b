"""What is decided: ask, wait or end."""

from dataclasses import replace
from datetime import timedelta

import pytest
from builders import NOON, a_job

from headcount.core.calls import Call, CallKind
from headcount.core.decisions import Ask, Decision, End, Wait, decide, waiting_until
from headcount.core.model import (
    Grant,
    Job,
    Limits,
    Outcome,
    Reason,
    Rest,
    SourceState,
    Status,
)

SECOND = timedelta(seconds=1)
HALT = Outcome(9, Reason.OUT_OF_CREDITS, "no credits are left")


def at_work(
    *keywords: str,
    target: int = 100,
    limits: Limits | None = None,
    out: tuple[int, ...] = (),
) -> Job:
    """A job at work, with calls out at these sources."""
    calls = tuple(Call(number, number, "0", held=2, opened_at=NOON) for number in out)
    job = a_job(*keywords, target=target, limits=limits)
    return replace(job, status=Status.PROCESSING, open_calls=calls)


def with_source(job: Job, number: int = 1, **changes: object) -> Job:
    sources = list(job.sources)
    sources[number - 1] = replace(job.source(number), **changes)  # type: ignore[arg-type] # names of fields
    return replace(job, sources=tuple(sources))


def decided(job: Job, *, room: int = 9, price: int = 2) -> Decision:
    return decide(job, NOON, room=room, prices=dict.fromkeys(CallKind, price))


def asked(job: Job, *, room: int = 9) -> list[int]:
    decision = decided(job, room=room)
    return [s.id for s in decision.sources] if isinstance(decision, Ask) else []


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.PROCESSING}))
def test_only_a_job_at_work_is_decided_upon(status: Status) -> None:
    assert decided(replace(at_work(), status=status)) == Wait()


def test_open_sources_are_asked() -> None:
    job = at_work("tea", "mate", "coffee")

    assert decided(job) == Ask(job.sources)


def test_no_more_is_asked_than_there_is_room_for() -> None:
    assert asked(at_work("tea", "mate", "coffee"), room=2) == [1, 2]
    assert decided(at_work(), room=0) == Wait()


def test_a_reached_target_completes_the_job_once_no_call_is_out() -> None:
    done = replace(at_work("tea", "mate", target=3), qualified=3, halt=HALT)

    assert decided(done) == End(Outcome())
    assert decided(replace(done, open_calls=at_work(out=(1,)).open_calls)) == Wait()


def test_a_halt_comes_before_the_deadline_and_says_what_is_missing_now() -> None:
    job = replace(at_work(target=10, limits=Limits(deadline=NOON)), halt=HALT)

    assert decided(replace(job, qualified=4)) == End(replace(HALT, short_by=6))


@pytest.mark.parametrize(
    ("deadline", "end"),
    [
        (NOON, End(Outcome(100, Reason.DEADLINE))),
        (NOON - SECOND, End(Outcome(100, Reason.DEADLINE))),
        (NOON + SECOND, None),
    ],
)
def test_a_deadline_ends_the_job_before_the_caps_do(
    deadline: object, end: End | None
) -> None:
    limits = Limits(deadline=deadline, max_calls=5)  # type: ignore[arg-type] # a table
    job = replace(at_work(limits=limits), charged=5 if end else 0)

    decision = decided(job)

    assert decision == end or (end is None and isinstance(decision, Ask))


@pytest.mark.parametrize(
    ("charged", "out", "sources"),
    [
        (0, (), [1, 2, 3]),
        (3, (), [1, 2]),
        (3, (1,), [2]),
        (4, (1,), []),
        (3, (1, 2), []),
    ],
)
def test_the_call_cap_counts_what_is_charged_and_what_is_out(
    charged: int, out: tuple[int, ...], sources: list[int]
) -> None:
    job = at_work("tea", "mate", "coffee", limits=Limits(max_calls=5), out=out)

    assert asked(replace(job, charged=charged)) == sources


@pytest.mark.parametrize(
    ("credits", "out", "sources"),
    [
        (0, (), [1, 2, 3]),
        (4, (), [1, 2, 3]),
        (5, (), [1, 2]),
        (5, (1,), [2]),
        (8, (1,), []),
    ],
)
def test_the_budget_counts_what_is_spent_and_what_is_held(
    credits: int,  # noqa: A002 - the field's own name
    out: tuple[int, ...],
    sources: list[int],
) -> None:
    job = at_work("tea", "mate", "coffee", limits=Limits(max_credits=10), out=out)

    assert asked(replace(job, credits=credits)) == sources


def test_the_tighter_cap_counts() -> None:
    limits = Limits(max_calls=5, max_credits=100)
    job = at_work("tea", "mate", "coffee", limits=limits)

    assert asked(replace(job, charged=4)) == [1]


@pytest.mark.parametrize(
    ("charged", "credits", "reason"),
    [
        (5, 0, Reason.CALL_LIMIT),
        (6, 0, Reason.CALL_LIMIT),
        (5, 10, Reason.CALL_LIMIT),
        (4, 9, Reason.BUDGET),
        (4, 11, Reason.BUDGET),
    ],
)
def test_a_spent_cap_ends_the_job_with_its_name(
    charged: int,
    credits: int,  # noqa: A002 - the field's own name
    reason: Reason,
) -> None:
    job = at_work(limits=Limits(max_calls=5, max_credits=10))
    job = replace(job, charged=charged, credits=credits)

    assert decided(job) == End(Outcome(100, reason))


def test_a_spent_cap_waits_for_what_is_out() -> None:
    job = at_work("tea", "mate", limits=Limits(max_calls=1), out=(1,))

    assert decided(job) == Wait()


def test_the_default_call_cap_holds_where_none_is_given() -> None:
    job = replace(at_work(target=10), charged=22)

    assert asked(job) == [1]
    assert decided(replace(job, charged=23)) == End(Outcome(10, Reason.CALL_LIMIT))


def test_a_source_that_must_wait_is_waited_for() -> None:
    job = with_source(at_work(), retry_at=NOON + SECOND)

    assert decided(job) == Wait(NOON + SECOND)


def test_the_last_call_out_is_waited_for_though_its_source_may_be_the_last() -> None:
    job = with_source(at_work("tea", "mate", out=(1,)), 2, state=SourceState.DRY)

    assert decided(job) == Wait()


def test_dry_sources_exhaust_a_job() -> None:
    job = with_source(at_work(target=10), state=SourceState.DRY)

    assert decided(replace(job, qualified=4)) == End(
        Outcome(6, Reason.SOURCES_EXHAUSTED)
    )


def test_sources_that_fail_block_a_job_and_are_named() -> None:
    job = with_source(at_work("tea", "mate", "coffee"), 1, state=SourceState.FAILING)
    job = with_source(job, 2, state=SourceState.DRY)
    job = with_source(job, 3, state=SourceState.FAILING, error="HTTP 503")

    told = "no answer could be had for tea, coffee: HTTP 503"
    assert decided(job) == End(Outcome(100, Reason.PROVIDER_BLOCKED, told))


# ------------------------------------------------------------------------------- waits
def test_the_first_source_to_be_ready_ends_the_wait() -> None:
    job = with_source(at_work("tea", "mate"), 1, retry_at=NOON + 9 * SECOND)
    job = with_source(job, 2, retry_at=NOON + 5 * SECOND)

    assert waiting_until(job) == NOON + 5 * SECOND


@pytest.mark.parametrize(
    ("seconds", "until"), [(3, NOON + 3 * SECOND), (9, NOON + 5 * SECOND)]
)
def test_no_wait_is_longer_than_the_deadline(seconds: int, until: object) -> None:
    limits = Limits(deadline=NOON + seconds * SECOND)
    job = with_source(at_work(limits=limits), retry_at=NOON + 5 * SECOND)

    assert waiting_until(job) == until


@pytest.mark.parametrize(
    "job",
    [
        at_work(limits=Limits(deadline=NOON + SECOND)),
        with_source(at_work(out=(1,)), retry_at=NOON + SECOND),
        with_source(at_work(), retry_at=NOON + SECOND, state=SourceState.FAILING),
    ],
    ids=["ready", "asked already", "set aside"],
)
def test_a_source_that_need_not_or_cannot_be_asked_is_not_waited_for(job: Job) -> None:
    assert waiting_until(job) is None


# ------------------------------------------------------------------ the owner's limits
MIDNIGHT = NOON + timedelta(hours=12)
DAILY = "the 5 credits a day of owner 'acme' are used up"


def with_credits(job: Job, spendable: int) -> Job:
    grant = Grant(credits=spendable, renews_at=MIDNIGHT, daily=DAILY)
    return replace(job, grant=grant)


@pytest.mark.parametrize(
    ("spendable", "calls"), [(0, 0), (1, 0), (2, 1), (3, 1), (5, 2), (6, 3), (99, 3)]
)
def test_no_call_is_made_that_the_owner_may_not_pay_for_today(
    spendable: int, calls: int
) -> None:
    job = with_credits(at_work("tea", "mate", "coffee"), spendable)

    assert len(asked(job)) == calls


def test_what_was_spent_and_is_held_counts_against_the_grant() -> None:
    job = replace(at_work("tea", "mate", "coffee", out=(1,)), credits=5)

    assert asked(with_credits(job, 8)) == []
    assert asked(with_credits(job, 9)) == [2]


def test_a_job_rests_until_its_owner_may_spend_again() -> None:
    decision = decided(with_credits(at_work("tea"), 1))

    assert decision == Wait(MIDNIGHT, Rest(MIDNIGHT, DAILY))


def test_a_job_without_a_source_to_ask_does_not_rest() -> None:
    job = with_source(at_work("tea"), retry_at=NOON + SECOND)

    assert decided(with_credits(job, 1)) == Wait(NOON + SECOND)


def test_a_cap_of_its_own_ends_a_job_whatever_its_owner_may_spend() -> None:
    job = at_work("tea", limits=Limits(max_credits=1))

    assert decided(with_credits(job, 1)) == End(Outcome(100, Reason.BUDGET))


def test_who_rests_is_looked_at_when_the_rest_ends() -> None:
    resting = replace(at_work("tea"), rest=Rest(MIDNIGHT, DAILY))

    assert waiting_until(resting) == MIDNIGHT


def test_a_deadline_ends_a_rest() -> None:
    limits = Limits(deadline=NOON + SECOND)
    resting = replace(at_work("tea", limits=limits), rest=Rest(MIDNIGHT, DAILY))

    assert waiting_until(resting) == NOON + SECOND


def test_a_job_ends_once_it_has_all_that_its_owner_is_entitled_to() -> None:
    grant = Grant(monthly="the 7 creators a month of owner 'acme' are used up")
    job = replace(at_work("tea"), qualified=20, entitled=7, grant=grant)

    assert decided(job) == End(Outcome(93, Reason.BUDGET, grant.monthly))
    assert (job.delivered, job.spares, job.missing) == (7, 13, 93)


def test_no_more_is_asked_than_the_owner_is_entitled_to() -> None:
    job = replace(at_work("tea", "mate", "coffee"), entitled=10)

    assert len(asked(job)) == 1


def test_who_is_entitled_to_more_than_the_target_gets_the_target() -> None:
    job = replace(at_work("tea", target=10), qualified=12, entitled=500)

    assert decided(job) == End(Outcome())
    assert (job.delivered, job.spares) == (10, 2)
