"""The sandbox on a port of its own: what only a real connection can show."""

import asyncio
import json
import signal
import sys

import httpx2 as httpx
import pytest

from headcount.sandbox import Faults, Sandbox, World, serving

SEARCH = "/v1/tiktok/search/keyword"
YOGA = {"query": "yoga"}
SECONDS = 5  # far more than any of this takes


def client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers={"x-api-key": "any key"})


def faulty(name: str) -> Sandbox:
    return Sandbox(World(), faults=Faults.parse([f"{name}@1"]))


async def test_a_page_comes_over_a_real_port() -> None:
    sandbox = Sandbox(World())

    async with serving(sandbox) as url, client(url) as http:
        answer = await http.get(SEARCH, params=YOGA)

    assert len(answer.json()["search_item_list"]) >= 28
    assert len(sandbox.ledger) == 1


async def test_a_lost_answer_is_charged_and_the_next_one_comes() -> None:
    sandbox = faulty("lost_answer")

    async with serving(sandbox) as url, client(url) as http:
        with pytest.raises(httpx.TransportError):
            await http.get(SEARCH, params=YOGA)
        again = await http.get(SEARCH, params=YOGA)

    assert again.status_code == 200
    assert [call.credits for call in sandbox.ledger] == [1, 1]


async def test_a_truncated_answer_is_whole_for_http_and_broken_for_json() -> None:
    async with serving(faulty("truncated")) as url, client(url) as http:
        answer = await http.get(SEARCH, params=YOGA)

    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


async def test_a_slow_answer_outlasts_a_clients_patience_and_is_charged() -> None:
    sandbox = faulty("slow")

    async with serving(sandbox) as url, client(url) as http:
        with pytest.raises(httpx.ReadTimeout):
            await http.get(SEARCH, params=YOGA, timeout=0.05)

    assert sandbox.credits_charged == 1


async def test_leaving_waits_neither_for_idle_connections_nor_for_slow_answers() -> (
    None
):
    async with asyncio.timeout(SECONDS):
        async with serving(Sandbox(World())) as url:
            idle = client(url)
            await idle.get(SEARCH, params=YOGA)
        await idle.aclose()

        pausing = asyncio.Event()

        async def for_ever(_seconds: float) -> None:
            pausing.set()
            await asyncio.Event().wait()

        sandbox = Sandbox(World(), latency_ms=1, sleep=for_ever)
        async with serving(sandbox) as url, client(url) as http:
            waiting = asyncio.create_task(http.get(SEARCH, params=YOGA))
            await pausing.wait()
            waiting.cancel()


async def test_signals_stay_with_the_program_that_runs_the_loop() -> None:
    before = signal.getsignal(signal.SIGINT)

    async with serving(Sandbox(World())) as url, client(url) as http:
        await http.get("/sandbox/ledger")
        during = signal.getsignal(signal.SIGINT)

    assert during is before


async def test_a_taken_port_is_an_error_at_once() -> None:
    async with serving(Sandbox(World())) as url:
        port = int(url.rpartition(":")[2])

        with pytest.raises(OSError, match="in use"):
            async with serving(Sandbox(World()), port=port):
                raise AssertionError("two servers on one port")


FOREGROUND = """
from headcount.sandbox import Sandbox, World, run

class Announced(Sandbox):
    async def __call__(self, scope, receive, send):
        print(scope["type"], flush=True)
        await super().__call__(scope, receive, send)

run(Announced(World()), 0, announce=lambda url: None)
"""


async def test_ctrl_c_ends_the_foreground_server_cleanly() -> None:
    command = (sys.executable, "-c", FOREGROUND)
    pipe = asyncio.subprocess.PIPE
    server = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    assert server.stdout is not None
    async with asyncio.timeout(30):
        assert await server.stdout.readline() == b"lifespan\n"

        server.send_signal(signal.SIGINT)
        _, complaints = await server.communicate()

    assert complaints == b""
    assert server.returncode == 0
