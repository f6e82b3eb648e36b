"""What an owner may use in a day and a month, and what a change takes of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from builders import NOON, a_job

from headcount.core.allowances import (
    EVERYONE,
    Allowance,
    Taken,
    concerns,
    granted,
    taken,
    tomorrow,
)
from headcount.core.calls import Call, CallState
from headcount.core.model import NO_LIMIT, Change, Grant, Job, Label

MIDNIGHT = datetime(2026, 3, 15, tzinfo=UTC)
ACME = Allowance("acme", day="2026-03-14", month="2026-03")


def of_acme(*, end_user: str | None = None) -> Job:
    return a_job(label=Label("acme", end_user=end_user))


def test_a_job_takes_from_everyone_its_owner_and_the_owners_user() -> None:
    assert concerns(of_acme()) == [(EVERYONE, ""), ("acme", "")]
    assert concerns(of_acme(end_user="ada")) == [
        (EVERYONE, ""),
        ("acme", ""),
        ("acme", "ada"),
    ]


def test_a_job_of_the_sandbox_takes_nothing() -> None:
    job = of_acme()
    trial = replace(job, search=replace(job.search, provider="sandbox/7"))

    assert concerns(trial) == []


def test_without_allowances_a_job_is_left_as_it_is() -> None:
    job = of_acme()

    assert granted(job, [], NOON) is job


def test_what_is_left_of_a_day_is_added_to_what_a_job_has_spent_and_holds() -> None:
    job = replace(
        of_acme(), credits=4, open_calls=(Call(1, 1, "0", held=2, opened_at=NOON),)
    )
    allowance = replace(ACME, credits_per_day=10, credits_used=7)

    assert granted(job, [allowance], NOON).grant == Grant(
        credits=4 + 2 + 3,
        renews_at=MIDNIGHT,
        daily="the 10 credits a day of owner 'acme' are used up",
    )


def test_what_is_left_of_a_month_is_added_to_what_a_job_has_delivered() -> None:
    job = replace(of_acme(), qualified=6)
    allowance = replace(ACME, creators_per_month=100, creators_used=97)

    limited = granted(job, [allowance], NOON)

    assert limited.entitled == 6 + 3
    assert (limited.grant.credits, limited.grant.renews_at) == (None, None)
    assert limited.grant.monthly == (
        "the 100 creators a month of owner 'acme' are used up"
    )


@pytest.mark.parametrize("used", [10, 11, 400])
def test_nothing_is_left_where_more_was_used_than_is_allowed_by_now(used: int) -> None:
    allowance = replace(
        ACME,
        credits_per_day=10,
        credits_used=used,
        creators_per_month=10,
        creators_used=used,
    )

    limited = granted(replace(of_acme(), credits=3, qualified=5), [allowance], NOON)

    assert (limited.grant.credits, limited.entitled) == (3, 5)


def test_the_tightest_of_several_allowances_holds() -> None:
    allowances = [
        Allowance(EVERYONE, credits_per_day=50, creators_per_month=5),
        replace(ACME, credits_per_day=40, creators_per_month=90),
        replace(ACME, end_user="ada", creators_per_month=80),
    ]

    limited = granted(of_acme(end_user="ada"), allowances, NOON)

    assert (limited.grant.credits, limited.entitled) == (40, 5)
    assert limited.grant.daily.endswith("owner 'acme' are used up")
    assert limited.grant.monthly.endswith("all owners together are used up")


def test_an_end_user_is_named_with_the_owner() -> None:
    assert replace(ACME, end_user="ada").holder == "owner 'acme', end user 'ada'"


def test_an_allowance_that_is_gone_limits_no_more() -> None:
    limited = granted(of_acme(), [replace(ACME, creators_per_month=1)], NOON)

    free = granted(replace(limited, qualified=5), [], NOON)

    assert (free.entitled, free.grant, free.delivered) == (None, NO_LIMIT, 5)


def test_an_allowance_that_sets_no_limit_limits_nothing() -> None:
    limited = granted(of_acme(), [ACME], NOON)

    assert (limited.entitled, limited.grant) == (None, NO_LIMIT)


@pytest.mark.parametrize(
    ("hours", "used"), [(0, (7, 70)), (11, (7, 70)), (12, (0, 70)), (24 * 18, (0, 0))]
)
def test_a_new_day_and_a_new_month_begin_with_nothing_used(
    hours: int, used: tuple[int, int]
) -> None:
    allowance = replace(ACME, credits_used=7, creators_used=70)

    later = allowance.at(NOON + timedelta(hours=hours))

    assert (later.credits_used, later.creators_used) == used


def test_days_are_those_of_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    early = datetime(2026, 3, 15, 8, 0, tzinfo=tokyo)  # still the 14th in UTC

    assert ACME.at(early) == ACME
    assert tomorrow(early) == MIDNIGHT


def test_a_day_that_has_begun_for_another_machine_has_begun_for_all() -> None:
    ahead = replace(ACME, day="2026-03-15", credits_used=7, month="2026-04")

    seen = ahead.at(NOON)

    assert (seen.day, seen.credits_used, seen.month) == ("2026-03-15", 7, "2026-04")


def test_nothing_may_be_spent_where_all_calls_are_stopped() -> None:
    job = replace(of_acme(), credits=4)
    allowance = replace(ACME, credits_per_day=10, creators_per_month=20)

    stopped = granted(job, [allowance], NOON, stop="the bill")

    assert stopped.grant == Grant(
        credits=4,
        renews_at=NOON + timedelta(seconds=30),
        daily="all calls are stopped (the bill)",
        monthly="the 20 creators a month of owner 'acme' are used up",
    )
    assert stopped.entitled == 20
    assert granted(stopped, [], NOON).grant == NO_LIMIT


# ---------------------------------------------------------------------- what is taken
def a_call(*, opened_at: datetime = NOON, closed: int | None = None) -> Call:
    call = Call(1, 1, "0", held=3, opened_at=opened_at)
    if closed is None:
        return call
    return replace(call, state=CallState.SETTLED, credits=closed, closed_at=NOON)


YESTERDAY = NOON - timedelta(hours=13)


@pytest.mark.parametrize(
    ("calls", "cost"),
    [
        ([], 0),
        ([a_call()], 3),
        ([a_call(), a_call()], 6),
        ([a_call(closed=3)], 0),
        ([a_call(closed=1)], -2),
        ([a_call(closed=5)], 2),
        ([a_call(closed=0), a_call()], 0),
        ([a_call(opened_at=YESTERDAY, closed=0)], 0),
    ],
)
def test_a_change_takes_what_it_holds_and_gives_back_what_was_not_charged(
    calls: list[Call], cost: int
) -> None:
    job = of_acme()

    assert taken(job, Change(job, calls=tuple(calls)), NOON) == Taken(cost, 0)


def test_a_change_takes_the_creators_that_it_delivers_and_not_the_spares() -> None:
    before = replace(a_job(target=10), qualified=4)
    after = replace(before, qualified=25)

    assert taken(before, Change(after), NOON) == Taken(0, 6)


def test_spares_that_a_new_month_lets_a_job_deliver_are_taken_then() -> None:
    before = replace(a_job(target=10), qualified=8, entitled=3)
    freed = granted(before, [replace(ACME, creators_per_month=100)], NOON)

    assert taken(before, Change(freed), NOON) == Taken(0, 5)


def test_what_is_taken_is_used() -> None:
    allowance = replace(ACME, credits_used=7, creators_used=70)

    used = allowance.less(Taken(3, 20))

    assert (used.credits_used, used.creators_used) == (10, 90)
