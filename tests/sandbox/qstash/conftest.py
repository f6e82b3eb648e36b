"""A QStash sandbox, and the official SDK as its client on a real port."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx2 as httpx
import pytest
import pytest_asyncio
from qstash import AsyncQStash, QStash
from sandbox.qstash.people import APP, Asked, Hook, Port, Running, Start

from headcount.sandbox import serving
from headcount.sandbox.qstash import TOKEN, Clock, Faults, QStashSandbox

AUTHORISED = {"authorization": f"Bearer {TOKEN}"}


@pytest_asyncio.fixture(loop_scope="module")
async def start() -> AsyncIterator[Start]:
    """Makes a sandbox whose time stands still, until the test is over."""
    async with AsyncExitStack() as stack:

        async def started(*faults: str, **switches: Any) -> Running:  # noqa: ANN401 - the sandbox's
            hook = Hook()
            places = {APP: hook, **switches.pop("places", {})}
            clock = switches.pop("clock", None) or Clock(0)
            sandbox = QStashSandbox(
                places, clock=clock, faults=Faults.parse(faults), **switches
            )
            http = httpx.AsyncClient(
                transport=httpx.ASGITransport(sandbox),
                base_url="http://qstash.invalid",
                headers=AUTHORISED,
            )
            stack.push_async_callback(sandbox.close)
            return Running(sandbox, hook, await stack.enter_async_context(http))

        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def running(start: Start) -> Running:
    """A sandbox without faults."""
    return await start()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def port() -> AsyncIterator[Port]:
    """A real port, for as long as a module's tests take."""
    port = Port()
    async with serving(port) as port.url:
        yield port


@pytest_asyncio.fixture(params=["sync", "async"], loop_scope="module")
async def sdk(
    request: pytest.FixtureRequest, running: Running, port: Port
) -> AsyncIterator[Asked]:
    """Both official clients, one after the other, over a real port."""
    port.leads_to = running.sandbox
    if request.param == "async":
        patient = AsyncQStash(TOKEN, retry=False, base_url=port.url)
        yield Asked(patient, running)
        await patient.http._client.aclose()
    else:
        client = QStash(TOKEN, retry=False, base_url=port.url)
        yield Asked(client, running)
        client.http._client.close()


@pytest_asyncio.fixture(loop_scope="module")
async def client(port: Port) -> AsyncIterator[AsyncQStash]:
    """The official client at the port, which tries nothing twice."""
    client = AsyncQStash(TOKEN, retry=False, base_url=port.url)
    yield client
    await client.http._client.aclose()
