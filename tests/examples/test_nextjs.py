"""The routes of a Next.js app that keeps its own and hands TikTok jobs to Headcount."""

import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from examples.apps import EXAMPLES, PROCESS, SECRET, App, an_outside, running
from standardwebhooks import Webhook
from web.service import Service, serving_web

SOURCE = EXAMPLES / "nextjs"
MODULES = SOURCE / "node_modules"
HOOK = "/api/webhooks/headcount"
ASKED = {"platform": "Tiktok", "keywords": ["apple", "tech"], "targetResults": 40}
_EMIT = ("--noEmit", "false", "--module", "commonjs")  # as Node.js 20 loads it
ENDS = {"completed", "partial", "failed"}


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The routes as JavaScript, if their types are right."""
    assert which("node"), "these tests need Node.js 20 or later"
    compiler = MODULES / ".bin" / "tsc"
    assert compiler.exists(), "the compiler is missing: make node-tools"
    folder = tmp_path_factory.mktemp("nextjs")
    compiled = subprocess.run(  # noqa: S603 - the compiler
        [compiler, "-p", SOURCE, *_EMIT, "--outDir", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert compiled.returncode == 0, compiled.stdout
    return folder


@asynccontextmanager
async def an_app(
    folder: Path,
    routes: Path,
    *faults: str,
    **settings: Any,  # noqa: ANN401 - as declared by Settings
) -> AsyncIterator[tuple[App, Service]]:
    """The app, its QStash, and a Headcount service that has given it a key."""
    async with AsyncExitStack() as stack:
        outside = await stack.enter_async_context(an_outside(*faults))
        service = await stack.enter_async_context(
            serving_web(
                f"sqlite:///{folder}/jobs.db",
                dev=False,
                webhook_allow_private=True,
                scrapecreators_api_key="sandbox-key",
                scrapecreators_api_url=outside.env["SCRAPECREATORS_API_URL"],
                **settings,
            )
        )
        key = await service.key("shop")
        told = {"url": outside.url + HOOK, "secret": SECRET}
        await service.post("/api/webhooks/secret", told, **key)
        env = {
            "NODE_PATH": str(MODULES),
            "HEADCOUNT_URL": service.url,
            "HEADCOUNT_API_KEY": key["Authorization"].removeprefix("Bearer "),
        }
        server = Path(__file__).with_name("app_router.cjs")
        command = ("node", server, routes, "PORT")
        app = running(outside, *command, env=env, folder=folder)
        yield await stack.enter_async_context(app), service


async def begun(app: App, **asked: object) -> str:
    """The page of a new job."""
    answer = await app.client.post("/api/jobs", json={**ASKED, **asked})
    return f"/api/jobs/{answer.json()['id']}"


def has_ended(job: Any) -> bool:  # noqa: ANN401 - JSON
    return job["status"] in ENDS


async def of_headcount(service: Service) -> list[dict[str, Any]]:
    """The jobs that the service was given."""
    key = await service.key("shop", "read")
    jobs: list[dict[str, Any]] = (await service.get("/api/jobs", **key)).json()["jobs"]
    return jobs


def a_webhook(app: App, job: str, at: datetime, **data: object) -> dict[str, Any]:
    """A request with a message as Headcount sends it, signed at that time."""
    told = {"id": "none", "campaign": job.rpartition("/")[2], "outcome": None, **data}
    message = {"type": "job.progress", "timestamp": at.isoformat(), "data": told}
    body = json.dumps(message)
    headers = {
        "webhook-id": "message-1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("message-1", at, body),
    }
    return {"url": app.url + HOOK, "content": body, "headers": headers}


async def test_a_job_of_tiktok_gets_exactly_its_creators(
    routes: Path, tmp_path: Path
) -> None:
    async with an_app(tmp_path, routes) as (app, _):
        page = await begun(app)

        job = await app.shows(page, has_ended)

        assert (job["status"], job["progress"]) == ("completed", "100.0%")
        assert len({creator["id"] for creator in job["results"]}) == 40
        assert len(job["results"]) == 40


async def test_a_job_that_falls_short_says_why(routes: Path, tmp_path: Path) -> None:
    async with an_app(tmp_path, routes) as (app, _):
        page = await begun(app, keywords=["bookbinding"], targetResults=400)

        job = await app.shows(page, has_ended)

        assert (job["status"], job["error"]) == ("partial", "sources_exhausted")
        assert 0 < len(job["results"]) < 400


async def test_in_staging_no_job_goes_beyond_the_cap_for_testing(
    routes: Path, tmp_path: Path
) -> None:
    async with an_app(tmp_path, routes, max_calls_for_testing=2) as (app, _):
        page = await begun(app, targetResults=100)

        job = await app.shows(page, has_ended)

        assert (job["status"], job["error"]) == ("partial", "call_limit")
        assert 0 < len(job["results"]) < 100


async def test_the_service_counts_what_it_was_given(
    routes: Path, tmp_path: Path
) -> None:
    async with an_app(tmp_path, routes) as (app, service):
        await app.shows(await begun(app), has_ended)

        key = await service.key("operator", "admin")
        told = (await service.get("/admin/exact-count-status", **key)).json()

        assert (told["totalJobs"], told["successRate"]) == (1, "100.0%")


async def test_a_message_that_comes_twice_makes_one_job(
    routes: Path, tmp_path: Path
) -> None:
    async with an_app(tmp_path, routes, "duplicate@1") as (app, service):
        page = await begun(app)

        await app.shows(page, has_ended)
        body = json.dumps({"jobId": page.rpartition("/")[2]}).encode()
        again = await app.send(app.letter(body))

        assert again.status_code == 200
        assert len(await of_headcount(service)) == 1
        assert (await app.client.get(page)).json()["status"] == "completed"


async def test_jobs_of_other_platforms_stay_with_the_app(
    routes: Path, tmp_path: Path
) -> None:
    async with an_app(tmp_path, routes) as (app, service):
        page = await begun(app, platform="Instagram")

        job = await app.shows(page, has_ended)

        assert (job["status"], job["results"]) == ("completed", [])
        assert await of_headcount(service) == []


async def test_a_search_that_cannot_be_taken_is_not_tried_again(
    routes: Path, tmp_path: Path
) -> None:
    async with an_app(tmp_path, routes) as (app, _):
        page = await begun(app, targetResults=0)

        job = await app.shows(page, has_ended)
        await app.qstash.settled()

        assert job["status"] == "failed"
        assert "targetResults" in job["error"]
        assert [delivery.status for delivery in app.qstash.deliveries] == [489]


async def test_what_is_not_signed_for_the_route_is_refused(
    routes: Path, tmp_path: Path
) -> None:
    async with an_app(tmp_path, routes) as (app, _):
        good = app.letter(b'{"jobId": "1"}')
        elsewhere = app.letter(good.body, path="/api/qstash/sweep")

        unsigned = await app.client.post(PROCESS, content=good.body)
        forged = await app.send(good.claiming(iss="somebody"))
        misled = await app.send(elsewhere)

        assert (unsigned.status_code, forged.status_code) == (401, 401)
        assert misled.status_code == 401


async def test_a_webhook_that_is_forged_or_old_changes_nothing(
    routes: Path, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    async with an_app(tmp_path, routes) as (app, _):
        page = await begun(app, platform="Instagram")
        before = await app.shows(page, has_ended)
        good = a_webhook(app, page, now, status="processing", progress="1.0%")
        forged = {**good, "content": good["content"].replace("1.0%", "9.0%")}
        old = a_webhook(app, page, now - timedelta(minutes=6), progress="2.0%")

        answers = [await app.client.post(**each) for each in (forged, old)]
        assert [answer.status_code for answer in answers] == [401, 401]
        assert (await app.client.get(page)).json() == before

        assert (await app.client.post(**good)).status_code == 204
        assert (await app.client.get(page)).json()["progress"] == "1.0%"
