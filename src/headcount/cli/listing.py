"""What the `jobs` commands do and print."""

import json
from datetime import datetime

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from headcount.bootstrap import open_app
from headcount.cli.delivery import Delivery, deliver
from headcount.cli.exits import Exit, exit_of, print_data
from headcount.cli.options import Caps, Output
from headcount.cli.views import many, open_view
from headcount.cli.work import expect, limits_of, work_and_deliver
from headcount.core.errors import JobNotReady
from headcount.core.model import Job, Status
from headcount.core.report import (
    Document,
    advice,
    exact_count_tracking,
    job_document,
)
from headcount.core.selection import Selection
from headcount.engine import LEASE
from headcount.ports import Event
from headcount.runners.local import is_dead
from headcount.settings import Settings

_WIDTH = 120
_LOOK = 0.3  # seconds between two looks at the events of another process


async def rows_of(settings: Settings, status: Status | None) -> list[Document]:
    """The documents of all jobs, the newest first."""
    async with open_app(settings) as app:
        now, wanted = app.clock.now(), Selection(status)
        return [_advised(job, now) async for job in app.store.jobs(wanted)]


async def document_of(settings: Settings, job_id: str) -> Document:
    """A job's document, with its exactCountTracking."""
    async with open_app(settings) as app:
        job = await app.store.load(job_id)
        calls = [call async for call in app.store.calls(job_id)]
        tracking = exact_count_tracking(job, calls)
        return {**_advised(job, app.clock.now()), "exactCountTracking": tracking}


def _advised(job: Job, now: datetime) -> Document:
    """A job's document, with what would help where it fell short or stalled."""
    text = _unattended(job) if _stalled(job, now) else advice(job)
    return {**job_document(job), "advice": text}


async def cancelled(settings: Settings, job_id: str) -> Job:
    """Cancel a job, and return it as it stands."""
    async with open_app(settings) as app:
        return await app.cancel(job_id)


async def finished(settings: Settings, job_id: str) -> Job:
    """Finish a job, and return it as it stands."""
    async with open_app(settings) as app:
        return await app.finish(job_id)


def standing(job: Job) -> str:
    """How a job stands, and what may still change that."""
    out = len(job.open_calls)
    still = f"; {many(out, 'call')} still out will be counted" if out else ""
    return (
        f"Job {job.id} is {job.status}: "
        f"{job.delivered} of {many(job.target, 'creator')}{still}."
    )


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
        if _worked_on(job, app.clock.now()):
            raise JobNotReady(
                f"job {job_id} is being worked on: headcount jobs cancel {job_id} first"
            )
        await app.store.delete(job_id)


async def continued(
    settings: Settings, job_id: str, target: int | None, *, caps: Caps, output: Output
) -> int:
    """Raise a job's target or limits, and work on it until it has ended.

    Raises:
        JobNotReady: the job was cancelled.
    """
    delivery, limits = Delivery.to(output), limits_of(caps)
    view = open_view(quiet=output.quiet, debug=settings.debug)
    async with open_app(settings, watch=view) as app:
        job = await app.store.load(job_id)
        await app.connect(job.search.provider)
        await app.top_up(
            job_id,
            target,
            max_calls=limits.max_calls,
            max_credits=limits.max_credits,
            deadline=limits.deadline,
        )
        job = await app.resume(job_id)
        if job.missing:
            expect(job, settings, view)
        return await work_and_deliver(app, job, delivery, view)


async def follow(settings: Settings, job_id: str, *, as_json: bool) -> int:
    """Print the events of a job until it has ended or is left alone; its exit code."""
    seen, line = 0, _json_line if as_json else _log_line
    async with open_app(settings) as app:
        while True:
            job = await app.store.load(job_id)
            async for event in app.store.events(job_id, seen):
                seen = event.id
                print_data(line(event))
            if job.status.ended or job.status is Status.PAUSED:
                return exit_of(job)
            if _killed(job):
                typer.echo(_unattended(job), err=True)
                return Exit.INTERRUPTED
            await app.clock.sleep(_LOOK)


def _worked_on(job: Job, now: datetime) -> bool:
    """Whether a living worker has the job."""
    alive = job.lease is not None and job.lease.expires_at > now
    return alive and not _killed(job)


def _killed(job: Job) -> bool:
    """Whether who worked on the job was a process of this machine that is gone."""
    return job.lease is not None and is_dead(job.lease.holder)


def _stalled(job: Job, now: datetime) -> bool:
    """Whether a job should go on, and nobody is there who does it."""
    if job.status not in {Status.PENDING, Status.PROCESSING} or _worked_on(job, now):
        return False
    overdue = job.due_at is not None and job.due_at + LEASE < now
    return job.lease is not None or overdue


def _unattended(job: Job) -> str:
    return f"Nobody works on job {job.id} any more: headcount jobs resume {job.id}"


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
