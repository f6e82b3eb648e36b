"""Exports: the formats there are, and files that are written whole or not at all."""

import os
import secrets
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from headcount.adapters import writers
from headcount.adapters.writers import Contents
from headcount.core.errors import InvalidSetting, OperatorError
from headcount.core.model import Finding, Job
from headcount.core.report import Document, job_document
from headcount.core.rows import SHAPES, Shape, columns

PLAIN_WIDTH = 120  # characters, where no terminal says how wide it is
Found = AsyncIterator[tuple[Finding, int]]
"""Creators, each with the number of posts seen, as `Records.delivered` gives them."""


@dataclass(frozen=True, slots=True)
class Format:
    """A form in which creators are written, and the package it needs, if any."""

    media_type: str
    write: Callable[[Contents], AsyncGenerator[bytes, None]]
    needs: str | None = None


FORMATS: Mapping[str, Format] = {
    "table": Format("text/plain; charset=utf-8", writers.as_table),
    "csv": Format("text/csv; charset=utf-8", writers.as_csv),
    "jsonl": Format("application/jsonl", writers.as_jsonl),
    "json": Format("application/json", writers.as_json),
    "xlsx": Format(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        writers.as_xlsx,
        needs="xlsxwriter",
    ),
}
_FILES = tuple(name for name in FORMATS if name != "table")


def format_of(path: Path) -> str:
    """The format that a file's name asks for by its suffix.

    Raises:
        InvalidSetting: no format has this suffix, or its package is missing.
    """
    name = path.suffix.lower().removeprefix(".")
    if name not in _FILES:
        known = ", ".join(f".{name}" for name in _FILES)
        raise InvalidSetting(
            f"expected a file name that ends in one of {known}, not {path.name!r}"
        )
    check_format(name)
    return name


def check_format(name: str) -> Format:
    """The format of this name, once it is sure that it can be written here.

    Raises:
        InvalidSetting: no format has this name, or its package is missing.
    """
    form = FORMATS.get(name)
    if form is None:
        raise InvalidSetting(
            f"expected one of the formats {', '.join(FORMATS)}, not {name!r}"
        )
    if form.needs and find_spec(form.needs) is None:
        raise InvalidSetting(
            f"the format {name} needs the package {form.needs}: "
            "install it with: pip install 'headcount[exports]'"
        )
    return form


def stream(
    found: Found,
    *,
    job: Job,
    tracking: Document,
    fmt: str,
    shape: str = "rows",
    width: int = PLAIN_WIDTH,
) -> AsyncGenerator[bytes, None]:
    """Creators as the bytes of a format, in chunks of some 64 KiB.

    `tracking` is the job's `exact_count_tracking`, and `width` that of a table.

    Raises:
        InvalidSetting: at once, for a format or a shape that cannot be had.
        OperatorError: while it is read, if a workbook finds no room.
    """
    form, shaped = check_format(fmt), _shape(shape)
    rows = (shaped(job, finding, seen_in) async for finding, seen_in in found)
    names = columns(shaped, sandbox=job.sandbox)
    return _gathered(
        form.write(Contents(job_document(job), tracking, names, rows, width))
    )


async def export(
    rows: AsyncIterator[Document],
    *,
    job: Document,
    tracking: Document,
    fmt: str,
    shape: str = "rows",
    out: BinaryIO | Path,
) -> None:
    """Write creators to a stream, or to a file that is replaced only by a whole one.

    `rows` have the shape named, and `job` is the job's document.

    Raises:
        InvalidSetting: a format or a shape that cannot be had.
        OperatorError: the file cannot be written; the old one is as it was.
    """
    form, shaped = check_format(fmt), _shape(shape)
    width = PLAIN_WIDTH if isinstance(out, Path) else _width(out)
    names = columns(shaped, sandbox=bool(job["sandbox"]))
    chunks = _gathered(form.write(Contents(job, tracking, names, rows, width)))
    if isinstance(out, Path):
        with _replacing(out) as file:
            await _copy(chunks, file)
    else:
        await _copy(chunks, out)


def _shape(name: str) -> Shape:
    if name in SHAPES:
        return SHAPES[name]
    raise InvalidSetting(
        f"expected one of the shapes {', '.join(SHAPES)}, not {name!r}"
    )


def _width(out: BinaryIO) -> int:
    with suppress(OSError):  # also what a stream without a file number raises
        return os.get_terminal_size(out.fileno()).columns or PLAIN_WIDTH
    return PLAIN_WIDTH


async def _gathered(
    pieces: AsyncGenerator[bytes, None],
) -> AsyncGenerator[bytes, None]:
    """The same bytes in larger pieces: each one may be a system call."""
    chunk = bytearray()
    async with aclosing(pieces):
        async for piece in pieces:
            chunk += piece
            if len(chunk) >= writers.CHUNK:
                yield bytes(chunk)
                chunk.clear()
    if chunk:
        yield bytes(chunk)


async def _copy(chunks: AsyncGenerator[bytes, None], file: BinaryIO) -> None:
    async with aclosing(chunks):
        async for chunk in chunks:
            file.write(chunk)
    file.flush()


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of `path` once it is whole."""
    target = path.resolve()  # so that a link stays a link
    try:
        with _opened(target) as file:
            yield file
    except OSError as fault:
        raise OperatorError(
            f"cannot write {path}: {fault.strerror or fault}; what was there before "
            "is as it was: make room or allow it, or choose another file"
        ) from fault


@contextmanager
def _opened(target: Path) -> Iterator[BinaryIO]:
    if target.exists() and not target.is_file():  # a device or a pipe stays one
        with target.open("wb") as file:
            yield file
        return
    draft = target.with_name(f".headcount-{secrets.token_hex(8)}.tmp")
    try:
        with draft.open("xb") as file:
            yield file
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, draft)
        draft.replace(target)
    finally:
        with suppress(OSError):  # gone already where all went well
            draft.unlink()
