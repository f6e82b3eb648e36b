"""`headcount find`: exactly N creators, from one command."""

from typing import Annotated

import typer

from headcount.cli import options as opt
from headcount.cli.exits import finish, told


@opt.unfolded
@told
def find(
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
    variant: opt.Variant,
    wider: opt.Wider,
    caps: opt.Caps,
    concurrency: opt.Concurrency = None,
    rate_limit_ms: opt.RateLimit = None,
    retries: opt.Retries = None,
    speed: opt.SpeedOption = None,
    output: opt.Output,
    yes: opt.Yes = False,
    server: opt.Server = None,
    filters: opt.Chosen,
) -> int:
    """Find exactly N different creators, or say precisely why there are fewer."""
    from headcount.cli.desks import only_here
    from headcount.cli.work import find_and_deliver, search_from
    from headcount.settings import load_settings

    settings = load_settings(
        concurrency=concurrency,
        rate_limit_ms=rate_limit_ms,
        retries=retries,
        speed=speed,
        debug=output.debug,
        server=server,
    )
    only_here(
        settings,
        concurrency=concurrency,
        rate_limit_ms=rate_limit_ms,
        debug=output.debug,
    )
    search = search_from(
        settings,
        words or [],
        sandbox=sandbox,
        filters=filters,
        caps=caps,
        variant=variant,
        wider=wider,
    )
    return finish(find_and_deliver(settings, search, output, yes=yes))
