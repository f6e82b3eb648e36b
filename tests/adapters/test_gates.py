"""The keys of a fleet: turns that all machines share, and closing for all of them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from builders import NOON
from fakes.clock import START, FakeClock
from fakes.databases import postgres_16, sqlite

from headcount.adapters import schema
from headcount.adapters.database import Database, Result, Work
from headcount.adapters.gates import Closed, FleetPace, Gates, key_id
from headcount.adapters.service_tables import EVERY_KEY
from headcount.adapters.sql import open_database
from headcount.core.calls import Failure, FailureKind
from headcount.core.errors import StoreBusy

SECOND = timedelta(seconds=1)
KEY = "scrapecreators/1"
SPENT = Failure(FailureKind.OUT_OF_CREDITS, "no credits left")


@pytest.fixture(params=[sqlite, postgres_16], ids=lambda kind: kind.__name__)
async def databases(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[list[Database]]:
    """One database, as two machines see it."""
    open_: Callable[[Path], Awaitable[str]] = request.param
    url = await open_(tmp_path)
    opened = [open_database(url), open_database(url)]
    await schema.upgrade(opened[0])
    yield opened
    for database in opened:
        await database.close()


def pace(gates: Gates, clock: FakeClock, *, spacing: timedelta = SECOND) -> FleetPace:
    return FleetPace(gates, KEY, clock, concurrency=10, spacing=spacing)


# --------------------------------------------------------------------------- the turns
async def test_a_turn_is_had_once_by_whoever_comes_first(
    databases: list[Database],
) -> None:
    here, there = map(Gates, databases)

    assert await here.next_turn(KEY, NOON, SECOND) is None
    assert await there.next_turn(KEY, NOON, SECOND) == NOON + SECOND
    assert await there.next_turn("another key", NOON, SECOND) is None
    assert await there.next_turn(KEY, NOON + SECOND, SECOND) is None


async def test_two_machines_together_keep_the_spacing(
    databases: list[Database],
) -> None:
    clock = FakeClock()
    paces = [pace(Gates(database), clock) for database in databases]
    begun = []

    for _ in range(40):
        for each in paces:
            begun += [clock.now()] * (await each.take(5)).number
        clock.advance(0.25)

    assert begun == [START + number * SECOND for number in range(10)]


async def test_where_calls_follow_close_upon_another_a_turn_is_for_some_of_them(
    databases: list[Database],
) -> None:
    clock = FakeClock()
    links = [Link(database) for database in databases]
    spacing = timedelta(milliseconds=10)
    paces = [pace(Gates(link), clock, spacing=spacing) for link in links]
    begun = []

    for _ in range(200):
        for each in paces:
            for _ in range((await each.take(5)).number):
                begun.append(clock.now())
                each.done()
        clock.advance(0.005)

    assert min(b - a for a, b in pairwise(begun)) >= spacing
    assert len(begun) >= 90  # of 100 that may begin in a second
    assert sum(link.written for link in links) < 60


async def test_an_unused_turn_is_as_if_never_taken(databases: list[Database]) -> None:
    clock = FakeClock()
    here, there = (pace(Gates(database), clock) for database in databases)
    slots = await here.take(3)

    await here.give_back(slots, 1)

    assert (slots.number, (await there.take(3)).number) == (1, 1)


async def test_giving_a_turn_back_late_does_not_undo_the_next_one(
    databases: list[Database],
) -> None:
    clock = FakeClock()
    here, there = (pace(Gates(database), clock) for database in databases)
    late = await here.take(1)
    clock.advance(1.5)
    assert (await there.take(1)).number == 1

    await here.give_back(late, 1)

    assert (await here.take(1)).number == 0


async def test_a_turn_that_cannot_be_asked_for_is_no_turn(
    databases: list[Database],
) -> None:
    clock = FakeClock()
    away = Link(databases[0])
    here = pace(Gates(away), clock)
    await here.give_back(await here.take(1), 1)
    clock.advance(1)

    away.gone = True

    assert (await here.take(4)).number == 0


class Link:
    """The way to a database, which may be `gone`; it counts what is `written`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.gone, self.written = False, 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a database has
        return getattr(self._database, name)

    async def write(self, work: Work[Result]) -> Result:
        if self.gone:
            raise StoreBusy("the server restarts")
        self.written += 1
        return await self._database.write(work)

    async def jot(self, work: Work[Result]) -> Result:
        return await self.write(work)


# ------------------------------------------------------------------------- the closing
async def test_a_key_without_credits_is_closed_for_all(
    databases: list[Database],
) -> None:
    clock = FakeClock()
    gates = [Gates(database) for database in databases]
    here, there = (pace(each, clock) for each in gates)

    heeded = await here.heed(SPENT)
    await gates[1].refresh()

    assert heeded == Failure(FailureKind.KEY_PAUSED, "no credits left")
    assert [(await each.take(1)).number for each in (here, there)] == [0, 0]
    assert there.closed_until() == START + 30 * SECOND
    assert gates[1].closed == {KEY: Closed(START, "out of credits: no credits left")}
    assert gates[1].closed[KEY].spent


async def test_a_key_that_is_opened_may_be_used_again(
    databases: list[Database],
) -> None:
    clock = FakeClock()
    gates = Gates(databases[0])
    here = pace(gates, clock)
    await here.heed(SPENT)

    await gates.open(KEY)

    assert here.closed_until() is None
    assert (await here.take(1)).number == 1


async def test_a_key_that_is_closed_by_hand_stays_so_when_its_credits_run_out(
    databases: list[Database],
) -> None:
    gates = Gates(databases[0])
    here = pace(gates, FakeClock())
    await gates.close(KEY, "the month is over", NOON)

    await here.heed(SPENT)
    await gates.refresh()

    assert gates.closed == {KEY: Closed(NOON, "the month is over")}
    assert not gates.closed[KEY].spent


async def test_one_switch_stops_all_keys(databases: list[Database]) -> None:
    gates = Gates(databases[0])
    here = pace(gates, FakeClock())

    await gates.close(EVERY_KEY, "stop", NOON)

    assert (await here.take(1)).number == 0


async def test_a_closed_key_is_closed_here_though_nobody_can_be_told(
    databases: list[Database],
) -> None:
    away = Link(databases[0])
    here = pace(Gates(away), FakeClock(), spacing=timedelta(0))
    await here.give_back(await here.take(4), 4)

    away.gone = True
    failure = await here.heed(SPENT)

    assert failure.kind is FailureKind.KEY_PAUSED
    assert (await here.take(1)).number == 0


async def test_other_failures_are_the_jobs_own_affair(
    databases: list[Database],
) -> None:
    clock = FakeClock()
    here = pace(Gates(databases[0]), clock, spacing=timedelta(0))
    throttled = Failure(FailureKind.THROTTLED, "429", retry_after=7.0)

    assert await here.heed(throttled) == throttled
    assert (await here.take(1)).number == 0

    clock.advance(7)

    assert (await here.take(1)).number == 1


def test_a_key_is_named_without_being_told() -> None:
    named = key_id("scrapecreators", "the-secret-key")

    assert named.startswith("scrapecreators/")
    assert "secret" not in named
    assert named != key_id("scrapecreators", "another-key")
