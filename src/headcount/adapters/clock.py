"""The time of this machine."""

import asyncio
from datetime import UTC, datetime


class SystemClock:
    """The time as the operating system tells it."""

    def now(self) -> datetime:
        """The present in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Return when this much time has passed; others get a turn in any case."""
        await asyncio.sleep(max(0.0, seconds))
