"""`headcount stats`: what all jobs that have ended come to."""

from datetime import date, datetime
from typing import Annotated

import typer

from headcount.cli import options as opt
from headcount.cli.exits import Exit, finish, told

_DAY = ["%Y-%m-%d"]


@told
def stats(
    *,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=_DAY, metavar="DAY", help="Only jobs created on this day or later."
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=_DAY, metavar="DAY", help="Only jobs created up to this day."
        ),
    ] = None,
    keyword: Annotated[
        str | None, typer.Option(metavar="WORD", help="Only jobs with this keyword.")
    ] = None,
    owner: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only jobs of this owner.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show them anew whenever they change.")
    ] = False,
    recount: Annotated[
        bool,
        typer.Option(
            "--recount", help="Read every job, instead of the sums that are kept."
        ),
    ] = False,
    server: opt.Server = None,
    format_: opt.ListingOption = opt.Listing.TABLE,
) -> int:
    """Show the key figures of all jobs that have ended; days are those of UTC."""
    from headcount.cli import figures
    from headcount.cli.desks import only_here
    from headcount.core.statistics import cover
    from headcount.settings import load_settings

    coverage = cover(_day(since), _day(until), keyword=keyword, owner=owner)
    settings = load_settings(server=server)
    only_here(settings, recount=recount)
    read = figures.recounted if recount else figures.kept
    shown = figures.LINES if watch else figures.WHOLE
    work = figures.watch if watch else figures.show
    finish(work(read(settings, coverage), shown[format_]))
    return Exit.EXACT


def _day(time: datetime | None) -> date | None:
    return time.date() if time else None
