"""The service on a real port of the loopback, and a client for it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fakes.databases import postgres_16, sqlite
from fastapi import FastAPI

from headcount.acts import Observer
from headcount.adapters.keys import Keys, Scope
from headcount.adapters.webhooks import Resolver
from headcount.settings import Settings
from headcount.web.app import open_web
from headcount.web.server import Server, address_of, listen
from headcount.web.site import Site

PATIENCE = 20.0  # seconds; far more than anything here takes
SEARCH = {"keywords": ["apple", "tech"], "targetResults": 40, "sandbox": True}


DATABASES: list[Callable[[Path], Awaitable[str]]] = [sqlite, postgres_16]
EVERY_DATABASE = pytest.mark.parametrize(
    "database", DATABASES, ids=lambda d: d.__name__
)


@dataclass(frozen=True)
class Service:
    """A service at work, and a client that shows no key unless it is given one."""

    web: FastAPI
    url: str
    client: httpx2.AsyncClient

    @property
    def site(self) -> Site:
        site: Site = self.web.state.site
        return site

    async def key(self, owner: str, scope: str = "write") -> dict[str, str]:
        """The headers of a caller with a new key of this owner."""
        keys = Keys(self.site.app.store.database, now=self.site.app.clock.now)
        _, token = await keys.create(owner, Scope(scope))
        return {"Authorization": f"Bearer {token}"}

    async def post(
        self, path: str, ask: object = None, **headers: str
    ) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if ask is None:
            return await self.client.post(path, headers=named)
        named["Content-Type"] = "application/json"
        return await self.client.post(path, content=json.dumps(ask), headers=named)

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self.client.get(path, headers=headers)

    async def begun(self, **more: object) -> str:
        """The id of a new job."""
        answer = await self.post("/api/jobs", {**SEARCH, **more})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def ended(self, job_id: str) -> dict[str, Any]:
        """A job, once it has ended."""
        await self.events(job_id)
        shown: dict[str, Any] = (await self.get(f"/api/jobs/{job_id}")).json()
        return shown

    @asynccontextmanager
    async def listening(
        self, job_id: str, after: int | None = None
    ) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """The events of a job as they come."""
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        path = f"/api/jobs/{job_id}/events"
        async with self.client.stream("GET", path, headers=headers) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield events_of(answer)

    async def events(
        self, job_id: str, after: int | None = None
    ) -> list[dict[str, Any]]:
        """The events of a job until its end."""
        async with self.listening(job_id, after) as events:
            return [event async for event in events]


async def events_of(answer: httpx2.Response) -> AsyncIterator[dict[str, Any]]:
    """What a stream of server-sent events says: data, with id and type."""
    event: dict[str, Any] = {}
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "data":
            event |= json.loads(value)
        elif name in {"id", "event"}:
            event[name] = value
        elif not line and event:
            yield {**event, "id": int(event["id"])}
            event = {}


async def by_heart(host: str, port: int) -> Sequence[str]:
    """A look-up that sends nothing: addresses are themselves, `.example` is public."""
    del port
    if host.endswith(".example"):
        return ["93.184.216.34"]
    try:
        return [str(ip_address(host.strip("[]")))]
    except ValueError:
        raise socket.gaierror(socket.EAI_NONAME, "no such name") from None


@asynccontextmanager
async def serving_web(
    url: str,
    *,
    works: bool = True,
    dev: bool = True,
    observers: Iterable[Observer] = (),
    resolve: Resolver = by_heart,
    **settings: object,
) -> AsyncIterator[Service]:
    """A service over the database at a URL, on a port of its own."""
    given = Settings.model_validate({"database_url": url, **settings})
    opening = open_web(
        given, works=works, dev=dev, observers=observers, resolve=resolve
    )
    async with opening as web, served(web) as service:
        yield service


@asynccontextmanager
async def served(web: FastAPI) -> AsyncIterator[Service]:
    """An app on a port of its own."""
    ready = asyncio.Event()
    server = Server(web, ready.set)
    with listen("127.0.0.1", 0) as listener:
        address = address_of(listener)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        await asyncio.wait_for(ready.wait(), PATIENCE)
        async with httpx2.AsyncClient(base_url=address, timeout=PATIENCE) as client:
            yield Service(web, address, client)
        server.should_exit = True
        await running
