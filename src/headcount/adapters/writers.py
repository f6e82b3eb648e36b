"""How creators are written: one async generator of bytes for each format.

Each takes the rows as they come, so that memory does not grow with their number.
"""

import asyncio
import csv
import io
import re
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from headcount.core.errors import OperatorError
from headcount.core.report import Document
from headcount.core.rows import disarm, flat

CHUNK = 65_536  # bytes
MOST_SHEET_ROWS = 1_048_576  # what Excel takes, with the header
_TIME_SHOWN = 'yyyy-mm-dd hh:mm:ss "UTC"'
_SHEET = {
    "constant_memory": True,
    "remove_timezone": True,  # Excel has none; the format says which it is
    "default_date_format": _TIME_SHOWN,
}
_EARLIEST = 1901  # Excel has nothing before 1900, and in that year a day too many
_TIMES = {"collectedAt", "video.postedAt"}
_WIDEST = 50  # characters that a column of a sheet shows at first
_SHOWN = 20  # rows of a table: what fits on a screen with what was said before
_WHERE_ROOM_IS = ("profileUrl", "verified", "creator.verified", "ordinal")
"""What a table leaves out, in this order, until a row fits on a line."""
_IN_TABLE = (
    "ordinal",
    "username",
    "creator.uniqueId",
    "name",
    "creator.name",
    "followers",
    "creator.followers",
    "verified",
    "creator.verified",
    "keyword",
    "video.plays",
    "video.statistics.play_count",
    "profileUrl",
)
_CUT = {"name", "creator.name", "keyword"}  # the rest is to be copied or clicked
_LONGEST_NAME = 24  # characters that a name may take from what could stand beside it
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")

Bytes = AsyncGenerator[bytes, None]


@dataclass(frozen=True, slots=True)
class Contents:
    """What is written: the job with its statistics, and its rows as they come.

    `columns` are the names of the flat cells of each row; `width` is how many
    characters a line of a table may have.
    """

    job: Document
    tracking: Document
    columns: tuple[str, ...]
    rows: AsyncIterator[Document]
    width: int


# ---------------------------------------------------------------- JSON
async def as_json(contents: Contents) -> Bytes:
    """One document: the job, its statistics, and a creator on each line."""
    encode = msgspec.json.encode
    yield b'{"job": ' + encode(contents.job)
    yield b',\n"exactCountTracking": ' + encode(contents.tracking)
    yield b',\n"creators": ['
    comma = b""
    async for row in contents.rows:
        yield comma + b"\n" + encode(row)
        comma = b","
    yield b"\n]}\n"


async def as_jsonl(contents: Contents) -> Bytes:
    """A creator on each line, and nothing else."""
    async for row in contents.rows:
        yield msgspec.json.encode(row) + b"\n"


# ---------------------------------------------------------------- CSV
class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


async def as_csv(contents: Contents) -> Bytes:
    """Comma-separated values as in RFC 4180, in UTF-8, with formulas disarmed."""
    line = csv.writer(_Echo(), lineterminator="\r\n").writerow
    yield line(contents.columns).encode()
    async for row in contents.rows:
        yield line(_text(disarm(cell)) for cell in flat(row).values()).encode()


def _text(cell: object) -> str:
    """A cell as text: empty where nothing is known, booleans as in JSON."""
    if cell is None:
        return ""
    return str(cell).lower() if isinstance(cell, bool) else str(cell)


# ---------------------------------------------------------------- XLSX
async def as_xlsx(contents: Contents) -> Bytes:
    """An Excel workbook with one sheet; ids stay text, and formulas are disarmed.

    Numbers, booleans and times (in UTC) are what they are, and no text.

    Raises:
        OperatorError: the disk is full, or there are more rows than Excel takes.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="headcount-") as folder:
            path = Path(folder, "creators.xlsx")
            await _fill(path, contents)
            for chunk in _chunks(path):
                yield chunk
    except (OSError, import_module("xlsxwriter.exceptions").XlsxFileError) as fault:
        raise OperatorError(
            f"cannot prepare the workbook among the temporary files: {fault}; "
            "make room there, or set TMPDIR to a directory with room"
        ) from fault


async def _fill(path: Path, contents: Contents) -> None:
    options = _SHEET | {"tmpdir": str(path.parent)}
    book: Any = import_module("xlsxwriter").Workbook(path, options)  # it has no types
    # The same creators make the same bytes, whenever they are written.
    book.set_properties(
        {"created": datetime.fromisoformat(str(contents.job["createdAt"]))}
    )
    sheet = book.add_worksheet("creators")
    sheet.freeze_panes(1, 0)
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{MOST_SHEET_ROWS}"})
    try:
        _put(sheet, 0, contents.columns)
        widths = [len(name) for name in contents.columns]
        number = 0
        async for row in contents.rows:
            number += 1
            cells = [_sheet_cell(name, cell) for name, cell in flat(row).items()]
            _put(sheet, number, cells)
            widths = list(map(max, widths, map(_width, cells)))
        for column, width in enumerate(widths):
            sheet.set_column(column, column, min(width, _WIDEST) + 1)
        await asyncio.to_thread(book.close)  # it compresses all that was written
    finally:
        with suppress(OSError):  # a workbook that is not closed leaves this open
            sheet.row_data_fh.close()


def _sheet_cell(name: str, cell: object) -> object:
    """What a sheet holds of a cell: times as such, and no formula."""
    if name in _TIMES and isinstance(cell, str):
        time = datetime.fromisoformat(cell)
        return time if time.year >= _EARLIEST else cell
    return disarm(cell)


def _width(cell: object) -> int:
    """How many characters a cell of a sheet shows."""
    return len(_TIME_SHOWN if isinstance(cell, datetime) else _text(cell))


def _put(sheet: Any, number: int, cells: Iterable[object]) -> None:  # noqa: ANN401 - no types
    """Write a row: each cell as what it is, and text never as anything else."""
    if number >= MOST_SHEET_ROWS:
        raise OperatorError(
            f"an Excel sheet has at most {MOST_SHEET_ROWS:,} rows: write CSV instead"
        )
    for column, cell in enumerate(cells):
        if isinstance(cell, str):
            sheet.write_string(number, column, cell)
        elif isinstance(cell, bool):
            sheet.write_boolean(number, column, cell)
        elif isinstance(cell, int | float):
            sheet.write_number(number, column, cell)
        elif isinstance(cell, datetime):
            sheet.write_datetime(number, column, cell)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


# ---------------------------------------------------------------- table
async def as_table(contents: Contents) -> Bytes:
    """A table for the eye: the first rows, and how many more there are."""
    shown: list[Document] = []
    more = 0
    async for row in contents.rows:
        if len(shown) < _SHOWN:
            shown.append(flat(row))
        else:
            more += 1
    names = [name for name in _IN_TABLE if name in contents.columns]
    if contents.job["sandbox"]:
        yield b"Sandbox: these creators are invented.\n"
    yield _drawn(_fitting(names, shown, contents.width), shown, contents.width).encode()
    if more:
        yield f"... and {more:,} more: use --out FILE\n".encode()


def _fitting(names: list[str], rows: list[Document], width: int) -> list[str]:
    """The columns that fit on a line, names cut to a length that tells them apart."""
    for name in _WHERE_ROOM_IS:
        room = [_room(other, rows) for other in names]
        short = [
            min(r, _LONGEST_NAME) for r, n in zip(room, names, strict=True) if n in _CUT
        ]
        whole = [r for r, n in zip(room, names, strict=True) if n not in _CUT]
        if sum(short) + sum(whole) > width and name in names:
            names = [other for other in names if other != name]
    return names


def _room(name: str, rows: list[Document]) -> int:
    """How many characters the cells of a column take, with the space beside them."""
    from rich.cells import cell_len  # noqa: PLC0415 - slow, and only tables need it

    cells = [_heading(name), *(_printable(row[name]) for row in rows)]
    return max(cell_len(cell) for cell in cells) + 2


def _heading(name: str) -> str:
    return name.rpartition(".")[2]


def _drawn(names: list[str], rows: list[Document], width: int) -> str:
    from rich import box  # noqa: PLC0415 - slow, and only tables need it
    from rich.console import Console  # noqa: PLC0415 - the same
    from rich.table import Table  # noqa: PLC0415 - the same
    from rich.text import Text  # noqa: PLC0415 - the same

    whole = sum(_room(name, rows) for name in names if name not in _CUT)
    cut = max(3, (width - whole) // max(1, len(_CUT & set(names))) - 2)
    table = Table(box=box.SIMPLE_HEAD, collapse_padding=True, show_edge=False)
    for name in names:
        counts = any(_is_count(row[name]) for row in rows)
        table.add_column(
            _heading(name),
            justify="right" if counts else "left",
            overflow="ellipsis",
            no_wrap=True,
            min_width=None if name in _CUT else _room(name, rows) - 2,
            max_width=cut if name in _CUT else None,
        )
    for row in rows:
        # A Text is printed as it is, where a string would be read as markup.
        table.add_row(*(Text(_printable(row[name])) for name in names))
    page = io.StringIO()
    Console(file=page, width=width, color_system=None).print(table)
    return page.getvalue()


def _is_count(cell: object) -> bool:
    return isinstance(cell, int) and not isinstance(cell, bool)


def _printable(cell: object) -> str:
    """A cell for the eye; a terminal obeys control characters, so they go."""
    if isinstance(cell, bool):
        return "✓" if cell else ""
    return f"{cell:,}" if _is_count(cell) else _CONTROL.sub(" ", _text(cell))
