"""The command line: parse, call, print. Data to stdout, everything else to stderr."""

from typing import Annotated

import typer

from headcount.cli.allowances import allowances
from headcount.cli.batch import batch
from headcount.cli.db import db
from headcount.cli.doctor import doctor
from headcount.cli.find import find
from headcount.cli.jobs import jobs
from headcount.cli.keys import keys
from headcount.cli.options import CountFirst
from headcount.cli.plan import plan
from headcount.cli.provider import provider
from headcount.cli.qstash import qstash
from headcount.cli.sandbox import sandbox
from headcount.cli.serve import serve
from headcount.cli.stats import stats
from headcount.cli.suite import suite
from headcount.cli.worker import worker

app = typer.Typer(
    name="headcount",
    help="Ask for N creators and get exactly N different ones, or be told why not.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # loading Rich's would double the time of `--help`
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(cls=CountFirst)(find)
app.command(cls=CountFirst)(plan)
app.add_typer(jobs)
app.command()(suite)
app.command()(batch)
app.command()(doctor)
app.command()(serve)
app.command()(worker)
app.command()(stats)
app.add_typer(keys)
app.add_typer(allowances)
app.add_typer(provider)
app.add_typer(qstash)
app.add_typer(db)
app.add_typer(sandbox)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"headcount {version('headcount')}")
        raise typer.Exit


@app.callback()
def _root(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    """Ask for N creators and get exactly N different ones, or be told why not."""
