"""The figures over HTTP: what they are, whose they are, and what is refused."""

import json
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path

import pytest
from fakes.databases import sqlite
from jsonschema import Draft202012Validator
from web.service import EVERY_DATABASE, SEARCH, Service, serving_web

SCHEMA = json.loads(files("headcount").joinpath("schema.json").read_text())


def obeys(name: str, document: object) -> bool:
    schema = {"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]}
    return Draft202012Validator(schema).is_valid(document)


@EVERY_DATABASE
async def test_a_job_is_in_the_figures_as_soon_as_it_has_ended(
    database: Callable[[Path], Awaitable[str]], tmp_path: Path
) -> None:
    async with serving_web(await database(tmp_path)) as service:
        before = (await service.get("/api/stats")).json()
        job = await service.ended(await service.begun())
        after = (await service.get("/api/stats")).json()

    assert obeys("statistics", before)
    assert obeys("statistics", after)
    assert before["sandbox"]["totalJobs"] == 0
    assert after["sandbox"]["totalJobs"] == after["sandbox"]["completed"] == 1
    assert after["sandbox"]["totalApiCalls"] == job["apiCalls"]
    assert after["exactCountStats"]["totalJobsProcessed"] == 0


async def test_the_status_is_flat_and_about_real_jobs(desk: Service) -> None:
    await desk.post(f"/api/jobs/{await desk.begun()}/finish")
    await desk.post(f"/api/jobs/{await desk.begun(sandbox=False)}/finish")

    told = (await desk.get("/admin/exact-count-status")).json()

    assert obeys("exactCountStatus", told)
    assert (told["totalJobs"], told["partial"]) == (1, 1)
    assert (told["successRate"], told["avgApiCalls"]) == ("0.0%", 0.0)


async def test_figures_can_be_had_by_day_and_keyword(desk: Service) -> None:
    await desk.post(f"/api/jobs/{await desk.begun()}/finish")

    found = [
        (await desk.get(f"/api/stats?{query}")).json()["sandbox"]["totalJobs"]
        for query in (
            "keyword=apple",
            "keyword=banana",
            "since=2020-01-01&until=9999-12-31",
            "until=2020-01-01",
            "owner=local",
            "owner=nobody",
        )
    ]

    assert found == [1, 0, 1, 0, 1, 0]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=yesterday", "?since"),
        ("since=20260101", "?since"),
        ("until=2026-02-30", "?until"),
        ("since=2026-01-02&until=2026-01-01", "?since"),
        ("keyword=%20", "?keyword"),
        ("keyword=%E2%80%8B", "?keyword"),
    ],
)
async def test_what_cannot_be_covered_is_refused_by_its_name(
    desk: Service, query: str, field: str
) -> None:
    answer = await desk.get(f"/api/stats?{query}")

    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


async def test_an_owner_sees_the_figures_of_their_own_jobs(tmp_path: Path) -> None:
    async with serving_web(await sqlite(tmp_path), works=False, dev=False) as service:
        ada, bob = await service.key("ada"), await service.key("bob")
        admin = await service.key("root", "admin")
        made = await service.post("/api/jobs", SEARCH, **ada)
        await service.post(f"/api/jobs/{made.json()['id']}/finish", **ada)

        async def jobs(headers: dict[str, str], query: str = "") -> int:
            answer = await service.get(f"/api/stats{query}", **headers)
            return int(answer.json()["sandbox"]["totalJobs"])

        seen = [await jobs(ada), await jobs(ada, "?owner=ada"), await jobs(bob)]
        all_of_them = [await jobs(admin), await jobs(admin, "?owner=bob")]
        foreign = await service.get("/api/stats?owner=ada", **bob)
        status = await service.get("/admin/exact-count-status", **bob)

    assert seen == [1, 1, 0]
    assert all_of_them == [1, 0]
    assert (foreign.status_code, status.status_code) == (403, 403)


async def test_without_a_key_there_are_no_figures(tmp_path: Path) -> None:
    async with serving_web(await sqlite(tmp_path), works=False, dev=False) as service:
        answers = [
            await service.get(path)
            for path in ("/api/stats", "/admin/exact-count-status")
        ]

    assert [answer.status_code for answer in answers] == [401, 401]


async def test_the_service_rolls_the_sums_up_among_its_chores(desk: Service) -> None:
    await desk.post(f"/api/jobs/{await desk.begun()}/finish")
    before = (await desk.get("/api/stats")).json()["sandbox"]

    found = [c for c in desk.site.app.chores if c.name == "rolling up the statistics"]
    rolled = [await chore.do() for chore in found]

    assert rolled == [3]  # rows: all jobs, and those of each of the two keywords
    assert (await desk.get("/api/stats")).json()["sandbox"] == before
