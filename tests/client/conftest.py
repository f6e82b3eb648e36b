"""A service for each test, and no waiting between two tries."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import stamina
from fakes.databases import sqlite
from web.service import Service, serving_web


@pytest.fixture(autouse=True)
def _at_once() -> Iterator[None]:
    """Try again at once, and five times at most."""
    with stamina.set_testing(testing=True, attempts=5):
        yield


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    """A service on SQLite that asks for no key, and works on jobs."""
    async with serving_web(await sqlite(tmp_path)) as service:
        yield service


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Service]:
    """The same, but nobody works on its jobs."""
    async with serving_web(await sqlite(tmp_path), works=False) as service:
        yield service
