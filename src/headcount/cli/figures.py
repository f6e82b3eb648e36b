"""What `headcount stats` does and prints."""

import json
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
)
from contextlib import contextmanager
from dataclasses import asdict, replace

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from headcount.adapters.statistics import recount
from headcount.bootstrap import App, open_app
from headcount.cli.options import Listing
from headcount.core.figures import figures, statistics_document
from headcount.core.statistics import EVERY_SIZE, Coverage, Kind, Statistics
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


Reading = Callable[[App, Coverage], Awaitable[Statistics]]
Form = Callable[[Statistics], str]


async def kept(app: App, coverage: Coverage) -> Statistics:
    """Read the sums that are kept."""
    return await app.statistics(coverage)


async def recounted(app: App, coverage: Coverage) -> Statistics:
    """Read every job anew."""
    return await recount(app.store, coverage, app.clock.now())


async def show(
    settings: Settings, coverage: Coverage, read: Reading, form: Form
) -> None:
    """Print the figures once."""
    async with open_app(settings) as app:
        await app.store.figures.roll_up()  # where no service runs, nobody else does
        typer.echo(form(await read(app, coverage)))


async def watch(
    settings: Settings, coverage: Coverage, read: Reading, form: Form
) -> None:
    """Print the figures, and again whenever they have changed, until interrupted."""
    async with open_app(settings) as app:
        await app.store.figures.roll_up()
        with _screen() as draw:
            async for found in _changes(app, coverage, read):
                draw(form(found))


async def _changes(
    app: App, coverage: Coverage, read: Reading
) -> AsyncIterator[Statistics]:
    """The figures as they are, and then as they have become."""
    last = None
    while True:
        found = await read(app, coverage)
        if last is None or found != replace(last, at=found.at):
            yield found
        last = found
        await app.clock.sleep(_LOOK)


@contextmanager
def _screen() -> Iterator[Callable[[str], None]]:
    """What draws a text in place of the last one on a terminal, else below it."""
    console = Console()
    if not console.is_terminal:
        yield typer.echo
        return
    with Live(console=console, auto_refresh=False) as live:
        yield lambda text: live.update(Text(text), refresh=True)


# ------------------------------------------------------------------------ how it looks
def sheet(statistics: Statistics) -> str:
    """The figures as tables: by the kind of job, and by the target asked."""
    kinds = [figures(statistics, kind) for kind in Kind]
    by_kind = _grid(
        ("", "real jobs", "sandbox", "test-capped"),
        ([told, *(kind[name] for kind in kinds)] for name, told in _ROWS.items()),
    )
    sizes = ((size, figures(statistics, Kind.REAL, [size])) for size in EVERY_SIZE)
    by_target = _grid(
        ("target", *(_ROWS[name] for name in _BY_TARGET)),
        ([_up_to(size), *(told[name] for name in _BY_TARGET)] for size, told in sizes),
    )
    keywords = ", ".join(statistics.top_keywords) or "none yet"
    top = f"Top keywords: {keywords}"
    return "\n\n".join((_heading(statistics.coverage), by_kind, by_target, top))


def _heading(coverage: Coverage) -> str:
    """What the figures cover."""
    asked = [f"{name} {value}" for name, value in asdict(coverage).items() if value]
    return f"Jobs that have ended: {', '.join(asked) or 'all of them'}"


def _up_to(size: int) -> str:
    return f"up to {size:,}" if size else "more"


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


def _json(statistics: Statistics) -> str:
    return json.dumps(statistics_document(statistics), ensure_ascii=False, indent=2)


def _json_line(statistics: Statistics) -> str:
    return json.dumps(statistics_document(statistics), ensure_ascii=False)


WHOLE: Mapping[Listing, Form] = {Listing.TABLE: sheet, Listing.JSON: _json}
LINES: Mapping[Listing, Form] = {Listing.TABLE: sheet, Listing.JSON: _json_line}
