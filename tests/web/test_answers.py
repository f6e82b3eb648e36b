"""What every answer has in common: problems, marks for browsers, and a size cap."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from fakes.databases import sqlite
from web.service import SEARCH, Service, serving_web

from headcount.core.errors import InternalError, StoreBusy
from headcount.core.model import Job


async def test_every_error_is_a_problem(desk: Service) -> None:
    job = await desk.begun()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    json = {"Content-Type": "application/json"}
    post, path = desk.client.post, "/api/jobs"
    answers = {
        400: await post(path, content=b"{", headers=json),
        404: await desk.get("/nowhere"),
        405: await desk.client.put(path),
        406: await desk.get(f"{path}/{job}/creators", Accept="image/png"),
        413: await post(path, content=b" " * 1_000_001, headers=json),
        422: await post(path, content=b"keywords=a", headers=form),
    }

    for status, answer in answers.items():
        problem = answer.json()
        assert (answer.status_code, problem["status"]) == (status, status)
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["type"].startswith("urn:headcount:problem:")
        assert problem["title"]
        assert problem["detail"]
        assert problem["hint"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert set(answers[405].headers["allow"].split(", ")) == {"GET", "POST"}


async def test_bodies_that_are_no_json_are_refused(desk: Service) -> None:
    for body in (b"", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b"1" * 5_000, b'"a'):
        answer = await desk.client.post(
            "/api/jobs", content=body, headers={"Content-Type": "application/json"}
        )

        assert answer.status_code in {400, 422}, body[:10]
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_that_hides_its_size_is_cut_off_all_the_same(
    desk: Service,
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    answer = await desk.client.post(
        "/api/jobs", content=chunks(), headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 413


async def test_every_answer_is_marked_for_browsers(desk: Service) -> None:
    for path in ("/api/jobs", "/healthz", "/nowhere"):
        headers = (await desk.get(path)).headers

        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers


async def test_pages_of_named_sites_may_ask_from_a_browser(tmp_path: Path) -> None:
    origin = {"Origin": "https://app.example"}
    async with serving_web(
        await sqlite(tmp_path),
        works=False,
        dev=False,
        cors_origins=("https://app.example",),
    ) as desk:
        ada = await desk.key("ada")
        ours = await desk.get("/api/jobs", **ada, **origin)
        theirs = await desk.get("/api/jobs", **ada, Origin="https://other.example")
        asked = await desk.client.options(
            "/api/jobs",
            headers={**origin, "Access-Control-Request-Method": "POST"},
        )

    assert ours.headers["access-control-allow-origin"] == "https://app.example"
    assert "access-control-allow-origin" not in theirs.headers
    assert asked.status_code == 200


async def test_a_store_that_is_away_is_told_without_its_secrets(
    desk: Service,
) -> None:
    async def away(*_: object, **__: object) -> Job:
        raise StoreBusy("postgresql://user:hunter2@host is away")

    desk.site.app.store.load = away  # type: ignore[method-assign] # it goes away

    answer = await desk.get("/api/jobs/x")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "hunter2" not in answer.text


async def test_a_defect_is_told_without_its_words(desk: Service) -> None:
    async def broken(*_: object, **__: object) -> Job:
        raise InternalError("the secret of the machine")

    desk.site.app.store.load = broken  # type: ignore[method-assign] # it breaks

    answer = await desk.get("/api/jobs/x")

    assert answer.status_code == 500
    assert "secret" not in answer.text


async def test_a_service_that_works_on_nothing_any_more_is_not_ready(
    service: Service,
) -> None:
    well = await service.get("/readyz")
    task = service.site.crew.task
    assert task is not None
    service.site.crew.stop()
    await asyncio.wait([task])

    unwell = await service.get("/readyz")

    assert (well.status_code, unwell.status_code) == (200, 503)
    assert (await service.get("/healthz")).status_code == 200


async def test_what_is_asked_twice_at_once_is_answered_twice(desk: Service) -> None:
    answers = await asyncio.gather(*(desk.post("/api/jobs", SEARCH) for _ in range(20)))

    assert len({answer.json()["id"] for answer in answers}) == 20
