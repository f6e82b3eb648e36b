"""What a job found, in every form in which it is given out."""

import csv
import io
import json

import pytest
from web.service import Service


async def found(service: Service, target: int = 40) -> str:
    """The id of a job that has found what it should."""
    job = await service.begun(targetResults=target)
    await service.ended(job)
    return job


async def test_the_pages_together_are_exactly_n_different_creators(
    service: Service,
) -> None:
    job = await found(service, 43)

    rows, cursor = [], ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        page = (await service.get(f"/api/jobs/{job}/creators?limit=10{more}")).json()
        rows += page["creators"]
        cursor = page["nextCursor"]

    assert [row["ordinal"] for row in rows] == list(range(1, 44))
    assert len({row["id"] for row in rows}) == 43


async def test_creators_are_streamed_as_lines_of_json(service: Service) -> None:
    job = await found(service)
    page = await service.get(f"/api/jobs/{job}/creators")

    answer = await service.get(
        f"/api/jobs/{job}/creators", Accept="application/x-ndjson"
    )

    assert answer.headers["content-type"] == "application/x-ndjson"
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert rows == page.json()["creators"]
    assert len(rows) == 40


async def test_creators_are_streamed_as_csv(service: Service) -> None:
    job = await found(service)

    answer = await service.get(f"/api/jobs/{job}/creators", Accept="text/csv")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].endswith('.csv"')
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["ordinal"] for row in rows] == [str(n) for n in range(1, 41)]


async def test_the_guides_shape_is_there_for_existing_front_ends(
    service: Service,
) -> None:
    job = await found(service)

    page = (await service.get(f"/api/jobs/{job}/creators?shape=guide")).json()

    assert page["creators"][0]["creator"]["uniqueId"]
    assert page["creators"][0]["platform"] == "TikTok"


async def test_the_form_is_the_one_that_the_client_likes_best(
    service: Service,
) -> None:
    job = await found(service)

    async def given(accept: str) -> str:
        answer = await service.get(f"/api/jobs/{job}/creators", Accept=accept)
        return answer.headers["content-type"].partition(";")[0]

    assert await given("*/*") == "application/json"
    assert await given("text/csv;q=0.5, application/json") == "application/json"
    assert await given("application/json;q=0.1, text/csv") == "text/csv"
    assert await given("text/html, text/*;q=0.3") == "text/csv"
    assert await given("application/jsonl") == "application/jsonl"
    assert await given("text/html, */*;q=0.1") == "application/json"


@pytest.mark.parametrize("accept", ["text/html", "text/csv;q=0", "nonsense"])
async def test_a_form_that_there_is_none_of_is_not_acceptable(
    desk: Service, accept: str
) -> None:
    job = await desk.begun()

    answer = await desk.get(f"/api/jobs/{job}/creators", Accept=accept)

    assert answer.status_code == 406
    assert "text/csv" in answer.json()["hint"]


async def test_the_ledger_has_every_call_in_pages(service: Service) -> None:
    job = await found(service, 120)
    shown = (await service.get(f"/api/jobs/{job}")).json()

    calls, cursor = [], ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        page = (await service.get(f"/api/jobs/{job}/calls?limit=2{more}")).json()
        calls += page["calls"]
        cursor = page["nextCursor"]

    assert len(calls) == shown["apiCalls"]
    assert sum(call["newUnique"] for call in calls) == 120 + shown["spares"]
