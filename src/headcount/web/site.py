"""What every route has at hand, and who is calling."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from headcount.adapters.keys import Keys, Scope
from headcount.adapters.metrics import Metrics
from headcount.adapters.requests import Requests
from headcount.app import App
from headcount.core.destinations import is_loopback
from headcount.core.errors import NoSuchJob
from headcount.core.model import Job
from headcount.runners.service import ServiceRunner
from headcount.web.asks import Door
from headcount.web.broadcast import Broadcast
from headcount.web.pace import Limiter
from headcount.web.problems import Problem

_BEARER = HTTPBearer(
    auto_error=False, description="A key made by `headcount keys create`."
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling: the owner whose jobs they see, and what they may do."""

    owner: str
    scope: Scope

    @property
    def sees(self) -> str | None:
        """The owner of the jobs that are seen; `None` for all owners."""
        return None if self.scope is Scope.ADMIN else self.owner


DEVELOPER = Caller("local", Scope.ADMIN)


@dataclass(slots=True)
class Crew:
    """Who works on jobs in this process, if anybody should."""

    works: bool
    runner: ServiceRunner | None = None
    task: asyncio.Task[None] | None = None

    def begin(self, app: App) -> None:
        """Begin to work on whatever is due."""
        if self.works:
            self.runner = app.service()
            self.task = asyncio.create_task(self.runner.run())

    def stop(self) -> None:
        """Claim nothing more; what is out is still counted."""
        if self.runner:
            self.runner.stop()

    async def end(self) -> None:
        """Return when all leases are handed back."""
        if self.task:
            await self.task

    @property
    def well(self) -> bool:
        """Whether jobs are worked on as they should be."""
        return not self.works or bool(self.task and not self.task.done())


@dataclass(frozen=True, slots=True)
class Site:
    """The service behind the routes; `dev` lets callers in without a key."""

    app: App
    keys: Keys
    requests: Requests
    metrics: Metrics
    broadcast: Broadcast
    limiter: Limiter
    crew: Crew
    dev: bool

    def stop(self) -> None:
        """Begin to end: watchers are let go, and nothing more is claimed."""
        self.broadcast.close()
        self.crew.stop()

    @property
    def door(self) -> Door:
        """What makes searches of what clients send."""
        return Door(self.app.settings)

    async def job(self, job_id: str, caller: Caller) -> Job:
        """A job that this caller may see; any other is as if it were not there.

        Raises:
            NoSuchJob: no job of theirs has this id.
        """
        unknown = NoSuchJob(f"no job has the id {job_id[:40]!a}")
        if not (job_id.isascii() and job_id.isalnum()):
            raise unknown
        try:
            job = await self.app.store.load(job_id)
        except NoSuchJob:
            raise unknown from None
        if caller.sees not in {None, job.label.owner}:
            raise unknown
        return job


async def site_of(request: Request) -> Site:  # sync ones are given a thread each
    """What the app of this request is for."""
    site: Site = request.app.state.site
    return site


Here = Annotated[Site, Depends(site_of)]
_Shown = Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]


async def caller_of(request: Request, site: Here, shown: _Shown) -> Caller:
    """Who is calling, within the limit of requests that they have.

    Raises:
        Problem: no valid key, too many requests, or a page of somebody else's site.
    """
    if site.dev:
        only_from_here(request)
        return DEVELOPER
    key = await site.keys.holder(shown.credentials) if shown else None
    address = request.client.host if request.client else ""
    # Who shows no valid key is known by address: guessing is limited as well.
    request.state.headers = site.limiter.count(key.id if key else f"from {address}")
    if key is None:
        detail = "the key is unknown or revoked" if shown else "no key was sent"
        raise Problem(401, detail, headers={"WWW-Authenticate": "Bearer"})
    return Caller(key.owner, key.scope)


def allowed(needed: Scope) -> Callable[..., object]:
    """A dependency: the caller, if their key allows this much."""

    async def check(caller: Annotated[Caller, Depends(caller_of)]) -> Caller:
        if not caller.scope.allows(needed):
            raise Problem(
                403, f"this takes a key of scope {needed}, and yours is {caller.scope}"
            )
        return caller

    return check


JobId = Annotated[str, Path(description="The job, as listed.")]
Reader = Annotated[Caller, Depends(allowed(Scope.READ))]
Writer = Annotated[Caller, Depends(allowed(Scope.WRITE))]


def only_from_here(request: Request) -> None:
    """Let in only what this machine's user sends, not pages that a browser shows.

    Without keys, any web page could make a browser ask on its behalf: by its own name
    made to stand for this machine, or from its own origin.
    """
    host = request.url.hostname or ""
    origin = request.headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.url.netloc
    if not is_loopback(host) or foreign:
        raise Problem(403, "with --dev, only this machine itself may ask")
