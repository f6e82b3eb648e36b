"""What the `jobs` commands do and print."""

import json
from datetime import timedelta

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from headcount.bootstrap import open_app
from headcount.cli.delivery import Delivery, deliver
from headcount.cli.desk import Order
from headcount.cli.desks import open_desk
from headcount.cli.exits import Exit, exit_of, print_data
from headcount.cli.options import Caps, Output, Wider
from headcount.cli.views import ahead, many, open_view, out_of_reach
from headcount.cli.work import (
    expect,
    given_expansion,
    helped,
    limits_of,
    work_and_deliver,
)
from headcount.client.documents import JobDocument, JobEvent, document_of, value_of
from headcount.core.model import Status
from headcount.core.report import Document
from headcount.settings import Settings

_WIDTH = 120


async def rows_of(settings: Settings, status: Status | None) -> list[Document]:
    """The documents of all jobs, the newest first, with what would help them."""
    async with open_desk(settings) as desk:
        return [
            {**document_of(job), "advice": helped(desk, advice)}
            async for job, advice in desk.jobs(status)
        ]


async def sheet_of(settings: Settings, job_id: str) -> Document:
    """A job's document, with its exactCountTracking."""
    async with open_desk(settings) as desk:
        job = await desk.job(job_id)
        return {**document_of(job), "advice": helped(desk, job.advice)}


async def ordered(settings: Settings, job_id: str, order: Order) -> JobDocument:
    """Give an order to a job, and return how it stands."""
    async with open_desk(settings) as desk:
        return await desk.order(job_id, order)


def standing(job: JobDocument) -> str:
    """How a job stands, and what may still change that."""
    out = job.open_calls
    still = f"; {many(out, 'call')} still out will be counted" if out else ""
    return (
        f"Job {job.id} is {job.status}: "
        f"{job.current} of {many(job.target, 'creator')}{still}."
    )


async def exported(settings: Settings, job_id: str, delivery: Delivery) -> None:
    """Write what a job has."""
    async with open_desk(settings) as desk:
        await deliver(desk, await desk.job(job_id), delivery)


async def deleted(settings: Settings, job_id: str) -> None:
    """Forget a job, unless somebody is working on it."""
    async with open_desk(settings) as desk:
        await desk.delete(job_id)


async def count_old(settings: Settings, older_than: timedelta) -> int:
    """How many jobs ended longer ago than this."""
    async with open_app(settings) as app:
        return await app.retention.count_jobs(older_than)


async def prune(settings: Settings, older_than: timedelta) -> int:
    """Forget the jobs that ended longer ago than this; returns how many."""
    async with open_app(settings) as app:
        return await app.retention.forget_jobs(older_than)


async def continued(
    settings: Settings,
    job_id: str,
    target: int | None,
    *,
    caps: Caps,
    wider: Wider,
    output: Output,
) -> int:
    """Raise a job's target or limits, and see it to its end.

    Raises:
        JobNotReady: the job was cancelled.
    """
    delivery, limits = Delivery.to(output), limits_of(caps)
    expansion = given_expansion(wider, settings)
    view = open_view(quiet=output.quiet, debug=settings.debug)
    async with open_desk(settings) as desk:
        await desk.top_up(job_id, target, limits, expansion)
        job = await desk.order(job_id, Order.RESUME)
        if job.missing:
            expect(job, settings, view)
        return await work_and_deliver(desk, job, delivery, settings=settings, view=view)


async def follow(settings: Settings, job_id: str, *, as_json: bool) -> int:
    """Print the events of a job until it has ended or is left alone; its exit code."""
    line = _json_line if as_json else _log_line
    async with open_desk(settings) as desk:
        async for event in desk.events(job_id):
            print_data(line(event))
        job = await desk.job(job_id)
        if not (job.status.ended or job.status is Status.PAUSED):
            typer.echo(helped(desk, job.advice), err=True)
            return Exit.INTERRUPTED
        return exit_of(job)


def _json_line(event: JobEvent) -> str:
    return json.dumps({"type": event.type, **document_of(event.news)})


def _log_line(event: JobEvent) -> str:
    news = event.news
    return (
        f"{news.at:%H:%M:%S} {news.status:<10} {news.current}/{news.target} "
        f"({news.progress}) {news.api_calls} calls, "
        f"{news.duplicates_found} duplicates"
    )


def job_table(rows: list[Document]) -> str:
    """Jobs as a table, one a line, and below it what to do about the stalled."""
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "status", "found", "calls", "credits", "keywords", "created"):
        table.add_column(heading, no_wrap=heading != "keywords")
    going_on = [row for row in rows if not row["outcome"]]
    hints = {row["id"]: row["advice"] for row in going_on if row.get("advice")}
    for row in rows:
        keywords = ", ".join(map(str, _list(row["keywords"])))
        status = f"{row['status']}{', stalled' if row['id'] in hints else ''}"
        status += " (sandbox)" if row["sandbox"] else ""
        cells = (
            row["id"],
            status,
            f"{row['current']}/{row['target']}",
            row["apiCalls"],
            row["credits"],
            keywords,
            str(row["createdAt"])[:16].replace("T", " "),
        )
        table.add_row(*(Text(str(cell)) for cell in cells))
    if not rows:
        return "No jobs yet: headcount find 100 apple --sandbox"
    return "\n".join([_drawn(table), *map(str, hints.values())])


def job_sheet(document: Document) -> str:
    """A job as a sheet: how it stands, its sources, its calls."""
    head = (
        f"Job {document['id']}: {document['status']}"
        f"{' (sandbox)' if document['sandbox'] else ''}\n"
        f"{document['current']} of {document['target']} creators "
        f"({document['progress']}), {document['spares']} spares, "
        f"{document['rejected']} rejected\n"
        f"{document['apiCalls']} of at most {document['callCap']} calls, "
        f"{document['credits']} credits, {document['duplicatesFound']} duplicates, "
        f"{document['averagePerCall']} creators a call"
    )
    job = value_of(document, JobDocument)
    for line in (*ahead(job), *out_of_reach(job)) if not job.status.ended else ():
        head += f"\n{line}"
    advised = f"{document['advice']}\n" if document["advice"] else ""
    tracking = document["exactCountTracking"]
    calls = _list(tracking["apiCallDetails"]) if isinstance(tracking, dict) else []
    sources: tuple[str, ...] = (
        "keyword",
        "source",
        "state",
        "pages",
        "itemsReceived",
        "newUnique",
        "supply",
    )
    if len(_list(document["sources"])) > len(_list(document["keywords"])):
        sources = (*sources, "credits", "relevance", "origin")
    details = (
        "callNumber",
        "keyword",
        "cursor",
        "itemsReceived",
        "newUnique",
        "duplicates",
        "rejected",
        "durationMs",
        "attempts",
        "credits",
        "state",
    )
    return (
        f"{head}\n{advised}\n{_grid(_list(document['sources']), sources)}\n\n"
        f"{_grid(calls, details)}"
    )


def _grid(rows: list[object], columns: tuple[str, ...]) -> str:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column)
    for row in rows:
        if isinstance(row, dict):
            cells = [row[column] for column in columns]
            table.add_row(*(Text("" if c is None else str(c)) for c in cells))
    return _drawn(table)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _drawn(table: Table) -> str:
    console = Console(width=_WIDTH)
    with console.capture() as capture:
        console.print(table)
    return capture.get().rstrip("\n")
