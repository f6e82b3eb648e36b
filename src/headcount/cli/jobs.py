"""`headcount jobs`: look at jobs, and take them further."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from headcount.cli import options as opt
from headcount.cli.exits import Exit, finish, print_data, told
from headcount.core.model import Status

if TYPE_CHECKING:
    from headcount.cli.desk import Order

jobs = typer.Typer(
    name="jobs", help="Look at jobs, and take them further.", no_args_is_help=True
)
JobId = Annotated[str, typer.Argument(metavar="ID", help="The job, as listed.")]


@jobs.command("list")
@told
def list_(
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    server: opt.Server = None,
    format_: opt.ListingOption = opt.Listing.TABLE,
) -> int:
    """List jobs, the newest first."""
    from headcount.cli.listing import job_table, rows_of
    from headcount.settings import load_settings

    rows = finish(rows_of(load_settings(server=server), status))
    print_data(_json(rows) if format_ is opt.Listing.JSON else job_table(rows))
    return Exit.EXACT


@jobs.command()
@told
def show(
    job_id: JobId,
    server: opt.Server = None,
    format_: opt.ListingOption = opt.Listing.TABLE,
) -> int:
    """Show a job with its sources and every call."""
    from headcount.cli.listing import job_sheet, sheet_of
    from headcount.settings import load_settings

    document = finish(sheet_of(load_settings(server=server), job_id))
    print_data(_json(document) if format_ is opt.Listing.JSON else job_sheet(document))
    return Exit.EXACT


@jobs.command()
@told
def watch(
    job_id: JobId,
    server: opt.Server = None,
    format_: opt.ListingOption = opt.Listing.TABLE,
) -> int:
    """Follow a job that another process works on, until it has ended."""
    from headcount.cli.listing import follow
    from headcount.settings import load_settings

    as_json = format_ is opt.Listing.JSON
    return finish(follow(load_settings(server=server), job_id, as_json=as_json))


@jobs.command()
@opt.unfolded
@told
def resume(
    job_id: JobId,
    *,
    caps: opt.Caps,
    wider: opt.Wider,
    output: opt.Output,
    server: opt.Server = None,
) -> int:
    """Go on with a job that was interrupted, killed, or ended short."""
    return _continue(job_id, None, caps, wider, output, server)


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
    wider: opt.Wider,
    output: opt.Output,
    server: opt.Server = None,
) -> int:
    """Raise the target to an absolute number; spares come before any new call."""
    return _continue(job_id, target, caps, wider, output, server)


@jobs.command()
@told
def pause(
    job_id: JobId,
    server: opt.Server = None,
    format_: opt.ListingOption = opt.Listing.TABLE,
) -> int:
    """Ask nothing more for now; what is out is still counted."""
    from headcount.cli.desk import Order

    return _ordered(job_id, Order.PAUSE, server, format_)


@jobs.command()
@told
def cancel(
    job_id: JobId,
    server: opt.Server = None,
    format_: opt.ListingOption = opt.Listing.TABLE,
) -> int:
    """End a job for good; what it found stays."""
    from headcount.cli.desk import Order

    return _ordered(job_id, Order.CANCEL, server, format_)


@jobs.command("finish")
@told
def finish_(
    job_id: JobId,
    server: opt.Server = None,
    format_: opt.ListingOption = opt.Listing.TABLE,
) -> int:
    """Take what a job has as its result; it can be topped up later."""
    from headcount.cli.desk import Order

    return _ordered(job_id, Order.FINISH, server, format_)


def _ordered(
    job_id: str, order: "Order", server: str | None, format_: opt.Listing
) -> int:
    """Give an order, and tell how the job stands now."""
    from headcount.cli.listing import ordered, standing
    from headcount.client.documents import document_of
    from headcount.settings import load_settings

    job = finish(ordered(load_settings(server=server), job_id, order))
    if format_ is opt.Listing.JSON:
        print_data(_json(document_of(job)))
    else:
        typer.echo(standing(job), err=True)
    return Exit.EXACT


@jobs.command()
@opt.unfolded
@told
def export(job_id: JobId, *, place: opt.Place, server: opt.Server = None) -> int:
    """Write the creators that a job has, ended or not; no call is made."""
    from headcount.cli.delivery import Delivery
    from headcount.cli.listing import exported
    from headcount.settings import load_settings

    settings = load_settings(server=server)
    finish(exported(settings, job_id, Delivery.to(place)))
    return Exit.EXACT


@jobs.command()
@told
def delete(
    job_id: JobId,
    *,
    yes: opt.Yes = False,
    server: opt.Server = None,
    format_: opt.ListingOption = opt.Listing.TABLE,
) -> int:
    """Forget a job and all that it found."""
    from headcount.cli.listing import deleted
    from headcount.settings import load_settings

    if not yes and not typer.confirm(
        f"Forget job {job_id} and every creator it found?", err=True
    ):
        return Exit.INTERRUPTED
    finish(deleted(load_settings(server=server), job_id))
    if format_ is opt.Listing.JSON:
        print_data(_json({"id": job_id, "deleted": True}))
    else:
        typer.echo(f"Job {job_id} is forgotten.", err=True)
    return Exit.EXACT


@jobs.command()
@told
def prune(
    *,
    older_than: Annotated[
        str, typer.Option(metavar="TIME", help="How long ago they ended: 90d, 12w.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many there are.")
    ] = False,
    yes: opt.Yes = False,
    format_: opt.ListingOption = opt.Listing.TABLE,
) -> int:
    """Forget jobs that ended long ago, with all that they found; figures are kept."""
    from headcount.cli import listing
    from headcount.cli.views import many
    from headcount.core.filters import parse_span
    from headcount.settings import load_settings

    settings, span = load_settings(), parse_span(older_than, "--older-than")
    found = finish(listing.count_old(settings, span))
    text = f"{many(found, 'job')} that ended more than {older_than} ago"
    asks = found and not (dry_run or yes)
    if asks and not typer.confirm(f"Forget {text}?", err=True):
        return Exit.INTERRUPTED
    forgotten = 0 if dry_run else finish(listing.prune(settings, span))
    if format_ is opt.Listing.JSON:
        print_data(_json({"found": found, "forgotten": forgotten}))
    else:
        verb = "Would forget" if dry_run else "Forgot"
        typer.echo(f"{verb} {text}.", err=True)
    return Exit.EXACT


def _continue(
    job_id: str,
    target: int | None,
    caps: opt.Caps,
    wider: opt.Wider,
    output: opt.Output,
    server: str | None,
) -> int:
    from headcount.cli.desks import only_here
    from headcount.cli.listing import continued
    from headcount.settings import load_settings

    settings = load_settings(debug=output.debug, server=server)
    only_here(settings, debug=output.debug)
    further = continued(settings, job_id, target, caps=caps, wider=wider, output=output)
    return finish(further)


def _json(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)
