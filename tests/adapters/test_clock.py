"""The time of this machine, as the rest of the program gets it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from builders import NOON

from headcount.adapters.clock import SystemClock
from headcount.adapters.sql import SqlStore
from headcount.bootstrap import open_app
from headcount.ports import Clock
from headcount.settings import Settings


def test_the_present_is_in_utc() -> None:
    clock: Clock = SystemClock()

    assert clock.now().tzinfo is UTC
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize("seconds", [0, -1, 0.001])
async def test_a_sleep_ends_also_where_its_time_is_past(seconds: float) -> None:
    clock = SystemClock()
    start = clock.now()

    await clock.sleep(seconds)

    assert clock.now() >= start


async def test_the_time_of_the_database_is_known_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def noon(_: SqlStore) -> datetime:
        return NOON

    monkeypatch.setattr(SqlStore, "time", noon)  # no real server's clock is wrong
    settings = Settings(database_url=f"sqlite:///{tmp_path}/jobs.db")

    async with open_app(settings) as app:
        seen = await app.statistics()

        assert NOON <= seen.at <= app.clock.now() < NOON + timedelta(seconds=20)
