"""`headcount plan`: what a search will take, before anybody commits to it."""

from typing import Annotated

import typer

from headcount.cli import options as opt
from headcount.cli.exits import finish, told


@opt.unfolded
@told
def plan(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="N KEYWORD...",
            help="How many creators, then keywords; quote a phrase to keep it one.",
            show_default=False,
        ),
    ] = None,
    *,
    sandbox: opt.Sandbox = False,
    calls: Annotated[
        int | None,
        typer.Option(
            metavar="COUNT",
            help="Calls to make at most; default: one a keyword, and 5 in all.",
            min=1,
        ),
    ] = None,
    variant: opt.Variant,
    wider: opt.Wider,
    caps: opt.Caps,
    speed: opt.SpeedOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON for programs.")
    ] = False,
    server: opt.Server = None,
    filters: opt.Chosen,
) -> int:
    """Make a few calls, and tell what the search is expected to take.

    What they find is kept: the job goes on from it.
    """
    from headcount.cli.prospects import tell
    from headcount.cli.work import search_from
    from headcount.settings import load_settings

    settings = load_settings(speed=speed, server=server)
    search = search_from(
        settings,
        words or [],
        sandbox=sandbox,
        filters=filters,
        caps=caps,
        variant=variant,
        wider=wider,
    )
    return finish(tell(settings, search, calls, as_json=as_json))
