"""`headcount suite`: the standard scenarios, run and measured."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from headcount.cli import options as opt
from headcount.cli.exits import Exit, finish, print_data, told, whoever_reads

if TYPE_CHECKING:
    from headcount.cli.measuring import Measured

SCENARIOS: dict[int, tuple[str, ...]] = {
    50: ("tech",),
    100: ("apple", "tech", "gaming"),
    250: ("fitness", "gym", "cooking"),
    500: ("fitness", "cooking", "travel", "gaming"),
    1000: (
        "fitness",
        "cooking",
        "travel",
        "gaming",
        "tech",
        "beauty",
        "music",
        "pets",
    ),
}


@told
def suite(
    *,
    runs: Annotated[int, typer.Option(help="Runs of each scenario.", min=1)] = 3,
    count: Annotated[
        list[int] | None,
        typer.Option(help="Only these numbers of creators; any number may be named."),
    ] = None,
    keyword: Annotated[
        list[str] | None, typer.Option(help="These keywords instead of the standard.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask the real provider: this costs credits.")
    ] = False,
    concurrency: opt.Concurrency = None,
    format_: opt.ListingOption = opt.Listing.TABLE,
    yes: opt.Yes = False,
) -> int:
    """Run the standard scenarios (50 to 1000 creators) and print what was measured.

    In the sandbox by default, each run in another invented world.
    """
    from headcount.cli.measuring import measure
    from headcount.core.estimate import expected_calls
    from headcount.core.search import parse_target
    from headcount.settings import load_settings

    counts = [parse_target(number) for number in count or SCENARIOS]
    calls = sum(map(expected_calls, counts)) * runs
    if (
        live
        and not yes
        and not typer.confirm(f"About {calls} credits will be spent. Go on?", err=True)
    ):
        return Exit.INTERRUPTED
    settings = load_settings(concurrency=concurrency)
    plan = [(number, tuple(keyword or _keywords(number))) for number in counts]
    measured = finish(measure(settings, plan, runs=runs, live=live))
    rows = [_row(target, measured) for target, _ in plan]
    document = {"sandbox": not live, "scenarios": rows}
    as_json = format_ is opt.Listing.JSON
    with whoever_reads():
        print_data(
            json.dumps(document, indent=2) if as_json else _table(rows, live=live)
        )
    exact = all(run.found == run.target for run in measured)
    return Exit.EXACT if exact else Exit.PARTIAL


def _keywords(number: int) -> tuple[str, ...]:
    """The keywords of the smallest standard scenario that asks for as many."""
    return next(
        (words for count, words in SCENARIOS.items() if count >= number),
        SCENARIOS[max(SCENARIOS)],
    )


def _row(target: int, measured: "list[Measured]") -> dict[str, object]:
    from statistics import mean, median

    runs = [run for run in measured if run.target == target]
    calls, found = [run.calls for run in runs], sum(run.found for run in runs)
    seconds = [run.seconds for run in runs]
    return {
        "targetCount": target,
        "runs": len(runs),
        "apiCallsMin": min(calls),
        "apiCallsMax": max(calls),
        "averageCreatorsPerCall": round(found / (sum(calls) or 1), 2),
        "duplicatesFound": round(mean(r.duplicates for r in runs), 1),
        "secondsMedian": round(median(seconds), 2),
        "successRate": f"{100 * sum(r.found == target for r in runs) // len(runs)}%",
    }


def _table(rows: list[dict[str, object]], *, live: bool) -> str:
    world = "the real provider" if live else "the sandbox, one world a run"
    heads = ("Target Count", "API Calls", "Creators/Call", "Duplicates", "Duration")
    lines = [
        f"Measured in {world}:",
        "",
        f"| {' | '.join(heads)} | Success Rate |",
        f"|{'|'.join('-' * (len(head) + 1) + ':' for head in heads)}|-------------:|",
    ]
    for row in rows:
        calls = f"{row['apiCallsMin']}-{row['apiCallsMax']}"
        lines.append(
            f"| {row['targetCount']:>12} | {calls:>9} | "
            f"{row['averageCreatorsPerCall']:>13} | {row['duplicatesFound']:>10} | "
            f"{row['secondsMedian']:>6} s | {row['successRate']:>12} |"
        )
    return "\n".join(lines)
