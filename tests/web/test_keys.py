"""Who may ask: owners see their own jobs, and nothing without a key."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOON
from fakes.databases import sqlite
from web.service import EVERY_DATABASE, SEARCH, Service, serving_web

from headcount.settings import Settings
from headcount.web.pace import Limiter
from headcount.web.problems import Problem


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Service]:
    """A service that asks for keys, where nobody works on jobs."""
    async with serving_web(await sqlite(tmp_path), works=False, dev=False) as desk:
        yield desk


async def test_without_a_key_only_health_is_told(guarded: Service) -> None:
    for path in ("/api/jobs", "/api/jobs/x", "/api/jobs/x/events", "/openapi.json"):
        answer = await guarded.get(path)

        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "headcount keys create" in answer.json()["hint"]
    assert (await guarded.get("/healthz")).json() == {"status": "ok"}
    assert (await guarded.get("/readyz")).json() == {"status": "ok"}


async def test_forged_and_revoked_keys_are_refused(guarded: Service) -> None:
    real = (await guarded.key("ada"))["Authorization"]
    revoked = (await guarded.key("ada"))["Authorization"]
    await guarded.site.keys.revoke(revoked.split("_")[1])

    for shown in (
        revoked,
        real[:-1] + ("A" if real[-1] != "A" else "B"),
        real.replace("hc_", "hc_0", 1),
        "Bearer",
        "Bearer hc_",
        "Bearer hc_00000000_" + "A" * 43,
        "Basic " + real.split()[1],
        real.split()[1],
        "Bearer " + "é" * 10,
    ):
        header = (b"Authorization", shown.encode())
        answer = await guarded.client.get("/api/jobs", headers=[header])

        assert answer.status_code == 401, shown
    good = await guarded.get("/api/jobs", Authorization=real)
    assert good.status_code == 200


@EVERY_DATABASE
async def test_an_owner_sees_only_their_own_jobs(
    tmp_path: Path, database: object
) -> None:
    assert callable(database)
    async with serving_web(await database(tmp_path), works=False, dev=False) as guarded:
        ada, bob = await guarded.key("ada"), await guarded.key("bob")
        hers = (await guarded.post("/api/jobs", SEARCH, **ada)).json()

        assert hers["owner"] == "ada"
        assert (await guarded.get("/api/jobs", **bob)).json()["jobs"] == []
        for path in ("", "/creators", "/calls", "/events"):
            answer = await guarded.get(f"/api/jobs/{hers['id']}{path}", **bob)
            assert answer.status_code == 404
        for act in ("pause", "resume", "cancel", "finish", "topup"):
            path = f"/api/jobs/{hers['id']}/{act}"
            assert (await guarded.post(path, {}, **bob)).status_code == 404
        deleted = await guarded.client.delete(f"/api/jobs/{hers['id']}", headers=bob)
        assert deleted.status_code == 404
        shown = await guarded.get(f"/api/jobs/{hers['id']}", **ada)
        assert shown.json()["status"] == "pending"


async def test_an_admin_sees_the_jobs_of_all(guarded: Service) -> None:
    ada, admin = await guarded.key("ada"), await guarded.key("root", "admin")
    hers = (await guarded.post("/api/jobs", SEARCH, **ada)).json()["id"]

    listed = (await guarded.get("/api/jobs", **admin)).json()["jobs"]
    paused = await guarded.post(f"/api/jobs/{hers}/pause", **admin)

    assert [job["id"] for job in listed] == [hers]
    assert paused.json()["status"] == "paused"


async def test_a_key_for_reading_changes_nothing(guarded: Service) -> None:
    write, read = await guarded.key("ada"), await guarded.key("ada", "read")
    job = (await guarded.post("/api/jobs", SEARCH, **write)).json()["id"]

    assert (await guarded.get(f"/api/jobs/{job}", **read)).status_code == 200
    for answer in (
        await guarded.post("/api/jobs", SEARCH, **read),
        await guarded.post(f"/api/jobs/{job}/cancel", **read),
        await guarded.client.delete(f"/api/jobs/{job}", headers=read),
    ):
        assert answer.status_code == 403
        assert "write" in answer.json()["detail"]


async def test_a_key_has_so_many_requests_a_minute(tmp_path: Path) -> None:
    async with serving_web(
        await sqlite(tmp_path), works=False, dev=False, requests_per_minute=3
    ) as guarded:
        ada, bob = await guarded.key("ada"), await guarded.key("bob")

        answers = [await guarded.get("/api/jobs", **ada) for _ in range(4)]
        his = await guarded.get("/api/jobs", **bob)

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    left = [answer.headers["ratelimit-remaining"] for answer in answers]
    assert left == ["2", "1", "0", "0"]
    assert answers[-1].headers["ratelimit-limit"] == "3"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert his.status_code == 200


async def test_guessing_keys_is_limited_too(tmp_path: Path) -> None:
    async with serving_web(
        await sqlite(tmp_path), works=False, dev=False, requests_per_minute=2
    ) as guarded:
        answers = [await guarded.get("/api/jobs") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [401, 401, 429]


async def test_without_keys_only_this_machine_may_ask(desk: Service) -> None:
    port = desk.url.rpartition(":")[2]
    for headers in (
        {"Host": "rebound.example"},
        {"Origin": "https://page.example"},
        {"Origin": "null"},
        {"Origin": f"http://page.example:{port}"},
    ):
        answer = await desk.get("/api/jobs", **headers)

        assert answer.status_code == 403, headers
    for headers in (
        {"Host": f"localhost:{port}"},
        {"Origin": desk.url},
        {"Host": f"[::1]:{port}"},
    ):
        assert (await desk.get("/api/jobs", **headers)).status_code == 200, headers


def test_a_window_begins_anew_after_a_minute() -> None:
    times = iter([NOON, NOON + timedelta(seconds=59), NOON + timedelta(seconds=61)])
    limiter = Limiter(1, lambda: next(times))

    limiter.count("ada")
    with pytest.raises(Problem) as refused:
        limiter.count("ada")
    again = limiter.count("ada")

    assert refused.value.headers["Retry-After"] == "1"
    assert again["RateLimit-Remaining"] == "0"


def test_the_settings_name_a_limit_that_people_do_not_meet() -> None:
    assert Settings.model_fields["requests_per_minute"].default == 1_200
