"""New sources over HTTP: allowed when a search begins, or later."""

import pytest
from web.service import SEARCH, Service


async def test_what_may_be_opened_is_kept_and_told_with_the_job(
    service: Service,
) -> None:
    ask = {
        "keywords": ["yoga"],
        "targetResults": 400,
        "sandbox": True,
        "expand": "related",
        "expandExclude": ["nike"],
        "relevanceMin": 0.1,
    }

    job = (await service.post("/api/jobs", ask)).json()
    ended = await service.ended(job["id"])

    told = {name: ended[name] for name in ("expand", "expandExclude", "relevanceMin")}
    assert told == {
        "expand": "related",
        "expandExclude": ["nike"],
        "relevanceMin": 0.1,
    }
    assert (ended["status"], ended["current"]) == ("completed", 400)
    assert ended["expansion"]["sources"] > 0
    assert ended["sources"][0]["origin"] is None
    assert ended["sources"][1]["origin"] == 'hashtag of "yoga"'
    rows = (await service.get(f"/api/jobs/{job['id']}/creators?limit=400")).json()
    assert {row["origin"] for row in rows["creators"]} > {None, 'hashtag of "yoga"'}


async def test_nothing_is_opened_where_nothing_is_said(desk: Service) -> None:
    job = (await desk.post("/api/jobs", SEARCH)).json()

    assert (job["expand"], job["expandExclude"], job["relevanceMin"]) == ("off", [], 0)


async def test_a_job_that_fell_short_may_be_allowed_more_by_a_top_up(
    service: Service,
) -> None:
    ask = {"keywords": ["yoga"], "targetResults": 400, "sandbox": True}
    job = (await service.post("/api/jobs", ask)).json()
    short = await service.ended(job["id"])
    assert short["outcome"]["reason"] == "sources_exhausted"

    topped = await service.post(f"/api/jobs/{job['id']}/topup", {"expand": "variants"})
    await service.post(f"/api/jobs/{job['id']}/resume")
    ended = await service.ended(job["id"])

    assert (topped.status_code, topped.json()["expand"]) == (200, "variants")
    assert (ended["status"], ended["current"]) == ("completed", 400)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"expand": "everything"}, "expand"),
        ({"expand": "all", "expandExclude": [""]}, "expandExclude"),
        ({"expand": "all", "relevanceMin": 2}, "relevanceMin"),
        ({"expandExclude": ["nike"]}, "expand"),
    ],
)
async def test_what_cannot_be_opened_is_refused_with_its_path(
    desk: Service, asked: dict[str, object], field: str
) -> None:
    answer = await desk.post("/api/jobs", {**SEARCH, **asked})

    assert answer.status_code == 422
    assert field in answer.text
