"""What `headcount plan` does and prints."""

import json
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from headcount.cli.desk import Desk
from headcount.cli.desks import open_desk
from headcount.cli.exits import Exit, print_data
from headcount.cli.views import Remarks, many
from headcount.cli.work import helped
from headcount.client.documents import (
    FigureDocument,
    JobSheet,
    PlanDocument,
    document_of,
)
from headcount.core.expansion import Expand
from headcount.core.model import Look, Search, SourceState, Status
from headcount.planning import looking
from headcount.settings import Settings

_WIDTH = 88
_NAMED = 3  # sources that are named


async def tell(
    settings: Settings, search: Search, calls: int | None, *, as_json: bool
) -> int:
    """Make a plan for a search, and print it; the exit code."""
    search = looking(search, calls)
    look, view = search.limits.look or Look(0, 0), Remarks()
    async with open_desk(settings) as desk:
        await desk.ready(search)
        price = settings.credit_price
        cost = "" if price is None else f" (cost {look.calls * price:.2f})"
        view.say(f"Looking: at most {many(look.calls, 'call')}{cost}.")
        job = await desk.create(search)
        await desk.work(job, view)
        sheet, plan = await desk.job(job.id), await desk.plan(job.id)
        if _cut_short(sheet, plan, look):
            view.say(f"Interrupted: {_resume(desk, plan)} makes all of the search.")
            return Exit.INTERRUPTED
        if not any(keyword.pages for keyword in plan.keywords):
            view.say(
                f"No plan: {_why(desk, sheet, plan)}"
            )  # made of nothing it is none
            return Exit.REFUSED
        if as_json:
            print_data(json.dumps(document_of(plan), ensure_ascii=False, indent=2))
        else:
            print_data(_sheet(desk, search, plan))
    return Exit.EXACT


def _cut_short(job: JobSheet, plan: PlanDocument, look: Look) -> bool:
    """Whether somebody stopped it before it had looked at all it was to."""
    if job.status.ended or plan.spent.calls >= look.calls:
        return False
    if job.status is not Status.PAUSED:
        return True
    return any(
        source.pages < look.each and not source.error
        for source in job.sources
        if source.state is SourceState.OPEN
    )


def _why(desk: Desk, job: JobSheet, plan: PlanDocument) -> str:
    """Why no page has come, and how to go on with the job that was begun."""
    if job.advice:
        return helped(desk, job.advice)
    said = next((word.error for word in plan.keywords if word.error), None)
    return f"no page came ({said or 'none was asked for'}): {_resume(desk, plan)}"


def _resume(desk: Desk, plan: PlanDocument) -> str:
    return f"headcount jobs resume {plan.job}{desk.suffix}"


def _sheet(desk: Desk, search: Search, plan: PlanDocument) -> str:
    """A plan for the eye."""
    world = " (sandbox: an invented world)" if plan.sandbox else ""
    seen = f"{many(plan.spent.calls, 'call')} so far found {plan.found:,} of them"
    aim = many(plan.target_results, "creator")
    head = f"{aim} for {', '.join(search.keywords)}{world}: {seen}."
    remarks = "\n".join(_remarks(desk, search, plan))
    return "\n\n".join([head, _figures(plan), _keywords(plan), remarks])


def _figures(plan: PlanDocument) -> str:
    """What is still to come, each figure with the range of nine cases in ten."""
    table = _table("", "expected", "in 9 of 10 cases")
    _row(table, "calls to go", plan.needed.calls, "{:,.0f}")
    _row(table, "credits", plan.needed.credits, "{:,.0f}")
    if plan.needed.cost is not None:
        _row(table, "cost", plan.needed.cost, "{:,.2f}")
    _row(table, "seconds", plan.needed.seconds, "{:,.1f}")
    _row(table, "creators in all", plan.reach, "{:,.0f}")
    return _drawn(table)


def _row(table: Table, name: str, figure: FigureDocument | None, form: str) -> None:
    if figure is None:
        table.add_row(name, "-", "-")
        return
    between = f"{form.format(figure.low)} to {form.format(figure.high)}"
    table.add_row(name, form.format(figure.expected), between)


def _keywords(plan: PlanDocument) -> str:
    table = _table("keyword", "pages seen", "found", "expected further")
    for word in plan.keywords:
        cells = (f"{word.pages}", f"{word.new_unique:,}", f"{word.supply:,}")
        table.add_row(Text(word.keyword), *cells)
    return _drawn(table)


def _remarks(desk: Desk, search: Search, plan: PlanDocument) -> Iterator[str]:
    """Whether the target can be had, what would help, and how to go on."""
    missing = plan.found < plan.target_results
    if missing and plan.reach.expected < plan.target_results:
        surely = "" if plan.out_of_reach else "probably "
        yield (
            f"{plan.target_results:,} is {surely}out of reach with these keywords: "
            f"about {plan.reach.expected:,.0f} of {plan.target_results:,}."
        )
        yield from _wider(search, plan)
    if plan.over_the_cap:
        yield (
            f"The cap of {many(plan.call_cap, 'call')} is smaller than what is "
            "expected: raise it by --max-calls."
        )
    for word in plan.keywords:
        if word.error:
            yield f"{word.keyword}: {word.error}"
    if missing:
        yield f"Go on, from what is there: {_resume(desk, plan)}"
    else:
        yield f"All are there: headcount jobs export {plan.job}{desk.suffix}"


def _wider(search: Search, plan: PlanDocument) -> Iterator[str]:
    """What the job would open, or could if it was allowed to."""
    allowed, ways = search.expansion.expand, plan.may_open
    for expand, names in (
        (Expand.VARIANTS, ways.variants),
        (Expand.RELATED, ways.related),
    ):
        if names:
            verb = "opens" if allowed in {expand, Expand.ALL} else "would open"
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
