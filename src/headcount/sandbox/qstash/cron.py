"""When a schedule fires next: five fields, and a time zone if it names one."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_YEARS_TO_LOOK_AHEAD = 8  # over a leap day that a turn of the century leaves out


@dataclass(frozen=True, slots=True)
class Cron:
    """The minutes at which a schedule fires."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday
    either_day: bool  # both days are restricted, and either may fit
    zone: tzinfo = UTC

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `*/5 * * * *`, or `CRON_TZ=Europe/Berlin 0 9 * * 1-5`.

        Raises:
            ValueError: it is no cron expression, or the zone is not known.
        """
        first, _, rest = text.strip().partition(" ")
        name, zoned, zone = first.partition("=")
        named = bool(zoned) and name == "CRON_TZ"
        fields = (rest if named else text).split()
        if len(fields) != len(_RANGES):
            raise ValueError(f"expected five fields in the cron, got {text!r}")
        minutes, hours, days, months, weekdays = map(_field, fields, _RANGES)
        return cls(
            minutes,
            hours,
            days,
            months,
            weekdays=frozenset(day % 7 for day in weekdays),
            either_day=fields[2][0] != "*" and fields[4][0] != "*",
            zone=_zone(zone) if named else UTC,
        )

    def after(self, moment: float) -> float:
        """The first minute after a moment at which it fires.

        Raises:
            ValueError: it never fires, as on a 30th of February.
        """
        start = datetime.fromtimestamp(moment, self.zone)
        for ahead in range(366 * _YEARS_TO_LOOK_AHEAD):
            day = start.replace(hour=0, minute=0, second=0) + timedelta(days=ahead)
            for at in self._times(day) if self._has(day) else ():
                if at > moment:
                    return at
        raise ValueError("the cron never fires")

    def _has(self, day: datetime) -> bool:
        if day.month not in self.months:
            return False
        in_month = day.day in self.days
        in_week = day.isoweekday() % 7 in self.weekdays
        return in_month or in_week if self.either_day else in_month and in_week

    def _times(self, day: datetime) -> list[float]:
        return [
            day.replace(hour=hour, minute=minute, microsecond=0).timestamp()
            for hour in sorted(self.hours)
            for minute in sorted(self.minutes)
        ]


def _field(text: str, limits: tuple[int, int]) -> frozenset[int]:
    """The numbers of one field: `*`, `*/5`, `1-5`, `1-9/2`, and lists of them."""
    low, high = limits
    numbers: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        start = low if span == "*" else int(first)
        end = high if span == "*" or (step and not dash) else int(last or first)
        numbers.update(range(start, end + 1, int(step or 1)))
    if not numbers or min(numbers) < low or max(numbers) > high:
        raise ValueError(f"expected numbers from {low} to {high}, got {text!r}")
    return frozenset(numbers)


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"unknown time zone {name!r} in CRON_TZ") from None
