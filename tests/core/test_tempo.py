"""How fast a job goes is told by the time in which it was worked on."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from builders import A_CREDIT, NOON, a_job, a_page
from hypothesis import given
from hypothesis import strategies as st

from headcount.core import lifecycle, tally
from headcount.core.calls import Call, CallState, Failure, FailureKind
from headcount.core.model import Change, Job, Lease, Limits, Speed
from headcount.core.tempo import Tempo, adds, answered, begun, doubt, took

LEASE = Lease(0, "worker", NOON + timedelta(days=1))


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def a_call(opened: float = 0, state: CallState = CallState.SETTLED) -> Call:
    return Call(1, 1, "0", 1, after(opened), state=state)


def back(tempo: Tempo, *calls: tuple[float, float]) -> Tempo:
    """The tempo after calls that went out and came back at these seconds."""
    for opened, closed in calls:
        found = answered(tempo, a_call(opened), after(closed))
        assert found
        tempo = found
    return tempo


def out(*opened: float) -> list[Call]:
    return [a_call(seconds, CallState.OPEN) for seconds in opened]


START = Tempo(NOON)


def test_one_call_at_a_time_adds_what_it_takes() -> None:
    tempo = back(START, (0, 2), (2, 4), (4, 6))

    assert (took(tempo), adds(tempo, out(6))) == (2.0, 2.0)


def test_four_calls_at_once_add_a_quarter_from_the_first_answer_on() -> None:
    first = back(START, (0, 2))
    all_of_them = back(START, *[(0, 2)] * 4)

    assert adds(first, out(0, 0, 0, 2)) == 0.5
    assert adds(all_of_them, out(2, 2, 2, 2)) == 0.5
    assert took(first) == took(all_of_them) == 2.0


def test_a_pause_between_calls_adds_to_each() -> None:
    tempo = back(START, (0, 1), (3, 4), (6, 7), (9, 10))

    assert (took(tempo), adds(tempo, out(12))) == (1.0, 2.5)


def test_the_time_in_which_nobody_works_on_the_job_does_not_count() -> None:
    worked = back(START, (0, 2))
    again = back(begun(worked, after(3_600)), (3_600, 3_602))

    assert (again.calls, adds(again, ())) == (2, 2.0)


def test_an_answer_that_cost_nothing_adds_its_time_to_the_others() -> None:
    refused = answered(START, a_call(state=CallState.REFUSED), after(1))
    assert refused

    tempo = back(refused, (1, 3))

    assert (tempo.calls, took(tempo), adds(tempo, ())) == (1, 3.0, 3.0)


def test_what_nobody_waits_for_any_more_tells_nothing() -> None:
    worked = back(START, (0, 2))

    assert answered(worked, a_call(2, CallState.LOST), after(60)) is worked
    assert answered(None, a_call(), after(1)) is None


def test_a_clock_that_is_behind_takes_no_time_away() -> None:
    worked = back(START, (0, 2))

    late = back(worked, (1, 1.5))

    assert (late.until, late.worked_ms) == (after(2), 2_000)


def test_before_an_answer_nothing_is_known() -> None:
    assert (took(START), adds(START, out(0))) == (0.0, 0.0)


def test_answers_that_took_no_time_add_none() -> None:
    tempo = back(START, (0, 0), (0, 0))

    assert (took(tempo), adds(tempo, out(0))) == (0.0, 0.0)


def test_the_more_calls_came_back_the_less_is_in_doubt() -> None:
    doubts = [doubt(replace(START, calls=calls)) for calls in (0, 1, 4, 36)]

    assert doubts == [0.5, 0.5, 0.3, pytest.approx(0.1)]


@given(
    st.integers(1, 12),
    st.lists(st.floats(0.1, 9), min_size=1, max_size=40),
)
def test_a_full_house_adds_a_call_for_each_part_of_the_time(
    at_once: int, times: list[float]
) -> None:
    """With always as many out, calls add the mean time over that number, in the end."""
    lines, tempo = [0.0] * at_once, START
    closed: list[tuple[float, float]] = []
    for takes in times * at_once:
        line = lines.index(min(lines))
        closed.append((lines[line], lines[line] + takes))
        lines[line] += takes
    end = min(lines)
    came = sorted((c for c in closed if c[1] <= end), key=lambda c: c[1])
    tempo = back(tempo, *came)
    left = out(*(opened for opened, back_at in closed if back_at > end))

    assert adds(tempo, left) == pytest.approx(took(tempo) / at_once, rel=0.02)


# ------------------------------------------------------------------------- in a job
def worked_on(*, late: float = 0.0) -> Job:
    """A job that asked two keywords at once, and had an answer after two seconds."""
    job = a_job("tea", "mate", target=500, limits=Limits(speed=Speed.FAST))
    change = lifecycle.claim(Change(job), LEASE, NOON)
    change = lifecycle.proceed(change, 1, NOON, room=2, prices=A_CREDIT)
    return tally.settle(change, 1, a_page(range(25)), {}, after(2 + late)).job


def test_a_job_measures_from_its_claim_to_the_last_answer() -> None:
    assert worked_on().tempo == Tempo(after(2), 1, 2_000, 2_000)


def test_a_failed_call_is_an_answer_too() -> None:
    failure = Failure(FailureKind.UNAVAILABLE, "no answer")

    job = tally.fail(Change(worked_on()), 2, failure, 0.5, after(3)).job

    assert job.tempo == Tempo(after(3), 2, 3_000, 5_000)


def test_a_crash_leaves_the_pace_as_it_was_measured() -> None:
    job = worked_on()

    again = lifecycle.claim(Change(replace(job, lease=None)), LEASE, after(900)).job

    assert job.tempo
    assert again.tempo == replace(job.tempo, until=after(900))
