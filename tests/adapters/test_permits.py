"""How many calls of a key are out on all machines together."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from fakes.clock import START, FakeClock
from fakes.databases import postgres_16, sqlite
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from headcount.adapters import schema
from headcount.adapters.database import Database, Result, Work
from headcount.adapters.gates import FleetPace, Gates
from headcount.adapters.permits import Claim, Grant, granted
from headcount.adapters.service_tables import permits
from headcount.adapters.sql import open_database
from headcount.core.errors import StoreBusy

KEY = "scrapecreators/1"


# ------------------------------------------------------------------------ who gets what
def test_what_nobody_lacks_is_kept_and_what_is_free_is_had() -> None:
    others = [Claim(2, 1), Claim(0, 0)]

    assert granted(10, Claim(3, 1), others) == Grant(3, 3)
    assert granted(10, Claim(3, 4, hoped=6), others) == Grant(6, 6)
    assert granted(10, Claim(3, 4, hoped=99), others) == Grant(8, 8)


def test_where_somebody_lacks_some_each_is_due_as_much_as_any_other() -> None:
    hungry = Claim(0, 9)

    assert granted(9, Claim(9, 9), [hungry]) == Grant(9, 5)
    assert granted(9, Claim(9, 9), [hungry, hungry]) == Grant(9, 3)
    assert granted(9, Claim(9, 2), [hungry]) == Grant(9, 2)
    assert granted(9, Claim(0, 9), [Claim(9, 9)]) == Grant(0, 0)
    assert granted(9, Claim(0, 9), [Claim(5, 9)]) == Grant(4, 4)


def test_who_wants_little_gets_it_whole_and_the_rest_is_for_the_others() -> None:
    assert granted(10, Claim(10, 10), [Claim(0, 1), Claim(0, 10)]) == Grant(10, 5)
    assert granted(10, Claim(0, 1), [Claim(5, 10), Claim(4, 10)]) == Grant(1, 1)


def test_where_there_are_more_processes_than_permits_they_do_not_wander() -> None:
    one, none = Claim(1, 9), Claim(0, 9)

    assert granted(2, one, [one, none]) == Grant(1, 1)
    assert granted(2, none, [one, one]) == Grant(0, 0)


COUNTS = st.integers(0, 12)


@given(
    st.integers(1, 12),
    st.lists(COUNTS, min_size=1, max_size=6),
    st.sampled_from([list, reversed]),
)
def test_shares_settle_and_leave_no_permit_idle(
    concurrency: int, wanted: list[int], order: Callable[[range], Iterable[int]]
) -> None:
    claims = [Claim(0, number) for number in wanted]

    for _ in range(4):  # rounds of renewals
        for at in order(range(len(claims))):
            rest = claims[:at] + claims[at + 1 :]
            grant = granted(concurrency, claims[at], rest)
            claims[at] = Claim(grant.usable, claims[at].wanted)

    held = [claim.held for claim in claims]
    demand = sum(claim.wanted for claim in claims)
    lacking = [claim.held for claim in claims if claim.held < claim.wanted]
    assert sum(held) == min(concurrency, demand)
    assert not lacking or max(held) - min(lacking) <= 1


# ------------------------------------------------------------------------- in databases
BOTH = [sqlite, postgres_16]


class Machine:
    """A process with jobs that ask, its link to the database, and what it has out."""

    def __init__(self, database: Database, clock: FakeClock, concurrency: int) -> None:
        self._database = database
        self.cut_off = False
        gates = Gates(self)  # type: ignore[arg-type] # all that it needs of a database
        self.pace = FleetPace(gates, KEY, clock, concurrency=concurrency)
        self.out = 0

    def insert(self, *table: object) -> object:
        return self._database.insert(*table)  # type: ignore[arg-type] # handed on

    async def write(self, work: Work[Result]) -> Result:
        if self.cut_off:
            raise StoreBusy("the server restarts")
        return await self._database.write(work)

    async def asks(self, wanted: int, *, uses: int = 99) -> int:
        """Make as many calls as are wanted and may be made; the number of them."""
        slots = await self.pace.take(wanted)
        used = min(slots.number, uses)
        await self.pace.give_back(slots, slots.number - used)
        self.out += used
        return used

    async def renews(self) -> None:
        await self.pace.share.renew()

    def hears(self, calls: int = 1) -> None:
        """Get the answers to so many calls, as far as they are out."""
        for _ in range(min(calls, self.out)):
            self.out -= 1
            self.pace.done()


Fleet = list[Machine]


@asynccontextmanager
async def a_fleet(
    url: str, size: int, *, concurrency: int
) -> AsyncIterator[tuple[Fleet, FakeClock]]:
    async with AsyncExitStack() as stack:
        clock = FakeClock()
        databases = [open_database(url) for _ in range(size)]
        for database in databases:
            stack.push_async_callback(database.close)
        await schema.upgrade(databases[0])
        yield [Machine(each, clock, concurrency) for each in databases], clock


@pytest.fixture(params=BOTH, ids=lambda kind: kind.__name__)
async def three(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[Fleet, FakeClock]]:
    """Three machines that may have four calls out together."""
    url = await request.param(tmp_path)
    async with a_fleet(url, 3, concurrency=4) as fleet:
        yield fleet


async def rounds(fleet: Fleet, clock: FakeClock, number: int) -> None:
    """So many seconds, with a renewal of each machine in every one."""
    for _ in range(number):
        clock.advance(1)
        for machine in fleet:
            await machine.renews()


async def rows(machine: Machine) -> list[str]:
    """Who is listed as holding permits, or wanting some."""

    def read(connection: Connection) -> list[str]:
        return list(connection.scalars(select(permits.c.holder)))

    return await machine.write(read)


async def test_two_machines_together_have_no_more_out_than_one_may(
    three: tuple[Fleet, FakeClock],
) -> None:
    (here, there, _), _ = three

    assert [await here.asks(3), await there.asks(3), await here.asks(3)] == [3, 1, 0]


async def test_what_one_has_in_excess_goes_to_others_as_its_calls_return(
    three: tuple[Fleet, FakeClock],
) -> None:
    (here, there, _), clock = three
    await here.asks(4)
    waiting = [asyncio.create_task(there.pace.ready()) for _ in range(3)]

    await rounds([here, there], clock, 3)
    busy = [await here.asks(4), await there.asks(4)]
    here.hears(3)
    await rounds([here, there], clock, 3)
    await asyncio.gather(*waiting)

    assert busy == [0, 0]
    assert [await here.asks(4), await there.asks(4)] == [1, 2]


async def test_what_is_not_in_use_is_had_by_others_after_one_renewal(
    three: tuple[Fleet, FakeClock],
) -> None:
    (here, there, _), clock = three
    await here.asks(4, uses=1)
    assert await there.asks(4) == 0

    await rounds([here, there], clock, 1)

    assert [await there.asks(4), await here.asks(4)] == [3, 0]


async def test_what_a_dead_machine_held_is_free_when_it_expires(
    three: tuple[Fleet, FakeClock],
) -> None:
    (dead, alive, _), clock = three
    await dead.asks(4)
    assert await alive.asks(4) == 0

    await rounds([alive], clock, 11)
    before = await alive.asks(4)
    await rounds([alive], clock, 2)

    assert (before, await alive.asks(4)) == (0, 4)


async def test_a_machine_without_a_database_asks_nothing_before_others_may(
    three: tuple[Fleet, FakeClock],
) -> None:
    (lost, other, _), clock = three
    await lost.asks(4, uses=1)

    lost.cut_off = True
    await rounds([lost, other], clock, 9)
    trusted = await lost.asks(1)
    await rounds([lost, other], clock, 1)

    assert (trusted, await lost.asks(1)) == (1, 0)
    assert await other.asks(1) == 0


async def test_a_machine_that_comes_back_has_what_others_left(
    three: tuple[Fleet, FakeClock],
) -> None:
    (lost, other, _), clock = three
    await lost.asks(2)
    lost.cut_off = True
    await rounds([lost], clock, 13)
    assert await other.asks(3) == 3

    lost.cut_off = False
    await rounds([lost], clock, 1)
    over = await lost.asks(1)
    lost.hears(2)

    assert (over, await lost.asks(4)) == (0, 1)


async def test_a_machine_with_nothing_to_do_is_not_listed_and_asks_no_database(
    three: tuple[Fleet, FakeClock],
) -> None:
    (here, there, _), clock = three
    await here.asks(2)
    here.hears(2)
    await rounds([here], clock, 6)
    assert await rows(there) == []

    here.cut_off = True  # and nobody is told of that

    await rounds([here], clock, 3)
    assert await there.asks(4) == 4


async def test_who_gets_no_permit_says_so_and_has_one_as_soon_as_one_is_free(
    three: tuple[Fleet, FakeClock],
) -> None:
    (here, there, late), clock = three
    for machine in (here, there):
        await machine.asks(4)
        await rounds([here, there], clock, 2)
    alone = await late.asks(4)
    at_first = late.pace.closed_until()

    await rounds(three[0], clock, 3)
    starved = late.pace.closed_until()
    here.hears(4)
    await rounds(three[0], clock, 2)

    assert (alone, at_first) == (0, None)
    assert starved == START + timedelta(seconds=7 + 3)
    assert late.pace.closed_until() is None
    assert await late.asks(4) >= 1


async def test_permits_handed_back_are_free_at_once(
    three: tuple[Fleet, FakeClock],
) -> None:
    (here, there, _), _ = three
    await here.asks(4)
    here.hears(4)

    await here.pace.share.hand_back()

    assert await there.asks(4) == 4


async def test_asking_in_vain_is_not_repeated_before_the_next_renewal(
    three: tuple[Fleet, FakeClock],
) -> None:
    (here, there, _), clock = three
    await here.asks(4)
    await there.asks(4)
    await here.pace.share.hand_back()
    here.hears(4)
    await here.pace.share.hand_back()

    clock.advance(0.9)
    early = await there.asks(4)
    clock.advance(0.1)

    assert (early, await there.asks(4)) == (0, 4)


Steps = list[tuple[list[tuple[int, tuple[str, int]]], float]]
DEEDS = st.sampled_from(["asks", "asks", "hears", "renews", "parts", "returns"])
ACTS = st.lists(
    st.tuples(st.integers(0, 2), st.tuples(DEEDS, st.integers(1, 6))),
    min_size=1,
    max_size=5,
)
STEPS = st.lists(st.tuples(ACTS, st.floats(0, 6)), max_size=25)


@pytest.mark.parametrize("place", BOTH, ids=lambda kind: kind.__name__)
def test_never_are_more_out_than_may_be_whatever_happens_at_once(
    place: Callable[[Path], Coroutine[None, None, str]], tmp_path: Path
) -> None:
    url = asyncio.run(place(tmp_path))

    @given(STEPS)
    def whatever(steps: Steps) -> None:
        asyncio.run(interleaved(url, steps))

    settings(max_examples=40)(whatever)()


async def interleaved(url: str, steps: Steps) -> None:
    """Do the acts of each step at once, and count what is out after it.

    What is out of a machine that cannot renew its permits is not counted: nobody knows
    of it when they have expired.
    """
    async with a_fleet(url, 3, concurrency=4) as (fleet, clock):
        for acts, pause in steps:
            await asyncio.gather(*(act(fleet[who], *deed) for who, deed in acts))
            assert sum(machine.out for machine in fleet) <= 4
            clock.advance(pause)
            for machine in fleet:
                machine.hears(99 if machine.cut_off else 0)
            await asyncio.gather(*(machine.renews() for machine in fleet))
        for machine in fleet:  # the next one begins anew
            machine.cut_off = False
            machine.hears(99)
            await machine.pace.share.hand_back()


async def act(machine: Machine, deed: str, number: int) -> None:
    match deed:
        case "asks":
            await machine.asks(number)
        case "hears":
            machine.hears(number)
        case "renews":
            await machine.renews()
        case "parts" | "returns":
            machine.cut_off = deed == "parts"
