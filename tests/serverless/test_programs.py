"""The commands for QStash, and a host without an event loop: processes of their own."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from datetime import timedelta
from pathlib import Path

import pytest
from serverless.letters import about
from serverless.site import PUBLIC, Outside, a_search, a_site, a_world

from headcount.bootstrap import open_app
from headcount.core import lifecycle
from headcount.core.model import Change, Job, Known, Status
from headcount.serverless import PROCESS, SWEEP
from headcount.wakers import qstash_account

HANDLER = """
import json, sys
from headcount.serverless import handle_message
for line in sys.stdin:
    event = json.loads(line)
    status, headers, body = handle_message(event["body"].encode(), event["headers"])
    print(json.dumps([status, headers, json.loads(body)]))
strangers = {"fastapi", "starlette", "typer"} & set(sys.modules)
assert not strangers, strangers
"""

HELPER = """
import asyncio, json, sys, threading
from headcount.serverless import handle_message
own = threading.current_thread()

def plain(body, headers):
    assert threading.current_thread() is own
    return 200, {}, b'"plain"'

async def eager(body, headers):
    await asyncio.sleep(0)
    return 200, {}, b'"eager"'

event = json.load(sys.stdin)
for fallback in (plain, eager):
    answer = handle_message(event["body"].encode(), event["headers"], fallback=fallback)
    print(answer[2].decode())
"""


async def ran(outside: Outside, *command: str, said: str = "", **env: str) -> str:
    """What a program writes; it must end well."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        env={**outside.environment(), **env},
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    out, err = await process.communicate(said.encode())
    assert process.returncode == 0, err.decode()
    return out.decode()


async def headcount(outside: Outside, *words: str) -> str:
    return await ran(outside, "-m", "headcount", "qstash", *words)


def failed(job: Job, _: Known) -> Change:
    """What the failure callback does, which could not get through either."""
    return lifecycle.collapse(Change(job), "QStash gave up", job.created_at)


async def broken(*_: object) -> None:
    """An application that was never deployed as it should be."""
    raise ConnectionError


async def test_installing_makes_one_schedule_however_often(tmp_path: Path) -> None:
    async with a_world(tmp_path) as outside:
        said = await headcount(outside, "install")
        await headcount(outside, "install", "--cron", "*/5 * * * *")

        assert PUBLIC + SWEEP in said
        async with qstash_account(outside.settings).opened() as client:
            [schedule] = await client.schedule.list()
        assert schedule.schedule_id == "headcount-sweep"
        assert (schedule.destination, schedule.cron) == (PUBLIC + SWEEP, "*/5 * * * *")


async def test_the_schedule_publishes_what_was_lost(tmp_path: Path) -> None:
    async with a_site(tmp_path, "vanished@1") as site:
        job_id = await site.begins()
        await headcount(site.outside, "install")
        site.app.clock.set_by(site.app.clock.now() + timedelta(seconds=60))

        await site.qstash.skip(60)

        swept, step = site.qstash.deliveries
        assert {swept.url, step.url} == {PUBLIC + SWEEP, PUBLIC + PROCESS}
        assert (await site.job(job_id)).status is Status.COMPLETED


async def test_dead_letters_are_listed_and_sent_again(tmp_path: Path) -> None:
    async with a_world(tmp_path) as outside, open_app(outside.settings) as app:
        assert "nothing" in await headcount(outside, "status")
        outside.leads_to(broken)
        job = await app.create(a_search(40))
        await outside.qstash.settled()
        await app.store.change(job.id, failed)

        listed = json.loads(await headcount(outside, "status", "--format", "json"))
        table = await headcount(outside, "status")
        said = await headcount(outside, "retry")

        ours = [each for each in listed if each["jobId"] == job.id]
        assert len(ours) == 1
        assert ours[0]["dlqId"] in table
        assert said == f"Tried again: {len(listed)}.\n"
        assert (await app.store.load(job.id)).status is Status.PENDING


async def test_a_dead_letter_that_is_not_there_is_told(tmp_path: Path) -> None:
    async with a_world(tmp_path) as outside:
        with pytest.raises(
            AssertionError, match="no dead letter of ours has the id 9-9"
        ):
            await headcount(outside, "retry", "9-9")


async def test_what_qstash_refuses_is_told_with_what_to_do(tmp_path: Path) -> None:
    async with a_world(tmp_path, qstash_token="another") as outside:  # noqa: S106 - opens nothing
        with pytest.raises(AssertionError, match="of the same account and region"):
            await headcount(outside, "install")


async def test_a_host_without_an_event_loop_needs_no_framework(tmp_path: Path) -> None:
    world = a_world(tmp_path, "vanished:1")
    async with world as outside, open_app(outside.settings) as app:
        jobs = [(await app.create(a_search(40))).id for _ in range(2)]
        letters = [about(job_id) for job_id in jobs]
        events = [
            {
                "body": letter.body.decode(),
                "headers": {"upstash-signature": letter.signature},
            }
            for letter in [*letters, letters[0].claiming(iss="x")]
        ]
        said = "\n".join(map(json.dumps, events))

        answers = await ran(outside, "-c", HANDLER, said=said)

        first, second, forged = map(json.loads, answers.splitlines())
        assert (first[0], second[0], forged[0]) == (200, 200, 401)
        assert first[2]["status"] == second[2]["status"] == "completed"
        assert (await app.store.load(jobs[1])).delivered == 40


async def test_there_a_fallback_is_called_in_the_thread_of_its_caller(
    tmp_path: Path,
) -> None:
    async with a_world(tmp_path) as outside:
        letter = about("not-ours")
        event = {
            "body": letter.body.decode(),
            "headers": {"upstash-signature": letter.signature},
        }

        said = await ran(outside, "-c", HELPER, said=json.dumps(event))

        assert said.split() == ['"plain"', '"eager"']
