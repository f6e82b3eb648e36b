"""The sums of ended jobs in a database: added to, rolled up, and read.

A change that ends or reopens a job inserts rows of its own, so no two transactions wait
for each other. Now and then they are merged into one row for each place. A reader adds
up both kinds in one statement, so what is being merged counts once at any moment.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    bindparam,
    cast,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from headcount.adapters.database import Database, Prepared, filled, insert_missing
from headcount.adapters.lists import jobs_after
from headcount.adapters.service_tables import figures
from headcount.core.selection import ALL_JOBS, Selection
from headcount.core.statistics import (
    ALL_KEYWORDS,
    EVERYTHING,
    NOTHING,
    PROCESSED,
    TOP,
    Coverage,
    Group,
    Kind,
    Place,
    Statistics,
    Sums,
    SumsByPlace,
    counts_of,
    statistics_of,
    total,
)
from headcount.ports import Records

BATCH = 1_000  # rows merged in one go, so that nobody waits long for a sweeper
_ROLLED_UP = ""  # in place of the name of a change

_PLACE = [field.name for field in fields(Place)]
_SUMS = [field.name for field in fields(Sums)]
_KEY = [*_PLACE, "delta"]

_ADDED = (
    select(*(figures.c[name] for name in [*_KEY, *_SUMS]))
    .where(text("delta <> ''"))  # in these words, or SQLite would not use the index
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)
_REMOVE = delete(figures).where(
    *(figures.c[name] == bindparam(f"its_{name}") for name in _KEY)
)
_RAISE = (
    update(figures)
    .where(*(figures.c[name] == bindparam(f"its_{name}") for name in _KEY))
    .values({name: figures.c[name] + bindparam(f"its_{name}") for name in _SUMS})
)
_TOTALS = [cast(func.sum(figures.c[name]), BigInteger) for name in _SUMS]
_GROUP = [figures.c[field.name] for field in fields(Group)]
_JOBS = func.sum(figures.c.jobs)


class Figures:
    """The sums of all ended jobs of a database."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database, self._now = database, now
        names = figures.columns.keys()
        self._add = Prepared(database, filled(insert(figures), figures, names))
        self._make = insert_missing(database, figures)

    def add(self, connection: Connection, change: str, added: SumsByPlace) -> None:
        """Add what a change makes of the sums, in the transaction that writes it.

        The change has a name of its own; no other one is ever given it.
        """
        self._add.write(connection, list(_rows(added, change)))

    async def roll_up(self) -> int:
        """Merge what was added into one row for each place; returns how many rows.

        Several may do so at once: each takes rows that no other one has.
        """
        merged = 0
        while found := await self._database.write(self._merge):
            merged += found
        return merged

    def _merge(self, connection: Connection) -> int:
        found = connection.execute(_ADDED).all()
        if found:
            keys = (row[: len(_KEY)] for row in found)
            connection.execute(_REMOVE, [_its(_KEY, key) for key in keys])
        merged = total({_place(row): _sums(row)} for row in found)
        if merged:
            nothing = dict.fromkeys(merged, NOTHING)
            connection.execute(self._make, list(_rows(nothing, _ROLLED_UP)))
            rows = _rows(merged, _ROLLED_UP)
            connection.execute(_RAISE, [_its(row, row.values()) for row in rows])
        return len(found)

    async def read(self, coverage: Coverage = EVERYTHING) -> Statistics:
        """What the jobs covered add up to; it takes no longer the more jobs there are.

        It grows with the days covered, and with the owners and keywords of a day.
        """
        return await self._database.read(partial(self._read, coverage=coverage))

    def _read(self, connection: Connection, coverage: Coverage) -> Statistics:
        groups = connection.execute(_groups(coverage))
        sums = {Group(*row[: len(_GROUP)]): Sums(*row[len(_GROUP) :]) for row in groups}
        return Statistics(
            coverage=coverage,
            at=self._now(),
            groups={group: value for group, value in sums.items() if value != NOTHING},
            top_keywords=tuple(connection.execute(_top_keywords(coverage)).scalars()),
        )


def count_all(connection: Connection) -> None:
    """Count what ended before anything was counted, by an earlier version."""
    if connection.execute(select(figures.c.day).limit(1)).first():
        return
    last = None
    while found := jobs_after(connection, last, ALL_JOBS, BATCH):
        last = found[-1]
        counted = total(counts_of(job) for job in found)
        if counted:
            rows = list(_rows(counted, f"upgrade.{last.id}"))
            connection.execute(insert(figures), rows)


def _groups(coverage: Coverage) -> Select[Any]:
    """The sums of each group: at most a row for each kind, status and size."""
    keyword = coverage.keyword or ALL_KEYWORDS
    return (
        select(*_GROUP, *_TOTALS)
        .where(figures.c.keyword == keyword, *_covered(coverage))
        .group_by(*_GROUP)
    )


def _top_keywords(coverage: Coverage) -> Select[Any]:
    """The keywords that most real jobs had which were processed."""
    keyword = figures.c.keyword
    return (
        select(keyword)
        .where(
            keyword == coverage.keyword if coverage.keyword else keyword != ALL_KEYWORDS
        )
        .where(figures.c.kind == Kind.REAL, figures.c.status.in_(PROCESSED))
        .where(*_covered(coverage))
        .group_by(keyword)
        .having(_JOBS > 0)
        .order_by(_JOBS.desc(), keyword)
        .limit(TOP)
    )


def _covered(coverage: Coverage) -> Iterator[ColumnElement[bool]]:
    """What is asked of a row beside its keyword."""
    if coverage.since:
        yield figures.c.day >= coverage.since.isoformat()
    if coverage.until:
        yield figures.c.day <= coverage.until.isoformat()
    if coverage.owner is not None:
        yield figures.c.owner == coverage.owner


def _rows(sums_by_place: SumsByPlace, change: str) -> Iterator[dict[str, Any]]:
    for place, sums in sums_by_place.items():
        row = {name: getattr(place, name) for name in _PLACE}
        yield row | {name: getattr(sums, name) for name in _SUMS} | {"delta": change}


def _place(row: Row[Any]) -> Place:
    return Place(*row[: len(_PLACE)])


def _sums(row: Row[Any]) -> Sums:
    return Sums(*row[len(_KEY) :])


def _its(names: Iterable[str], values: Iterable[object]) -> dict[str, Any]:
    """The parameters of a statement, named apart from the columns that it sets."""
    return {f"its_{name}": value for name, value in zip(names, values, strict=True)}


async def recount(records: Records, coverage: Coverage, at: datetime) -> Statistics:
    """The same figures from the jobs themselves, one by one."""
    selection = Selection(
        owner=coverage.owner,
        keyword=coverage.keyword,
        created_from=_midnight(coverage.since) if coverage.since else None,
        created_to=_end(coverage.until),
    )
    counts = [counts_of(job) async for job in records.jobs(selection)]
    return statistics_of(total(counts), coverage, at)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _end(day: date | None) -> datetime | None:
    """The first moment after a day; none after the last day that there is."""
    if day is None or day == date.max:
        return None
    return _midnight(day + timedelta(days=1))
