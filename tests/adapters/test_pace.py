"""How many calls of one key are out, and how far apart they start."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest
from fakes.clock import START, FakeClock

from headcount.adapters.pace import KeyPace
from headcount.ports import Pace


def pace_of(clock: FakeClock, concurrency: int, spacing: float = 0.0) -> KeyPace:
    return KeyPace(clock, concurrency=concurrency, spacing=timedelta(seconds=spacing))


def seconds(clock: FakeClock) -> float:
    return (clock.now() - START).total_seconds()


async def test_it_is_a_pace() -> None:
    pace: Pace = pace_of(FakeClock(), 1)

    assert (await pace.take(1)).number == 1


async def test_no_more_slots_are_free_than_calls_may_be_out() -> None:
    pace = pace_of(FakeClock(), 3)

    assert [(await pace.take(n)).number for n in (2, 2, 2)] == [2, 1, 0]


async def test_a_call_that_is_back_frees_its_slot() -> None:
    pace = pace_of(FakeClock(), 1)
    await pace.take(1)

    pace.done()

    assert (await pace.take(1)).number == 1


async def test_with_a_spacing_calls_never_start_in_a_burst() -> None:
    clock = FakeClock()
    pace = pace_of(clock, 10, spacing=2)
    taken = [(await pace.take(n)).number for n in (5, 5)]

    clock.advance(1.9)
    taken.append((await pace.take(5)).number)
    clock.advance(0.1)
    taken.append((await pace.take(5)).number)
    clock.advance(60)
    taken.append((await pace.take(5)).number)

    assert taken == [1, 0, 0, 1, 1]


async def test_an_unused_slot_is_as_if_never_taken() -> None:
    pace = pace_of(FakeClock(), 2, spacing=2)
    slots = await pace.take(1)

    await pace.give_back(slots, 1)

    assert (await pace.take(2)).number == 1


async def test_giving_nothing_back_changes_nothing() -> None:
    pace = pace_of(FakeClock(), 2, spacing=2)
    slots = await pace.take(1)

    await pace.give_back(slots, 0)

    assert (await pace.take(1)).number == 0


async def test_a_rest_closes_all_slots_until_it_is_over() -> None:
    clock = FakeClock()
    pace = pace_of(clock, 2)
    pace.hold_off(10)
    pace.hold_off(5)
    taken = [(await pace.take(2)).number]

    clock.advance(9.9)
    taken.append((await pace.take(2)).number)
    clock.advance(0.1)
    taken.append((await pace.take(2)).number)

    assert taken == [0, 0, 2]


async def test_who_waits_for_a_call_learns_that_it_is_back() -> None:
    pace = pace_of(FakeClock(), 1)
    await pace.take(1)
    waiting = asyncio.create_task(pace.ready())
    await asyncio.sleep(0)

    pace.done()
    await waiting

    assert (await pace.take(1)).number == 1


async def test_a_call_that_came_back_before_the_wait_is_not_missed() -> None:
    pace = pace_of(FakeClock(), 1)
    await pace.take(1)
    pace.done()

    await pace.ready()

    assert (await pace.take(1)).number == 1


async def test_waiting_for_time_takes_just_that_time() -> None:
    clock = FakeClock()
    pace = pace_of(clock, 5, spacing=2)
    await pace.take(1)
    pace.hold_off(7)

    await pace.ready()

    assert seconds(clock) == 7
    assert clock.slept == [7]


async def test_a_slot_given_back_ends_the_wait_for_its_time() -> None:
    clock = FakeClock()
    pace = pace_of(clock, 5, spacing=60)
    slots = await pace.take(1)
    waiting = asyncio.create_task(pace.ready())
    await asyncio.sleep(0)

    await pace.give_back(slots, 1)
    await waiting

    assert seconds(clock) == 0


async def test_a_rest_asked_for_while_waiting_is_kept() -> None:
    clock = FakeClock()
    pace = pace_of(clock, 1)
    await pace.take(1)
    waiting = asyncio.create_task(pace.ready())
    await asyncio.sleep(0)

    pace.hold_off(30)
    pace.done()
    await waiting

    assert seconds(clock) == 30


@pytest.mark.parametrize("spacing", [0.0, 0.5])
async def test_many_jobs_share_a_key_without_passing_its_limits(spacing: float) -> None:
    clock = FakeClock()
    pace = pace_of(clock, 3, spacing=spacing)
    starts: list[float] = []
    out: list[int] = []

    async def job() -> None:
        for _ in range(10):
            while not (await pace.take(1)).number:
                await pace.ready()
            starts.append(seconds(clock))
            out.append(out[-1] + 1 if out else 1)
            await clock.sleep(2)
            out.append(out[-1] - 1)
            pace.done()

    await asyncio.gather(*(job() for _ in range(8)))

    gaps = [later - start for start, later in pairwise(starts)]
    assert len(starts) == 80
    assert max(out) == 3
    assert min(gaps) >= spacing
