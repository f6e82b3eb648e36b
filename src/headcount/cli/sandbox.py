"""`headcount sandbox`: an invented world behind the provider's protocol."""

from pathlib import Path
from typing import Annotated

import typer

from headcount.cli.exits import told
from headcount.core.errors import InvalidSetting

sandbox = typer.Typer(
    name="sandbox",
    help="An invented world that speaks the provider's protocol, with its faults.",
    no_args_is_help=True,
)


@sandbox.command()
@told
def serve(
    *,
    port: Annotated[
        int, typer.Option(help="The port on 127.0.0.1; 0 is any.", min=0, max=65535)
    ] = 8787,
    seed: Annotated[int, typer.Option(help="Which world; each seed has its own.")] = 42,
    world: Annotated[
        Path | None,
        typer.Option(help='Serve a file: {"keywords": {word: [[creator, ...], ...]}}.'),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="What goes wrong: NAME:RATE or NAME@CALL[,CALL]; see sandbox faults.",
            metavar="NAME:RATE",
        ),
    ] = None,
    latency: Annotated[
        int, typer.Option(help="Milliseconds that an answer takes.", metavar="MS")
    ] = 0,
    credits_: Annotated[
        int, typer.Option("--credits", help="Credits on the account.")
    ] = 25_000,
    rerank: Annotated[
        bool, typer.Option("--rerank", help="Rank anew for each call.")
    ] = False,
) -> int:
    """Serve the sandbox; point SCRAPECREATORS_API_URL at it."""
    from headcount.sandbox import Faults, Sandbox, World, run

    try:
        served = Sandbox(
            World.from_file(world, seed=seed) if world else World(seed),
            faults=Faults.parse(fault or [], seed=seed),
            latency_ms=latency,
            credits=credits_,
            rerank=rerank,
        )
    except (OSError, ValueError) as error:
        raise InvalidSetting(str(error)) from None

    def announce(url: str) -> None:
        typer.echo(
            f"Sandbox on {url} (seed {seed}; Ctrl-C ends it)\n"
            f"  export SCRAPECREATORS_API_URL={url}\n"
            "  export SCRAPECREATORS_API_KEY=sandbox-key\n"
            f"Its ledger: {url}/sandbox/ledger",
            err=True,
        )

    try:
        run(served, port, announce)
    except OSError as error:
        raise InvalidSetting(
            f"port {port} cannot be used ({error.strerror}): name another by --port"
        ) from None
    return 0


@sandbox.command()
@told
def faults() -> int:
    """List what can go wrong in the sandbox, by name."""
    from headcount.sandbox import described

    typer.echo(described())
    return 0
