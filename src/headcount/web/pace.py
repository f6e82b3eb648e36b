"""How many requests a caller may make in a minute, and what they are told of it."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta

from headcount.web.problems import Problem

WINDOW = timedelta(minutes=1)
_MOST_CALLERS = 10_000  # remembered at once


class Limiter:
    """Counts the requests of each caller in windows of a minute, in this process."""

    def __init__(self, limit: int, now: Callable[[], datetime]) -> None:
        self._limit, self._now = limit, now
        self._windows: dict[str, tuple[datetime, int]] = {}

    def count(self, caller: str) -> dict[str, str]:
        """Count one more request, and give the headers that tell how many are left.

        Raises:
            Problem: the limit is reached.
        """
        now = self._now()
        until, used = self._windows.get(caller, (now, 0))
        if until <= now:
            self._tidy(now)
            until, used = now + WINDOW, 0
        self._windows[caller] = until, used + 1
        seconds = str(math.ceil((until - now).total_seconds()))
        headers = {
            "RateLimit-Limit": str(self._limit),
            "RateLimit-Remaining": str(max(0, self._limit - used - 1)),
            "RateLimit-Reset": seconds,
        }
        if used < self._limit:
            return headers
        raise Problem(
            429,
            f"{self._limit} requests a minute are allowed: try again in {seconds} s",
            headers={**headers, "Retry-After": seconds},
        )

    def _tidy(self, now: datetime) -> None:
        """Forget old windows, and the oldest where callers are too many."""
        if len(self._windows) >= _MOST_CALLERS:
            current = {c: w for c, w in self._windows.items() if w[0] > now}
            self._windows = dict(list(current.items())[-_MOST_CALLERS // 2 :])
