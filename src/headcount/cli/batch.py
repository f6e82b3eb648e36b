"""`headcount batch`: several searches from one file."""

from pathlib import Path
from typing import Annotated

import typer

from headcount.cli import options as opt
from headcount.cli.exits import finish, told


@told
def batch(
    file: Annotated[
        Path,
        typer.Argument(help="A TOML file: [defaults], then a [[search]] for each."),
    ],
    *,
    sandbox: opt.Sandbox = False,
    format_: opt.ListingOption = opt.Listing.TABLE,
    debug: opt.Debug = None,
    quiet: opt.Quiet = False,
) -> int:
    """Run several searches; all are checked before the first call is made."""
    from headcount.cli.batching import read_batch, run_batch
    from headcount.settings import load_settings

    settings = load_settings(debug=debug)
    entries = read_batch(file, settings, sandbox=sandbox)
    as_json = format_ is opt.Listing.JSON
    return finish(run_batch(entries, settings, quiet=quiet, as_json=as_json))
