"""The options that commands share, in bundles, and one for each declared filter."""

import functools
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Annotated, Any, ParamSpec

import typer
from typer.core import TyperCommand

from headcount.cli.exits import told
from headcount.core.filters import FILTERS, FilterSpec
from headcount.core.model import Speed

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
SpeedOption = Annotated[
    Speed | None,
    typer.Option("--speed", help="Waste no calls, a few, or some to be done sooner."),
]
Expand = Annotated[
    str | None,
    typer.Option(
        metavar="WAY",
        help="Open new sources where the keywords are not enough: off, variants, "
        "related or all.",
    ),
]
ExpandExclude = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WORD",
        help="Open nothing with this word in it; commas, or repeated.",
    ),
]
RelevanceMin = Annotated[
    float | None,
    typer.Option(metavar="SHARE", help="Open nothing less relevant: 0 to 1."),
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
Server = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Turn to this server, with the key in HEADCOUNT_API_KEY.",
        show_default=False,
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


# ------------------------------------------------------------------------- bundles
@dataclass(frozen=True, slots=True)
class Variant:
    """Which of a keyword's streams of pages is asked for."""

    region: Region = None
    sort: Sort = None
    period: Period = None


@dataclass(frozen=True, slots=True)
class Caps:
    """What a job may take at most."""

    max_calls: MaxCalls = None
    max_credits: MaxCredits = None
    deadline: Deadline = None


@dataclass(frozen=True, slots=True)
class Wider:
    """Which new sources a job may open."""

    expand: Expand = None
    expand_exclude: ExpandExclude = None
    relevance_min: RelevanceMin = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where creators are written, and in what form."""

    out: Out = None
    format_: Form = None
    shape: ShapeOption = Shape.ROWS


@dataclass(frozen=True, slots=True)
class Output(Place):
    """Where creators are written, and how much is said on the way."""

    debug: Debug = None
    quiet: Quiet = False


class Chosen(dict[str, object]):
    """The filters that were given, by name."""


_SHOWN = {"count": "COUNT", "span": "TIME", "words": "WORD"}


def unfolded(command: Callable[P, None]) -> Callable[..., None]:
    """Give a command the options of its bundles; it gets each bundle as one value."""
    signature = inspect.signature(command, eval_str=True)
    own = signature.parameters.values()
    options = {p.name: _options(p.annotation) for p in own}

    @functools.wraps(command)
    def wrapper(**kwargs: Any) -> None:  # noqa: ANN401 - Typer fills them
        for parameter in own:
            names = [option.name for option in options[parameter.name]]
            if names:
                given = {name: kwargs.pop(name) for name in names}
                kwargs[parameter.name] = _folded(parameter.annotation, given)
        command(**kwargs)  # type: ignore[call-arg] # as its own signature has it

    shown = [option for p in own for option in options[p.name] or [p]]
    wrapper.__signature__ = signature.replace(parameters=shown)  # type: ignore[attr-defined] # read by inspect
    wrapper.__annotations__ = {option.name: option.annotation for option in shown}
    return wrapper


def _options(bundle: Any) -> list[inspect.Parameter]:  # noqa: ANN401 - any annotation
    """The options of a bundle; none where a parameter is no bundle."""
    if bundle is Chosen:
        return [_filter(spec) for spec in FILTERS]
    if not is_dataclass(bundle):
        return []
    return [_option(f.name, f.default, f.type) for f in fields(bundle)]


def _folded(bundle: Any, given: dict[str, object]) -> object:  # noqa: ANN401 - the same
    """The value of a bundle; filters that were not given are left out."""
    if bundle is not Chosen:
        return bundle(**given)
    return Chosen((name, v) for name, v in given.items() if v not in (None, [], False))


def _filter(spec: FilterSpec) -> inspect.Parameter:
    kinds: dict[str, Any] = {"flag": bool, "words": list[str] | None}
    option = typer.Option(
        spec.flag,
        help=spec.help,
        metavar=_SHOWN.get(spec.kind),
        show_default=False,
    )
    return _option(
        spec.name,
        False if spec.kind == "flag" else None,
        Annotated[kinds.get(spec.kind, str | None), option],
    )


def _option(name: str, default: object, annotation: object) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)
