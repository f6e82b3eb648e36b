"""`headcount sandbox qstash`: the program itself, in a process of its own."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2 as httpx
import pytest
from qstash import AsyncQStash, Receiver
from sandbox.qstash.people import Hook
from typer.testing import CliRunner

from headcount.cli import app
from headcount.sandbox import serving

PROGRAM = (sys.executable, "-m", "headcount", "sandbox")
SECONDS = 30  # far more than any of this takes


@asynccontextmanager
async def program(*words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SECONDS):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def exports_of(process: asyncio.subprocess.Process) -> dict[str, str]:
    assert process.stderr
    told = [(await process.stderr.readline()).decode() for _ in range(6)]
    return dict(re.findall(r"export (\w+)=(\S+)", "".join(told)))


async def test_a_message_gets_from_the_client_to_its_destination() -> None:
    hook = Hook()
    came = asyncio.Event()

    async def tell(_: object) -> None:
        came.set()

    hook.before_reply = tell
    async with (
        serving(hook) as place,
        program(
            "qstash",
            *("--port", "0", "--speed", "1000", "--fault", "nbf_zero:1"),
            *("--map", f"https://app.example={place}"),
        ) as process,
    ):
        given = await exports_of(process)
        client = AsyncQStash(given["QSTASH_TOKEN"], base_url=given["QSTASH_URL"])
        await client.message.publish(
            url="https://app.example/hook", body="hello", delay=60
        )
        await client.http._client.aclose()
        await came.wait()
        async with httpx.AsyncClient(base_url=given["QSTASH_URL"]) as http:
            told: Any = (await http.get("/sandbox/deliveries")).json()
        process.send_signal(signal.SIGINT)
        _, complaints = await process.communicate()

    keys = given["QSTASH_CURRENT_SIGNING_KEY"], given["QSTASH_NEXT_SIGNING_KEY"]
    (got,) = hook.got
    Receiver(*keys).verify(
        signature=got.signatures[0], body="hello", url="https://app.example/hook"
    )
    assert {each["fault"] for each in told["deliveries"]} <= {"nbf_zero"}
    assert (process.returncode, complaints) == (0, b"")


BAD_USES = {
    "an unknown fault": (("--fault", "duplicates:1"), "did you mean 'duplicate'?"),
    "a map without a place": (("--map", "https://app.example"), "expected a public"),
    "a map to elsewhere": (
        ("--map", "https://app.example=https://elsewhere.example"),
        "expected a URL on the loopback",
    ),
    "time that runs backwards": (("--speed", "-1"), "--speed"),
}


@pytest.mark.parametrize("case", BAD_USES)
def test_a_sandbox_that_cannot_be_made_is_told_in_one_line(case: str) -> None:
    words, expected = BAD_USES[case]

    ran = CliRunner().invoke(app, ["sandbox", "qstash", *words])

    assert ran.exit_code == 2
    assert expected in ran.stderr.splitlines()[-1]


def test_the_faults_of_both_sandboxes_are_listed() -> None:
    ran = CliRunner().invoke(app, ["sandbox", "faults"])

    assert "sandbox serve:\nearly_end " in ran.stdout
    assert "sandbox qstash:\ndown " in ran.stdout
