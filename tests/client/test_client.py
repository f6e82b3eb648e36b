"""The client against a real service: every route, its refusals, and its lists."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes.databases import sqlite
from web.service import Service, serving_web

from headcount.client import Client
from headcount.core.errors import (
    InvalidSearch,
    InvalidSetting,
    JobNotReady,
    NoSuchJob,
    NotAllowed,
)
from headcount.core.filters import Filters
from headcount.core.model import Limits, Speed, Status
from headcount.core.selection import Selection
from headcount.core.statistics import Coverage

WORDS = ["apple", "tech"]


@pytest.fixture
async def client(service: Service) -> AsyncIterator[Client]:
    async with Client(service.url) as client:
        yield client


@pytest.fixture
async def idle(desk: Service) -> AsyncIterator[Client]:
    """A client of a service that works on nothing."""
    async with Client(desk.url) as client:
        yield client


async def test_a_search_ends_with_exactly_n_different_creators(client: Client) -> None:
    job = await client.create(63, WORDS, sandbox=True, campaign="spring")

    events = [event async for event in client.events(job.id)]

    sheet = await client.job(job.id)
    rows = [row async for row in client.creators(job.id)]
    assert events[-1].news.status is sheet.status is Status.COMPLETED
    assert len({row.id for row in rows}) == len(rows) == sheet.current == 63
    assert [row.ordinal for row in rows] == list(range(1, 64))
    assert sheet.campaign == "spring"
    assert sheet.exact_count_tracking.target_achieved


async def test_a_search_is_taken_with_all_its_parts(idle: Client) -> None:
    deadline = datetime(2999, 1, 1, tzinfo=UTC)
    limits = Limits(40, 50, deadline, attempts=5, speed=Speed.FAST)

    job = await idle.create(
        100,
        WORDS,
        filters=Filters(followers_min=1_000, caption_has=("tea",)),
        limits=limits,
        sandbox=True,
        region="US",
        sort="most-liked",
        period="this-week",
        end_user="maria",
    )

    assert (job.target, job.keywords, job.sandbox) == (100, WORDS, True)
    assert job.filters == {"followersMin": 1_000, "captionHas": ["tea"]}
    given = job.limits
    assert (given.max_calls, given.max_credits, given.deadline) == (40, 50, deadline)
    assert (given.attempts, given.speed) == (5, Speed.FAST)
    assert (job.region, job.sort, job.period) == ("US", "most-liked", "this-week")
    assert job.end_user == "maria"


async def test_lists_know_no_pages(idle: Client) -> None:
    made = [
        (await idle.create(number, WORDS, sandbox=True)).id for number in range(1, 203)
    ]
    await idle.cancel(made[7])

    listed = [job.id async for job in idle.jobs()]
    cancelled = [job.id async for job in idle.jobs(Selection(Status.CANCELLED))]

    assert listed == made[::-1]
    assert cancelled == [made[7]]


async def test_the_ledger_and_the_other_shape_are_there_too(client: Client) -> None:
    job = await client.create(40, WORDS, sandbox=True)
    last = [event async for event in client.events(job.id)][-1]

    calls = [call async for call in client.calls(job.id)]
    rows = [row async for row in client.guide_rows(job.id)]

    assert len(calls) == last.news.api_calls
    assert len({row.creator.unique_id for row in rows}) == 40
    assert all(row.sandbox for row in rows)


async def test_a_job_is_paused_and_goes_on_and_is_finished(idle: Client) -> None:
    job = (await idle.create(40, WORDS, sandbox=True)).id

    stands = [
        (await idle.pause(job)).status,
        (await idle.resume(job)).status,
        (await idle.finish(job)).status,
    ]

    assert stands[:2] == [Status.PAUSED, Status.PENDING]
    assert (await idle.top_up(job, 41, limits=Limits(9))).target == 41
    assert (await idle.job(job)).limits.max_calls == 9


async def test_what_is_deleted_is_gone(idle: Client) -> None:
    job = (await idle.create(40, WORDS, sandbox=True)).id

    await idle.delete(job)

    with pytest.raises(NoSuchJob, match=f"no job has the id '{job}'"):
        await idle.job(job)
    with pytest.raises(NoSuchJob):
        await idle.delete(job)


@pytest.mark.parametrize("job_id", ["", "..", "a/b", "a?b=c", "é"])
async def test_an_id_that_can_be_none_is_never_sent(
    client: Client, job_id: str
) -> None:
    with pytest.raises(NoSuchJob):
        await client.delete(job_id)


async def test_figures_are_those_of_the_jobs_that_have_ended(client: Client) -> None:
    job = await client.create(40, WORDS, sandbox=True)
    async for _ in client.events(job.id):
        pass

    found = await client.statistics(Coverage(keyword="apple"))
    status = await client.exact_count_status()

    assert (found.keyword, found.sandbox.completed) == ("apple", 1)
    assert status.total_jobs == 0


async def test_an_allowance_is_set_and_listed(idle: Client) -> None:
    made = await idle.allow(owner="acme", end_user="ada", creators_per_month=40)

    assert (made.owner, made.end_user, made.creators_per_month) == ("acme", "ada", 40)
    assert (made.credits_per_day, made.creators_used_this_month) == (None, 0)
    assert await idle.allowances() == [made]


async def test_a_secret_is_set_and_told_once(idle: Client) -> None:
    set_ = await idle.set_webhook_secret("https://shop.example/hooks")

    assert set_.url == "https://shop.example/hooks"
    assert set_.secret.startswith("whsec_")


async def test_a_refusal_names_its_field_and_what_would_help(idle: Client) -> None:
    with pytest.raises(InvalidSearch) as refused:
        await idle.create(40, WORDS, region="XX")

    assert refused.value.field == "region"
    assert refused.value.hint == "Mend the fields in `errors`."


async def test_a_status_that_forbids_it_is_said(idle: Client) -> None:
    job = (await idle.create(40, WORDS, sandbox=True)).id
    await idle.cancel(job)

    with pytest.raises(JobNotReady, match="was cancelled"):
        await idle.top_up(job, 50)


async def test_a_key_is_asked_for_and_its_scope_obeyed(tmp_path: Path) -> None:
    async with serving_web(await sqlite(tmp_path), works=False, dev=False) as service:
        headers = await service.key("acme", "read")
        reader = headers["Authorization"].removeprefix("Bearer ")

        async with Client(service.url) as nobody, Client(service.url, "x") as stranger:
            with pytest.raises(NotAllowed, match="no key was sent"):
                await nobody.statistics()
            with pytest.raises(NotAllowed, match="unknown or revoked"):
                await stranger.statistics()
        async with Client(service.url, reader) as client:
            assert [job async for job in client.jobs()] == []
            with pytest.raises(NotAllowed, match="takes a key of scope write") as error:
                await client.create(40, WORDS, sandbox=True)

    assert reader not in f"{client!r} {error.value} {error.value.hint}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "headcount.example",
        "ftp://a",
        "http://",
        "http://a:b@c",
        "http://a:x",
        "http://a/?b",
        "http://a/#b",
        "http://[::1",
        "http://a b",
    ],
)
def test_what_is_no_address_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(InvalidSetting, match="expected the address"):
        Client(url)


@pytest.mark.parametrize("key", ["a b", "a\nb", "schlüssel"])
def test_what_is_no_key_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        Client("https://headcount.example", key)

    assert key not in str(refused.value)


def test_a_key_goes_over_plain_http_to_this_machine_only() -> None:
    for url in ("http://127.0.0.1:1", "http://localhost", "http://[::1]:1"):
        Client(url, "key")
    Client("http://headcount.example", None)
    Client("http://headcount.example", "key", allow_http=True)

    with pytest.raises(InvalidSetting, match="could read the API key"):
        Client("http://headcount.example", "key")


async def test_many_ask_at_once(client: Client) -> None:
    jobs = await asyncio.gather(
        *(client.create(n, WORDS, sandbox=True) for n in range(1, 11))
    )

    assert len({job.id for job in jobs}) == 10
