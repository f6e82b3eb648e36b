"""A store on each kind of database, whose time a test sets."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from builders import NOON
from fakes.clock import Time
from fakes.databases import postgres_16, postgres_18, sqlite

from headcount.adapters.sql import SqlStore


@pytest.fixture
def time() -> Time:
    return Time(NOON)


@pytest.fixture(
    params=[sqlite, postgres_16, postgres_18], ids=lambda kind: kind.__name__
)
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, time: Time
) -> AsyncIterator[SqlStore]:
    make: Callable[[Path], Awaitable[str]] = request.param
    opened = await SqlStore.open(await make(tmp_path), now=time.now)
    yield opened
    await opened.close()
