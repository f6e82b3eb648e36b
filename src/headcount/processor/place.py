"""Where a job is while a call takes it forward: in the store, or in memory."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from headcount.adapters.clock import SystemClock
from headcount.adapters.gates import Gates
from headcount.adapters.memory import MemoryStore
from headcount.adapters.sql import open_database
from headcount.bootstrap import open_app
from headcount.channels import Channels
from headcount.engine import Channel
from headcount.ports import Clock, FullStore
from headcount.settings import Settings


@dataclass(frozen=True, slots=True)
class Place:
    """What an engine needs to take a job forward; `lasts` tells a store from memory."""

    store: FullStore
    connect: Callable[[str], Awaitable[Channel]]
    clock: Clock
    lasts: bool


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Place]:
    """The store that the settings name.

    Raises:
        StoreError: it cannot be opened.
    """
    async with open_app(settings) as app:
        yield Place(app.store, app.connect, app.clock, lasts=True)


@asynccontextmanager
async def open_memory(settings: Settings) -> AsyncIterator[Place]:
    """A store that is gone with the call."""
    async with AsyncExitStack() as stack:
        clock = SystemClock()
        # Keys are not shared with anybody, so this database is never connected.
        nowhere = open_database("sqlite://")
        stack.push_async_callback(nowhere.close)
        channels = Channels(settings, clock, stack, Gates(nowhere))
        store = MemoryStore(now=clock.now)
        yield Place(store, channels.connect, clock, lasts=False)


def our_id(job_id: str) -> str:
    """The id of our job for one of theirs: always the same, and nobody else's."""
    return f"theirs-{hashlib.sha256(job_id.encode()).hexdigest()[:20]}"
