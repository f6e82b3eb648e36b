"""Nothing leaves the loopback, whatever a message, a map or an answer says."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2 as httpx
import pytest
from sandbox.qstash.people import Running, Start

from headcount.sandbox import Sandbox, World
from headcount.sandbox import serving as serving_any

pytestmark = pytest.mark.asyncio(loop_scope="module")
ELSEWHERE = {
    "a public name": "https://elsewhere.example/hook",
    "a public address": "http://203.0.113.7/hook",
    "a mapped host as a part of another": "https://app.example.elsewhere.example/x",
    "a mapped host as a user": "https://app.example@elsewhere.example/hook",
    "the loopback as a user": "http://127.0.0.1@elsewhere.example/hook",
    "the loopback as a part of a name": "http://127.0.0.1.elsewhere.example/hook",
    "a number that means the loopback": "http://2130706433/hook",
    "every address": "http://0.0.0.0/hook",
    "another port of a mapped host": "https://app.example:8443/hook",
    "another scheme of a mapped host": "http://app.example/hook",
}


@pytest.mark.parametrize("case", ELSEWHERE)
async def test_a_destination_elsewhere_is_refused_at_once(
    running: Running, case: str
) -> None:
    answer = await running.ask_to_publish(to=ELSEWHERE[case])
    await running.settled()

    assert answer.status_code == 400
    assert "the sandbox delivers on the loopback only" in answer.json()["error"]
    assert running.sandbox.deliveries == ()


@pytest.mark.parametrize("kind", ["callback", "failure_callback"])
async def test_a_callback_elsewhere_is_not_delivered(
    running: Running, kind: str
) -> None:
    running.hook.will_reply(500)

    await running.publish(retries=0, **{kind: "https://elsewhere.example/told"})
    await running.settled()

    *_, last = running.sandbox.deliveries
    assert (last.url, last.status) == ("https://elsewhere.example/told", 0)


async def test_a_redirect_is_an_error_and_not_followed(running: Running) -> None:
    away = {"location": "https://elsewhere.example/hook"}
    running.hook.will_reply(307, headers=away)

    await running.publish(retries=0)
    await running.settled()

    assert [each.status for each in running.sandbox.deliveries] == [307]


@contextmanager
def listener() -> Iterator[tuple[socket.socket, int]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server, server.getsockname()[1]


async def test_a_public_url_is_led_to_a_port_with_path_and_query(start: Start) -> None:
    public = "https://search.example/api"
    async with serving_any(Sandbox(World())) as url:
        running = await start(places={public: f"{url}/v1"})

        await running.publish(
            to=f"{public}/tiktok/search/keyword?query=yoga%20mat",
            method="GET",
            forward_x_api_key="any",
        )
        await running.settled()
        async with httpx.AsyncClient() as http:
            ledger = (await http.get(f"{url}/sandbox/ledger")).json()["calls"]

    assert [call["keyword"] for call in ledger] == ["yoga mat"]


async def test_the_longest_public_url_wins(start: Start) -> None:
    async with serving_any(Sandbox(World())) as url:
        running = await start(places={"https://app.example/v1": f"{url}/v1"})

        await running.publish(to="https://app.example/v1/nothing", retries=0)
        await running.publish(to="https://app.example/v10")
        await running.settled()

    assert [each.status for each in running.sandbox.deliveries] == [200, 404]


async def test_a_loopback_url_needs_no_map_unless_it_is_strict(start: Start) -> None:
    async with serving_any(Sandbox(World())) as url:
        lenient, strict = await start(), await start(strict=True)

        taken = await lenient.ask_to_publish(to=f"{url}/hook", retries=0)
        await lenient.settled()
        refused = await strict.ask_to_publish(to=f"{url}/hook")

    assert taken.status_code == 200
    assert [each.status for each in lenient.sandbox.deliveries] == [404]
    assert refused.json()["error"] == (
        "invalid destination url: endpoint resolves to a loopback address: 127.0.0.1"
    )


async def test_a_destination_that_refuses_the_connection_is_tried_again(
    start: Start,
) -> None:
    with listener() as (_, port):
        pass  # closed again: nobody is there
    running = await start()

    sent = await running.publish(to=f"http://127.0.0.1:{port}/hook", retries=1)
    await running.settled()

    assert [each.status for each in running.sandbox.deliveries] == [0, 0]
    assert (await running.states(sent))[-1] == "FAILED"


async def test_a_defect_of_the_application_is_a_500(start: Start) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    running = await start(places={"https://broken.example": broken})
    await running.publish(to="https://broken.example/", retries=0)
    await running.settled()

    assert [each.status for each in running.sandbox.deliveries] == [500]
