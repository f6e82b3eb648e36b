"""The routes as an ASGI application: in a server of its own, as hosts start it."""

import asyncio
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from serverless.letters import about, sealed
from serverless.site import Outside, a_search, a_world

from headcount.bootstrap import open_app
from headcount.sandbox.qstash import Letter
from headcount.serverless import PROCESS

_ADDRESS = re.compile(r"running on (http://\S+)")


@asynccontextmanager
async def a_host(outside: Outside, lifespan: str = "on") -> AsyncIterator[str]:
    """A server that was given nothing but the application's name."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", "headcount.serverless.asgi:app"),
        *("--port", "0", "--lifespan", lifespan),
        env=outside.environment(),
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=PIPE,
    )
    try:
        assert process.stderr
        said = b""
        while not (found := _ADDRESS.search(said.decode())):
            line = await process.stderr.readline()
            assert line, said.decode()
            said += line
        yield found[1]
    finally:
        process.terminate()
        await process.communicate()


async def sends(url: str, letter: Letter, path: str = PROCESS) -> httpx2.Response:
    body, headers = sealed(letter)
    async with httpx2.AsyncClient(base_url=url, timeout=30) as client:
        return await client.post(path, content=body, headers=headers)


@pytest.mark.parametrize("lifespan", ["on", "off"])
async def test_a_message_takes_a_job_forward(tmp_path: Path, lifespan: str) -> None:
    async with a_world(tmp_path, "vanished:1") as outside:
        async with open_app(outside.settings) as app:
            job_id = (await app.create(a_search(40))).id
        async with a_host(outside, lifespan) as url:
            answer = await sends(url, about(job_id))

        assert answer.status_code == 200
        assert answer.json()["found"] == 40


async def test_it_lets_in_only_what_is_signed_and_not_too_large(tmp_path: Path) -> None:
    async with a_world(tmp_path) as outside, a_host(outside) as url:
        letter = about("any")

        forged = await sends(url, letter.claiming(sub="https://elsewhere.example"))
        elsewhere = await sends(url, letter, "/api/jobs")
        async with httpx2.AsyncClient(base_url=url) as client:
            twice = await client.post(
                PROCESS, content=letter.body, headers=sealed(letter)[1] * 2
            )
            large = await client.post(PROCESS, content=b" " * 1_000_001)
            asked = await client.get(PROCESS)

        answers = (forged, elsewhere, twice, large, asked)
        assert [each.status_code for each in answers] == [401, 404, 401, 413, 405]
        assert asked.headers["allow"] == "POST"
