"""Python apps that have Headcount behind their QStash route, each in a real server."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from examples.apps import EXAMPLES, PROCESS, SECRET, App, an_outside, running
from standardwebhooks import Webhook

from headcount.bootstrap import open_app
from headcount.serverless import SWEEP
from headcount.settings import Settings

pytestmark = pytest.mark.asyncio(loop_scope="module")
HOOK = "/hooks/headcount"
ASKED = {"name": "spring", "keywords": ["apple", "tech"], "target": 100}
OURS = json.dumps({"jobId": "instagram-7"}).encode()  # no job of Headcount's


@dataclass(frozen=True)
class Example:
    """How an app is served, and what is done once before: modules of Python."""

    name: str
    server: tuple[str, ...]
    before: tuple[str, ...] = ()


FASTAPI = Example("fastapi", ("uvicorn", "--port", "PORT", "fastapi_app:web"))
FLASK = Example("flask", ("flask", "--app", "flask_app", "run", "--port", "PORT"))
DJANGO = Example(
    "django",
    server=("django", "runserver", "--noreload", "PORT"),
    before=("django", "migrate"),
)
MOUNTED = [FASTAPI, DJANGO]  # Headcount answers the messages, and tells by webhooks


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[App]:
    """One of the apps, with its QStash, its provider and the tables that it needs."""
    example: Example = request.param
    folder = tmp_path_factory.mktemp(example.name)
    async with an_outside() as outside:
        database = f"sqlite:///{folder}/headcount.db"
        async with open_app(Settings(database_url=database)) as headcount:
            secrets = (await headcount.webhooks()).secrets
            await secrets.rotate("local", outside.url + HOOK, SECRET)
        env = {
            "PYTHONPATH": os.pathsep.join([str(EXAMPLES), *sys.path]),
            "HEADCOUNT_DATABASE_URL": database,
            "HEADCOUNT_QSTASH_SLICE": "0.1",  # so that a job takes several messages
            "APP_DATABASE": str(folder / "app.db"),
            "DJANGO_SETTINGS_MODULE": "django_app.settings",
        }
        if example.before:
            await ran(*example.before, env={**outside.env, **env})
        command = (sys.executable, "-m", *example.server)
        async with running(outside, *command, env=env, folder=folder) as app:
            yield app


def each(*examples: Example) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "app", examples, indirect=True, ids=lambda example: example.name, scope="module"
    )


async def ran(*words: str, env: dict[str, str]) -> None:
    """Run a module of Python to its end, which must be good."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *words, env=env
    )
    assert await process.wait() == 0


async def begun(app: App, **asked: object) -> str:
    """The page of a new campaign, whose first message is published."""
    answer = await app.client.post("/campaigns", json={**ASKED, **asked})
    assert answer.status_code == 201
    return f"/campaigns/{answer.json()['id']}"


def has_creators(campaign: Any) -> bool:  # noqa: ANN401 - JSON
    return bool(campaign["creators"])


def are_different(creators: list[dict[str, Any]]) -> bool:
    return len({creator["id"] for creator in creators}) == len(creators)


@each(*MOUNTED)
async def test_a_campaign_gets_exactly_its_creators(app: App) -> None:
    page = await begun(app)

    await app.qstash.settled()
    swept = await app.send(app.letter(b"{}", SWEEP), SWEEP)  # which sends webhooks
    campaign = await app.shows(page, has_creators)

    assert swept.status_code == 200
    assert len(app.qstash.deliveries) > 1
    assert (campaign["status"], campaign["progress"]) == ("completed", "100.0%")
    assert len(campaign["creators"]) == 100
    assert are_different(campaign["creators"])


@each(FLASK)
async def test_a_job_of_the_own_table_gets_exactly_its_creators(app: App) -> None:
    page = await begun(app)

    await app.qstash.settled()
    campaign = await app.shows(page, has_creators)

    assert len(app.qstash.deliveries) > 1
    assert (campaign["status"], campaign["progress"]) == ("completed", 100)
    assert len(campaign["creators"]) == 100
    assert are_different(campaign["creators"])


@each(*MOUNTED)
async def test_messages_for_other_jobs_reach_the_app(app: App) -> None:
    answer = await app.send(app.letter(OURS))

    assert (answer.status_code, answer.json()) == (200, {"scraped": "instagram-7"})


@each(FLASK)
async def test_other_jobs_are_done_as_before(app: App) -> None:
    page = await begun(app, platform="Instagram")

    await app.qstash.settled()

    campaign = (await app.client.get(page)).json()
    assert (campaign["status"], campaign["creators"]) == ("completed", [])


@each(*MOUNTED, FLASK)
async def test_a_message_that_is_not_signed_for_the_route_is_refused(app: App) -> None:
    forged = app.letter(OURS).claiming(iss="somebody")
    misled = app.letter(OURS, SWEEP)

    answers = [await app.send(letter) for letter in (forged, misled)]
    answers.append(await app.client.post(PROCESS, content=OURS))

    assert [answer.status_code for answer in answers] == [401, 401, 401]


@each(*MOUNTED)
async def test_a_webhook_that_is_forged_is_refused(app: App) -> None:
    now, body = datetime.now(UTC), json.dumps({"type": "job.completed", "data": {}})
    headers = {
        "webhook-id": "message-1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET[:-8]).sign("message-1", now, body),
    }

    answer = await app.client.post(HOOK, content=body, headers=headers)

    assert answer.status_code == 401


@each(*MOUNTED)
async def test_what_cannot_be_searched_is_told_at_once(app: App) -> None:
    answer = await app.client.post("/campaigns", json={**ASKED, "target": 0})

    assert answer.status_code == 422
    assert "goes from 1 to 1,000,000" in answer.json()["detail"]


@each(FLASK)
async def test_a_row_that_cannot_be_searched_is_not_tried_again(app: App) -> None:
    before = len(app.qstash.deliveries)

    page = await begun(app, target=0)
    await app.qstash.settled()

    assert (await app.client.get(page)).json()["status"] == "failed"
    statuses = [delivery.status for delivery in app.qstash.deliveries[before:]]
    assert statuses == [489]
