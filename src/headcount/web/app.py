"""Puts the service's HTTP side together: an app for any ASGI server."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Lifespan

from headcount.adapters.keys import Keys
from headcount.adapters.requests import Requests
from headcount.bootstrap import App, open_app
from headcount.core.model import Change
from headcount.engine import Watch
from headcount.runners.service import Chore
from headcount.settings import Settings
from headcount.web import (
    creators,
    document,
    events,
    health,
    jobs,
    problems,
    stats,
    webhooks,
)
from headcount.web.answers import RATE_HEADERS
from headcount.web.broadcast import Broadcast
from headcount.web.doorkeeper import Doorkeeper
from headcount.web.pace import Limiter
from headcount.web.site import Crew, Site


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
    now = app.clock.now
    site = Site(
        app=app,
        keys=Keys(app.store.database, now=now),
        requests=Requests(app.store.database, now=now),
        broadcast=broadcast or Broadcast(),
        limiter=Limiter(app.settings.requests_per_minute, now),
        crew=Crew(works=works and app.post is None),  # else QStash's messages do
        dev=dev,
    )
    web = Web(lifespan=lambda _: _running(site))
    web.state.site = site
    if app.post is not None:
        from headcount.web.qstash import qstash_routes  # noqa: PLC0415 - an extra

        web.include_router(qstash_routes(app, dev=dev))
    _share(web, app.settings.cors_origins)
    return web


class Web(FastAPI):
    """All routes, with a doorkeeper before everything else, errors included.

    Without a `Site` in its state it can be described, but not asked.
    """

    def __init__(self, lifespan: Lifespan["Web"] | None = None) -> None:
        super().__init__(
            lifespan=lifespan,
            openapi_url=None,
            docs_url=None,
            redoc_url=None,
            generate_unique_id_function=lambda route: route.name,
        )
        problems.install(self)
        for part in (jobs, creators, events, webhooks, stats, health, document):
            self.include_router(part.routes)

    def build_middleware_stack(self) -> ASGIApp:
        """Put the doorkeeper outermost."""
        return Doorkeeper(super().build_middleware_stack())


@asynccontextmanager
async def open_web(
    settings: Settings,
    *,
    works: bool = True,
    dev: bool = False,
    watch: Watch = lambda _: None,
) -> AsyncIterator[FastAPI]:
    """Open the store, and give the HTTP API over it; `watch` sees what is done here.

    Raises:
        StoreError: the store cannot be opened.
    """
    broadcast = Broadcast()

    def seen(change: Change) -> None:
        broadcast.notice(change)
        watch(change)

    async with open_app(settings, seen) as app:
        yield make_web(app, broadcast=broadcast, works=works, dev=dev)


@asynccontextmanager
async def _running(site: Site) -> AsyncIterator[None]:
    """Look out for watchers, and work on jobs, as long as the server runs."""
    app = site.app
    looking = asyncio.create_task(site.broadcast.run(app.store))
    app.chores.append(Chore("forgetting old requests", 3_600, site.requests.forget))
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
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key"],
            expose_headers=["Location", "Retry-After", *RATE_HEADERS],
        )
