"""The sandbox's own time, which can run fast, stand still and be skipped."""

import heapq
import math
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Generic, TypeVar

T = TypeVar("T")


class Clock:
    """Tells the time that delays, retries and schedules go by.

    Args:
        speed: how many times faster than the machine's; at 0 it stands still until it
            is skipped.
        wall: the time of day that signatures are dated by, since whoever verifies them
            looks at a real clock.
    """

    def __init__(
        self, speed: float = 1.0, *, wall: Callable[[], float] = time.time
    ) -> None:
        self.wall = wall
        self._speed = speed
        self._moment = wall()
        self._since = time.monotonic()

    def now(self) -> float:
        """The sandbox's time, in seconds since 1970."""
        return self._moment + (time.monotonic() - self._since) * self._speed

    def skip_to(self, moment: float) -> None:
        """Makes it at least this late at once."""
        self._moment = max(moment, self.now())
        self._since = time.monotonic()

    def real_seconds_until(self, moment: float) -> float:
        """How long the machine must wait for it; for ever, if time stands still."""
        left = max(0.0, moment - self.now())
        if left and not self._speed:
            return math.inf
        return left / self._speed if left else 0.0


class Agenda(Generic[T]):
    """What is to come when, in order of time, and of entry where the time is one."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, T]] = []
        self._order = count()

    def add(self, moment: float, item: T) -> None:
        """Notes an item for a moment; one that never comes is not noted."""
        if moment < math.inf:
            heapq.heappush(self._entries, (moment, next(self._order), item))

    def due(self, now: float) -> Iterator[T]:
        """Takes out what has come, one after another."""
        while self.next_moment <= now:
            yield heapq.heappop(self._entries)[2]

    @property
    def next_moment(self) -> float:
        """When the next item comes; infinity if there is none."""
        return self._entries[0][0] if self._entries else math.inf


def milliseconds(moment: float) -> int:
    """A moment as the API tells it."""
    return int(moment * 1000)
