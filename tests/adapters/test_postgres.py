"""What only a server can get wrong: schemas, roles, restarts, deadlocks, poolers."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import httpx2
import pytest
from builders import A_CREDIT, NOON, a_job, a_page
from engine.stage import Stage, names
from fakes.clock import START, FakeClock
from fakes.pooler import pooled
from fakes.postgres import Server, server
from fakes.provider import FakeProvider
from fakes.tiktok import author, page, post, raw
from sqlalchemy import Connection, make_url, text

from headcount.adapters import schema
from headcount.adapters.http import open_client
from headcount.adapters.postgres import Postgres
from headcount.adapters.providers.scrapecreators import ScrapeCreators
from headcount.adapters.sql import SqlStore, open_database
from headcount.core import lifecycle, tally
from headcount.core.calls import Call
from headcount.core.errors import (
    InvalidSetting,
    StoreBusy,
    StoreError,
    StoreTooNew,
)
from headcount.core.model import Change, Job, Known, Lease, Status

SECRET = "s3cret"  # noqa: S105 - invented, and looked for in messages


@pytest.fixture
def here() -> Server:
    return server(18)


@pytest.fixture
async def url(here: Server) -> str:
    return await here.database_with_tables()


@pytest.fixture
async def stores(url: str) -> AsyncIterator[tuple[SqlStore, SqlStore]]:
    """Two processes that have the same database open."""
    both = await SqlStore.open(url), await SqlStore.open(url)
    yield both
    for store in both:
        await store.close()


def add_one(job: Job, _: Known) -> Change:
    return Change(replace(job, unusable=job.unusable + 1))


def name_of(url: str) -> str:
    return str(make_url(url).database)


def connected(here: Server, url: str) -> list[tuple[str, int, str]]:
    """Which processes of the server work for the program on a database."""
    found = here.ask("SELECT datname, pid, application_name FROM pg_stat_activity")
    return [row for row in found if row[0] == name_of(url) and row[2] == "headcount"]


# --------------------------------------------------------------- a schema of our own
_FOREIGN = """
SELECT n.nspname, c.relname, c.relkind, c.oid, c.relfilenode FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('headcount', 'pg_toast') ORDER BY 1, 2
"""


async def test_a_customers_tables_of_the_same_names_stay_untouched(
    here: Server,
) -> None:
    url = here.empty_database()
    here.ask("CREATE TABLE public.jobs (id text)", url)
    here.ask("CREATE TABLE public.alembic_version (version_num text)", url)
    here.ask("INSERT INTO public.alembic_version VALUES ('theirs')", url)
    before = here.ask(_FOREIGN, url)

    database = open_database(url)
    await schema.upgrade(database)
    store = SqlStore(database, now=lambda: NOON)
    await store.create(a_job())
    await store.change("job-1", add_one)
    await store.close()

    assert here.ask(_FOREIGN, url) == before
    assert here.ask("SELECT * FROM public.jobs", url) == []
    assert here.ask("SELECT * FROM public.alembic_version", url) == [("theirs",)]


async def test_where_the_role_looks_for_tables_does_not_matter(
    here: Server, url: str
) -> None:
    here.ask(f"ALTER DATABASE {name_of(url)} SET search_path TO elsewhere, public")
    here.ask("CREATE TABLE public.jobs (id text)", url)

    store = await SqlStore.open(url)
    await store.create(a_job())

    assert [job.id async for job in store.jobs()] == ["job-1"]
    assert here.ask("SELECT id FROM headcount.jobs", url) == [("job-1",)]
    await store.close()


async def test_a_schema_of_another_program_is_left_alone(here: Server) -> None:
    url = here.empty_database()
    here.ask("CREATE SCHEMA headcount CREATE TABLE guests (name text)", url)
    database = open_database(url)

    with pytest.raises(StoreError, match=r"schema headcount .* another program"):
        await schema.upgrade(database)

    assert here.ask("SELECT * FROM headcount.guests", url) == []
    await database.close()


async def test_a_role_that_owns_the_schema_needs_no_right_to_make_one(
    here: Server,
) -> None:
    url = here.empty_database()
    here.ask("CREATE ROLE tenant LOGIN")
    here.ask("CREATE SCHEMA headcount AUTHORIZATION tenant", url)
    database = open_database(here.url(name_of(url), "tenant"))

    await schema.upgrade(database)

    await schema.ready(database)
    await database.close()


async def test_a_database_of_a_later_version_is_left_alone(
    here: Server, url: str
) -> None:
    here.ask("UPDATE headcount.alembic_version SET version_num = '9999'", url)

    with pytest.raises(StoreTooNew, match="uv tool upgrade headcount"):
        await SqlStore.open(url)
    database = open_database(url)
    with pytest.raises(StoreTooNew):
        await schema.upgrade(database)
    await database.close()


# ------------------------------------------------------------------- what goes wrong
@pytest.fixture
def guarded(here: Server, url: str) -> str:
    """The name of a database to which a role has access by its password."""
    here.ask("DROP ROLE IF EXISTS guarded")
    here.ask(f"CREATE ROLE guarded LOGIN PASSWORD '{SECRET}'")
    return name_of(url)


REFUSALS = [
    ("guarded:wrong" + SECRET, "{}", StoreError, "refuses the user or the password"),
    ("ghost:" + SECRET, "{}", StoreError, "refuses the user or the password"),
    ("postgres:" + SECRET, "nowhere", StoreError, "has no such database"),
    ("guarded:" + SECRET, "{}", StoreError, "the user may not do this"),
    ("postgres:" + SECRET, "{}&sslmode=odd", InvalidSetting, "invalid sslmode"),
    ("postgres:" + SECRET, "{}&schema=public", InvalidSetting, "option .schema"),
]


@pytest.mark.parametrize(("user", "place", "kind", "told"), REFUSALS)
async def test_a_refusal_says_what_to_look_at_and_never_the_password(
    here: Server, guarded: str, user: str, place: str, kind: type[Exception], told: str
) -> None:
    name, _, option = place.format(guarded).partition("&")
    url = here.url(name, user) + (f"&{option}" if option else "")

    with pytest.raises(kind, match=told) as refused:
        await SqlStore.open(url)

    assert type(refused.value) is kind
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:1/jobs", "/jobs?host=/nowhere", "no.such.invalid/jobs"]
)
async def test_a_server_that_is_not_there_may_come_back(address: str) -> None:
    with pytest.raises(StoreBusy, match="is the server running") as refused:
        await SqlStore.open(f"postgresql://me:{SECRET}@{address}")

    assert SECRET not in str(refused.value)


async def test_a_server_that_takes_no_changes_says_so(here: Server, url: str) -> None:
    here.ask(f"ALTER DATABASE {name_of(url)} SET default_transaction_read_only = on")
    store = await SqlStore.open(url)

    with pytest.raises(StoreError, match="takes no changes: is it a replica"):
        await store.create(a_job())

    await store.close()


async def test_a_server_that_restarts_in_the_middle_loses_nothing(
    here: Server, stores: tuple[SqlStore, SqlStore]
) -> None:
    job, calls = await a_hundred_calls(stores[0])
    is_back = asyncio.Event()

    async def restart() -> None:
        await asyncio.to_thread(here.control, "restart", "-m", "fast")
        is_back.set()

    async def insist(call: Call) -> None:
        """Settle as the engine does: again where the store was busy."""
        try:
            await settle(stores[call.id % 2], job.id, call)
        except StoreBusy:
            await is_back.wait()
            await settle(stores[call.id % 2], job.id, call)

    await asyncio.gather(
        *(insist(call) for call in calls[:50]),
        restart(),
        *(insist(call) for call in calls[50:]),
    )

    await all_is_counted_once(stores[0], job.id)


async def test_after_a_restart_nobody_notices_that_the_connections_died(
    here: Server, url: str
) -> None:
    store = await SqlStore.open(url)
    await store.create(a_job())
    await asyncio.gather(*(store.change("job-1", add_one) for _ in range(20)))

    here.control("restart", "-m", "fast")
    await asyncio.gather(*(store.change("job-1", add_one) for _ in range(20)))

    assert (await store.load("job-1")).unusable == 40
    await store.close()


async def test_a_server_that_is_down_is_busy_and_free_again_later(
    here: Server, url: str
) -> None:
    store = await SqlStore.open(url)
    await store.create(a_job())
    here.control("stop", "-m", "fast")
    try:
        with pytest.raises(StoreBusy, match="cannot be reached at the moment"):
            await store.change("job-1", add_one)
    finally:
        here.start()

    assert (await store.change("job-1", add_one)).job.unusable == 1
    await store.close()


# --------------------------------------------------------------------- many at once
async def test_two_that_lock_each_other_out_both_get_through(
    stores: tuple[SqlStore, SqlStore],
) -> None:
    for name in ("job-1", "job-2"):
        await stores[0].create(a_job(id=name))
    both_have_one = Barrier(2, timeout=10)
    tries: list[str] = []

    def work(connection: Connection, first: str, second: str) -> None:
        tries.append(first)
        connection.execute(text("SET LOCAL deadlock_timeout = '10ms'"))
        connection.execute(_TOUCH, {"id": first})
        if len(tries) <= 2:
            both_have_one.wait()
        connection.execute(_TOUCH, {"id": second})

    await asyncio.gather(
        stores[0].database.write(lambda c: work(c, "job-1", "job-2")),
        stores[1].database.write(lambda c: work(c, "job-2", "job-1")),
    )

    assert len(tries) == 3
    assert [(await stores[0].load(f"job-{n}")).unusable for n in (1, 2)] == [2, 2]


_TOUCH = text("UPDATE headcount.jobs SET unusable = unusable + 1 WHERE id = :id")


@pytest.mark.parametrize("isolation", ["read committed", "serializable"])
async def test_a_hundred_settles_at_once_lose_nothing_and_never_deliver_too_many(
    here: Server, url: str, isolation: str
) -> None:
    name = name_of(url)
    here.ask(f"ALTER DATABASE {name} SET default_transaction_isolation='{isolation}'")
    stores = [await SqlStore.open(url) for _ in range(2)]
    job, calls = await a_hundred_calls(stores[0])

    await asyncio.gather(*(settle(stores[c.id % 2], job.id, c) for c in calls))

    for store in stores:
        await all_is_counted_once(store, job.id)
        await store.close()


async def settle(store: SqlStore, job_id: str, call: Call) -> None:
    """Let a call bring twenty creators, of whom the next call knows half."""
    answer = a_page(range(call.id * 10, call.id * 10 + 20))

    def rule(job: Job, known: Known) -> Change:
        return tally.settle(Change(job), call.id, answer, known, NOON)

    await store.change(job_id, rule, [sighting.key for sighting in answer.sightings])


async def all_is_counted_once(store: SqlStore, job_id: str) -> None:
    """The pages of a hundred calls have shown 1,010 creators, and 700 are asked."""
    job = await store.load(job_id)
    found = [finding async for finding, _ in store.findings(job_id)]
    assert (job.pages, job.items, job.open_calls) == (100, 2_000, ())
    assert (job.delivered, job.qualified) == (700, 1_010)
    assert [finding.number for finding in found] == list(range(1, 1_011))
    assert sorted(f.ordinal or 0 for f in found) == list(range(1, 1_011))
    assert len({finding.key for finding in found}) == 1_010
    delivered = [finding.ordinal async for finding, _ in store.delivered(job_id)]
    assert delivered == list(range(1, 701))


async def a_hundred_calls(store: SqlStore) -> tuple[Job, tuple[Call, ...]]:
    """A job for 700 creators that has a call out for each of its keywords."""
    job = a_job(*(f"word {number}" for number in range(100)), target=700)
    await store.create(job)
    lease = Lease(0, "worker", NOON + timedelta(days=1))
    claimed = await store.change(
        job.id, lambda job, _: lifecycle.claim(Change(job), lease, NOON)
    )

    def hold(job: Job, _: Known) -> Change:
        return lifecycle._hold(Change(job), job.sources, A_CREDIT, NOON)

    held = await store.change(job.id, hold)
    assert held.job.fence == claimed.job.fence
    return held.job, held.calls


# -------------------------------------------------------------------------- a pooler
@pytest.fixture
def pool(here: Server, url: str) -> Iterator[str]:
    """The same database, with a PgBouncer in between."""
    with ExitStack() as stack:
        yield stack.enter_context(pooled(here, url))


async def test_whole_jobs_pass_through_a_pooler(pool: str) -> None:
    stores = [await SqlStore.open(pool, now=lambda: START) for _ in range(2)]
    words = {
        word: [names(word, 1 + 20 * n, 30 + 20 * n) for n in range(4)]
        for word in ("tea", "mate", "jam")
    }
    stages = []
    for number in range(10):
        clock = FakeClock()
        stage = Stage(FakeProvider(words), clock=clock, rows=stores[number % 2])
        stages.append(await stage.opens(a_job(*words, id=f"job-{number}", target=200)))

    jobs = await asyncio.gather(*(stage.advance() for stage in stages))

    assert {job.status for job in jobs} == {Status.COMPLETED}
    for stage in stages:
        delivered = await stage.delivered()
        assert len(delivered) == len(set(delivered)) == 200
        calls = await stage.calls()
        assert sum(call.new for call in calls) == (await stage.job()).qualified
    for store in stores:
        await store.close()


async def test_a_pooler_gives_each_transaction_another_connection(
    here: Server, url: str, pool: str
) -> None:
    store = await SqlStore.open(pool)
    await store.create(a_job())

    await asyncio.gather(*(store.change("job-1", add_one) for _ in range(100)))

    assert (await store.load("job-1")).unusable == 100
    assert 1 <= len(connected(here, url)) <= 3
    await store.close()


# ---------------------------------------------------------- what no database can hold
class Garbling:
    """Answers with NUL and half surrogates in every text, and absurd numbers."""

    def __init__(self) -> None:
        self._failures = [500]

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        number = int(request.url.params.get("cursor") or 0) // 30
        if number == 1 and self._failures:
            told = {
                "success": False,
                "message": "no\0 \ud800 luck",
                "credits_charged": -1,
            }
            content = json.dumps(told).encode()
            return httpx2.Response(self._failures.pop(), content=content)
        odd = author(number, nickname="n\0\ud800", unique_id="u\0", signature="\0")
        found = post(number, author=odd, desc="a\0b #\0tag", aweme_id=f"{number}\0")
        answer = page(found, credits_charged=2**62, cursor=number * 30 + 30)
        return httpx2.Response(200, content=raw(answer))


@pytest.mark.parametrize("kind", ["postgres", "sqlite"])
async def test_what_a_garbling_provider_says_can_be_kept(kind: str, url: str) -> None:
    store = await SqlStore.open(url if kind == "postgres" else "sqlite://")
    client = open_client(transport=httpx2.MockTransport(Garbling()))
    stage = Stage(ScrapeCreators(client, key="sim-key"), clock=FakeClock(), rows=store)
    await stage.opens(a_job("green\u0394tea", target=4))

    job = await stage.advance()

    calls = await stage.calls()
    assert (job.status, job.credits) == (Status.COMPLETED, len(calls))
    assert "no luck" in (calls[1].error or "")
    texts = [str(finding.sighting) async for finding, _ in store.findings(job.id)]
    assert "\\x00" not in "".join([*texts, str(calls)])
    await client.aclose()
    await store.close()


async def test_a_closed_store_leaves_no_connection_behind(
    here: Server, url: str
) -> None:
    store = await SqlStore.open(url)
    await asyncio.gather(*(store.due(NOON, 1) for _ in range(20)))

    await store.close()

    assert isinstance(store.database, Postgres)
    assert connected(here, url) == []
