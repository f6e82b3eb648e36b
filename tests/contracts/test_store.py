"""What every store promises, tried on each of them through the rules of the core."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from builders import A_CREDIT, NOON, a_job, a_page, a_sighting
from fakes.postgres import server
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.adapters.memory import MemoryStore
from headcount.adapters.sql import SqlStore
from headcount.core import lifecycle, ownership, tally
from headcount.core.calls import Call, CallState, Endpoint, Page
from headcount.core.errors import InternalError, JobNotReady, NoSuchJob
from headcount.core.expansion import Expand, Expansion
from headcount.core.filters import Filters
from headcount.core.hashtags import Hashtags
from headcount.core.model import (
    Change,
    Finding,
    Job,
    Known,
    Label,
    Lease,
    Limits,
    Seen,
    Source,
    Status,
)
from headcount.core.selection import Selection
from headcount.core.sighting import Sighting, Verdict
from headcount.ports import Event, FullStore


async def memory(_: Path) -> FullStore:
    return MemoryStore(now=lambda: NOON)


async def sqlite(folder: Path) -> FullStore:
    return await SqlStore.open(f"sqlite:///{folder}/jobs.db", now=lambda: NOON)


async def postgres_16(_: Path) -> FullStore:
    return await SqlStore.open(
        await server(16).database_with_tables(), now=lambda: NOON
    )


async def postgres_18(_: Path) -> FullStore:
    return await SqlStore.open(
        await server(18).database_with_tables(), now=lambda: NOON
    )


Opener = Callable[[Path], Awaitable[FullStore]]
OPENERS: list[Opener] = [memory, sqlite, postgres_16, postgres_18]
EVERY_STORE = pytest.mark.parametrize("opener", OPENERS, ids=lambda o: o.__name__)


class Worker:
    """Runs one job on a store, a page at a time."""

    def __init__(self, store: FullStore, job: Job, token: int) -> None:
        self.store, self.job, self.token = store, job, token

    @classmethod
    async def on(cls, store: FullStore, job: Job) -> "Worker":
        await store.create(job)
        lease = Lease(0, "worker", NOON + timedelta(days=1))
        change = await store.change(
            job.id, lambda job, _: lifecycle.claim(Change(job), lease, NOON)
        )
        return cls(store, change.job, change.job.fence)

    async def hold(self) -> tuple[Call, ...]:
        change = await self.store.change(self.job.id, self._proceed)
        self.job = change.job
        return change.calls

    def _proceed(self, job: Job, _: Known) -> Change:
        return lifecycle.proceed(Change(job), self.token, NOON, room=9, prices=A_CREDIT)

    async def settle(self, call: Call, page: Page) -> Change:
        def rule(job: Job, known: Known) -> Change:
            return tally.settle(Change(job), call.id, page, known, NOON)

        keys = [sighting.key for sighting in page.sightings]
        change = await self.store.change(self.job.id, rule, keys)
        self.job = change.job
        return change

    async def turn(self, page: Page) -> Change:
        """Ask the only source, and let it answer with this page."""
        (call,) = await self.hold()
        page = replace(page, next_cursor=str(self.job.charged + 1))
        return await self.settle(call, page)


def add_one(job: Job, _: Known) -> Change:
    return Change(replace(job, unusable=job.unusable + 1))


def keep(job: Job, _: Known) -> Change:
    return Change(job)


def keys_of(*creators: int) -> list[str]:
    return [a_sighting(creator).key for creator in creators]


async def all_findings(store: FullStore) -> list[tuple[Finding, int]]:
    return [found async for found in store.findings("job-1")]


async def all_delivered(store: FullStore) -> list[tuple[Finding, int]]:
    return [found async for found in store.delivered("job-1")]


async def all_calls(store: FullStore) -> list[Call]:
    return [call async for call in store.calls("job-1")]


async def all_events(store: FullStore, after: int = 0) -> list[Event]:
    return [event async for event in store.events("job-1", after)]


@pytest.fixture
async def store(opener: Opener, tmp_path: Path) -> AsyncIterator[FullStore]:
    opened = await opener(tmp_path)
    yield opened
    await opened.close()


# ---------------------------------------------------------------------------- one job
@EVERY_STORE
async def test_a_job_comes_back_as_it_was_created(store: FullStore) -> None:
    filters = Filters(followers_min=10, posted_within=timedelta(days=30))
    limits = Limits(max_credits=9, deadline=NOON)
    job = a_job("tea", "cake", target=40, filters=filters, limits=limits)

    await store.create(job)

    assert await store.load(job.id) == job


@EVERY_STORE
async def test_an_id_without_a_job_is_refused_by_name(store: FullStore) -> None:
    for act in (store.load("nobody"), store.change("nobody", keep)):
        with pytest.raises(NoSuchJob, match="'nobody'"):
            await act
    with pytest.raises(NoSuchJob, match="'nobody'"):
        await store.delete("nobody")


@EVERY_STORE
async def test_an_id_is_given_once(store: FullStore) -> None:
    await store.create(a_job(target=10))

    with pytest.raises(InternalError):
        await store.create(a_job(target=20))

    assert (await store.load("job-1")).target == 10


@EVERY_STORE
async def test_every_change_is_a_new_version(store: FullStore) -> None:
    await store.create(a_job())

    first = await store.change("job-1", add_one)
    second = await store.change("job-1", add_one)

    assert [first.job.version, second.job.version] == [1, 2]
    assert await store.load("job-1") == second.job


@EVERY_STORE
async def test_a_rule_that_changes_nothing_writes_nothing(store: FullStore) -> None:
    worker = await Worker.on(store, a_job())
    events = await all_events(store)

    change = await store.change("job-1", keep)

    assert change.job == worker.job
    assert await store.load("job-1") == worker.job
    assert await all_events(store) == events


@EVERY_STORE
async def test_a_running_job_comes_back_with_its_open_calls_and_lease(
    store: FullStore,
) -> None:
    worker = await Worker.on(store, a_job("tea", "cake", "jam", target=60))

    held = await worker.hold()

    loaded = await store.load("job-1")
    assert len(held) == 3
    assert loaded.open_calls == held
    assert loaded.lease == Lease(1, "worker", NOON + timedelta(days=1))
    assert loaded == worker.job


@EVERY_STORE
async def test_a_job_comes_back_with_what_it_opened_and_the_hashtags_it_noted(
    store: FullStore,
) -> None:
    allowed = Expansion(Expand.ALL, ("nike",), 0.25)
    job = a_job("tea")
    job = replace(job, search=replace(job.search, expansion=allowed))
    worker = await Worker.on(store, job)
    await worker.turn(a_page([1, 2]))
    opened = Source(
        2,
        "green tea",
        "US",
        endpoint=Endpoint.HASHTAG,
        sweep=2,
        origin='hashtag of "tea"',
        relevance=0.375,
        charged=3,
        credits=4,
    )

    def open_it(job: Job, _: Known) -> Change:
        return Change(replace(job, sources=(*job.sources, opened)), before=job)

    await store.change("job-1", open_it)

    found = await store.load("job-1")
    assert found.search.expansion == allowed
    assert found.source(2) == opened
    assert (found.source(1).charged, found.source(1).credits) == (1, 1)
    assert found.hashtags == Hashtags({"tea": 2}, {"tea": {"tea": 2}})


@EVERY_STORE
async def test_a_deleted_job_leaves_nothing_behind(store: FullStore) -> None:
    worker = await Worker.on(store, a_job())
    await worker.turn(a_page([1, 2, 3]))

    await store.delete("job-1")
    await store.create(a_job())

    assert await store.load("job-1") == a_job()
    assert await all_findings(store) == []
    assert await all_calls(store) == []
    assert await all_events(store) == []


@EVERY_STORE
async def test_what_no_job_has_is_an_empty_list(store: FullStore) -> None:
    assert await all_findings(store) == []
    assert await all_delivered(store) == []
    assert await all_calls(store) == []
    assert await all_events(store) == []


# --------------------------------------------------------------------- all or nothing
@EVERY_STORE
@pytest.mark.parametrize("error", [ValueError("no"), JobNotReady("not now")])
async def test_a_rule_that_raises_writes_nothing(
    store: FullStore, error: Exception
) -> None:
    worker = await Worker.on(store, a_job())

    def fails(job: Job, known: Known) -> Change:
        add_one(job, known)
        raise error

    with pytest.raises(type(error)) as raised:
        await store.change("job-1", fails)

    assert raised.value is error
    assert await store.load("job-1") == worker.job


@EVERY_STORE
async def test_an_ordinal_given_twice_undoes_the_whole_change(
    store: FullStore,
) -> None:
    worker = await Worker.on(store, a_job())
    change = await worker.turn(a_page([1, 2]))
    again = replace(change.findings[0], key=a_sighting(3).key)

    def numbers_twice(job: Job, _: Known) -> Change:
        call = replace(change.calls[0], id=99, number=99)
        job = replace(job, qualified=3)
        return Change(job, calls=(call,), findings=(again,))

    with pytest.raises(InternalError):
        await store.change("job-1", numbers_twice)

    assert await store.load("job-1") == worker.job
    assert len(await all_findings(store)) == 2
    assert [call.id for call in await all_calls(store)] == [1]


@EVERY_STORE
async def test_two_hundred_changes_at_once_lose_none(store: FullStore) -> None:
    await store.create(a_job())

    await asyncio.gather(*(store.change("job-1", add_one) for _ in range(200)))

    job = await store.load("job-1")
    assert (job.unusable, job.version) == (200, 200)


# ---------------------------------------------------------------------- what is known
@EVERY_STORE
async def test_a_rule_is_told_the_verdicts_and_posts_of_its_creators(
    store: FullStore,
) -> None:
    worker = await Worker.on(store, a_job(filters=Filters(followers_min=1_000)))
    weak = a_sighting(2, followers=5)
    await worker.turn(a_page([1, weak, a_sighting(1, video=77), 3]))
    told: dict[str, Seen] = {}

    def look(job: Job, known: Known) -> Change:
        told.update(known)
        return Change(job)

    await store.change("job-1", look, keys_of(1, 2, 4))

    first, second = a_sighting(1), a_sighting(1, video=77)
    assert told == {
        first.key: Seen(
            1,
            Verdict.QUALIFIED,
            frozenset({(1, first.video.id), (1, second.video.id)}),
        ),
        weak.key: Seen(2, Verdict.REJECTED, frozenset({(1, weak.video.id)})),
    }


@EVERY_STORE
async def test_a_rejected_creator_may_qualify_later_and_keeps_their_place(
    store: FullStore,
) -> None:
    worker = await Worker.on(store, a_job(filters=Filters(followers_min=1_000)))
    await worker.turn(a_page([a_sighting(1, followers=5), 2]))

    await worker.turn(a_page([a_sighting(1, video=77)]))

    found = [finding for finding, _ in await all_findings(store)]
    assert [(f.key, f.ordinal, f.reason) for f in found] == [
        (a_sighting(1).key, 2, None),
        (a_sighting(2).key, 1, None),
    ]
    assert found[0].sighting == a_sighting(1, video=77)
    assert (worker.job.qualified, worker.job.rejected) == (2, 0)


# -------------------------------------------------------------------- the long lists
@EVERY_STORE
async def test_what_is_delivered_never_exceeds_the_target(store: FullStore) -> None:
    worker = await Worker.on(store, a_job(target=3))

    await worker.turn(a_page([5, 4, 3, 2, 1]))

    assert [f.ordinal for f, _ in await all_delivered(store)] == [1, 2, 3]
    assert [f.key for f, _ in await all_delivered(store)] == keys_of(5, 4, 3)
    assert len(await all_findings(store)) == 5


@EVERY_STORE
async def test_spares_are_delivered_when_the_target_is_raised(
    store: FullStore,
) -> None:
    worker = await Worker.on(store, a_job(target=3))
    await worker.turn(a_page([5, 4, 3, 2, 1]))
    before = await all_delivered(store)

    await store.change(
        "job-1", lambda job, _: ownership.top_up(Change(job), 4, Limits(), NOON)
    )

    after = await all_delivered(store)
    assert [f.key for f, _ in after] == keys_of(5, 4, 3, 2)
    assert after[:3] == before


@EVERY_STORE
async def test_a_post_shown_by_two_sources_is_one_post(store: FullStore) -> None:
    worker = await Worker.on(store, a_job("tea", "cake", target=60))
    tea, cake = await worker.hold()

    await worker.settle(tea, a_page([1, 2]))
    await worker.settle(cake, a_page([1, a_sighting(1, video=77)]))

    assert [seen_in for _, seen_in in await all_findings(store)] == [2, 1]
    assert [seen_in for _, seen_in in await all_delivered(store)] == [2, 1]


@EVERY_STORE
async def test_creators_come_in_the_order_found_with_what_was_seen(
    store: FullStore,
) -> None:
    worker = await Worker.on(store, a_job(filters=Filters(followers_min=1_000)))
    first = await worker.turn(a_page([9, a_sighting(3, followers=None)]))
    second = await worker.turn(a_page([1, 9]))

    found = [finding for finding, _ in await all_findings(store)]

    assert found == [*first.findings, *second.findings]
    assert [f.verdict.value for f in found] == ["qualified", "rejected", "qualified"]
    assert found[1].reason == "followers_min"


@EVERY_STORE
async def test_the_ledger_lists_open_and_closed_calls_in_the_order_held(
    store: FullStore,
) -> None:
    worker = await Worker.on(store, a_job("tea", "cake", target=60))
    tea, cake = await worker.hold()

    change = await worker.settle(cake, a_page([1, 2], unreadable=1))

    assert await all_calls(store) == [tea, *change.calls]
    assert change.calls[0].state is CallState.SETTLED
    assert (await store.load("job-1")).open_calls == (tea,)


@EVERY_STORE
async def test_events_are_numbered_by_version_and_come_after_a_given_one(
    store: FullStore,
) -> None:
    worker = await Worker.on(store, a_job())
    await worker.turn(a_page([1, 2]))
    await worker.turn(a_page([3, 4]))

    events = await all_events(store)

    assert [(event.id, event.type) for event in events] == [
        (1, "job.processing"),
        (3, "job.progress"),
        (5, "job.progress"),
    ]
    assert [event.data["current"] for event in events] == [0, 2, 4]
    assert {event.at for event in events} == {NOON}
    assert await all_events(store, after=3) == events[2:]


SELECTIONS = [
    (Selection(), ["job-3", "job-2", "job-1", "job-0"]),
    (Selection(owner="ann"), ["job-1", "job-0"]),
    (Selection(owner="ann", campaign="spring"), ["job-1"]),
    (Selection(end_user="u-7"), ["job-2"]),
    (Selection(keyword="jam"), ["job-3", "job-1"]),
    (Selection(status=Status.PAUSED), []),
    (Selection(created_from=NOON + timedelta(hours=1)), ["job-3", "job-2", "job-1"]),
    (Selection(created_to=NOON + timedelta(hours=1)), ["job-0"]),
]


@EVERY_STORE
async def test_jobs_can_be_selected_by_all_that_labels_them(store: FullStore) -> None:
    labels = [
        Label("ann"),
        Label("ann", campaign="spring"),
        Label("bob", end_user="u-7", webhook="https://bob.example/hook"),
        Label("bob"),
    ]
    jobs = []
    for number, label in enumerate(labels):
        words = ["tea", "jam"] if number % 2 else ["tea"]
        at = NOON + timedelta(hours=number)
        job = a_job(*words, id=f"job-{number}", created_at=at, label=label)
        jobs.append(await store.create(job))

    for selection, expected in SELECTIONS:
        listed = [job async for job in store.jobs(selection)]

        assert [job.id for job in listed] == expected
        assert all(job in jobs for job in listed)
        rest = [job.id async for job in store.jobs(selection, after=jobs[1])]
        assert rest == [name for name in expected if name < "job-1"]


@EVERY_STORE
async def test_what_is_due_comes_by_the_time_it_has_been_due(store: FullStore) -> None:
    for number in range(4):
        due = NOON + timedelta(minutes=5 - number) if number else None
        await store.create(replace(a_job(id=f"job-{number}"), due_at=due))
    soon = NOON + timedelta(minutes=3)

    assert await store.due(NOON, 9) == []
    assert await store.due(soon, 9) == ["job-3", "job-2"]
    assert await store.due(soon, 1) == ["job-3"]
    assert await store.due(NOON + timedelta(days=1), 9) == ["job-3", "job-2", "job-1"]


@EVERY_STORE
async def test_a_job_at_work_is_due_when_its_lease_expires(store: FullStore) -> None:
    await Worker.on(store, replace(a_job(), due_at=NOON))

    assert await store.due(NOON + timedelta(hours=23), 9) == []
    assert await store.due(NOON + timedelta(days=1), 9) == ["job-1"]


@EVERY_STORE
async def test_jobs_come_newest_first_and_by_status(store: FullStore) -> None:
    for number in range(5):
        later = NOON + timedelta(minutes=number // 2)
        await store.create(a_job("tea", "jam", id=f"job-{number}", created_at=later))
    running = await Worker.on(store, a_job("tea", "jam", id="job-5", created_at=NOON))
    await running.hold()

    listed = [job async for job in store.jobs()]
    processing = [job async for job in store.jobs(Selection(Status.PROCESSING))]

    names = [job.id for job in listed]
    assert names == ["job-4", "job-3", "job-2", "job-5", "job-1", "job-0"]
    assert processing == [running.job] == [listed[3]]
    assert running.job.open_calls


@EVERY_STORE
async def test_a_list_longer_than_a_batch_comes_whole_and_in_order(
    store: FullStore,
) -> None:
    worker = await Worker.on(store, a_job(target=2_200))
    await worker.turn(a_page(range(2_500, 0, -1)))

    delivered = [f.ordinal for f, _ in await all_delivered(store)]
    found = [f.key for f, _ in await all_findings(store)]

    assert delivered == list(range(1, 2_201))
    assert found == keys_of(*range(2_500, 0, -1))


@EVERY_STORE
async def test_more_jobs_than_a_batch_are_listed_once_each(store: FullStore) -> None:
    jobs = [a_job(id=f"job-{number:04}") for number in range(1_001)]
    for job in jobs:
        await store.create(job)

    listed = [job async for job in store.jobs()]

    assert listed == jobs[::-1]


# ------------------------------------------------------------------------ the counters
creators = st.integers(1, 12)
sightings = st.builds(
    a_sighting,
    creators,
    video=st.integers(1, 20),
    followers=st.sampled_from([None, 5, 1_200]),
)
pages = st.lists(st.lists(sightings, max_size=8), max_size=8)


@EVERY_STORE
@settings(max_examples=25, deadline=None)
@given(pages=pages, target=st.integers(1, 8))
def test_the_counters_equal_a_recount_of_what_is_stored(
    opener: Opener,
    tmp_path_factory: pytest.TempPathFactory,
    pages: list[list[Sighting]],
    target: int,
) -> None:
    async def scenario() -> None:
        store = await opener(tmp_path_factory.mktemp("recount"))
        try:
            await _settle_all(store, pages, target)
            await _assert_recount(store)
        finally:
            await store.close()

    asyncio.run(scenario())


async def _settle_all(
    store: FullStore, pages: list[list[Sighting]], target: int
) -> None:
    filters = Filters(followers_min=1_000)
    worker = await Worker.on(store, a_job(target=target, filters=filters))
    for page in pages:
        for call in await worker.hold():
            await worker.settle(call, a_page(page, next_cursor=str(call.id)))


async def _assert_recount(store: FullStore) -> None:
    job = await store.load("job-1")
    found = [finding for finding, _ in await all_findings(store)]
    delivered = [finding for finding, _ in await all_delivered(store)]
    calls = await all_calls(store)
    verdicts = [finding.verdict for finding in found]
    assert job.qualified == verdicts.count(Verdict.QUALIFIED)
    assert job.rejected == verdicts.count(Verdict.REJECTED)
    assert [f.ordinal for f in delivered] == list(range(1, job.delivered + 1))
    assert len({f.key for f in found}) == len(found)
    assert job.lines == len(calls)
    assert job.charged == sum(call.charged for call in calls)
    assert job.credits == sum(call.credits for call in calls)
    assert job.items == sum(call.items for call in calls)
    assert job.duplicates == sum(call.duplicates for call in calls)
    assert job.rejections == sum(call.rejected for call in calls)
    assert job.open_calls == tuple(c for c in calls if c.state is CallState.OPEN)


# ------------------------------------------------------------------------------ pages
@EVERY_STORE
async def test_a_list_of_creators_goes_on_after_an_ordinal(store: FullStore) -> None:
    worker = await Worker.on(store, a_job(target=4))
    await worker.turn(a_page([1, 2, 3, 4, 5]))

    later = [found.ordinal async for found, _ in store.delivered("job-1", after=2)]

    assert later == [3, 4]
    assert [found async for found in store.delivered("job-1", after=4)] == []


@EVERY_STORE
async def test_a_ledger_goes_on_after_a_call(store: FullStore) -> None:
    worker = await Worker.on(store, a_job(target=9))
    await worker.turn(a_page([1]))
    await worker.turn(a_page([2]))

    calls = await all_calls(store)

    assert [call async for call in store.calls("job-1", after=calls[0].id)] == calls[1:]


@EVERY_STORE
async def test_jobs_are_the_same_in_batches_of_any_size(store: FullStore) -> None:
    for number in range(5):
        await store.create(a_job(id=f"job-{number}"))

    lists = [[job.id async for job in store.jobs(batch=size)] for size in (1, 2, 1_000)]

    assert lists[0] == lists[1] == lists[2]
    assert len(lists[0]) == 5


@EVERY_STORE
async def test_versions_are_told_of_the_jobs_that_exist(store: FullStore) -> None:
    await store.create(a_job())
    await store.create(a_job(id="job-2"))
    change = await store.change("job-1", add_one)

    versions = await store.versions(["job-1", "job-2", "job-3"])

    assert versions == {"job-1": change.job.version, "job-2": 0}
    assert await store.versions([]) == {}
