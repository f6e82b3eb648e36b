"""`headcount worker`: works on the jobs of a database, beside any number of others."""

from headcount.cli.exits import Exit, finish, told


@told
def worker() -> int:
    """Work on all that is due until SIGTERM; any number of workers share a Postgres."""
    return finish(_work())


async def _work() -> int:
    import asyncio
    import signal

    from headcount.bootstrap import open_app
    from headcount.cli.logs import log_change, set_up_logs
    from headcount.settings import load_settings

    set_up_logs()
    async with open_app(load_settings(), log_change) as app:
        runner = app.service()
        loop = asyncio.get_running_loop()
        for wanted in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(wanted, runner.stop)
        await runner.run()
    return Exit.EXACT
