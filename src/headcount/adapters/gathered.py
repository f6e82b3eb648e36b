"""Does for many at once what each of them asks for: one round trip, and one commit.

Nobody waits for others to come: whoever asks while a lot is under way is in the next
one. So a lot is as large as the load, and without load each is alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from headcount.core.errors import OperatorError

One = TypeVar("One")
Made = TypeVar("Made")
_MOST = 100  # in one lot, so that nobody waits long for the others


class Gathered(Generic[One, Made]):
    """What `do` makes of many, for each who asks; it answers in the order given."""

    def __init__(self, do: Callable[[list[One]], Awaitable[Sequence[Made]]]) -> None:
        self._do = do
        self._asked: list[tuple[One, asyncio.Future[Made]]] = []
        self._under_way: asyncio.Task[None] | None = None

    async def __call__(self, one: One) -> Made:
        """What is made of this one, in a lot that begins after it was asked for."""
        answer: asyncio.Future[Made] = asyncio.get_running_loop().create_future()
        self._asked.append((one, answer))
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._do_all())
        return await answer

    async def _do_all(self) -> None:
        while self._asked:
            lot, self._asked = self._asked[:_MOST], self._asked[_MOST:]
            await self._answer(lot)

    async def _answer(self, lot: Sequence[tuple[One, asyncio.Future[Made]]]) -> None:
        try:
            made = await self._do([one for one, _ in lot])
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            if len(lot) == 1 or isinstance(error, OperatorError):
                _tell(lot, error)
                return
            for alone in lot:  # one of them is at fault, and the others are not
                await self._answer([alone])
        else:
            for (_, answer), one in zip(lot, made, strict=True):
                if not answer.done():  # whoever asked may have left
                    answer.set_result(one)


def _tell(lot: Sequence[tuple[One, asyncio.Future[Made]]], error: Exception) -> None:
    for _, answer in lot:
        if not answer.done():
            answer.set_exception(error)
