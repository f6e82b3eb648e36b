"""`headcount jobs`: look at jobs, and take them further."""

import json
from typing import Annotated

import typer

from headcount.cli import options as opt
from headcount.cli.exits import Exit, finish, told
from headcount.core.model import Status

jobs = typer.Typer(
    name="jobs", help="Look at jobs, and take them further.", no_args_is_help=True
)
JobId = Annotated[str, typer.Argument(metavar="ID", help="The job, as listed.")]


@jobs.command("list")
@told
def list_(
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    format_: opt.ListingOption = opt.Listing.TABLE,
) -> int:
    """List jobs, the newest first."""
    from headcount.cli.listing import job_table, rows_of
    from headcount.settings import load_settings

    rows = finish(rows_of(load_settings(), status))
    typer.echo(_json(rows) if format_ is opt.Listing.JSON else job_table(rows))
    return Exit.EXACT


@jobs.command()
@told
def show(job_id: JobId, format_: opt.ListingOption = opt.Listing.TABLE) -> int:
    """Show a job with its sources and every call."""
    from headcount.cli.listing import document_of, job_sheet
    from headcount.settings import load_settings

    document = finish(document_of(load_settings(), job_id))
    typer.echo(_json(document) if format_ is opt.Listing.JSON else job_sheet(document))
    return Exit.EXACT


@jobs.command()
@told
def watch(job_id: JobId, format_: opt.ListingOption = opt.Listing.TABLE) -> int:
    """Follow a job that another process works on, until it has ended."""
    from headcount.cli.listing import follow
    from headcount.settings import load_settings

    as_json = format_ is opt.Listing.JSON
    return finish(follow(load_settings(), job_id, as_json=as_json))


@jobs.command()
@told
def resume(
    job_id: JobId,
    *,
    max_calls: opt.MaxCalls = None,
    max_credits: opt.MaxCredits = None,
    deadline: opt.Deadline = None,
    out: opt.Out = None,
    format_: opt.Form = None,
    shape: opt.ShapeOption = opt.Shape.ROWS,
    debug: opt.Debug = None,
    quiet: opt.Quiet = False,
) -> int:
    """Go on with a job that was interrupted, killed, or ended short."""
    return _continue(
        job_id,
        {"max_calls": max_calls, "max_credits": max_credits, "deadline": deadline},
        opt.Output(out, format_, shape, quiet=quiet, debug=debug),
    )


@jobs.command()
@told
def topup(
    job_id: JobId,
    *,
    target: Annotated[
        int, typer.Option(help="How many creators it shall have in all.", min=1)
    ],
    max_calls: opt.MaxCalls = None,
    max_credits: opt.MaxCredits = None,
    deadline: opt.Deadline = None,
    out: opt.Out = None,
    format_: opt.Form = None,
    shape: opt.ShapeOption = opt.Shape.ROWS,
    debug: opt.Debug = None,
    quiet: opt.Quiet = False,
) -> int:
    """Raise the target to an absolute number; spares come before any new call."""
    return _continue(
        job_id,
        {
            "target": target,
            "max_calls": max_calls,
            "max_credits": max_credits,
            "deadline": deadline,
        },
        opt.Output(out, format_, shape, quiet=quiet, debug=debug),
    )


@jobs.command()
@told
def cancel(job_id: JobId, format_: opt.ListingOption = opt.Listing.TABLE) -> int:
    """End a job for good; what it found stays."""
    from headcount.cli.listing import cancelled
    from headcount.settings import load_settings

    return _told_of(finish(cancelled(load_settings(), job_id)), format_)


@jobs.command("finish")
@told
def finish_(job_id: JobId, format_: opt.ListingOption = opt.Listing.TABLE) -> int:
    """Take what a job has as its result; it can be topped up later."""
    from headcount.cli.listing import finished
    from headcount.settings import load_settings

    return _told_of(finish(finished(load_settings(), job_id)), format_)


def _told_of(document: dict[str, object], format_: opt.Listing) -> int:
    """Print how a job stands now."""
    if format_ is opt.Listing.JSON:
        typer.echo(_json(document))
    else:
        typer.echo(
            f"Job {document['id']} is {document['status']}: "
            f"{document['current']} of {document['target']} creators.",
            err=True,
        )
    return Exit.EXACT


@jobs.command()
@told
def export(
    job_id: JobId,
    *,
    out: opt.Out = None,
    format_: opt.Form = None,
    shape: opt.ShapeOption = opt.Shape.ROWS,
) -> int:
    """Write the creators that a job has, ended or not; no call is made."""
    from headcount.cli.delivery import Delivery
    from headcount.cli.listing import exported
    from headcount.settings import load_settings

    delivery = Delivery.to(out, format_, shape)
    finish(exported(load_settings(), job_id, delivery))
    return Exit.EXACT


@jobs.command()
@told
def delete(
    job_id: JobId,
    *,
    yes: opt.Yes = False,
    format_: opt.ListingOption = opt.Listing.TABLE,
) -> int:
    """Forget a job and all that it found."""
    from headcount.cli.listing import deleted
    from headcount.settings import load_settings

    if not yes and not typer.confirm(
        f"Forget job {job_id} and every creator it found?", err=True
    ):
        return Exit.INTERRUPTED
    finish(deleted(load_settings(), job_id))
    if format_ is opt.Listing.JSON:
        typer.echo(_json({"id": job_id, "deleted": True}))
    else:
        typer.echo(f"Job {job_id} is forgotten.", err=True)
    return Exit.EXACT


def _continue(job_id: str, raised: dict[str, object], output: opt.Output) -> int:
    from headcount.cli.listing import continued
    from headcount.settings import load_settings

    settings = load_settings(debug=output.debug)
    return finish(continued(settings, job_id, raised, output))


def _json(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)
