"""Runs the benchmarks and prints one table: `python benchmarks/run.py [NAME...]`.

All figures but times and sizes are ratios within one run, so that they mean the same
on any machine that is not busy with something else. Nothing fails by being slow.
"""

import argparse
import asyncio

import allocation
import claims
import depth
import first_message
import memory
import msgspec
import one_keyword
import posts
import settle
import startup
import wakeups
import watchers
import workers
from figures import Benchmark, Figure
from rich.console import Console
from rich.table import Table

BENCHMARKS: dict[str, Benchmark] = {
    "allocation": allocation.measure,
    "one-keyword": one_keyword.measure,
    "settle": settle.measure,
    "depth": depth.measure,
    "memory": memory.measure,
    "startup": startup.measure,
    "workers": workers.measure,
    "claims": claims.measure,
    "wake-ups": wakeups.measure,
    "watchers": watchers.measure,
    "posts": posts.measure,
    "first-message": first_message.measure,
}
_MET = {True: "[green]yes", False: "[red]no", None: ""}


async def measured(names: list[str]) -> list[Figure]:
    """Run these benchmarks one after the other, and say so on stderr."""
    figures: list[Figure] = []
    console = Console(stderr=True)
    with console.status("") as status:
        for name in names:

            def say(text: str, name: str = name) -> None:
                status.update(f"{name}: {text}")

            async for figure in BENCHMARKS[name](say):
                figures.append(figure)
                console.print(f"{name}: {figure.measured:.3g} {figure.compared}")
    return figures


def table(figures: list[Figure]) -> Table:
    """The figures for the eye."""
    drawn = Table("name", "compared")
    for name in ("measured", "target", "n"):
        drawn.add_column(name, justify="right", no_wrap=True)
    drawn.add_column("met")
    for figure in figures:
        target = figure.target
        drawn.add_row(
            figure.name,
            figure.compared,
            f"{figure.measured:.3g} {figure.unit}",
            "" if target is None else f"{target:g} {figure.unit}",
            str(figure.n),
            _MET[figure.met],
        )
    return drawn


def main() -> None:
    """Measure what the command line names, or everything."""
    parser = argparse.ArgumentParser(description="Measure Headcount's speed.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, not a table")
    given = parser.parse_args()
    unknown = sorted(set(given.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"expected one of {', '.join(BENCHMARKS)}, not {unknown[0]!r}")
    figures = asyncio.run(measured(given.names or list(BENCHMARKS)))
    if given.json:
        documents = [msgspec.to_builtins(f) | {"met": f.met} for f in figures]
        print(msgspec.json.encode(documents).decode())
    else:
        Console().print(table(figures))


if __name__ == "__main__":
    main()
