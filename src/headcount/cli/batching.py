"""Reads and runs the searches of a batch file."""

import json
import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from headcount.cli.delivery import Delivery
from headcount.cli.exits import Exit, print_data, whoever_reads
from headcount.cli.here import open_here
from headcount.cli.listing import job_table
from headcount.cli.options import Caps, Format, Place, Shape, Variant, Wider
from headcount.cli.views import open_view
from headcount.cli.work import expect, search_from, work_and_deliver
from headcount.core.errors import InvalidSearch, InvalidSetting, UsageError
from headcount.core.filters import FILTERS
from headcount.core.model import Job, Reason, Search
from headcount.core.report import job_document
from headcount.settings import Settings

_VARIANT = ("region", "sort", "period")
_LIMITS = ("max_calls", "max_credits", "deadline")
_WIDER = ("expand", "expand_exclude", "relevance_min")
_OUTPUT = ("out", "format", "shape")
_OWN = ("name", "target", "keywords", "sandbox")
_FILTERS = tuple(spec.name for spec in FILTERS)
_KINDS: dict[str, tuple[str, tuple[type, ...]]] = {
    "target": ("a whole number", (int, str)),
    "keywords": ("a list of keywords", (list, str)),
    "sandbox": ("true or false", (bool,)),
    "max_calls": ("a whole number", (int,)),
    "max_credits": ("a whole number", (int,)),
    "deadline": ("a time such as 15m", (str, datetime)),
    "expand": ("a word such as variants", (str,)),
    "expand_exclude": ("a list of words", (list, str)),
    "relevance_min": ("a number from 0 to 1", (float, int)),
}
_KNOWN = frozenset(_OWN + _OUTPUT + _LIMITS + _VARIANT + _WIDER + _FILTERS)

Table = dict[str, object]


@dataclass(frozen=True, slots=True)
class Entry:
    """One search of a batch, and where its creators go."""

    name: str
    search: Search
    delivery: Delivery | None


def read_batch(file: Path, settings: Settings, *, sandbox: bool) -> list[Entry]:
    """Read a batch file: each [[search]] over the [defaults].

    Raises:
        InvalidSetting: the file cannot be read, or holds what is not known.
        InvalidSearch: a search cannot be taken; the message names it.
    """
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidSetting(f"{file}: {error.strerror}") from None
    except ValueError as error:
        raise InvalidSetting(f"{file} is no TOML file: {error}") from None
    defaults, searches = document.pop("defaults", {}), document.pop("search", [])
    if document or not isinstance(defaults, dict) or not _tables(searches):
        raise InvalidSetting(
            f"{file}: expected a [defaults] table and one or more [[search]] tables"
            + (f", not {min(document)!r}" if document else "")
        )
    flag = {"sandbox": True} if sandbox else {}
    return [
        _entry(defaults | table | flag, f"search {number}", settings, file)
        for number, table in enumerate(searches, start=1)
    ]


def _tables(searches: object) -> bool:
    return (
        isinstance(searches, list)
        and bool(searches)
        and all(isinstance(table, dict) for table in searches)
    )


def _entry(table: Table, number: str, settings: Settings, file: Path) -> Entry:
    name = str(table.get("name", number))
    unknown = sorted(set(table) - _KNOWN)
    if unknown:
        raise InvalidSetting(
            f"{file}, {name}: no setting is called {unknown[0]!r}; "
            f"known are {', '.join(sorted(_KNOWN))}"
        )
    try:
        return Entry(name, _search(table, settings), _delivery(table))
    except UsageError as error:
        raise InvalidSetting(f"{file}, {name}: {error}") from None


def _search(table: Table, settings: Settings) -> Search:
    _check_kinds(table)
    keywords: Any = table.get("keywords", list(settings.keywords))
    listed = keywords.split(",") if isinstance(keywords, str) else keywords
    target = table.get("target", settings.target)
    return search_from(
        settings,
        [str("" if target is None else target), *map(str, listed)],
        sandbox=table.get("sandbox") is True,
        filters={name: table[name] for name in _FILTERS if name in table},
        caps=_caps(table),
        variant=Variant(*(_text(table.get(name)) for name in _VARIANT)),
        wider=_wider(table),
    )


def _wider(table: dict[str, Any]) -> Wider:
    words = table.get("expand_exclude", [])
    listed = [words] if isinstance(words, str) else [str(word) for word in words]
    return Wider(table.get("expand"), listed, table.get("relevance_min"))


def _caps(table: dict[str, Any]) -> Caps:
    deadline = _text(table.get("deadline"))
    return Caps(table.get("max_calls"), table.get("max_credits"), deadline)


def _check_kinds(table: Table) -> None:
    for name, (expected, kinds) in _KINDS.items():
        if name in table and type(table[name]) not in kinds:
            raise InvalidSearch(
                name, f"{name}: expected {expected}, not {table[name]!r}"
            )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _delivery(table: Table) -> Delivery | None:
    if "out" not in table:
        return None
    try:
        form = Format(str(table["format"])) if "format" in table else None
        shape = Shape(str(table.get("shape", "rows")))
    except ValueError as error:
        raise InvalidSetting(str(error)) from None
    return Delivery.to(Place(Path(str(table["out"])), form, shape))


async def run_batch(
    entries: list[Entry], settings: Settings, *, quiet: bool, as_json: bool
) -> int:
    """Run the searches one after the other; the exit code is the worst of theirs.

    It ends early where it is interrupted, and where no later search could get a page.
    """
    view = open_view(quiet=quiet, debug=settings.debug)
    documents, worst = [], 0
    async with open_here(settings) as desk:
        for entry in entries:
            await desk.ready(entry.search)
        for place, entry in enumerate(entries, start=1):
            view.say(f"[{place}/{len(entries)}] {entry.name}")
            new = await desk.create(entry.search)
            expect(new, settings, view)
            code = await work_and_deliver(
                desk, new, entry.delivery, settings=settings, view=view
            )
            job = await desk.app.store.load(new.id)
            documents.append({"name": entry.name, **job_document(job)})
            worst = max(worst, code)
            if code == Exit.INTERRUPTED or _key_is_of_no_use(job):
                _tell_not_run(entries[place:])
                break
    with whoever_reads():
        print_data(json.dumps(documents, indent=2) if as_json else job_table(documents))
    return worst


def _tell_not_run(entries: list[Entry]) -> None:
    if entries:
        names = ", ".join(entry.name for entry in entries)
        typer.echo(f"Not run: {names}.", err=True)


def _key_is_of_no_use(job: Job) -> bool:
    """Whether no later call with the same key could pass."""
    useless = {Reason.OUT_OF_CREDITS, Reason.PROVIDER_BLOCKED}
    return job.halt is not None and job.halt.reason in useless
