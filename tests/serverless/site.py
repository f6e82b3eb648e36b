"""A service on QStash: its receiver, the QStash sandbox and a provider, all local."""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from web.service import Service, serving_web

from headcount.app import App
from headcount.core.model import Job, Limits, Search, Status
from headcount.core.search import build_search
from headcount.sandbox import Faults as ProviderFaults
from headcount.sandbox import Sandbox, World, serving
from headcount.sandbox import qstash as fake
from headcount.sandbox.qstash import Clock, Faults, Keys, QStashSandbox
from headcount.serverless import PROCESS
from headcount.settings import Settings

PUBLIC = "https://app.example"
KEYS = Keys(
    "sig_invented_current_1234567890abcd", "sig_invented_next_1234567890abcdefg"
)


@dataclass
class Outside:
    """What is not ours: a QStash and a provider, and the settings to find them by."""

    qstash: QStashSandbox
    provider: Sandbox
    given: dict[str, Any]
    _place: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return Settings(**self.given)

    def leads_to(self, app: Any) -> None:  # noqa: ANN401 - ASGI
        """Where messages to the public address are delivered."""
        self._place["app"] = app

    def environment(self) -> dict[str, str]:
        """The settings as a process finds them."""
        names = {
            name: str(info.validation_alias.choices[0])  # type: ignore[union-attr] # every setting has such
            for name, info in Settings.model_fields.items()
        }
        env = {names[name]: str(value) for name, value in self.given.items()}
        return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **env}


@asynccontextmanager
async def a_world(
    folder: Path,
    *faults: str,
    latency_ms: int = 0,
    provider_faults: Sequence[str] = (),
    **settings: Any,  # noqa: ANN401 - as declared by Settings
) -> AsyncIterator[Outside]:
    """A QStash whose time stands still and a provider, each on a port of its own."""
    async with AsyncExitStack() as stack:
        provider = Sandbox(
            World(42),
            latency_ms=latency_ms,
            faults=ProviderFaults.parse(provider_faults),
            credits=10_000_000,
        )
        provider_url = await stack.enter_async_context(serving(provider))
        place: dict[str, Any] = {}

        async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
            await place["app"](scope, receive, send)

        qstash = QStashSandbox(
            {PUBLIC: app}, keys=KEYS, clock=Clock(0), faults=Faults.parse(faults)
        )
        given = {
            "database_url": f"sqlite:///{folder}/jobs.db",
            "runner": "qstash",
            "qstash_token": fake.TOKEN,
            "qstash_url": await stack.enter_async_context(fake.serving(qstash)),
            "qstash_current_signing_key": KEYS.current,
            "qstash_next_signing_key": KEYS.next,
            "qstash_public_urls": PUBLIC,
            "qstash_rate": 1_000,
            "scrapecreators_api_key": "sandbox-key",
            "scrapecreators_api_url": provider_url,
        }
        yield Outside(qstash, provider, {**given, **settings}, place)


@dataclass(frozen=True)
class Site:
    """Everything that a test may look at."""

    service: Service
    outside: Outside

    @property
    def app(self) -> App:
        return self.service.site.app

    @property
    def qstash(self) -> QStashSandbox:
        return self.outside.qstash

    async def begins(self, target: int = 40) -> str:
        """The id of a new job, whose first step is published."""
        return (await self.app.create(a_search(target))).id

    async def job(self, job_id: str) -> Job:
        return await self.app.store.load(job_id)

    async def sends(
        self,
        body: bytes,
        headers: Mapping[str, str] | list[tuple[str, str]],
        path: str = PROCESS,
    ) -> httpx2.Response:
        """One message, as if from QStash, over HTTP."""
        client = self.service.client
        return await client.post(path, content=body, headers=headers)

    async def jobs(self) -> list[Job]:
        return [job async for job in self.app.store.jobs()]


def a_search(target: int, limits: Limits | None = None) -> Search:
    return build_search(target, ("apple", "tech"), limits=limits or Limits())


@asynccontextmanager
async def a_site(
    folder: Path,
    *faults: str,
    dev: bool = False,
    latency_ms: int = 0,
    provider_faults: Sequence[str] = (),
    **settings: Any,  # noqa: ANN401 - as declared by Settings
) -> AsyncIterator[Site]:
    """A service, a QStash and a provider, each on a port of its own."""
    async with a_world(
        folder,
        *faults,
        latency_ms=latency_ms,
        provider_faults=provider_faults,
        **settings,
    ) as outside:
        given = dict(outside.given)
        url = given.pop("database_url")
        async with serving_web(url, dev=dev, **given) as service:
            outside.leads_to(service.web)
            yield Site(service, outside)


def completed(jobs: list[Job]) -> bool:
    return all(j.status is Status.COMPLETED and j.delivered == j.target for j in jobs)
