"""What `headcount plan` does and prints."""

import json
from collections.abc import Iterator

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from headcount.bootstrap import open_app
from headcount.cli.exits import Exit, print_data
from headcount.cli.views import many
from headcount.core.advice import advice
from headcount.core.estimate import call_cap
from headcount.core.expansion import Expand
from headcount.core.forecast import Range, Seconds, reach, supplies
from headcount.core.model import Job, Search
from headcount.core.plans import Plan, plan_document
from headcount.planning import calls_of_plan, plan
from headcount.settings import Settings

_WIDTH = 88
_NAMED = 3  # related keywords that are named


async def tell(
    settings: Settings, search: Search, calls: int | None, *, as_json: bool
) -> int:
    """Make a plan for a search, and print it; the exit code."""
    most = calls_of_plan(search, calls)
    async with open_app(settings) as app:
        await app.connect(search.provider)
        price = settings.credit_price
        cost = "" if price is None else f" (cost {most * price:.2f})"
        typer.echo(f"Looking: at most {many(most, 'call')}{cost}.", err=True)
        made = await plan(app, search, calls)
    if not made.job.pages:  # a plan made of nothing is none
        typer.echo(f"No plan: {_why(made.job)}", err=True)
        return Exit.REFUSED
    if as_json:
        print_data(json.dumps(plan_document(made), ensure_ascii=False, indent=2))
    else:
        print_data(sheet(made))
    return Exit.EXACT


def _why(job: Job) -> str:
    """Why no page has come."""
    if job.halt:
        return advice(job)
    said = next((source.error for source in job.sources if source.error), None)
    return f"no page came ({said or 'none was asked for'})."


def sheet(plan: Plan) -> str:
    """A plan for the eye."""
    job = plan.job
    world = " (sandbox: an invented world)" if job.sandbox else ""
    seen = f"{many(job.charged, 'call')} so far found {job.delivered:,} of them"
    head = (
        f"{many(job.target, 'creator')} for {', '.join(job.search.keywords)}{world}: "
        f"{seen}."
    )
    return "\n\n".join(
        [head, _figures(plan), _keywords(plan), "\n".join(_remarks(plan))]
    )


def _figures(plan: Plan) -> str:
    """What is still to come, each figure with the range of nine cases in ten."""
    job, price = plan.job, plan.credit_price
    table = _table("", "expected", "in 9 of 10 cases")
    _row(table, "calls to go", plan.needed, "{:,.0f}")
    _row(table, "credits", plan.needed, "{:,.0f}", times=plan.price)
    if price is not None:
        _row(table, "cost", plan.needed, "{:,.2f}", times=plan.price * price)
    _row(table, "seconds", plan.seconds, "{:,.1f}")
    _row(table, "creators in all", reach(job), "{:,.0f}")
    return _drawn(table)


def _row(
    table: Table,
    name: str,
    figures: Range | Seconds | None,
    form: str,
    times: float = 1.0,
) -> None:
    if figures is None:
        table.add_row(name, "-", "-")
        return
    low, expected, high = (
        form.format(figure * times)
        for figure in (figures.low, figures.expected, figures.high)
    )
    table.add_row(name, expected, f"{low} to {high}")


def _keywords(plan: Plan) -> str:
    job = plan.job
    table = _table("keyword", "pages seen", "found", "expected further")
    for source, supply in zip(job.sources, supplies(job), strict=True):
        cells = (f"{source.pages}", f"{source.found:,}", f"{supply:,}")
        table.add_row(Text(source.keyword), *cells)
    return _drawn(table)


def _remarks(plan: Plan) -> Iterator[str]:
    """Whether the target can be had, what would help, and how to go on."""
    job = plan.job
    if plan.falls_short:
        surely = "" if plan.out_of_reach else "probably "
        yield (
            f"{job.target:,} is {surely}out of reach with these keywords: "
            f"about {reach(job).expected:,} of {job.target:,}."
        )
        yield from _wider(plan)
    if plan.over_the_cap:
        yield (
            f"The cap of {many(call_cap(job), 'call')} is smaller than what is "
            "expected: raise it by --max-calls."
        )
    for source in job.sources:
        if source.error:
            yield f"{source.keyword}: {source.error}"
    if job.missing:
        yield f"Go on, from what is there: headcount jobs resume {job.id}"
    else:
        yield f"All are there: headcount jobs export {job.id}"


def _wider(plan: Plan) -> Iterator[str]:
    """What the job would open, or could if it was allowed to."""
    allowed = plan.job.search.expansion.expand
    for expand in (Expand.VARIANTS, Expand.RELATED):
        names = plan.may_open(expand)
        if names:
            on = allowed in {expand, Expand.ALL}
            verb = "opens" if on else "would open"
            few = ", ".join(names[:_NAMED])
            yield f"--expand {expand} {verb} {many(len(names), 'source')}: {few} ..."


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place else "left", no_wrap=True)
    return table


def _drawn(table: Table) -> str:
    console = Console(width=_WIDTH)
    with console.capture() as capture:
        console.print(table)
    return capture.get().rstrip("\n")
