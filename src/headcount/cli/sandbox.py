"""`headcount sandbox`: stand-ins for the provider and for QStash, with faults."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from headcount.cli.exits import told
from headcount.core.errors import InvalidSetting

sandbox = typer.Typer(
    name="sandbox",
    help="Stand-ins for the provider and for QStash, with their faults.",
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

    _foreground(lambda: run(served, port, announce), port)
    return 0


@sandbox.command()
@told
def qstash(
    *,
    port: Annotated[
        int, typer.Option(help="The port on 127.0.0.1; 0 is any.", min=0, max=65535)
    ] = 8788,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            help="Where a public URL is found here: https://app.example=http://...",
            metavar="URL=URL",
        ),
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="What goes wrong: NAME:RATE or NAME@N[,N]; see sandbox faults.",
            metavar="NAME:RATE",
        ),
    ] = None,
    speed: Annotated[
        float,
        typer.Option(help="How fast delays pass; 0 stands still.", min=0),
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="Which calls the faults hit.")] = 42,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Refuse loopback destinations, as QStash does."),
    ] = False,
) -> int:
    """Serve a stand-in for QStash that delivers on the loopback only."""
    from headcount.sandbox.qstash import Clock, Faults, QStashSandbox, run

    try:
        served = QStashSandbox(
            dict(map(_mapped, map_ or [])),
            clock=Clock(speed),
            faults=Faults.parse(fault or [], seed=seed),
            strict=strict,
        )
    except ValueError as error:
        raise InvalidSetting(str(error)) from None

    def announce(url: str) -> None:
        exports = served.environment(url).items()
        typer.echo(
            f"QStash sandbox on {url} ({speed:g} x speed; Ctrl-C ends it)\n"
            + "".join(f"  export {name}={value}\n" for name, value in exports)
            + f"Its deliveries: {url}/sandbox/deliveries",
            err=True,
        )

    _foreground(lambda: run(served, port, announce), port)
    return 0


def _mapped(text: str) -> tuple[str, str]:
    public, equals, found = text.partition("=")
    if not equals:
        raise ValueError(
            f"--map {text!r}: expected a public URL, = and where it is found here, "
            "such as https://app.example=http://127.0.0.1:8000"
        )
    return public, found


def _foreground(serve: Callable[[], None], port: int) -> None:
    """Serves until Ctrl-C.

    Raises:
        InvalidSetting: the port cannot be used.
    """
    try:
        serve()
    except OSError as error:
        raise InvalidSetting(
            f"port {port} cannot be used ({error.strerror}): name another by --port"
        ) from None


@sandbox.command()
@told
def faults() -> int:
    """List what can go wrong in the sandboxes, by name."""
    from headcount.sandbox import described
    from headcount.sandbox.qstash import FAULTS

    typer.echo(f"sandbox serve:\n{described()}\n\nsandbox qstash:\n{described(FAULTS)}")
    return 0
