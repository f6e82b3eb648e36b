"""What the `jobs` commands do and print."""

import json

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from headcount.bootstrap import open_app
from headcount.cli.delivery import Delivery, deliver
from headcount.cli.exits import Exit, exit_of
from headcount.cli.options import Output
from headcount.cli.views import open_view
from headcount.cli.work import Talk, expect, parse_deadline, work_and_deliver
from headcount.core.errors import JobNotReady
from headcount.core.model import Job, Selection, Status
from headcount.core.report import (
    Document,
    advice,
    exact_count_tracking,
    job_document,
)
from headcount.ports import Event
from headcount.runners.local import is_dead
from headcount.settings import Settings

_WIDTH = 120
_LOOK = 0.3  # seconds between two looks at the events of another process


async def rows_of(settings: Settings, status: Status | None) -> list[Document]:
    """The documents of all jobs, the newest first."""
    async with open_app(settings) as app:
        return [job_document(job) async for job in app.store.jobs(Selection(status))]


async def document_of(settings: Settings, job_id: str) -> Document:
    """A job's document, with its exactCountTracking."""
    async with open_app(settings) as app:
        job = await app.store.load(job_id)
        calls = [call async for call in app.store.calls(job_id)]
        tracking = exact_count_tracking(job, calls)
        return {
            **job_document(job),
            "advice": advice(job),
            "exactCountTracking": tracking,
        }


async def cancelled(settings: Settings, job_id: str) -> Document:
    """Cancel a job, and show it."""
    async with open_app(settings) as app:
        return job_document(await app.cancel(job_id))


async def finished(settings: Settings, job_id: str) -> Document:
    """Finish a job, and show it."""
    async with open_app(settings) as app:
        return job_document(await app.finish(job_id))


async def exported(settings: Settings, job_id: str, delivery: Delivery) -> None:
    """Write what a job has."""
    async with open_app(settings) as app:
        await deliver(app, await app.store.load(job_id), delivery)


async def deleted(settings: Settings, job_id: str) -> None:
    """Forget a job.

    Raises:
        JobNotReady: somebody is working on it.
    """
    async with open_app(settings) as app:
        job = await app.store.load(job_id)
        if job.lease and job.lease.expires_at > app.clock.now() and not _left(job):
            raise JobNotReady(
                f"job {job_id} is being worked on: headcount jobs cancel {job_id} first"
            )
        await app.store.delete(job_id)


async def continued(
    settings: Settings, job_id: str, raised: dict[str, object], output: Output
) -> int:
    """Raise a job's target or limits, and work on it until it has ended.

    Raises:
        JobNotReady: the job was cancelled.
    """
    delivery = Delivery.to(output.out, output.format, output.shape)
    deadline = raised.pop("deadline", None)
    until = parse_deadline(deadline) if isinstance(deadline, str) else None
    talk = Talk(quiet=output.quiet, debug=settings.debug)
    view = open_view(quiet=talk.quiet, debug=talk.debug)
    async with open_app(settings, watch=view) as app:
        job = await app.store.load(job_id)
        await app.connect(job.search.provider)
        await app.top_up(job_id, **raised, deadline=until)  # type: ignore[arg-type] # as declared by the commands
        job = await app.resume(job_id)
        if job.missing:
            expect(job, settings, talk)
        return await work_and_deliver(app, job, delivery, talk, view)


async def follow(settings: Settings, job_id: str, *, as_json: bool) -> int:
    """Print the events of a job until it has ended or is left alone; its exit code."""
    seen, line = 0, _json_line if as_json else _log_line
    async with open_app(settings) as app:
        while True:
            job = await app.store.load(job_id)
            async for event in app.store.events(job_id, seen):
                seen = event.id
                typer.echo(line(event))
            if job.status.ended or job.status is Status.PAUSED:
                return exit_of(job)
            if _left(job):
                told = f"Nobody works on job {job_id} any more: "
                typer.echo(f"{told}headcount jobs resume {job_id}", err=True)
                return Exit.INTERRUPTED
            await app.clock.sleep(_LOOK)


def _left(job: Job) -> bool:
    """Whether who worked on the job was killed."""
    return job.lease is not None and is_dead(job.lease.holder)


def _json_line(event: Event) -> str:
    return json.dumps({"type": event.type, "at": event.at.isoformat(), **event.data})


def _log_line(event: Event) -> str:
    data = event.data
    return (
        f"{event.at:%H:%M:%S} {data['status']:<10} {data['current']}/{data['target']} "
        f"({data['progress']}) {data['apiCalls']} calls, "
        f"{data['duplicatesFound']} duplicates"
    )


def job_table(rows: list[Document]) -> str:
    """Jobs as a table, one a line."""
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "status", "found", "calls", "credits", "keywords", "created"):
        table.add_column(heading, no_wrap=heading != "keywords")
    for row in rows:
        keywords = ", ".join(map(str, _list(row["keywords"])))
        status = f"{row['status']}{' (sandbox)' if row['sandbox'] else ''}"
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
    return _drawn(table) if rows else "No jobs yet: headcount find 100 apple --sandbox"


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
    advised = f"{document['advice']}\n" if document["advice"] else ""
    tracking = document["exactCountTracking"]
    calls = _list(tracking["apiCallDetails"]) if isinstance(tracking, dict) else []
    sources = ("keyword", "source", "state", "pages", "itemsReceived", "newUnique")
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
            table.add_row(*(Text(str(row[column])) for column in columns))
    return _drawn(table)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _drawn(table: Table) -> str:
    console = Console(width=_WIDTH)
    with console.capture() as capture:
        console.print(table)
    return capture.get().rstrip("\n")
