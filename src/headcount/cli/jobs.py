"""`headcount jobs`: look at jobs, and take them further."""

import json
from typing import Annotated

import typer

from headcount.cli import options as opt
from headcount.cli.exits import Exit, finish, print_data, told
from headcount.core.model import Job, Status

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
    print_data(_json(rows) if format_ is opt.Listing.JSON else job_table(rows))
    return Exit.EXACT


@jobs.command()
@told
def show(job_id: JobId, format_: opt.ListingOption = opt.Listing.TABLE) -> int:
    """Show a job with its sources and every call."""
    from headcount.cli.listing import document_of, job_sheet
    from headcount.settings import load_settings

    document = finish(document_of(load_settings(), job_id))
    print_data(_json(document) if format_ is opt.Listing.JSON else job_sheet(document))
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
@opt.unfolded
@told
def resume(job_id: JobId, *, caps: opt.Caps, output: opt.Output) -> int:
    """Go on with a job that was interrupted, killed, or ended short."""
    return _continue(job_id, None, caps, output)


@jobs.command()
@opt.unfolded
@told
def topup(
    job_id: JobId,
    *,
    target: Annotated[
        int, typer.Option(help="How many creators it shall have in all.", min=1)
    ],
    caps: opt.Caps,
    output: opt.Output,
) -> int:
    """Raise the target to an absolute number; spares come before any new call."""
    return _continue(job_id, target, caps, output)


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


def _told_of(job: Job, format_: opt.Listing) -> int:
    """Print how a job stands now."""
    from headcount.cli.listing import standing
    from headcount.core.report import job_document

    if format_ is opt.Listing.JSON:
        print_data(_json(job_document(job)))
    else:
        typer.echo(standing(job), err=True)
    return Exit.EXACT


@jobs.command()
@opt.unfolded
@told
def export(job_id: JobId, *, place: opt.Place) -> int:
    """Write the creators that a job has, ended or not; no call is made."""
    from headcount.cli.delivery import Delivery
    from headcount.cli.listing import exported
    from headcount.settings import load_settings

    finish(exported(load_settings(), job_id, Delivery.to(place)))
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
        print_data(_json({"id": job_id, "deleted": True}))
    else:
        typer.echo(f"Job {job_id} is forgotten.", err=True)
    return Exit.EXACT


def _continue(
    job_id: str, target: int | None, caps: opt.Caps, output: opt.Output
) -> int:
    from headcount.cli.listing import continued
    from headcount.settings import load_settings

    settings = load_settings(debug=output.debug)
    return finish(continued(settings, job_id, target, caps=caps, output=output))


def _json(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)
