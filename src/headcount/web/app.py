"""Puts the service's HTTP side together: an app for any ASGI server."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from types import ModuleType

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Lifespan

from headcount.acts import Observer
from headcount.adapters.keys import Keys
from headcount.adapters.metrics import Metrics
from headcount.adapters.webhooks import Resolver, look_up
from headcount.app import App
from headcount.bootstrap import open_service
from headcount.core.model import Change
from headcount.engine import Watch
from headcount.settings import Settings
from headcount.web import (
    allowances,
    creators,
    document,
    events,
    health,
    jobs,
    metrics,
    problems,
    stats,
    webhooks,
)
from headcount.web.answers import RATE_HEADERS
from headcount.web.broadcast import Broadcast
from headcount.web.doorkeeper import Doorkeeper
from headcount.web.pace import Limiter
from headcount.web.site import Crew, Site
from headcount.web.witness import Witness

_PARTS = (
    jobs,
    creators,
    events,
    webhooks,
    allowances,
    stats,
    health,
    metrics,
    document,
)
_OF_A_WORKER = (health, metrics)


def make_web(
    app: App,
    *,
    broadcast: Broadcast | None = None,
    works: bool = True,
    dev: bool = False,
) -> FastAPI:
    """The HTTP API over an app that is open.

    `broadcast.notice` is the watch that the app was opened with, so that watchers learn
    at once what is done in this process. With `works`, jobs are worked on here while
    the ASGI server runs. With `dev`, no key is needed, and only this machine may ask.
    """
    crew = Crew(works=works and app.post is None)  # else QStash's messages do
    web = _opened(app, crew, _PARTS, broadcast=broadcast, dev=dev)
    if app.post is not None:
        from headcount.web.qstash import qstash_routes  # noqa: PLC0415 - an extra

        web.include_router(qstash_routes(app, dev=dev))
    _share(web, app.settings.cors_origins)
    return web


def make_window(app: App) -> FastAPI:
    """What a worker answers over HTTP, while it works: how it is, and its metrics."""
    return _opened(app, Crew(works=True), _OF_A_WORKER)


def _opened(
    app: App,
    crew: Crew,
    parts: Sequence[ModuleType],
    *,
    broadcast: Broadcast | None = None,
    dev: bool = False,
) -> "Web":
    """The routes of these parts over an app, whose acts are counted from now on."""
    counted, now = Metrics(), app.clock.now
    app.observers.add(counted)
    site = Site(
        app=app,
        keys=Keys(app.store.database, now=now),
        requests=app.requests,
        metrics=counted,
        broadcast=broadcast or Broadcast(),
        limiter=Limiter(app.settings.requests_per_minute, now),
        crew=crew,
        dev=dev,
    )
    web = Web(lifespan=lambda _: _running(site), parts=parts)
    web.state.site = site
    return web


class Web(FastAPI):
    """The routes, with a doorkeeper before everything else, errors included.

    Without a `Site` in its state it can be described, but not asked.
    """

    def __init__(
        self,
        lifespan: Lifespan["Web"] | None = None,
        parts: Sequence[ModuleType] = _PARTS,
    ) -> None:
        super().__init__(
            lifespan=lifespan,
            openapi_url=None,
            docs_url=None,
            redoc_url=None,
            generate_unique_id_function=lambda route: route.name,
        )
        problems.install(self)
        for part in parts:
            self.include_router(part.routes)

    def build_middleware_stack(self) -> ASGIApp:
        """Put the doorkeeper outermost, and a witness before that."""
        doorkeeper = Doorkeeper(super().build_middleware_stack())
        return Witness(doorkeeper, self.state.site.app.observers)


@asynccontextmanager
async def open_web(
    settings: Settings,
    *,
    works: bool = True,
    dev: bool = False,
    watch: Watch = lambda _: None,
    observers: Iterable[Observer] = (),
    resolve: Resolver = look_up,
) -> AsyncIterator[FastAPI]:
    """Open the store, and give the HTTP API over it.

    `watch` and `observers` see what is done here. `resolve` looks the names up that
    webhooks lead to.

    Raises:
        StoreError: the store cannot be opened.
    """
    broadcast = Broadcast()

    def seen(change: Change) -> None:
        broadcast.notice(change)
        watch(change)

    async with open_service(settings, seen, observers) as app:
        app.resolve = resolve
        yield make_web(app, broadcast=broadcast, works=works, dev=dev)


@asynccontextmanager
async def _running(site: Site) -> AsyncIterator[None]:
    """Look out for watchers, and work on jobs, as long as the server runs."""
    app = site.app
    looking = asyncio.create_task(site.broadcast.run(app.store))
    site.crew.begin(app)
    try:
        yield
    finally:
        site.stop()
        await site.crew.end()
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


def _share(web: FastAPI, origins: Sequence[str]) -> None:
    """Let pages of these origins ask from a browser; of none unless named."""
    if origins:
        web.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key"],
            expose_headers=["Location", "Retry-After", *RATE_HEADERS],
        )
