"""The options that several commands share, and one for each declared filter."""

import functools
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer
from typer.core import TyperCommand

from headcount.cli.exits import told
from headcount.core.filters import FILTERS, FilterSpec

P = ParamSpec("P")


class Format(StrEnum):
    """The forms in which creators are written."""

    TABLE = "table"
    CSV = "csv"
    JSONL = "jsonl"
    JSON = "json"
    XLSX = "xlsx"


class Shape(StrEnum):
    """What a creator looks like in JSON."""

    ROWS = "rows"
    GUIDE = "guide"


class Listing(StrEnum):
    """The forms in which jobs are listed."""

    TABLE = "table"
    JSON = "json"


Sandbox = Annotated[
    bool,
    typer.Option("--sandbox", help="Search an invented world: no key, no cost."),
]
MaxCalls = Annotated[
    int | None,
    typer.Option(metavar="COUNT", help="Never make more calls than this.", min=1),
]
MaxCredits = Annotated[
    int | None,
    typer.Option(metavar="COUNT", help="Never spend more credits than this.", min=1),
]
Deadline = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Ask nothing after this: 90s, 15m, 2h, or a time (ISO 8601).",
    ),
]
Region = Annotated[
    str | None,
    typer.Option(metavar="COUNTRY", help="Search from here (US, GB, ...)."),
]
Sort = Annotated[
    str | None,
    typer.Option(metavar="ORDER", help="relevance, most-liked or date-posted."),
]
Period = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="yesterday, this-week, this-month, last-3-months, last-6-months "
        "or all-time.",
    ),
]
Concurrency = Annotated[
    int | None,
    typer.Option(metavar="COUNT", help="Calls out at once.", min=1, max=1000),
]
RateLimit = Annotated[
    int | None,
    typer.Option(
        metavar="MS", help="Milliseconds between the starts of two calls.", min=0
    ),
]
Retries = Annotated[
    int | None,
    typer.Option(
        metavar="COUNT", help="Attempts at a page before its keyword waits.", min=1
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        "-o",
        metavar="FILE",
        help="Write to this file; its suffix is the format.",
    ),
]
Form = Annotated[
    Format | None,
    typer.Option(
        "--format",
        "-f",
        help="How to write creators: table on a terminal, else csv.",
    ),
]
ShapeOption = Annotated[
    Shape, typer.Option(help="rows, or the guide's shape that front ends read.")
]
ListingOption = Annotated[
    Listing, typer.Option("--format", "-f", help="A table, or JSON for programs.")
]
Debug = Annotated[
    bool | None, typer.Option("--debug", help="Show the new ids of each call.")
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", help="Say nothing but the data, and what went wrong."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether to go on.")]


class CountFirst(TyperCommand):
    """A command that starts with a number: `-5` is one too, and no option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - Typer's context is private
        """Refuse a negative number as what it is; the rest is as usual."""
        valued = {
            name
            for parameter in self.params
            if not getattr(parameter, "is_flag", True)
            for name in parameter.opts
        }
        words = ["", *takewhile(lambda word: word != "--", args)]
        for before, word in pairwise(words):
            if re.fullmatch(r"-\d[\d,_.]*", word) and before not in valued:
                refuse_target(word)
        return super().parse_args(ctx, args)


@told
def refuse_target(word: str) -> None:
    """Say which numbers of creators there are."""
    from headcount.core.search import parse_target

    parse_target(word)


_SHOWN = {"count": "COUNT", "span": "TIME", "words": "WORD"}


def with_filters(command: Callable[P, None]) -> Callable[..., None]:
    """Give a command an option for each filter; it receives them as `filters`."""

    @functools.wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Typer fills them
        given = {spec.name: kwargs.pop(spec.name) for spec in FILTERS}
        kwargs["filters"] = {
            name: value
            for name, value in given.items()
            if value not in (None, [], False)
        }
        command(*args, **kwargs)

    signature = inspect.signature(command, eval_str=True)
    own = [p for p in signature.parameters.values() if p.name != "filters"]
    parameters = own + [_parameter(spec) for spec in FILTERS]
    wrapper.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined] # read by inspect
    wrapper.__annotations__ = {p.name: p.annotation for p in parameters}
    return wrapper


def _parameter(spec: FilterSpec) -> inspect.Parameter:
    kinds: dict[str, Any] = {"flag": bool, "words": list[str] | None}
    option = typer.Option(
        spec.flag,
        help=spec.help,
        metavar=_SHOWN.get(spec.kind),
        show_default=False,
    )
    return inspect.Parameter(
        spec.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=False if spec.kind == "flag" else None,
        annotation=Annotated[kinds.get(spec.kind, str | None), option],
    )


@dataclass(frozen=True, slots=True)
class Output:
    """Where a command writes, and how much it says."""

    out: Path | None
    format: Format | None
    shape: Shape
    quiet: bool
    debug: bool | None
