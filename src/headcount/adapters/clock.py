"""The time of this machine."""

import asyncio
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The time as the operating system tells it, or as the database does.

    Machines whose clocks differ would take each other's leases for expired. So where
    a database is shared, its time is everybody's.
    """

    def __init__(self) -> None:
        self._behind = timedelta(0)

    def now(self) -> datetime:
        """The present in UTC."""
        return datetime.now(UTC) + self._behind

    def set_by(self, time: datetime) -> None:
        """Go on from the time that another clock shows now."""
        self._behind = time - datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Return when this much time has passed; others get a turn in any case."""
        await asyncio.sleep(max(0.0, seconds))
