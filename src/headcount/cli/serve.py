"""`headcount serve`: the service, taking searches over HTTP and working on them."""

from typing import Annotated

import typer

from headcount.cli.exits import Exit, finish, told
from headcount.core.errors import InvalidSetting


@told
def serve(
    *,
    host: Annotated[
        str, typer.Option(help="Where to listen; 0.0.0.0 is everywhere.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="The port; 0 is any.", min=0, max=65535)
    ] = 8000,
    dev: Annotated[
        bool, typer.Option("--dev", help="Ask for no key; for this machine only.")
    ] = False,
    no_work: Annotated[
        bool,
        typer.Option("--no-work", help="Leave the jobs to `headcount worker`."),
    ] = False,
) -> int:
    """Take searches over HTTP, and work on them until SIGTERM."""
    need_the_extra()
    from headcount.core.destinations import is_loopback

    if dev and not is_loopback(host):
        raise InvalidSetting(
            f"--dev lets everybody in, so it listens on this machine only, not on "
            f"{host}: leave out --host, or make keys and leave out --dev"
        )
    return finish(_serve(host, port, dev=dev, works=not no_work))


async def _serve(host: str, port: int, *, dev: bool, works: bool) -> int:
    from headcount.cli.logs import LogContext, set_up_logs, work_log
    from headcount.settings import load_settings
    from headcount.web.app import open_web
    from headcount.web.server import Server, address_of, listen

    settings = load_settings()
    keys = "no key is needed" if dev else "keys: headcount keys create"
    with listen(host, port) as listener:
        line = f"Headcount on {address_of(listener)} ({keys}; Ctrl-C ends it)"
        set_up_logs(settings)
        opening = open_web(
            settings, works=works, dev=dev, watch=work_log(), observers=[LogContext()]
        )
        async with opening as web:
            server = Server(web, lambda: typer.echo(line, err=True))
            await server.serve(sockets=[listener])
    return Exit.EXACT if server.started else Exit.MACHINE


def need_the_extra() -> None:
    """Refuse clearly where the packages of the extra are not installed."""
    from importlib.util import find_spec

    missing = [
        name
        for name in ("fastapi", "structlog", "prometheus_client")
        if find_spec(name) is None
    ]
    if missing:
        raise InvalidSetting(
            f"serving needs the package {missing[0]}: "
            "install it with: pip install 'headcount[server]'"
        )
