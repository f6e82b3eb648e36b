"""`headcount provider`: which keys may be used, and a switch that stops all calls."""

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from headcount.cli import options as opt
from headcount.cli.exits import Exit, finish, print_data, told

if TYPE_CHECKING:
    from headcount.app import App

T = TypeVar("T")
provider = typer.Typer(
    name="provider",
    help="Close and open the keys that a service pays with.",
    no_args_is_help=True,
)
KeyArgument = Annotated[
    str, typer.Argument(help="The name of a key, as `status` tells it; * is every key.")
]


@provider.command()
@told
def status(format_: opt.ListingOption = opt.Listing.TABLE) -> int:
    """List the keys that are closed, since when and why, and name one's own."""

    async def look(app: "App") -> list[dict[str, object]]:
        if name := app.channels.key_name:
            typer.echo(f"The key of these settings is called {name}.", err=True)
        return [
            {"key": key, "since": closed.since.isoformat(), "reason": closed.reason}
            for key, closed in app.gates.closed.items()
        ]

    keys = finish(_with_gates(look))
    if format_ is opt.Listing.JSON:
        print_data(json.dumps(keys, indent=2))
    elif not keys:
        typer.echo("All keys are open.", err=True)
    for key in keys if format_ is opt.Listing.TABLE else []:
        print_data(f"{key['key']}  closed since {key['since']}: {key['reason']}")
    return Exit.EXACT


@provider.command()
@told
def pause(
    key: KeyArgument = "*",
    reason: Annotated[
        str, typer.Option(help="Why, for whoever looks next.")
    ] = "paused by hand",
) -> int:
    """Let no further call be made with a key; the jobs wait."""

    async def close(app: "App") -> None:
        await app.gates.close(key, reason, app.clock.now())

    finish(_with_gates(close))
    typer.echo(f"Closed {key}: no call is made until `provider resume`.", err=True)
    return Exit.EXACT


@provider.command()
@told
def resume(key: KeyArgument = "*") -> int:
    """Let calls be made again; with *, by every key that was closed."""

    async def open_(app: "App") -> None:
        closed = [name for name in app.gates.closed if key in {"*", name}]
        for name in closed or [key]:
            await app.gates.open(name)

    finish(_with_gates(open_))
    typer.echo(f"Opened {key}: jobs that waited go on within a minute.", err=True)
    return Exit.EXACT


async def _with_gates(act: Callable[["App"], Awaitable[T]]) -> T:
    from headcount.bootstrap import open_app
    from headcount.settings import load_settings

    async with open_app(load_settings()) as app:
        await app.gates.refresh()
        return await act(app)
