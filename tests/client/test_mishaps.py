"""Whatever happens on the way, a request is carried out once and nothing is lost."""

import json

import pytest
from client.road import Road, answer_lost, answered, cut_after, never_sent
from web.service import Service

from headcount.client import Client
from headcount.core.errors import NoSuchJob, ServerError, WrongServer
from headcount.core.model import Status

WORDS = ["apple", "tech"]
LIMITED = json.dumps({"detail": "1 request a minute", "hint": "wait"}).encode()
OURS = {"Headcount_Api": "1"}


def on(service: Service, road: Road, *, patience: float = 30.0) -> Client:
    return Client(service.url, transport=road, patience=patience)


async def number_of_jobs(service: Service) -> int:
    return len((await service.get("/api/jobs?limit=200")).json()["jobs"])


@pytest.mark.parametrize(
    "mishap",
    [
        never_sent,
        answer_lost,
        answered(429, LIMITED, Retry_After="1", **OURS),
        answered(409, b"{}", Retry_After="1", **OURS),
        answered(500, b"{}", **OURS),
        answered(502, b"<html>a proxy's words</html>"),
        answered(503, b""),
    ],
)
async def test_a_job_is_begun_once_whatever_happens(
    desk: Service, mishap: object
) -> None:
    assert callable(mishap)
    road = Road(mishap, answer_lost)
    async with on(desk, road) as client:
        job = await client.create(40, WORDS, sandbox=True)

    assert await number_of_jobs(desk) == 1
    assert job.target == 40
    keys = {request.headers["Idempotency-Key"] for request in road.requests}
    assert (len(road.requests), len(keys)) == (3, 1)


async def test_two_requests_have_keys_of_their_own(desk: Service) -> None:
    road = Road()
    async with on(desk, road) as client:
        await client.create(40, WORDS, sandbox=True)
        await client.create(40, WORDS, sandbox=True)
        mine = await client.create(9, WORDS, sandbox=True, idempotency_key="mine")
        again = await client.create(9, WORDS, sandbox=True, idempotency_key="mine")

    assert await number_of_jobs(desk) == 3
    assert mine == again


async def test_a_delete_whose_answer_was_lost_is_done(desk: Service) -> None:
    job = await desk.begun()

    async with on(desk, Road(answer_lost)) as client:
        await client.delete(job)
        with pytest.raises(NoSuchJob):
            await client.delete(job)

    assert await number_of_jobs(desk) == 0


async def test_who_is_away_for_too_long_is_said_to_be(desk: Service) -> None:
    async with on(desk, Road(*[never_sent] * 9)) as client:
        with pytest.raises(ServerError, match="is `headcount serve` running there"):
            await client.statistics()


async def test_a_wait_beyond_patience_is_not_waited(desk: Service) -> None:
    road = Road(answered(429, LIMITED, Retry_After="60", **OURS))
    async with on(desk, road, patience=10) as client:
        with pytest.raises(ServerError, match="1 request a minute") as error:
            await client.statistics()

    assert (len(road.requests), error.value.hint) == (1, "wait")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (answered(200, b"<html>", Content_Type="text/html"), "what answers there is"),
        (answered(302, Location="https://elsewhere.example/"), "it leads on to"),
        (answered(404), "what answers there is none, or too old"),
        (answered(200, b"{}", Headcount_Api="2"), "upgrade Headcount here"),
        (answered(200, b"{}", Headcount_Api="0"), "upgrade the server"),
        (answered(200, b"{}", **OURS), "upgrade Headcount here"),
    ],
)
async def test_who_is_no_such_server_is_recognised(
    desk: Service, answer: object, words: str
) -> None:
    assert callable(answer)
    road = Road(answer)
    async with on(desk, road) as client:
        with pytest.raises(WrongServer, match=words):
            await client.statistics()

    assert len(road.requests) == 1


async def test_a_path_within_a_server_is_no_server(desk: Service) -> None:
    async with Client(f"{desk.url}/api") as client:
        with pytest.raises(WrongServer, match="leave the path out"):
            await client.check()


async def test_whether_a_server_is_there_is_tried_once(desk: Service) -> None:
    road = Road(never_sent)
    async with on(desk, road) as client:
        with pytest.raises(ServerError):
            await client.check()
        await client.check()

    assert len(road.requests) == 2


# ------------------------------------------------------------------- what takes a while
async def test_events_go_on_where_a_connection_broke(service: Service) -> None:
    breaks = [cut_after(pieces) for pieces in (1, 0, 3, 2, 0, 5)]
    road = Road(*breaks, only="/events")
    async with on(service, road) as client:
        job = await client.create(200, [*WORDS, "gaming"], sandbox=True)

        events = [event async for event in client.events(job.id, after=0)]

        sheet = await client.job(job.id)
    ids = [event.id for event in events]
    calls = [call.call_number for event in events for call in event.news.calls]
    assert ids == sorted(set(ids))
    assert sorted(calls, key=lambda n: n or 0) == list(range(1, sheet.api_calls + 1))
    assert events[-1].news.status is Status.COMPLETED
    asked = [r for r in road.requests if r.url.path.endswith("/events")]
    assert len(asked) > 2
    assert asked[-1].headers["Last-Event-ID"] != "0"


async def test_events_end_where_nothing_came_after(service: Service) -> None:
    async with Client(service.url) as client:
        job = await client.create(40, WORDS, sandbox=True)
        last = [event async for event in client.events(job.id)][-1]

        rest = [event async for event in client.events(job.id, after=last.id)]

    assert rest == []


async def test_events_of_a_further_run_are_told_after_an_end(service: Service) -> None:
    async with Client(service.url) as client:
        job = await client.create(40, WORDS, sandbox=True)
        first = [event async for event in client.events(job.id)]
        await client.top_up(job.id, 90)
        _ = [event async for event in client.events(job.id)]

        events = [event async for event in client.events(job.id, after=0)]

    assert first[-1].id in {event.id for event in events}
    assert (events[-1].news.current, events[-1].news.target) == (90, 90)


async def test_a_server_that_ends_is_waited_for(service: Service) -> None:
    nothing = answered(200, b"", Content_Type="text/event-stream", **OURS)
    async with on(service, Road(nothing, nothing, only="/events")) as client:
        job = await client.create(40, WORDS, sandbox=True)

        events = [event async for event in client.events(job.id)]

    assert events[-1].news.status is Status.COMPLETED


async def test_whoever_stops_listening_lets_the_server_go(desk: Service) -> None:
    job = await desk.begun()
    async with Client(desk.url) as client:
        events = client.events(job)
        first = await anext(events)
        await events.aclose()

    assert first.type == "job.pending"


@pytest.mark.parametrize("pieces", [0, 1, 2])
async def test_creators_go_on_where_the_stream_broke(
    service: Service, pieces: int
) -> None:
    road = Road(cut_after(pieces), only="/creators")
    async with on(service, road) as client:
        job = await client.create(300, [*WORDS, "gaming"], sandbox=True)
        async for _ in client.events(job.id):
            pass

        rows = [row async for row in client.creators(job.id)]

    assert [row.ordinal for row in rows] == list(range(1, 301))


async def test_a_stream_that_never_begins_is_given_up(service: Service) -> None:
    job = await service.begun()
    await service.ended(job)
    road = Road(*[cut_after(0)] * 9)
    async with on(service, road) as client:
        with pytest.raises(ServerError):
            _ = [row async for row in client.creators(job)]


async def test_a_refused_stream_says_why(service: Service) -> None:
    async with Client(service.url) as client:
        with pytest.raises(NoSuchJob):
            _ = [event async for event in client.events("nope")]
        with pytest.raises(NoSuchJob):
            _ = [row async for row in client.creators("nope")]


async def test_a_key_is_in_no_message(desk: Service) -> None:
    async with Client(
        desk.url, "hc_secret", transport=Road(*[never_sent] * 9)
    ) as client:
        with pytest.raises(ServerError) as error:
            await client.statistics()

    assert "hc_secret" not in f"{client!r} {error.value!r} {error.value.__cause__!r}"
