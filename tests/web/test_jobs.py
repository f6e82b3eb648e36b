"""Jobs over HTTP: what is taken, what is refused, and what becomes of it."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from fakes.databases import sqlite
from jsonschema import Draft202012Validator
from web.service import SEARCH, Service, serving_web


async def test_a_search_becomes_a_job_that_ends_with_exactly_n(
    service: Service,
) -> None:
    answer = await service.post("/api/jobs", {**SEARCH, "targetResults": 37})

    job = answer.json()
    assert (answer.status_code, job["status"]) == (201, "pending")
    assert answer.headers["location"] == f"/api/jobs/{job['id']}"
    ended = await service.ended(job["id"])
    assert (ended["status"], ended["current"], ended["progress"]) == (
        "completed",
        37,
        "100.0%",
    )
    tracking = ended["exactCountTracking"]
    assert tracking["targetAchieved"]
    assert tracking["uniqueCreatorsFound"] == 37
    assert len(tracking["apiCallDetails"]) == tracking["totalApiCalls"]


async def test_a_search_may_be_written_as_the_scripts_write_it(desk: Service) -> None:
    ask = {"keywords": "apple, tech", "targetResults": 50, "platform": "TikTok"}

    job = (await desk.post("/api/jobs", {**ask, "sandbox": True})).json()

    assert job["keywords"] == ["apple", "tech"]
    assert job["platform"] == "tiktok"
    assert job["sandbox"] is True


async def test_a_search_that_only_plans_looks_around_and_tells_what_it_takes(
    service: Service,
) -> None:
    ask = {**SEARCH, "targetResults": 200, "plan": {"calls": 1}}
    job = (await service.post("/api/jobs", ask)).json()["id"]
    async with service.listening(job) as events:
        async for event in events:
            if event["event"] == "job.paused":
                break

    plan = (await service.get(f"/api/jobs/{job}/plan")).json()

    schema = json.loads(files("headcount").joinpath("schema.json").read_text())
    part = {"$ref": "#/$defs/plan", "$defs": schema["$defs"]}
    Draft202012Validator(part).validate(plan)
    assert plan["spent"] == {"calls": 1, "credits": 1}
    assert plan["needed"]["calls"]["expected"] > 1
    await service.post(f"/api/jobs/{job}/resume")
    assert (await service.ended(job))["current"] == 200


async def test_a_plan_makes_at_least_one_call(desk: Service) -> None:
    refused = await desk.post("/api/jobs", {**SEARCH, "plan": {"calls": 0}})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "plan.calls"


async def test_what_is_asked_is_kept_with_the_job(desk: Service) -> None:
    ask = {
        **SEARCH,
        "filters": {"followersMin": "10k", "captionHas": ["tea"], "verified": True},
        "limits": {"maxCalls": 9, "maxCredits": 8, "deadline": "2h"},
        "region": "us",
        "sort": "most-liked",
        "period": "this-week",
        "campaign": "spring",
        "endUser": "jo",
    }

    job = (await desk.post("/api/jobs", ask)).json()

    shown = (await desk.get(f"/api/jobs/{job['id']}")).json()
    for name in ("region", "sort", "period"):
        assert shown[name] == (ask[name] if name != "region" else "US")
    assert (shown["campaign"], shown["endUser"]) == ("spring", "jo")
    assert shown["filters"] == {
        "followersMin": 10_000,
        "captionHas": ["tea"],
        "verified": True,
    }
    assert (shown["limits"]["maxCalls"], shown["limits"]["maxCredits"]) == (9, 8)
    assert shown["limits"]["deadline"] > shown["createdAt"]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"target": 5}, "target"),
    ({"filters": {"followers": 5}}, "filters.followers"),
    ({"filters": {"followersMin": -1}}, "filters.followersMin"),
    ({"filters": {"followersMin": "many"}}, "filters.followersMin"),
    ({"filters": {"followersMin": 9, "followersMax": 8}}, "filters.followersMin"),
    ({"filters": {"verified": "yes"}}, "filters.verified"),
    ({"filters": {"postedWithin": "soon"}}, "filters.postedWithin"),
    ({"limits": {"maxCalls": 0}}, "limits.maxCalls"),
    ({"limits": {"calls": 1}}, "limits.calls"),
    ({"limits": {"deadline": "2026-01-01T00:00:00"}}, "limits.deadline"),
    ({"limits": {"deadline": "2020-01-01T00:00:00Z"}}, "limits.deadline"),
    ({"limits": {"deadline": "0001-01-01T00:00:00+14:00"}}, "limits.deadline"),
    ({"limits": {"deadline": "whenever"}}, "limits.deadline"),
    ({"limits": {"maxCost": 5}}, "limits.maxCost"),
    ({"targetResults": 0}, "targetResults"),
    ({"targetResults": "100"}, "targetResults"),
    ({"targetResults": True}, "targetResults"),
    ({"targetResults": 10**30}, "targetResults"),
    ({"keywords": []}, "keywords"),
    ({"keywords": [" "]}, "keywords.0"),
    ({"keywords": ["a", 5]}, "keywords.1"),
    ({"keywords": ["tea"] * 2_001}, "keywords"),
    ({"keywords": ["x" * 201]}, "keywords.0"),
    ({"keywords": ["te\x00a"]}, "keywords.0"),
    ({"keywords": ["te\ud800a"]}, "keywords.0"),
    ({"campaign": "te\x00a"}, "campaign"),
    ({"endUser": "te\udfffa"}, "endUser"),
    ({"filters": {"captionHas": ["te\x00a"]}}, "filters.captionHas.0"),
    ({"platform": "myspace"}, "platform"),
    ({"region": "USA"}, "region"),
    ({"sort": "best"}, "sort"),
    ({"period": "ever"}, "period"),
    ({"webhook": "http://example.com/hook"}, "webhook"),
    ({"webhook": "https://169.254.169.254/latest"}, "webhook"),
]


async def test_what_cannot_be_taken_is_refused_with_its_path(desk: Service) -> None:
    for more, field in REFUSED:
        answer = await desk.post("/api/jobs", {**SEARCH, **more})

        problem = answer.json()
        assert answer.status_code == 422, more
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["errors"][0]["field"] == field, problem
        assert problem["errors"][0]["detail"]
        assert problem["hint"]

    assert (await desk.get("/api/jobs")).json()["jobs"] == []


async def test_a_field_with_an_unprintable_name_is_refused_harmlessly(
    desk: Service,
) -> None:
    torn = await desk.post("/api/jobs", {**SEARCH, "te\ud800": 1})
    coloured = await desk.post("/api/jobs", {**SEARCH, "te\x1b[31m": 1})

    assert (torn.status_code, coloured.status_code) == (422, 422)
    assert torn.json()["errors"][0]["field"] == "body"
    assert coloured.json()["errors"][0]["field"] == r"'te\x1b[31m'"


async def test_a_cost_becomes_credits_by_the_price_that_is_set(
    tmp_path: Path,
) -> None:
    ask = {**SEARCH, "limits": {"maxCost": 1.0, "maxCredits": 900}}
    async with serving_web(
        await sqlite(tmp_path), works=False, credit_price=0.0019
    ) as service:
        dear = await service.post("/api/jobs", ask)
        poor = await service.post("/api/jobs", {**SEARCH, "limits": {"maxCost": 0.001}})

    assert dear.json()["limits"]["maxCredits"] == 526
    assert poor.json()["errors"][0]["field"] == "limits.maxCost"


async def test_a_search_of_the_real_provider_needs_its_key(service: Service) -> None:
    answer = await service.post("/api/jobs", {**SEARCH, "sandbox": False})

    assert answer.status_code == 503
    assert (await service.get("/api/jobs")).json()["jobs"] == []


# ------------------------------------------------------------------------------- lists
async def test_jobs_are_listed_in_pages_the_newest_first(desk: Service) -> None:
    begun = [await desk.begun() for _ in range(5)]

    seen, cursor = [], ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        page = (await desk.get(f"/api/jobs?limit=2{more}")).json()
        seen += [job["id"] for job in page["jobs"]]
        cursor = page["nextCursor"]

    assert seen == begun[::-1]


async def test_a_page_goes_on_where_its_last_job_was_deleted(desk: Service) -> None:
    begun = [await desk.begun() for _ in range(3)]
    page = (await desk.get("/api/jobs?limit=1")).json()
    await desk.client.delete(f"/api/jobs/{begun[2]}")

    rest = (await desk.get(f"/api/jobs?cursor={page['nextCursor']}")).json()

    assert [job["id"] for job in rest["jobs"]] == begun[1::-1]


async def test_a_list_is_narrowed_by_what_is_asked(desk: Service) -> None:
    spring = await desk.begun(campaign="spring", endUser="jo", keywords=["tea"])
    autumn = await desk.begun(campaign="autumn", keywords=["tea", "jam"])
    await desk.post(f"/api/jobs/{autumn}/cancel")
    time = (await desk.get(f"/api/jobs/{autumn}")).json()["createdAt"]

    async def ids(query: str) -> list[str]:
        page = (await desk.get(f"/api/jobs?{query}")).json()
        return [job["id"] for job in page["jobs"]]

    assert await ids("campaign=spring") == [spring]
    assert await ids("endUser=jo") == [spring]
    assert await ids("keyword=jam") == [autumn]
    assert await ids("keyword=tea") == [autumn, spring]
    assert await ids("status=cancelled") == [autumn]
    assert await ids(f"createdFrom={time}") in ([autumn], [])
    assert await ids("createdTo=2020-01-01T00:00:00Z") == []


NOT_TO_BE_LISTED = [
    "limit=0",
    "limit=201",
    "status=lost",
    "cursor=nonsense",
    "cursor=4pyT",
    "createdFrom=yesterday",
    "createdFrom=2026-01-01T00:00:00",
    "createdTo=0001-01-01T00:00:00%2B14:00",
    "campaign=%00",
    "keyword=%20",
]


async def test_a_list_that_cannot_be_had_is_refused_with_the_parameter(
    desk: Service,
) -> None:
    for query in NOT_TO_BE_LISTED:
        answer = await desk.get(f"/api/jobs?{query}")

        assert answer.status_code == 422, query
        assert answer.json()["errors"][0]["field"] == "?" + query.partition("=")[0]


# ----------------------------------------------------------------------------- actions
async def test_a_job_is_paused_and_resumed(desk: Service) -> None:
    job = await desk.begun()

    paused = await desk.post(f"/api/jobs/{job}/pause")
    resumed = await desk.post(f"/api/jobs/{job}/resume")

    assert (paused.status_code, paused.json()["status"]) == (200, "paused")
    assert resumed.json()["status"] == "pending"


async def test_a_job_is_finished_with_what_it_has(desk: Service) -> None:
    job = await desk.begun()

    finished = (await desk.post(f"/api/jobs/{job}/finish")).json()

    assert finished["status"] == "partial"
    assert finished["outcome"]["reason"] == "finished_by_user"


async def test_a_cancelled_job_cannot_go_on(desk: Service) -> None:
    job = await desk.begun()

    cancelled = await desk.post(f"/api/jobs/{job}/cancel")
    topped = await desk.post(f"/api/jobs/{job}/topup", {"targetResults": 50})

    assert cancelled.json()["status"] == "cancelled"
    assert topped.status_code == 409
    assert "cancelled" in topped.json()["detail"]


async def test_a_top_up_is_absolute_and_asking_twice_changes_nothing(
    service: Service,
) -> None:
    job = await service.begun(targetResults=40)
    before = await service.ended(job)
    more = before["current"] + before["spares"]

    for _ in range(2):
        await service.post(f"/api/jobs/{job}/topup", {"targetResults": more})

    after = await service.ended(job)
    assert (after["status"], after["current"], after["spares"]) == (
        "completed",
        more,
        0,
    )
    assert after["apiCalls"] == before["apiCalls"]


async def test_a_target_does_not_go_back(desk: Service) -> None:
    job = await desk.begun(targetResults=40)

    answer = await desk.post(f"/api/jobs/{job}/topup", {"targetResults": 39})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "targetResults"


async def test_limits_are_raised_to_what_is_given(desk: Service) -> None:
    job = await desk.begun(limits={"maxCalls": 3})

    answer = await desk.post(f"/api/jobs/{job}/topup", {"limits": {"maxCalls": 7}})

    assert answer.json()["limits"]["maxCalls"] == 7


async def test_a_deleted_job_is_gone(desk: Service) -> None:
    job = await desk.begun()

    deleted = await desk.client.delete(f"/api/jobs/{job}")

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await desk.get(f"/api/jobs/{job}")).status_code == 404
    assert (await desk.client.delete(f"/api/jobs/{job}")).status_code == 404


async def test_an_id_of_no_job_is_not_found(desk: Service) -> None:
    for job in ("unknown", "%00", "a%20b", "x" * 400, "%F0%9F%8D%B5"):
        for path in ("", "/creators", "/calls", "/events"):
            answer = await desk.get(f"/api/jobs/{job}{path}")

            assert answer.status_code == 404, job
            assert answer.headers["content-type"] == "application/problem+json"
