"""Wake-ups over QStash: each step of a job is one message, on explicit terms."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest
from qstash import AsyncQStash
from qstash.message import Message
from serverless.site import PUBLIC, a_search, a_world

from headcount.app import App
from headcount.bootstrap import open_app
from headcount.core.model import Status
from headcount.runners.qstash import PATIENCE
from headcount.serverless import FAILED, PROCESS
from headcount.wakers import qstash_account


@asynccontextmanager
async def an_app(folder: Path, *faults: str) -> AsyncIterator[tuple[App, AsyncQStash]]:
    """An app whose messages are never delivered, and a look into QStash."""
    async with (
        a_world(folder, "vanished:1", *faults) as outside,
        open_app(outside.settings) as app,
        qstash_account(outside.settings).opened() as client,
    ):
        yield app, client


async def messages(client: AsyncQStash) -> list[Message]:
    """All that QStash has taken, the newest first."""
    taken = (await client.log.list()).logs
    return [await client.message.get(entry.message_id) for entry in taken]


async def test_a_message_names_the_job_and_its_terms(tmp_path: Path) -> None:
    async with an_app(tmp_path) as (app, client):
        job = await app.create(a_search(40))

        [message] = await messages(client)

        assert message.url == PUBLIC + PROCESS
        assert message.body == f'{{"jobId": "{job.id}", "pages": 0}}'
        assert message.max_retries == 5
        assert message.failure_callback == PUBLIC + FAILED
        assert message.retry_delay_expression == "15000 * pow(2, retried)"
        assert message.label == "headcount"
        assert message.flow_control
        assert message.flow_control.parallelism == 4  # as many as calls at once
        assert (message.flow_control.rate, message.flow_control.period) == (1_000, 1)
        assert message.flow_control.key.startswith("headcount-scrapecreators-")
        assert "sandbox-key" not in message.flow_control.key
        [entry] = (await client.log.list()).logs
        assert entry.timeout == 60  # as long as the host lets it run


async def test_one_step_is_one_message_however_often_it_is_announced(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as (app, client):
        job = await app.create(a_search(40))
        assert app.post
        for _ in range(3):
            await app.post.wake(job.id, app.clock.now())
        assert len(await messages(client)) == 1

        await app.top_up(job.id, 60)
        assert len(await messages(client)) == 2


async def test_what_is_swept_is_one_further_message_in_ten_minutes(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as (app, client):
        job = await app.create(a_search(40))
        assert app.post
        for _ in range(3):
            assert await app.post.post_again([job]) == 1
        assert len(await messages(client)) == 2

        app.clock.set_by(app.clock.now() + timedelta(minutes=10))
        await app.post.post_again([job])
        assert len(await messages(client)) == 3


async def test_a_job_that_is_due_later_is_not_delivered_before(tmp_path: Path) -> None:
    async with an_app(tmp_path) as (app, client):
        job = replace(await app.create(a_search(40)), version=7)
        sent = app.clock.now().timestamp()
        later = app.clock.now() + timedelta(seconds=90.5)
        assert app.post

        await app.post.post(job, later)

        # The sandbox stands still: it tells how long after the taking, not when.
        taken = app.clock.now().timestamp()
        message, _ = await messages(client)
        wait = (message.not_before - message.created_at) / 1000
        assert taken + wait - later.timestamp() >= 0
        assert sent + wait - later.timestamp() < 1


async def test_nothing_is_said_of_a_job_that_needs_no_step(tmp_path: Path) -> None:
    async with an_app(tmp_path) as (app, client):
        paused, cancelled = [(await app.create(a_search(40))).id for _ in range(2)]
        before = len(await messages(client))
        await app.pause(paused)
        await app.cancel(cancelled)
        assert app.post
        await app.post.wake("unknown", app.clock.now())

        assert len(await messages(client)) == before == 2


REFUSALS = ["down:1", "server_error:1", "bad_token:1", "quota:1", "daily_quota:1"]


@pytest.mark.parametrize("fault", [*REFUSALS, "burst_quota:1", "lost_answer:1"])
async def test_a_refusal_harms_no_job_and_takes_no_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    async with an_app(tmp_path, fault) as (app, _):
        began = app.clock.now()
        job = await app.create(a_search(40))

        assert (app.clock.now() - began).total_seconds() < PATIENCE + 1
        assert f"job {job.id} is not announced" in caplog.text
        assert "sandbox-qstash-token" not in caplog.text


async def test_a_qstash_that_never_answers_is_given_up_within_seconds(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with (
            a_world(tmp_path, qstash_url=url) as outside,
            open_app(outside.settings) as app,
        ):
            began = monotonic()
            job = await app.create(a_search(40))

            assert monotonic() - began < PATIENCE + 1
            assert f"job {job.id} is not announced: TimeoutError" in caplog.text


async def test_spaces_and_quotes_around_a_token_do_no_harm(tmp_path: Path) -> None:
    async with a_world(tmp_path, "vanished:1") as outside:
        for name in ("qstash_token", "qstash_url"):
            outside.given[name] = f' "{outside.given[name]}"\n'
        async with (
            open_app(outside.settings) as app,
            qstash_account(outside.settings).opened() as client,
        ):
            await app.create(a_search(40))

            assert len(await messages(client)) == 1


async def test_a_sweep_stops_at_the_first_refusal(tmp_path: Path) -> None:
    async with an_app(tmp_path, "server_error@4,5") as (app, _):
        jobs = [await app.create(a_search(40)) for _ in range(3)]
        assert app.post

        taken = await app.post.post_again([*jobs, *jobs * 10])

        assert taken < 20
        assert {job.status for job in jobs} == {Status.PENDING}
