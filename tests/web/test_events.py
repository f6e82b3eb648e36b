"""The events of a job: nothing is lost, whoever makes them happen and who is away."""

import asyncio
from pathlib import Path

import pytest
from fakes.databases import sqlite
from web.service import EVERY_DATABASE, PATIENCE, Service, events_of, serving_web

from headcount.core.model import Change
from headcount.web.broadcast import Broadcast


async def test_it_begins_with_how_the_job_stands_and_ends_with_its_end(
    service: Service,
) -> None:
    job = await service.begun(targetResults=70)

    events = await service.events(job)

    assert events[0]["status"] in {"pending", "processing"}
    assert events[-1]["event"] == "job.completed"
    assert (events[-1]["current"], events[-1]["progress"]) == (70, "100.0%")
    ids = [event["id"] for event in events]
    assert ids == sorted(set(ids))


async def test_who_comes_back_gets_what_came_since(service: Service) -> None:
    job = await service.begun(targetResults=200)
    await service.ended(job)
    all_of_them = await service.events(job, after=0)

    for event in all_of_them[:-1]:
        rest = await service.events(job, after=event["id"])

        assert rest == [one for one in all_of_them if one["id"] > event["id"]]


async def test_every_call_is_told_once_to_who_reads_from_the_start(
    service: Service,
) -> None:
    job = await service.begun(targetResults=200)
    shown = await service.ended(job)

    events = await service.events(job, after=0)

    told = [call["callNumber"] for event in events for call in event["calls"]]
    assert sorted(told) == list(range(1, shown["apiCalls"] + 1))


async def test_who_has_seen_the_end_is_told_to_stay_away(service: Service) -> None:
    job = await service.begun()
    await service.ended(job)
    last = (await service.events(job))[-1]

    answer = await service.get(
        f"/api/jobs/{job}/events", **{"Last-Event-ID": str(last["id"])}
    )

    assert (answer.status_code, answer.content) == (204, b"")


async def test_an_ended_job_says_how_it_stands_and_no_more(service: Service) -> None:
    job = await service.begun()
    await service.ended(job)

    events = await service.events(job)

    assert [event["event"] for event in events] == ["job.completed"]


async def test_a_further_run_has_an_end_of_its_own(service: Service) -> None:
    job = await service.begun(targetResults=40)
    await service.ended(job)
    last = (await service.events(job))[-1]["id"]

    await service.post(f"/api/jobs/{job}/topup", {"targetResults": 150})
    again = await service.events(job, after=last)

    assert again[-1]["event"] == "job.completed"
    assert (again[-1]["current"], again[-1]["target"]) == (150, 150)


@EVERY_DATABASE
async def test_what_another_process_does_is_seen_as_well(
    tmp_path: Path, database: object
) -> None:
    assert callable(database)
    url = await database(tmp_path)
    async with serving_web(url, works=False) as front:
        job = await front.begun(targetResults=200)
        async with front.listening(job) as events:
            first = await anext(events)
            async with serving_web(url):
                rest = [event async for event in events]

        assert first["event"] == "job.pending"
        assert rest[-1]["event"] == "job.completed"
        told = [call["callNumber"] for event in rest for call in event["calls"]]
        shown = (await front.get(f"/api/jobs/{job}")).json()
        assert sorted(told) == list(range(1, shown["apiCalls"] + 1))


async def test_all_watchers_of_a_job_see_its_last_event(service: Service) -> None:
    job = await service.begun(targetResults=200)

    seen = await asyncio.gather(*(service.events(job) for _ in range(20)))

    assert {events[-1]["event"] for events in seen} == {"job.completed"}
    assert service.site.broadcast.watched == 0


async def test_a_job_that_is_deleted_lets_its_watchers_go(desk: Service) -> None:
    job = await desk.begun()

    async with desk.listening(job) as events:
        await anext(events)
        await desk.client.delete(f"/api/jobs/{job}")
        rest = [event["event"] async for event in events]

    assert rest in ([], ["job.cancelled"])


async def test_a_service_that_ends_lets_its_watchers_go(tmp_path: Path) -> None:
    async with serving_web(await sqlite(tmp_path), works=False) as desk:
        job = await desk.begun()
        async with desk.listening(job) as events:
            await anext(events)
            desk.site.stop()

            rest = await asyncio.wait_for(anext(events, None), PATIENCE)

    assert rest is None


async def test_silence_is_broken_by_a_heartbeat(desk: Service) -> None:
    job = await desk.site.app.store.load(await desk.begun())
    watchers = Broadcast(heartbeat=0.01)

    heard = watchers.follow(desk.site.app.store, job.id, job.version)

    assert await asyncio.wait_for(anext(heard), PATIENCE) == b": still here\n\n"
    await heard.aclose()


async def test_who_is_far_behind_reads_from_the_store(desk: Service) -> None:
    job_id = await desk.begun()
    async with desk.listening(job_id, after=0) as events:
        for target in range(100, 500):  # more than is kept for all
            await desk.site.app.top_up(job_id, target)
        await desk.site.app.cancel(job_id)

        targets = [event["target"] async for event in events]

    assert targets == [*range(100, 500), 499]


async def test_a_change_of_a_job_nobody_watches_costs_nothing(desk: Service) -> None:
    job = await desk.site.app.store.load(await desk.begun())

    desk.site.broadcast.notice(Change(job))

    assert desk.site.broadcast.watched == 0


@pytest.mark.parametrize("last", ["-1", "x", "9" * 30, "%00"])
async def test_an_event_id_that_is_none_is_refused(desk: Service, last: str) -> None:
    job = await desk.begun()

    answer = await desk.get(f"/api/jobs/{job}/events?after={last}")

    assert answer.status_code == 422


async def test_an_id_from_the_future_waits_for_what_comes(service: Service) -> None:
    job = await service.begun(targetResults=70)
    path = f"/api/jobs/{job}/events?after=999999999"

    async with service.client.stream("GET", path) as answer:
        seen = [event async for event in events_of(answer)]

    assert not seen or seen[-1]["event"] == "job.completed"
