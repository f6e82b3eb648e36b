"""The time of this machine, as the rest of the program gets it."""

from datetime import UTC, datetime, timedelta

import pytest

from headcount.adapters.clock import SystemClock
from headcount.ports import Clock


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
