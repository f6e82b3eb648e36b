"""Example apps as processes of their own on the loopback, and the world around them."""

import asyncio
import os
import socket
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from headcount.sandbox import Sandbox, World, serving
from headcount.sandbox import qstash as fake
from headcount.sandbox.qstash import Faults, Keys, Letter, QStashSandbox

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE = 30.0  # seconds; far more than anything here takes
PROCESS = "/api/qstash/process-scraping"
SECRET = "whsec_aW52ZW50ZWQgZm9yIHRoZXNlIHRlc3RzIG9ubHk="  # noqa: S105 - invented
KEYS = Keys(
    "sig_invented_current_1234567890abcd", "sig_invented_next_1234567890abcdefg"
)


@dataclass(frozen=True)
class App:
    """An example app that serves, and its QStash."""

    url: str
    client: httpx2.AsyncClient
    qstash: QStashSandbox

    async def send(self, letter: Letter, path: str = PROCESS) -> httpx2.Response:
        """One message, as if from QStash."""
        headers = {"Upstash-Signature": letter.signature}
        return await self.client.post(path, content=letter.body, headers=headers)

    def letter(self, body: bytes, path: str = PROCESS) -> Letter:
        """A message that is signed for this app."""
        return Letter.addressed(self.url + path, body, keys=KEYS, at=time.time())

    async def shows(self, path: str, wanted: Callable[[Any], bool]) -> Any:  # noqa: ANN401 - JSON
        """What a page of the app says, as soon as it is as wanted."""
        async with asyncio.timeout(PATIENCE):
            while not wanted(shown := (await self.client.get(path)).json()):  # noqa: ASYNC110 - another process tells nobody
                await asyncio.sleep(0.02)
        return shown


@dataclass(frozen=True)
class Outside:
    """What an app finds outside: QStash, and the provider of creators."""

    qstash: QStashSandbox
    url: str  # where the app will be
    env: dict[str, str]


@asynccontextmanager
async def an_outside(*faults: str) -> AsyncIterator[Outside]:
    """A QStash and a provider, each on a port of its own, and a port for the app."""
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(
            serving(Sandbox(World(42), latency_ms=100))
        )
        qstash = QStashSandbox(keys=KEYS, faults=Faults.parse(faults))
        address = await stack.enter_async_context(fake.serving(qstash))
        url = f"http://127.0.0.1:{_free_port()}"
        env = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "PUBLIC_URL": url,
            "HEADCOUNT_QSTASH_PUBLIC_URLS": url,
            "HEADCOUNT_WEBHOOK_SECRET": SECRET,
            "HEADCOUNT_WEBHOOK_ALLOW_PRIVATE": "true",
            "SCRAPECREATORS_API_KEY": "sandbox-key",
            "SCRAPECREATORS_API_URL": provider,
            **qstash.environment(address),
        }
        yield Outside(qstash, url, env)


@asynccontextmanager
async def running(
    outside: Outside, *command: str | Path, env: Mapping[str, str], folder: Path
) -> AsyncIterator[App]:
    """An app while its server runs; `PORT` in the command is where it must listen."""
    port = outside.url.rpartition(":")[2]
    words = [str(word).replace("PORT", port) for word in command]
    process = await asyncio.create_subprocess_exec(
        *words,
        cwd=folder,
        env={**outside.env, **env},
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
    )
    assert process.stdout
    said = asyncio.create_task(process.stdout.read())
    try:
        await _listening(int(port), said)
        async with httpx2.AsyncClient(base_url=outside.url, timeout=PATIENCE) as client:
            yield App(outside.url, client, outside.qstash)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        print((await said).decode())  # noqa: T201 - pytest shows it where a test fails


async def _listening(port: int, said: asyncio.Task[bytes]) -> None:
    """Return when somebody listens at a port; fail if the process ends instead."""
    async with asyncio.timeout(PATIENCE):
        while not said.done():
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            return
    raise AssertionError(f"the app has ended: {said.result().decode()}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
