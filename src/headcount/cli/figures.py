"""What `headcount stats` does and prints."""

import asyncio
import json
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
)
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
)

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from headcount.cli.desks import open_desk
from headcount.cli.exits import print_data
from headcount.cli.here import open_here
from headcount.cli.options import Listing
from headcount.client.documents import document_of
from headcount.client.results import FiguresByTarget, StatisticsDocument
from headcount.core.report import Document
from headcount.core.statistics import Coverage
from headcount.settings import Settings

_WIDTH = 88
_LOOK = 1.0  # seconds between two looks at the figures
_ROWS = {
    "totalJobs": "jobs that have ended",
    "completed": "completed",
    "partial": "partial",
    "cancelled": "cancelled",
    "failed": "failed",
    "exactCountAchieved": "exact count achieved",
    "accuracyRate": "accuracy rate",
    "completionRate": "completion rate",
    "successRate": "success rate",
    "apiEfficiency": "creators per call",
    "avgApiCalls": "calls per job",
    "avgProcessingTime": "processing time",
    "totalApiCalls": "calls",
    "creditsSpent": "credits",
    "creatorsDelivered": "creators delivered",
    "duplicatesFound": "duplicates",
}
_BY_TARGET = ("totalJobs", "accuracyRate", "avgApiCalls", "avgProcessingTime")


Reading = Callable[[], Awaitable[StatisticsDocument]]
Form = Callable[[StatisticsDocument], str]


@asynccontextmanager
async def kept(settings: Settings, coverage: Coverage) -> AsyncIterator[Reading]:
    """What reads the sums that are kept."""
    async with open_desk(settings) as desk:
        yield lambda: desk.statistics(coverage)


@asynccontextmanager
async def recounted(settings: Settings, coverage: Coverage) -> AsyncIterator[Reading]:
    """What reads every job of this machine anew."""
    async with open_here(settings) as desk:
        yield lambda: desk.recount(coverage)


async def show(source: AbstractAsyncContextManager[Reading], form: Form) -> None:
    """Print the figures once."""
    async with source as read:
        print_data(form(await read()))


async def watch(source: AbstractAsyncContextManager[Reading], form: Form) -> None:
    """Print the figures, and again whenever they have changed, until interrupted."""
    async with source as read:
        with _screen() as draw:
            async for found in _changes(read):
                draw(form(found))


async def _changes(read: Reading) -> AsyncIterator[StatisticsDocument]:
    """The figures as they are, and then as they have become."""
    last = None
    while True:
        found = await read()
        if last is None or _told(found) != _told(last):
            yield found
        last = found
        await asyncio.sleep(_LOOK)


def _told(statistics: StatisticsDocument) -> Document:
    """The figures without the time at which they were read."""
    told = document_of(statistics)
    latest = {**document_of(statistics.exact_count_stats), "lastUpdated": None}
    return {**told, "exactCountStats": latest}


@contextmanager
def _screen() -> Iterator[Callable[[str], None]]:
    """What draws a text in place of the last one on a terminal, else below it."""
    console = Console()
    if not console.is_terminal:
        yield print_data
        return
    with Live(console=console, auto_refresh=False) as live:
        yield lambda text: live.update(Text(text), refresh=True)


# ------------------------------------------------------------------------ how it looks
def sheet(statistics: StatisticsDocument) -> str:
    """The figures as tables: by the kind of job, and by the target asked."""
    kinds = (statistics.real, statistics.sandbox, statistics.test_capped)
    figures = [document_of(kind) for kind in kinds]
    by_kind = _grid(
        ("", "real jobs", "sandbox", "test-capped"),
        ([told, *(kind[name] for kind in figures)] for name, told in _ROWS.items()),
    )
    by_target = _grid(
        ("target", *(_ROWS[name] for name in _BY_TARGET)),
        map(_by_target, statistics.by_target_count),
    )
    keywords = ", ".join(statistics.exact_count_stats.top_keywords) or "none yet"
    top = f"Top keywords: {keywords}"
    return "\n\n".join((_heading(statistics), by_kind, by_target, top))


def _by_target(row: FiguresByTarget) -> list[object]:
    size, figures = row.target_count_up_to, document_of(row.figures)
    up_to = f"up to {size:,}" if size else "more"
    return [up_to, *(figures[name] for name in _BY_TARGET)]


def _heading(statistics: StatisticsDocument) -> str:
    """What the figures cover."""
    names = ("since", "until", "keyword", "owner")
    covered = {name: getattr(statistics, name) for name in names}
    asked = [f"{name} {value}" for name, value in covered.items() if value]
    return f"Jobs that have ended: {', '.join(asked) or 'all of them'}"


def _grid(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    table = Table(box=None, pad_edge=False)
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place else "left", no_wrap=True)
    for row in rows:
        table.add_row(*("-" if cell is None else str(cell) for cell in row))
    console = Console(width=_WIDTH)
    with console.capture() as capture:
        console.print(table)
    return capture.get().rstrip("\n")


def _json(statistics: StatisticsDocument) -> str:
    return json.dumps(document_of(statistics), ensure_ascii=False, indent=2)


def _json_line(statistics: StatisticsDocument) -> str:
    return json.dumps(document_of(statistics), ensure_ascii=False)


WHOLE: Mapping[Listing, Form] = {Listing.TABLE: sheet, Listing.JSON: _json}
LINES: Mapping[Listing, Form] = {Listing.TABLE: sheet, Listing.JSON: _json_line}
