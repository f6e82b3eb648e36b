"""Allowances are held by the transaction that spends or delivers, on any database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from builders import A_CREDIT, NOON, a_job, a_page
from fakes.databases import postgres_16, postgres_18, sqlite

from headcount.adapters.gates import Gates
from headcount.adapters.service_tables import EVERY_KEY
from headcount.adapters.sql import SqlStore
from headcount.core import lifecycle, ownership, tally
from headcount.core.allowances import EVERYONE, Allowance
from headcount.core.calls import Call
from headcount.core.model import (
    Change,
    Job,
    Known,
    Label,
    Lease,
    Limits,
    Reason,
    Rest,
    Status,
)

ACME = Allowance("acme")
MIDNIGHT = NOON + timedelta(hours=12)
KEYWORDS = ("tea", "mate", "coffee", "cocoa")
PAGE = 25  # creators, all of them new


class Office:
    """A store whose clock stands until it is set, and the jobs of its customers."""

    def __init__(self, store: SqlStore) -> None:
        self.store, self.now = store, NOON
        self._numbers = count(1)

    async def opens(
        self,
        *,
        target: int = 1_000,
        label: Label | None = None,
        limits: Limits | None = None,
        provider: str = "scrapecreators",
    ) -> str:
        """Keep a new job of acme and claim it."""
        name = f"job-{next(self._numbers)}"
        label = label or Label("acme")
        job = a_job(*KEYWORDS, id=name, target=target, label=label, limits=limits)
        job = replace(job, search=replace(job.search, provider=provider))
        await self.store.create(job)
        await self.claim(name)
        return name

    async def claim(self, job_id: str) -> None:
        lease = Lease(0, "worker", self.now + timedelta(days=60))
        await self.does(job_id, lambda c: lifecycle.claim(c, lease, self.now))

    async def does(self, job_id: str, rule: Callable[[Change], Change]) -> Job:
        return (await self.store.change(job_id, lambda job, _: rule(Change(job)))).job

    async def decides(self, job_id: str) -> tuple[Call, ...]:
        """Hold the calls that the job may make now, at a credit each."""

        def rule(job: Job, _: Known) -> Change:
            change = Change(job)
            return lifecycle.proceed(
                change, job.fence, self.now, room=9, prices=A_CREDIT
            )

        return (await self.store.change(job_id, rule)).calls

    async def settles(self, job_id: str, call: Call, *, cost: int = 1) -> Job:
        """Count a page full of creators whom no other page shows."""
        first = (int(job_id.removeprefix("job-")) * 100 + call.id) * 100
        page = replace(
            a_page(range(first, first + PAGE), next_cursor=f"{call.id * 30}"),
            credits=cost,
        )

        def rule(job: Job, known: Known) -> Change:
            return tally.settle(Change(job), call.id, page, known, self.now)

        keys = [sighting.key for sighting in page.sightings]
        return (await self.store.change(job_id, rule, keys)).job

    async def works(self, job_id: str) -> Job:
        """Ask and settle until there is nothing more to ask."""
        while calls := await self.decides(job_id):
            for call in calls:
                await self.settles(job_id, call)
        return await self.store.load(job_id)

    async def used(self, owner: str = "acme") -> tuple[int, int]:
        """The credits of the day and the creators of the month, as written down."""
        [found, *_] = await self.store.allowances.all(self.now, owner=owner)
        return found.credits_used, found.creators_used

    async def recounted(self) -> tuple[int, int]:
        """The same for acme, counted anew from the rows."""
        [found, *_] = await self.store.allowances.all(self.now, owner="acme")
        again = await self.store.allowances.set(found, self.now)
        return again.credits_used, again.creators_used

    async def sets(self, allowance: Allowance) -> None:
        await self.store.allowances.set(allowance, self.now)

    async def charged(self, *job_ids: str) -> int:
        return sum([(await self.store.load(name)).charged for name in job_ids])


@pytest.fixture(
    params=[sqlite, postgres_16, postgres_18], ids=lambda kind: kind.__name__
)
async def office(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Office]:
    """An office on each kind of database."""
    make: Callable[[Path], Awaitable[str]] = request.param
    clock: list[Office] = []

    def now() -> datetime:
        return clock[0].now

    store = await SqlStore.open(await make(tmp_path), now=now)
    clock.append(Office(store))
    yield clock[0]
    await store.close()


async def test_all_jobs_of_an_owner_share_a_days_credits(office: Office) -> None:
    await office.sets(replace(ACME, credits_per_day=7))
    first, second = await office.opens(target=100), await office.opens()

    done, resting = await office.works(first), await office.works(second)

    assert (done.status, done.charged) == (Status.COMPLETED, 4)
    assert (resting.status, resting.charged) == (Status.PROCESSING, 3)
    assert resting.rest is not None
    assert resting.rest.until == MIDNIGHT
    assert resting.rest.reason == ("the 7 credits a day of owner 'acme' are used up")
    assert await office.used() == (7, 175)


async def test_a_job_that_rested_goes_on_the_next_day(office: Office) -> None:
    await office.sets(replace(ACME, credits_per_day=3))
    job_id = await office.opens(target=100)
    await office.works(job_id)

    office.now = MIDNIGHT
    job = await office.works(job_id)

    assert (job.status, job.delivered, job.charged) == (Status.COMPLETED, 100, 4)
    assert job.rest is None
    assert await office.used() == (1, 100)


async def test_whoever_asks_first_has_the_credits_that_all_share(
    office: Office,
) -> None:
    await office.sets(Allowance(EVERYONE, credits_per_day=5))
    jobs = [await office.opens(label=Label(name)) for name in ("acme", "b", "c")]

    for name in jobs:
        await office.works(name)

    assert await office.charged(*jobs) == 5
    assert (await office.used(EVERYONE))[0] == 5


async def test_jobs_at_once_never_spend_more_than_a_day_allows(office: Office) -> None:
    await office.sets(replace(ACME, credits_per_day=13))
    jobs = [await office.opens() for _ in range(8)]

    await asyncio.gather(*(office.works(name) for name in jobs))

    assert await office.charged(*jobs) == 13
    assert await office.used() == (13, 13 * PAGE)


async def test_jobs_at_once_never_deliver_more_than_a_month_allows(
    office: Office,
) -> None:
    await office.sets(replace(ACME, creators_per_month=310))
    jobs = [await office.opens(target=90) for _ in range(5)]

    ended = await asyncio.gather(*(office.works(name) for name in jobs))

    assert sum(job.delivered for job in ended) == 310
    assert (await office.used())[1] == 310
    assert all(job.status.ended for job in ended)


async def test_a_credit_that_was_held_and_not_charged_may_be_spent_again(
    office: Office,
) -> None:
    await office.sets(replace(ACME, credits_per_day=1))
    job_id = await office.opens()

    [call] = await office.decides(job_id)
    assert await office.used() == (1, 0)
    await office.settles(job_id, call, cost=0)

    assert (await office.used())[0] == 0
    assert len(await office.decides(job_id)) == 1


async def test_what_yesterdays_call_did_not_cost_is_not_given_to_today(
    office: Office,
) -> None:
    await office.sets(replace(ACME, credits_per_day=2))
    job_id = await office.opens()
    [call, _] = await office.decides(job_id)

    office.now = MIDNIGHT
    await office.settles(job_id, call, cost=0)

    assert (await office.used())[0] == 0
    assert len(await office.decides(job_id)) == 2


async def test_a_job_ends_short_where_the_month_is_used_up_and_keeps_its_spares(
    office: Office,
) -> None:
    ada = Label("acme", end_user="ada")
    await office.sets(replace(ACME, end_user="ada", creators_per_month=40))
    job_id = await office.opens(target=100, label=ada)

    job = await office.works(job_id)

    assert (job.status, job.delivered, job.spares) == (Status.PARTIAL, 40, 10)
    assert job.outcome is not None
    assert (job.outcome.reason, job.outcome.short_by) == (Reason.BUDGET, 60)
    assert job.outcome.detail == (
        "the 40 creators a month of owner 'acme', end user 'ada' are used up"
    )
    delivered = [found.ordinal async for found, _ in office.store.delivered(job_id)]
    assert delivered == list(range(1, 41))


async def test_another_user_of_the_owner_is_not_held_up(office: Office) -> None:
    await office.sets(replace(ACME, end_user="ada", creators_per_month=40))
    job_id = await office.opens(target=60, label=Label("acme", end_user="eve"))

    job = await office.works(job_id)

    assert (job.status, job.delivered) == (Status.COMPLETED, 60)


async def test_a_new_month_delivers_the_spares_before_any_new_call(
    office: Office,
) -> None:
    await office.sets(replace(ACME, creators_per_month=40))
    job_id = await office.opens(target=50)
    await office.works(job_id)

    office.now = NOON + timedelta(days=30)
    await office.does(job_id, lambda c: ownership.resume(c, office.now))
    await office.claim(job_id)
    job = await office.works(job_id)

    assert (job.status, job.delivered, job.charged) == (Status.COMPLETED, 50, 2)
    assert (await office.used())[1] == 10


async def test_what_was_used_before_an_allowance_was_set_is_counted(
    office: Office,
) -> None:
    job_id = await office.opens(target=60)
    await office.works(job_id)
    await office.opens(target=60, provider="sandbox/7")
    await office.decides(await office.opens(target=20))  # a call is out

    await office.sets(replace(ACME, credits_per_day=10, creators_per_month=100))

    assert await office.used() == (3 + 1, 60)


async def test_what_is_written_down_equals_a_recount(office: Office) -> None:
    await office.sets(replace(ACME, credits_per_day=9, creators_per_month=140))
    for target in (30, 70, 90):
        await office.works(await office.opens(target=target))

    written = await office.used()

    assert written == await office.recounted()
    assert written[1] == 140


async def test_a_job_of_the_sandbox_uses_nothing(office: Office) -> None:
    await office.sets(replace(ACME, credits_per_day=1, creators_per_month=1))
    job_id = await office.opens(target=60, provider="sandbox/7")

    job = await office.works(job_id)

    assert (job.status, await office.used()) == (Status.COMPLETED, (0, 0))


async def test_an_allowance_that_limits_nothing_is_removed(office: Office) -> None:
    await office.sets(replace(ACME, credits_per_day=1))
    job_id = await office.opens(target=60)
    await office.works(job_id)

    await office.sets(ACME)
    job = await office.works(job_id)

    assert await office.store.allowances.all(office.now) == []
    assert (job.status, job.delivered) == (Status.COMPLETED, 60)


async def test_a_job_that_rests_is_looked_at_when_more_is_allowed(
    office: Office,
) -> None:
    await office.sets(replace(ACME, credits_per_day=1))
    job_id = await office.opens(target=60)
    resting = await office.works(job_id)
    token = resting.fence
    await office.does(
        job_id,
        lambda c: lifecycle.release(c, token, office.now, due_at=MIDNIGHT),
    )

    await office.sets(replace(ACME, credits_per_day=5))
    nudged = await office.does(job_id, lambda c: ownership.nudge(c, office.now))

    assert (nudged.rest, nudged.due_at) == (None, office.now)
    await office.claim(job_id)
    assert (await office.works(job_id)).delivered == 60


async def test_allowances_are_listed_by_owner(office: Office) -> None:
    await office.sets(Allowance(EVERYONE, credits_per_day=9))
    await office.sets(replace(ACME, creators_per_month=8))
    await office.sets(replace(ACME, end_user="ada", credits_per_day=7))

    every = await office.store.allowances.all(office.now)
    theirs = await office.store.allowances.all(office.now, owner="acme")

    assert [found.holder for found in every] == [
        "all owners together",
        "owner 'acme'",
        "owner 'acme', end user 'ada'",
    ]
    assert theirs == every[1:]


async def test_no_call_is_decided_on_once_all_calls_are_stopped(office: Office) -> None:
    job_id = await office.opens(target=60, provider="sandbox/7")
    switch = Gates(office.store.database, worker="an operator")

    await switch.close(EVERY_KEY, "the bill", office.now)
    stopped = await office.works(job_id)
    await switch.open(EVERY_KEY)
    done = await office.works(job_id)

    assert stopped.charged == 0
    assert stopped.rest == Rest(
        office.now + timedelta(seconds=30), "all calls are stopped (the bill)"
    )
    assert (done.delivered, done.rest) == (60, None)
