"""Writes the parts of the documentation that follow from the code, and the examples.

A page says where a part belongs: between `<!-- generated: NAME -->` and
`<!-- end of NAME -->`. Run without arguments to write them all anew, or with `--check`
to be told, by exit code 1, which pages are out of date.
"""

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum
from importlib.resources import files
from pathlib import Path
from typing import Any

import typer
from http_page import http
from prometheus_client import Metric
from sources import sources
from typescript import declarations

import headcount
from headcount.adapters.metrics import Metrics
from headcount.cli import app
from headcount.cli.exits import Exit
from headcount.core import errors
from headcount.core.advice import advice
from headcount.core.filters import FILTERS
from headcount.core.model import Outcome, Reason
from headcount.core.search import build_search, new_job
from headcount.sandbox import FAULTS
from headcount.sandbox.qstash import FAULTS as QSTASH_FAULTS
from headcount.sandbox.qstash.faults import MessageFault, RequestFault
from headcount.settings import Settings

ROOT, WIDTH = Path(__file__).parent.parent, 88
_EVERYWHERE = re.compile("--help|-completion")  # options that Typer gives every program
_MODULE = re.compile(r"\b(?:headcount|datetime|collections)(?:\.[a-z]\w*)*\.(?=\w)")
_BETWEEN = re.compile(r", (?=\w+:|\*, )")  # two parameters
_MEMBER = re.compile(r"<(\w+\.\w+): [^>]+>")
EXITS = {
    Exit.EXACT: "Exactly N creators were delivered, or the command did what it says.",
    Exit.MACHINE: "The store, disk or server cannot be used, or a defect of Headcount.",
    Exit.USAGE: "The command line, a setting or a job id cannot be used as given.",
    Exit.PARTIAL: "Fewer than N; the reason and what would help are on stderr.",
    Exit.REFUSED: "Fewer than N: the provider refused, or gave no usable answer.",
    Exit.INTERRUPTED: "Interrupted or paused; `headcount jobs resume` goes on.",
    Exit.UNREAD: "Whoever read the output left early, as `head` does.",
}


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    lines = [
        " | ".join(str(cell).replace("|", "\\|") for cell in row)
        for row in (heads, *rows)
    ]
    rule = "|".join(["---"] * (lines[0].count(" | ") + 1))
    return "\n".join([f"| {lines[0]} |", f"|{rule}|", *(f"| {x} |" for x in lines[1:])])


# ------------------------------------------------------------------- the command line
def cli() -> str:
    """Every command with its options, as `--help` has them."""
    root: Any = typer.main.get_command(app)
    every = _walk(root, typer.Context(root, info_name="headcount"))
    return "\n\n".join(_command(*pair) for pair in every)


def _walk(command: Any, context: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - Typer's own
    """Every command with its context, groups before their commands."""
    yield command, context
    for name, inner in getattr(command, "commands", {}).items():
        yield from _walk(inner, typer.Context(inner, info_name=name, parent=context))


def _command(command: Any, context: Any) -> str:  # noqa: ANN401 - Typer's own
    usage = command.get_usage(context).removeprefix("Usage: ")
    parts = [f"## `{context.command_path}`", command.help, f"```text\n{usage}\n```"]
    helped = [param.get_help_record(context) for param in command.get_params(context)]
    rows = [
        (
            f"`{left.removesuffix(' <list[str]>').removesuffix(' <str>')}`",
            right.replace("  ", " "),
        )
        for left, right in filter(None, helped)
        if not _EVERYWHERE.search(left)
    ]
    if rows:
        parts.append(table(("Argument or option", "Meaning"), rows))
    return "\n\n".join(parts)


# --------------------------------------------------------- settings, filters and faults
def settings() -> str:
    """Every setting with its names, its default and its meaning."""
    rows = []
    for name, field in Settings.model_fields.items():
        aliases: Any = field.validation_alias
        names = ", ".join(f"`{alias}`" for alias in aliases.choices)
        default = "" if field.default in (None, ()) else f"`{field.default}`"
        rows.append((names, f"`{name}`", default, field.description))
    return table(("Environment", "In the file", "Default", "Meaning"), rows)


def setting_names() -> str:
    """The names of all settings in the environment, the ones of the scripts too."""
    found: Any = [field.validation_alias for field in Settings.model_fields.values()]
    return ", ".join(f"`{name}`" for aliases in found for name in aliases.choices)


def metrics() -> str:
    """Every metric that is ours, with its kind and its meaning."""
    rows = (
        (f"`{_as_scraped(one)}`", one.type, one.documentation)
        for one in Metrics().collect()
        if one.name.startswith("headcount_")
    )
    return table(("Metric", "Kind", "Meaning"), rows)


def _as_scraped(metric: Metric) -> str:
    endings = {"counter": "_total", "info": "_info"}
    return metric.name + endings.get(metric.type, "")


def filters() -> str:
    """Every filter with its names and its meaning."""
    rows = (
        (f"`{spec.flag}`", f"`{spec.json_name}`", spec.kind, spec.help)
        for spec in FILTERS
    )
    return table(("Option", "JSON", "Takes", "A creator qualifies if"), rows)


def faults() -> str:
    """Every fault of the sandbox."""
    rows = ((f"`{name}`", fault.promise) for name, fault in FAULTS.items())
    return table(("Fault", "What the sandbox answers"), rows)


def qstash_faults() -> str:
    """Every fault of the QStash sandbox, with what it happens to."""
    hit = {RequestFault: "a request", MessageFault: "a message"}
    rows = (
        (f"`{name}`", hit.get(type(fault), "a delivery"), fault.promise)
        for name, fault in QSTASH_FAULTS.items()
    )
    return table(("Fault", "Happens to", "What happens"), rows)


# ----------------------------------------------------------------- exits and reasons
def exit_codes() -> str:
    """The exit codes."""
    return table(("Code", "Meaning"), ((f"`{c.value}`", EXITS[c]) for c in Exit))


def reasons() -> str:
    """Every reason for a partial result, with the advice that is printed."""
    search = build_search(100, ["apple"])
    job = new_job("JOB_ID", search, datetime(2026, 1, 1, tzinfo=UTC))
    job = replace(job, charged=32, credits=32)
    rows = (
        (f"`{reason}`", advice(replace(job, outcome=Outcome(20, reason))))
        for reason in Reason
    )
    return table(("Reason", "What is advised"), rows)


# -------------------------------------------------------------- errors and public names
def error_tree() -> str:
    """The tree of exceptions, and what each of them means."""
    found = [kind for kind in vars(errors).values() if inspect.isclass(kind)]
    tree = inspect.cleandoc(errors.__doc__ or "").split("\n\n")[1]
    rows = ((f"`{kind.__name__}`", _first_line(kind)) for kind in found)
    fence = f"```text\n{inspect.cleandoc(tree)}\n```"
    return f"{fence}\n\n{table(('Error', 'Meaning'), rows)}"


def python() -> str:
    """The public names with their signatures and promises."""
    return "\n\n".join(_public(name) for name in headcount.__all__)


def _public(name: str) -> str:
    thing: Any = getattr(headcount, name)
    parts = [f"## `{name}`", _docstring(thing)]
    if isinstance(thing, type) and issubclass(thing, Enum):
        parts.append(", ".join(f"`{member.value}`" for member in thing))
    elif name != "Settings" and inspect.getmodule(thing) is not errors:
        parts.insert(1, f"```py\n{_signature(name, thing)}\n```")
    parts += [f"- `.{member}`: {text}" for member, text in _members(thing)]
    return "\n\n".join(parts)


def _signature(name: str, thing: Callable[..., object]) -> str:
    start = "async def " if inspect.iscoroutinefunction(thing) else ""
    start = "async for change in " if inspect.isasyncgenfunction(thing) else start
    text = _plain(inspect.signature(thing)).removesuffix(" -> None")
    if len(f"{start}{name}{text}") > WIDTH:
        inside, _, result = text[1:].rpartition(")")
        lines = (f"    {part},\n" for part in _BETWEEN.split(inside))
        text = f"(\n{''.join(lines)}){result}"
    return f"{start}{name}{text}"


def _plain(part: object) -> str:
    """A part of a signature without the modules that its types come from."""
    return _MEMBER.sub(r"\1", _MODULE.sub("", str(part)))


def _members(thing: object) -> Iterator[tuple[str, str]]:
    """The public properties and methods that a class of ours declares itself."""
    if not isinstance(thing, type) or thing is Settings:
        return
    for member, value in vars(thing).items():
        documented = isinstance(value, property) or inspect.isfunction(value)
        if documented and not member.startswith("_"):
            yield member, _first_line(value)


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").split("\n")[0]


def _docstring(thing: object) -> str:
    """A docstring as Markdown: what it raises becomes a list."""
    text, _, raised = (inspect.getdoc(thing) or "").partition("\nRaises:\n")
    named = re.sub(r"^    (\w+): ", r"- raises `\1`: ", raised, flags=re.MULTILINE)
    return f"{text.strip()}\n\n{inspect.cleandoc(named)}".strip()


# ------------------------------------------------------------------------------- JSON
def schema() -> str:
    """Every object of the published schema with its fields."""
    document = json.loads(files("headcount").joinpath("schema.json").read_text())
    return "\n\n".join(
        _object(document, name, part)
        for name, part in document["$defs"].items()
        if part.get("type") == "object"
    )


def _object(document: Any, name: str, part: Any) -> str:  # noqa: ANN401 - JSON
    fields = [_field(document, key, inner) for key, inner in part["properties"].items()]
    heads = ("Field", "Type", "Meaning")
    return f"## `{name}`\n\n{part['description']}\n\n{table(heads, fields)}"


def _field(document: Any, key: str, inner: Any) -> tuple[str, str, str]:  # noqa: ANN401 - JSON
    told = {"description": "", **_resolved(document, inner), **inner}
    return f"`{key}`", _type(document, inner), told["description"]


def _resolved(document: Any, part: Any) -> Any:  # noqa: ANN401 - JSON
    while "$ref" in part:
        target = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        part = target
    return part


def _type(document: Any, part: Any) -> str:  # noqa: ANN401 - JSON
    """The type in words: JSON's own, or the name of the object meant."""
    for choice in ("oneOf", "anyOf"):
        if choice in part:
            return " or ".join(_type(document, one) for one in part[choice])
    reference = part.get("$ref", "")
    if reference.count("/") == 2:
        return f"`{reference.rpartition('/')[2]}`"
    part = _resolved(document, part)
    if part.get("type") == "array":
        return f"list of {_type(document, part['items'])}"
    values = part.get("enum", [part["const"]] if "const" in part else [])
    if values:
        return ", ".join(f"`{json.dumps(value)}`" for value in values)
    kinds = part["type"]
    return kinds if isinstance(kinds, str) else " or ".join(kinds)


def golden(name: str) -> Callable[[], str]:
    """An example that the tests hold against the schema."""
    file = ROOT / "tests" / "golden" / f"{name}.json"
    return lambda: f"```json\n{file.read_text().strip()}\n```"


# ------------------------------------------------------------------------------- pages
WHOLE = {ROOT / "examples" / "nextjs" / "lib" / "headcount.d.ts": declarations}
PARTS: dict[str, Callable[[], str]] = {
    "cli": cli,
    "settings": settings,
    "setting-names": setting_names,
    "metrics": metrics,
    "filters": filters,
    "faults": faults,
    "qstash-faults": qstash_faults,
    "exit-codes": exit_codes,
    "reasons": reasons,
    "errors": error_tree,
    "python": python,
    "json": schema,
    "http": http,
    "row example": golden("row"),
    "tracking example": golden("exactCountTracking"),
    **sources(),
}


def filled(text: str) -> str:
    """The text of a page with its generated parts as they should be."""
    for name, part in PARTS.items():
        start, end = f"<!-- generated: {name} -->", f"<!-- end of {name} -->"
        if start in text:
            before, _, rest = text.partition(start)
            _, _, after = rest.partition(end)
            text = f"{before}{start}\n\n{part()}\n\n{end}{after}"
    return text


def wanted(file: Path) -> str:
    """A file as it should be."""
    return WHOLE[file]() if file in WHOLE else filled(file.read_text())


def main() -> int:
    """Write the files, or with `--check` name those that are out of date."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    stale = [file for file in (*pages, *WHOLE) if wanted(file) != file.read_text()]
    only_check = "--check" in sys.argv
    for file in stale:
        print("out of date:" if only_check else "wrote", file.relative_to(ROOT))
        if not only_check:
            file.write_text(wanted(file))
    return 1 if stale and only_check else 0


if __name__ == "__main__":
    sys.exit(main())
