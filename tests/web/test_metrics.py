"""The metrics of a service, as Prometheus scrapes them."""

import asyncio
import math
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import httpx2
import pytest
from fakes.databases import sqlite
from fakes.postgres import server as postgres
from prometheus_client.parser import text_string_to_metric_families
from web.service import PATIENCE, Service, served, serving_web

from headcount.bootstrap import open_service
from headcount.core.errors import StoreBusy
from headcount.core.search import build_search
from headcount.settings import Settings
from headcount.web.app import make_window

Sample = tuple[str, frozenset[tuple[str, str]]]


def samples(text: str) -> dict[Sample, float]:
    """Every sample of a scrape by its name and labels."""
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


class Scrape:
    """What one scrape has told."""

    def __init__(self, answer: httpx2.Response) -> None:
        assert answer.status_code == 200, answer.text
        self.text = answer.text
        self._found = samples(answer.text)

    def __call__(self, name: str, **labels: str) -> float:
        return self._found[f"headcount_{name}", frozenset(labels.items())]

    def of(self, name: str) -> list[dict[str, str]]:
        """The labels of all samples of this name."""
        return [dict(labels) for found, labels in self._found if found == name]


async def scrape(service: Service, **headers: str) -> Scrape:
    return Scrape(await service.get("/metrics", **headers))


async def until(
    service: Service, wanted: Callable[[Scrape], bool], **headers: str
) -> None:
    """Return when a scrape tells what is wanted."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if wanted(await scrape(service, **headers)):
                return
            await asyncio.sleep(0.01)


async def test_a_scrape_counts_what_was_done(service: Service) -> None:
    job = await service.ended(await service.begun())

    told = await scrape(service)

    tracking = job["exactCountTracking"]
    assert told("calls_total", outcome="page") == tracking["totalApiCalls"]
    assert told("call_duration_seconds_count") == tracking["totalApiCalls"]
    assert told("pages_settled_total") == tracking["totalApiCalls"]
    assert told("settle_duration_seconds_count") == tracking["totalApiCalls"]
    assert told("credits_spent_total") == tracking["creditsSpent"]
    assert told("duplicates_total") == tracking["duplicatesFound"]
    found = tracking["uniqueCreatorsFound"] + tracking["spareCreators"]
    assert told("creators_total") == found
    assert told("jobs_ended_total", status="completed", reason="") == 1
    assert told("wakeups_total") == 1


async def test_an_end_that_an_owner_brings_about_is_counted(desk: Service) -> None:
    job = await desk.begun()

    await desk.post(f"/api/jobs/{job}/cancel")
    await desk.post(f"/api/jobs/{job}/cancel")

    told = await scrape(desk)
    assert told("jobs_ended_total", status="cancelled", reason="") == 1


async def test_jobs_that_wait_are_counted_at_the_scrape(desk: Service) -> None:
    for _ in range(3):
        await desk.begun()

    told = await scrape(desk)

    assert told("jobs", state="due") == 3
    assert told("jobs", state="at_work") == told("jobs", state="waiting") == 0


async def test_jobs_are_counted_on_postgres_too() -> None:
    url = await postgres(16).database_with_tables()
    async with serving_web(url, works=False) as service:
        await service.begun()

        told = await scrape(service)

    assert told("jobs", state="due") == 1


async def test_a_request_is_counted_by_its_route_and_not_by_its_path(
    desk: Service,
) -> None:
    job = await desk.begun()
    for path in (f"/api/jobs/{job}", "/api/jobs/nobody", "/made/up", "/made/up/2"):
        await desk.get(path)
    await desk.client.request("PROPFIND", f"/api/jobs/{job}")

    told = await scrape(desk)

    count = "http_requests_total"
    route = "/api/jobs/{job_id}"
    assert told(count, method="GET", route=route, status="200") == 1
    assert told(count, method="GET", route=route, status="404") == 1
    assert told(count, method="GET", route="none", status="404") == 2
    assert told(count, method="other", route=route, status="405") == 1
    assert job not in told.text
    assert "made" not in told.text


async def test_whoever_follows_a_job_is_counted_while_they_do(desk: Service) -> None:
    job = await desk.begun()
    before = await scrape(desk)

    async with desk.listening(job) as events:
        await anext(aiter(events))
        meanwhile = await scrape(desk)

    await until(desk, lambda told: told("watchers") == 0)
    assert (before("watchers"), meanwhile("watchers")) == (0, 1)


async def test_a_key_that_is_closed_is_counted_where_no_jobs_are_worked_on(
    desk: Service,
) -> None:
    app = desk.site.app
    await app.gates.close("scrapecreators/invented", "no credits", app.clock.now())

    assert (await scrape(desk))("provider_keys_closed") == 1


async def test_a_label_has_few_values_known_beforehand(service: Service) -> None:
    await service.ended(await service.begun(campaign="spring", endUser="ada"))

    told = await scrape(service)

    names = {
        name
        for family in text_string_to_metric_families(told.text)
        for one in family.samples
        for name in one.labels
        if family.name.startswith("headcount")
    }
    known = {"outcome", "status", "reason", "state", "method", "route", "le", "version"}
    assert names == known
    assert not any(word in told.text for word in ("spring", "ada", "apple", "local"))


@pytest.mark.parametrize(
    ("scope", "status"),
    [("metrics", 200), ("admin", 200), ("read", 403), ("write", 403)],
)
async def test_the_metrics_take_a_key_made_for_them(
    scope: str, status: int, tmp_path: Path
) -> None:
    async with serving_web(await sqlite(tmp_path), works=False, dev=False) as service:
        key = await service.key("ops", scope)

        shown = await service.get("/metrics", **key)
        jobs = await service.get("/api/jobs", **key)
        nobody = await service.get("/metrics")

    assert shown.status_code == status
    assert jobs.status_code == (403 if scope == "metrics" else 200)
    assert nobody.status_code == 401


async def test_a_scrape_is_answered_while_the_database_is_away(desk: Service) -> None:
    async def away(now: datetime) -> dict[str, int]:
        raise StoreBusy(f"it restarts at {now}")

    await desk.begun()
    desk.site.app.store.standing = away  # type: ignore[method-assign] # it goes away

    told = await scrape(desk)

    assert math.isnan(told("jobs", state="due"))
    assert math.isnan(told("provider_keys_closed"))
    assert told("wakeups_total") == 1


async def test_a_worker_shows_its_metrics_and_no_jobs(tmp_path: Path) -> None:
    settings = Settings.model_validate({"database_url": await sqlite(tmp_path)})
    async with open_service(settings) as app:
        window = make_window(app)
        async with served(window) as service:
            job = await app.create(build_search(10, ["tea"], provider="sandbox/42"))
            key = await service.key("ops", "metrics")
            await until(service, lambda told: told("pages_settled_total") > 0, **key)
            jobs = await service.get(f"/api/jobs/{job.id}", **key)
            ready = await service.get("/readyz")

    assert (jobs.status_code, ready.status_code) == (404, 200)
