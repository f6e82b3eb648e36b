"""A request that names an idempotency key is carried out once."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from fakes.databases import sqlite
from sqlalchemy import update
from web.service import EVERY_DATABASE, SEARCH, Service, serving_web

from headcount.adapters.service_tables import requests


async def number_of_jobs(service: Service) -> int:
    return len((await service.get("/api/jobs?limit=200")).json()["jobs"])


@EVERY_DATABASE
async def test_the_same_request_again_gets_the_same_answer(
    tmp_path: Path, database: object
) -> None:
    assert callable(database)
    async with serving_web(await database(tmp_path), works=False) as desk:
        first = await desk.post("/api/jobs", SEARCH, Idempotency_Key="one")
        again = await desk.post("/api/jobs", SEARCH, Idempotency_Key="one")

        assert again.status_code == 201
        assert again.json() == first.json()
        assert again.headers["location"] == first.headers["location"]
        assert await number_of_jobs(desk) == 1


@EVERY_DATABASE
async def test_another_request_under_the_same_key_is_a_conflict(
    tmp_path: Path, database: object
) -> None:
    assert callable(database)
    async with serving_web(await database(tmp_path), works=False) as desk:
        await desk.post("/api/jobs", SEARCH, Idempotency_Key="one")

        other = {**SEARCH, "targetResults": 41}
        answer = await desk.post("/api/jobs", other, Idempotency_Key="one")

        assert answer.status_code == 409
        assert "Idempotency-Key" in answer.json()["detail"]
        assert await number_of_jobs(desk) == 1


@EVERY_DATABASE
async def test_of_many_at_once_one_is_carried_out(
    tmp_path: Path, database: object
) -> None:
    assert callable(database)
    url = await database(tmp_path)
    async with (
        serving_web(url, works=False) as desk,
        serving_web(url, works=False) as other,
    ):
        answers = await asyncio.gather(
            *(
                one.post("/api/jobs", SEARCH, Idempotency_Key="one")
                for one in [desk, other] * 5
            )
        )

        assert {answer.status_code for answer in answers} <= {201, 409}
        made = {a.json()["id"] for a in answers if a.status_code == 201}
        assert len(made) == 1
        assert await number_of_jobs(desk) == 1


async def test_a_request_under_way_is_a_conflict_for_a_while(desk: Service) -> None:
    first = await desk.post("/api/jobs", SEARCH, Idempotency_Key="one")
    await _crashed(desk, minutes=0)

    answer = await desk.post("/api/jobs", SEARCH, Idempotency_Key="one")

    assert first.status_code == 201
    assert answer.status_code == 409
    assert answer.headers["retry-after"] == "1"


async def test_after_a_crash_the_same_request_finds_the_job_it_made(
    desk: Service,
) -> None:
    first = await desk.post("/api/jobs", SEARCH, Idempotency_Key="one")
    await _crashed(desk, minutes=2)

    again = await desk.post("/api/jobs", SEARCH, Idempotency_Key="one")

    assert again.json()["id"] == first.json()["id"]
    assert await number_of_jobs(desk) == 1


async def _crashed(desk: Service, *, minutes: int) -> None:
    """As if the process had died between the job and its answer, so long ago."""
    lost = update(requests).values(
        status=None, created_at=desk.site.app.clock.now() - timedelta(minutes=minutes)
    )
    await desk.site.app.store.database.write(lambda to: to.execute(lost))


async def test_what_was_refused_is_not_remembered(tmp_path: Path) -> None:
    ask = {**SEARCH, "sandbox": False}
    url = await sqlite(tmp_path)
    async with serving_web(url) as service:
        refused = await service.post("/api/jobs", ask, Idempotency_Key="one")
    async with serving_web(url, works=False) as desk:
        taken = await desk.post("/api/jobs", ask, Idempotency_Key="one")

    assert (refused.status_code, taken.status_code) == (503, 201)


async def test_an_answer_stays_when_the_request_could_not_be_taken_now(
    tmp_path: Path,
) -> None:
    ask = {**SEARCH, "sandbox": False}
    url = await sqlite(tmp_path)
    async with serving_web(url, works=False) as desk:
        taken = await desk.post("/api/jobs", ask, Idempotency_Key="one")
        await desk.post(f"/api/jobs/{taken.json()['id']}/cancel")
    async with serving_web(url) as keyless:
        again = await keyless.post("/api/jobs", ask, Idempotency_Key="one")

    assert (again.status_code, again.json()) == (201, taken.json())


async def test_an_action_that_fails_may_be_tried_again(desk: Service) -> None:
    job = await desk.begun(targetResults=40)
    path = f"/api/jobs/{job}/topup"

    low = await desk.post(path, {"targetResults": 39}, Idempotency_Key="one")
    high = await desk.post(path, {"targetResults": 41}, Idempotency_Key="one")

    assert (low.status_code, high.status_code) == (422, 200)


async def test_owners_have_keys_of_their_own(tmp_path: Path) -> None:
    async with serving_web(await sqlite(tmp_path), works=False, dev=False) as desk:
        ada, bob = await desk.key("ada"), await desk.key("bob")

        his = await desk.post("/api/jobs", SEARCH, Idempotency_Key="one", **bob)
        hers = await desk.post("/api/jobs", SEARCH, Idempotency_Key="one", **ada)

    assert his.json()["id"] != hers.json()["id"]


async def test_an_old_answer_is_forgotten(desk: Service) -> None:
    await desk.post("/api/jobs", SEARCH, Idempotency_Key="one")
    await _crashed(desk, minutes=2 * 24 * 60)

    await desk.site.requests.forget()

    other = {**SEARCH, "targetResults": 41}
    answer = await desk.post("/api/jobs", other, Idempotency_Key="one")
    assert answer.status_code == 201


@pytest.mark.parametrize("key", ["x" * 256, "a b", ""])
async def test_a_key_that_cannot_be_used_is_refused(desk: Service, key: str) -> None:
    answer = await desk.post("/api/jobs", SEARCH, Idempotency_Key=key)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "header Idempotency-Key"
