"""`headcount doctor`: is everything ready, down to the production checklist?"""

import json
from typing import Annotated

import typer

from headcount.cli import options as opt
from headcount.cli.exits import Exit, finish, print_data, told


@told
def doctor(
    *,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask the provider for the balance.")
    ] = False,
    format_: opt.ListingOption = opt.Listing.TABLE,
) -> int:
    """Check configuration, store, key, and what production needs."""
    from headcount.cli.checks import Standing, all_checks
    from headcount.settings import load_settings

    checks = finish(all_checks(load_settings(), offline=offline))
    if format_ is opt.Listing.JSON:
        print_data(json.dumps([check.document() for check in checks], indent=2))
    else:
        for check in checks:
            print_data(f"{check.standing.sign} {check.name}: {check.finding}")
    broken = any(check.standing is Standing.BROKEN for check in checks)
    return Exit.MACHINE if broken else Exit.EXACT
