"""What each act adds to the metrics, and what none of them does."""

from dataclasses import replace
from datetime import timedelta

import pytest
from builders import A_CREDIT, NOON, a_job, a_page

from headcount.acts import Fetch, Observers, Send, Write
from headcount.adapters.metrics import Metrics
from headcount.core import lifecycle, ownership
from headcount.core.calls import Answer, Call, Failure, FailureKind
from headcount.core.model import Change, Job, Lease, Source


class Meter:
    """Metrics, and a clock for them that goes only where a test lets it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.metrics = Metrics(clock=lambda: self.seconds)
        self.observers = Observers(self.metrics)

    def __call__(self, name: str, **labels: str) -> float:
        found = self.metrics.registry.get_sample_value(f"headcount_{name}", labels)
        assert found is not None, name
        return found

    def sees(self, change: Change) -> None:
        with self.observers.during(Write(change.job.id)) as act:
            act.change = change


@pytest.fixture
def meter() -> Meter:
    return Meter()


CALL, SOURCE = Call(1, 1, "0", 1, NOON), Source(1, "tea")


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (a_page([1]), "page"),
        (a_page(), "empty"),
        (Failure(FailureKind.THROTTLED, "slow down"), "throttled"),
        (Failure(FailureKind.OUT_OF_CREDITS, "pay"), "out_of_credits"),
    ],
)
def test_a_call_counts_by_what_came_of_it(
    answer: Answer, outcome: str, meter: Meter
) -> None:
    with meter.observers.during(Fetch(CALL, SOURCE)) as act:
        meter.seconds += 0.7
        act.answer = answer

    assert meter("calls_total", outcome=outcome) == 1
    assert meter("call_duration_seconds_sum") == pytest.approx(0.7)


def test_a_call_that_met_a_defect_counts_as_the_engine_takes_it(meter: Meter) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        meter.observers.during(Fetch(CALL, SOURCE)),
    ):
        raise ZeroDivisionError

    assert meter("calls_total", outcome="unavailable") == 1


def a_claimed_job(held_for: timedelta) -> Job:
    """A job with a call out, whose worker keeps the lease for this long."""
    lease = Lease(0, "worker", NOON + held_for)
    change = lifecycle.claim(Change(a_job()), lease, NOON)
    token = change.job.fence
    return lifecycle.proceed(change, token, NOON, room=1, prices=A_CREDIT).job


def test_a_lease_that_ran_out_is_lost_with_the_calls_that_were_out(
    meter: Meter,
) -> None:
    job = a_claimed_job(timedelta(seconds=12))
    later = NOON + timedelta(minutes=1)

    meter.sees(lifecycle.claim(Change(job), Lease(0, "other", later), later))

    assert meter("leases_lost_total") == 1
    assert meter("calls_total", outcome="lost") == 1
    assert meter("credits_spent_total") == 1
    assert meter("pages_settled_total") == 0


def test_a_lease_that_was_handed_back_is_not_lost(meter: Meter) -> None:
    job = a_claimed_job(timedelta(seconds=12))
    back = lifecycle.release(Change(job), job.fence, NOON, due_at=NOON).job

    meter.sees(lifecycle.claim(Change(back), Lease(0, "other", NOON), NOON))

    assert meter("leases_lost_total") == 0


def test_a_job_that_ended_counts_by_its_reason_each_time_it_ends(
    meter: Meter,
) -> None:
    taken = ownership.finish(Change(a_job()), NOON)
    reopened = ownership.resume(Change(taken.job), NOON)

    meter.sees(taken)
    meter.sees(reopened)
    meter.sees(Change(taken.job))
    meter.sees(ownership.finish(Change(reopened.job), NOON))

    ends = meter("jobs_ended_total", status="partial", reason="finished_by_user")
    assert ends == 2


def test_a_creator_found_counts_and_none_is_taken_back(meter: Meter) -> None:
    job = a_job()

    meter.sees(Change(replace(job, qualified=3), before=job))
    meter.sees(Change(job, before=replace(job, qualified=3)))

    assert meter("creators_total") == 3


@pytest.mark.parametrize(
    ("answer", "gave_up", "outcome"),
    [
        (204, True, "delivered"),
        (500, False, "failed"),
        ("no answer", True, "given_up"),
    ],
)
def test_a_message_counts_by_what_came_of_the_attempt(
    answer: int | str, outcome: str, meter: Meter, *, gave_up: bool
) -> None:
    with meter.observers.during(Send("job-1", "job-1_3", 1)) as act:
        act.answer, act.gave_up = answer, gave_up

    assert meter("webhook_attempts_total", outcome=outcome) == 1
