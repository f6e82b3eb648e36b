"""A service for each test that needs no particular one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.databases import sqlite
from web.service import Service, serving_web


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
