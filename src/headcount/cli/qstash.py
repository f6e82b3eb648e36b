"""`headcount qstash`: the schedule that sweeps, and the messages QStash gave up on."""

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from headcount.cli import options as opt
from headcount.cli.exits import Exit, finish, told

if TYPE_CHECKING:
    from qstash import AsyncQStash
    from qstash.dlq import DlqMessage

    from headcount.app import App
    from headcount.settings import Settings

T = TypeVar("T")
SCHEDULE = "headcount-sweep"
_EVERY_MINUTE = "* * * * *"
_HEADINGS = ("dlqId", "jobId", "status", "url")

qstash = typer.Typer(
    name="qstash",
    help="Set up QStash, and see to messages it gave up on.",
    no_args_is_help=True,
)


@qstash.command()
@told
def install(
    cron: Annotated[
        str, typer.Option(help="When to sweep, in the words of cron.")
    ] = _EVERY_MINUTE,
) -> int:
    """Make or change the schedule that publishes what was lost and does the chores."""
    address = finish(
        _with_qstash(lambda client, settings: _install(client, settings, cron))
    )
    typer.echo(f"QStash calls {address} by the schedule {SCHEDULE!r} ({cron}).")
    return Exit.EXACT


@qstash.command()
@told
def status(format_: opt.ListingOption = opt.Listing.TABLE) -> int:
    """List the messages that QStash gave up on; it keeps them for some days."""
    found = finish(_with_qstash(lambda client, _: _dead(client)))
    rows = [_document(message) for message in found]
    if format_ is opt.Listing.JSON:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return Exit.EXACT
    if not rows:
        typer.echo("QStash has given up on nothing.")
        return Exit.EXACT
    typer.echo("  ".join(_HEADINGS))
    for row in rows:
        typer.echo("  ".join(str(row[name] or "-") for name in _HEADINGS))
    typer.echo("To try them again: headcount qstash retry", err=True)
    return Exit.EXACT


@qstash.command()
@told
def retry(
    dlq_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Which, as listed; all if none."),
    ] = None,
) -> int:
    """Let jobs go on that failed with their messages, and send these again."""
    number = finish(
        _with_qstash(lambda client, settings: _retry(client, settings, dlq_ids or []))
    )
    typer.echo(f"Tried again: {number}.")
    return Exit.EXACT


async def _with_qstash(
    work: "Callable[[AsyncQStash, Settings], Awaitable[T]]",
) -> T:
    """What the work finds, with what goes wrong at QStash told as the operator's."""
    from headcount.core.errors import OperatorError
    from headcount.runners.qstash import not_taken
    from headcount.runners.qstash import told as said
    from headcount.settings import load_settings
    from headcount.wakers import qstash_account

    settings = load_settings(runner="qstash")
    account = qstash_account(settings)
    async with account.opened() as client:
        try:
            return await work(client, settings)
        except not_taken() as error:
            raise OperatorError(f"QStash at {account.url}: {said(error)}") from None


async def _install(client: "AsyncQStash", settings: "Settings", cron: str) -> str:
    from headcount.runners.qstash import LABEL, SWEEP

    address = settings.public_urls[0] + SWEEP
    await client.schedule.create_json(
        destination=address,
        cron=cron,
        body={},
        schedule_id=SCHEDULE,  # the same each time: a second one is never made
        retries=0,  # the next one comes soon
        timeout=round(settings.qstash_limit),
        label=LABEL,
    )
    return address


async def _dead(client: "AsyncQStash") -> "list[DlqMessage]":
    """All dead letters that are ours."""
    from headcount.runners.qstash import LABEL

    found: list[DlqMessage] = []
    cursor = None
    while True:
        page = await client.dlq.list(cursor=cursor, filter={"label": LABEL})
        found += page.messages
        cursor = page.cursor
        if not cursor:
            return found


async def _retry(
    client: "AsyncQStash", settings: "Settings", dlq_ids: list[str]
) -> int:
    from headcount.bootstrap import open_app
    from headcount.core.errors import InvalidSetting

    dead = {message.dlq_id: message for message in await _dead(client)}
    unknown = set(dlq_ids) - set(dead)
    if unknown:
        raise InvalidSetting(
            f"no dead letter of ours has the id {min(unknown)}: "
            "`headcount qstash status` lists them"
        )
    async with open_app(settings) as app:
        for dlq_id in dlq_ids or dead:
            await _resume(app, _job_of(dead[dlq_id]))
            await client.http.request(path=f"/v2/dlq/retry/{dlq_id}", method="POST")
    return len(dlq_ids or dead)


async def _resume(app: "App", job_id: str | None) -> None:
    """Let a job go on that failed with its message."""
    from headcount.core.errors import NoSuchJob
    from headcount.core.model import Status

    with suppress(NoSuchJob):
        job = await app.store.load(job_id or "")
        if job.status is Status.FAILED:
            await app.resume(job.id)


def _document(message: "DlqMessage") -> dict[str, object]:
    return {
        "dlqId": message.dlq_id,
        "jobId": _job_of(message),
        "status": message.response_status,
        "url": message.url,
        "answer": message.response_body,
    }


def _job_of(message: "DlqMessage") -> str | None:
    """The job that a message is about, if it says so."""
    try:
        told = json.loads(message.body or "")
    except ValueError:
        return None
    job_id = told.get("jobId") if isinstance(told, dict) else None
    return job_id if isinstance(job_id, str) else None
