"""`headcount find`: exactly N creators, from one command."""

from typing import Annotated

import typer

from headcount.cli import options as opt
from headcount.cli.exits import finish, told
from headcount.cli.options import with_filters


@with_filters
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
    region: opt.Region = None,
    sort: opt.Sort = None,
    period: opt.Period = None,
    max_calls: opt.MaxCalls = None,
    max_credits: opt.MaxCredits = None,
    deadline: opt.Deadline = None,
    concurrency: opt.Concurrency = None,
    rate_limit_ms: opt.RateLimit = None,
    retries: opt.Retries = None,
    out: opt.Out = None,
    format_: opt.Form = None,
    shape: opt.ShapeOption = opt.Shape.ROWS,
    debug: opt.Debug = None,
    quiet: opt.Quiet = False,
    yes: opt.Yes = False,
    filters: dict[str, object],
) -> int:
    """Find exactly N different creators, or say precisely why there are fewer."""
    from headcount.cli.delivery import Delivery
    from headcount.cli.work import Talk, find_and_deliver, search_from
    from headcount.settings import load_settings

    settings = load_settings(
        concurrency=concurrency,
        rate_limit_ms=rate_limit_ms,
        retries=retries,
        debug=debug,
    )
    search = search_from(
        settings,
        words or [],
        sandbox=sandbox,
        filters=filters,
        limits={
            "max_calls": max_calls,
            "max_credits": max_credits,
            "deadline": deadline,
        },
        variant={"region": region, "sort": sort, "period": period},
    )
    delivery = Delivery.to(out, format_, shape)
    talk = Talk(quiet=quiet, debug=settings.debug, ask=not yes)
    return finish(find_and_deliver(settings, search, delivery, talk))
