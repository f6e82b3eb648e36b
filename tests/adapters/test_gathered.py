"""What many ask for at once is done in one go, and each is answered as if alone."""

import asyncio

import pytest

from headcount.adapters.gathered import Gathered
from headcount.core.errors import InternalError, StoreBusy


class Desk:
    """Doubles numbers, a lot at a time; it is closed until `open` is set."""

    def __init__(self, error: Exception | None = None) -> None:
        self.lots: list[list[int]] = []
        self.open = asyncio.Event()
        self.error = error

    async def do(self, numbers: list[int]) -> list[int]:
        self.lots.append(numbers)
        await self.open.wait()
        if self.error and 13 in numbers:
            raise self.error
        return [2 * number for number in numbers]


async def asked(gathered: Gathered[int, int], *numbers: int) -> list[asyncio.Task[int]]:
    """Tasks that have asked for these, one after the other."""
    tasks = [asyncio.create_task(gathered(number)) for number in numbers]
    for _ in tasks:
        await asyncio.sleep(0)
    return tasks


async def test_who_asks_while_a_lot_is_under_way_is_in_the_next_one() -> None:
    desk = Desk()
    gathered = Gathered(desk.do)

    first = await asked(gathered, 1)
    others = await asked(gathered, 2, 3, 4)
    desk.open.set()

    assert await asyncio.gather(*first, *others) == [2, 4, 6, 8]
    assert desk.lots == [[1], [2, 3, 4]]


async def test_who_is_alone_waits_for_nobody() -> None:
    desk = Desk()
    desk.open.set()
    gathered = Gathered(desk.do)

    assert [await gathered(1), await gathered(2)] == [2, 4]
    assert desk.lots == [[1], [2]]


async def test_a_lot_has_a_hundred_at_most() -> None:
    desk = Desk()
    gathered = Gathered(desk.do)

    tasks = await asked(gathered, *range(202))
    desk.open.set()

    assert await asyncio.gather(*tasks) == [2 * number for number in range(202)]
    assert max(map(len, desk.lots)) == 100


async def test_one_that_cannot_be_done_does_not_harm_the_others() -> None:
    desk = Desk(InternalError("the store refused a change"))
    gathered = Gathered(desk.do)

    tasks = await asked(gathered, 1, 2, 13, 4)
    desk.open.set()
    made = await asyncio.gather(*tasks, return_exceptions=True)

    assert made == [2, 4, desk.error, 8]


async def test_a_store_that_is_away_is_asked_once_for_all() -> None:
    desk = Desk(StoreBusy("the server restarts"))
    gathered = Gathered(desk.do)

    tasks = await asked(gathered, 1, 2, 13)
    desk.open.set()
    made = await asyncio.gather(*tasks, return_exceptions=True)

    assert made == [desk.error] * 3
    assert desk.lots == [[1, 2, 13]]


async def test_one_who_leaves_changes_nothing_for_the_others() -> None:
    desk = Desk()
    gathered = Gathered(desk.do)
    first, second, third = await asked(gathered, 1, 2, 3)

    second.cancel()
    first.cancel()
    desk.open.set()

    assert await third == 6
    with pytest.raises(asyncio.CancelledError):
        await second
