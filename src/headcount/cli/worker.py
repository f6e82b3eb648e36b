"""`headcount worker`: works on the jobs of a database, beside any number of others."""

from typing import TYPE_CHECKING, Annotated

import typer

from headcount.cli.exits import Exit, finish, told

if TYPE_CHECKING:
    from headcount.app import App
    from headcount.settings import Settings


@told
def worker(
    *,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            help="Answer /metrics, /healthz and /readyz here; 0 is any port.",
            min=0,
            max=65535,
        ),
    ] = None,
    metrics_host: Annotated[
        str | None,
        typer.Option(metavar="HOST", help="Where that is; 0.0.0.0 is everywhere."),
    ] = None,
) -> int:
    """Work on all that is due until SIGTERM; any number of workers share a Postgres."""
    from headcount.cli.serve import need_the_extra
    from headcount.settings import load_settings

    need_the_extra()
    given = {"metrics_port": metrics_port, "metrics_host": metrics_host}
    return finish(_work(load_settings(**given)))


async def _work(settings: "Settings") -> int:
    from headcount.bootstrap import open_service
    from headcount.cli.logs import LogContext, set_up_logs, work_log

    set_up_logs(settings)
    async with open_service(settings, work_log(), [LogContext()]) as app:
        if settings.metrics_port is None:
            await _alone(app)
            return Exit.EXACT
        return await _in_a_window(app, settings.metrics_host, settings.metrics_port)


async def _alone(app: "App") -> None:
    """Work, and listen nowhere."""
    import asyncio
    import signal

    runner = app.service()
    loop = asyncio.get_running_loop()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(wanted, runner.stop)
    await runner.run()


async def _in_a_window(app: "App", host: str, port: int) -> int:
    """Work, where whoever has a key may see how it goes."""
    from headcount.web.app import make_window
    from headcount.web.server import Server, address_of, listen

    with listen(host, port, named_by="--metrics-host, --metrics-port") as listener:
        line = f"Metrics on {address_of(listener)}/metrics (a key opens them)"
        server = Server(make_window(app), lambda: typer.echo(line, err=True))
        await server.serve(sockets=[listener])
    return Exit.EXACT if server.started else Exit.MACHINE
