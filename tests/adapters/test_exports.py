"""Exports read back: what was written is what was found, whole or not at all."""

import csv
import errno
import io
import json
import resource
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from builders import NOON, a_job, a_sighting
from jsonschema import Draft202012Validator
from openpyxl import load_workbook
from openpyxl.cell import Cell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from headcount.adapters import exports
from headcount.adapters.exports import (
    FORMATS,
    Found,
    check_format,
    format_of,
    stream,
)
from headcount.adapters.writers import MOST_SHEET_ROWS, _put
from headcount.core.errors import InvalidSetting, OperatorError, StoreError
from headcount.core.model import Finding, Job
from headcount.core.report import Document, exact_count_tracking, job_document
from headcount.core.rows import SHAPES, columns, row
from headcount.core.sighting import Sighting, Verdict

JOB = a_job("tea")
SANDBOX = replace(JOB, search=replace(JOB.search, provider="sandbox/42"))
FILE_FORMATS = ("csv", "jsonl", "json", "xlsx")
NAMES = ["مثال تجريبي", "דוגמה", "🍵👩🏽‍🍳 tea", 'quoted "name", twice', "two\r\nlines"]


def finding(sighting: Sighting, ordinal: int = 1) -> Finding:
    return Finding(
        number=ordinal,
        key=sighting.key,
        verdict=Verdict.QUALIFIED,
        sighting=sighting,
        source=1,
        call=1,
        found_at=NOON,
        ordinal=ordinal,
    )


async def found(*sightings: Sighting) -> Found:
    """These creators as a store reads them, each seen in two posts."""
    for ordinal, sighting in enumerate(sightings, start=1):
        yield finding(sighting, ordinal), 2


async def many(number: int) -> Found:
    """The same creator, again and again, without keeping any."""
    sighting = a_sighting()
    for ordinal in range(1, number + 1):
        yield finding(sighting, ordinal), 1


async def broken_off() -> Found:
    yield finding(a_sighting()), 1
    raise StoreError("the store went away")


async def export(
    creators: Found,
    *,
    job: Job,
    tracking: Document,
    fmt: str,
    out: BinaryIO | Path,
    shape: str = "rows",
) -> None:
    """Write creators as the command line does, which has them as rows."""
    await exports.export(
        (SHAPES[shape](job, finding, seen_in) async for finding, seen_in in creators),
        job=job_document(job),
        tracking=tracking,
        fmt=fmt,
        shape=shape,
        out=out,
    )


async def exported(
    creators: Found, *, fmt: str, shape: str = "rows", job: Job = JOB
) -> bytes:
    out = io.BytesIO()
    await export(
        creators, job=job, tracking=tracking(job), fmt=fmt, shape=shape, out=out
    )
    return out.getvalue()


def tracking(job: Job) -> Document:
    return exact_count_tracking(job, [])


def lines_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def cells_of(data: bytes) -> list[tuple[Any, ...]]:
    return [tuple(c.value for c in line) for line in sheet_of(data).iter_rows()]


def sheet_of(data: bytes) -> Worksheet:
    sheet = load_workbook(io.BytesIO(data)).active
    assert isinstance(sheet, Worksheet)
    return sheet


# ---------------------------------------------------------------- formats
@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.csv", "csv"), ("a.JSON", "json"), ("a.b.jsonl", "jsonl"), ("a.xlsx", "xlsx")],
)
def test_a_file_name_tells_its_format(name: str, expected: str) -> None:
    assert format_of(Path(name)) == expected


@pytest.mark.parametrize("name", ["a.pdf", "a", "a.table", ".csv"])
def test_an_unknown_suffix_is_told_the_formats_there_are(name: str) -> None:
    with pytest.raises(InvalidSetting, match=r"\.csv, \.jsonl, \.json, \.xlsx"):
        format_of(Path(name))


def test_an_unknown_format_or_shape_is_told_before_anything_is_read() -> None:
    with pytest.raises(InvalidSetting, match="table, csv, jsonl, json, xlsx"):
        stream(found(), job=JOB, tracking={}, fmt="pdf")
    with pytest.raises(InvalidSetting, match="rows, guide"):
        stream(found(), job=JOB, tracking={}, fmt="csv", shape="round")


def test_without_its_package_a_workbook_says_what_to_install() -> None:
    code = (
        "import sys; from pathlib import Path; sys.modules['xlsxwriter'] = None\n"
        "from headcount.adapters.exports import format_of\n"
        "try: format_of(Path('a.xlsx'))\n"
        "except Exception as told: print(type(told).__name__, told)"
    )

    told = subprocess.run(  # noqa: S603 - this very interpreter, and our own text
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert told.startswith("InvalidSetting the format xlsx needs")
    assert "headcount[exports]" in told


def test_the_libraries_of_the_formats_are_imported_only_when_needed() -> None:
    code = (
        "import sys, headcount.adapters.exports\n"
        "print([name for name in ('rich', 'xlsxwriter') if name in sys.modules])"
    )

    told = subprocess.run(  # noqa: S603 - this very interpreter, and our own text
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert told.strip() == "[]"


@pytest.mark.parametrize("fmt", FORMATS)
def test_every_format_has_a_media_type(fmt: str) -> None:
    assert "/" in check_format(fmt).media_type


# ---------------------------------------------------------------- round trips
async def test_csv_gives_back_what_was_written() -> None:
    creators = [replace(a_sighting(i), name=name) for i, name in enumerate(NAMES)]

    data = await exported(found(*creators), fmt="csv")

    lines = lines_of(data)
    assert [line["name"] for line in lines] == NAMES
    assert lines[0]["video.plays"] == "5000"
    assert lines[0]["verified"] == "false"
    assert lines[0]["profileUrl"] == ""
    assert data.startswith(b"ordinal,platform,id,username,")
    assert data.count(b"\r\n") == 1 + len(NAMES) + 1  # one more within a name


async def test_json_gives_back_what_was_written_and_obeys_the_schema() -> None:
    creators = [replace(a_sighting(i), name=name) for i, name in enumerate(NAMES)]
    schema = json.loads(files("headcount").joinpath("schema.json").read_bytes())

    document = json.loads(await exported(found(*creators), fmt="json"))

    assert [creator["name"] for creator in document["creators"]] == NAMES
    assert document["creators"][0] == row(JOB, finding(creators[0]), 2)
    assert document["job"]["id"] == JOB.id
    assert document["exactCountTracking"] == tracking(JOB)
    Draft202012Validator(schema).validate(document)


async def test_jsonl_has_one_creator_on_each_line() -> None:
    creators = [replace(a_sighting(i), name=name) for i, name in enumerate(NAMES)]

    lines = (await exported(found(*creators), fmt="jsonl")).splitlines()

    assert [json.loads(line)["name"] for line in lines] == NAMES


async def test_a_workbook_gives_back_what_was_written_with_ids_as_text() -> None:
    long_id = replace(a_sighting(), id="7000000000000000001", name="🍵 مثال")

    header, first = cells_of(await exported(found(long_id), fmt="xlsx"))

    cells = dict(zip(header, first, strict=True))
    assert cells["id"] == "7000000000000000001"
    assert cells["name"] == "🍵 مثال"
    assert cells["followers"] == 1_200
    assert cells["verified"] is False
    assert cells["profileUrl"] is None


def posted(time: datetime | None) -> Sighting:
    sighting = a_sighting()
    return replace(sighting, video=replace(sighting.video, posted_at=time))


@pytest.mark.parametrize("shape", SHAPES)
async def test_times_in_a_workbook_are_times_in_utc(shape: str) -> None:
    sheet = sheet_of(await exported(found(posted(NOON)), fmt="xlsx", shape=shape))

    header, first = sheet.iter_rows()
    times = {
        head.value: (cell.value, cell.number_format)
        for head, cell in zip(header, first, strict=True)
        if isinstance(cell, Cell) and cell.is_date
    }
    noon = (NOON.replace(tzinfo=None), 'yyyy-mm-dd hh:mm:ss "UTC"')
    names = ["collectedAt", "video.postedAt"] if shape == "rows" else ["collectedAt"]
    assert times == dict.fromkeys(names, noon)


async def test_a_time_that_excel_does_not_know_stays_text() -> None:
    times = [None, datetime(1900, 12, 31, tzinfo=UTC), datetime(1901, 1, 1, tzinfo=UTC)]

    header, *lines = cells_of(await exported(found(*map(posted, times)), fmt="xlsx"))

    column = header.index("video.postedAt")
    assert [line[column] for line in lines] == [
        None,
        "1900-12-31T00:00:00.000Z",
        datetime(1901, 1, 1),  # noqa: DTZ001 - a sheet has no zones
    ]


async def test_a_workbook_keeps_its_header_in_view_and_its_columns_wide_enough() -> (
    None
):
    wordy = replace(a_sighting(), name="n" * 30, profile_url="https://" + "x" * 90)

    sheet = sheet_of(await exported(found(a_sighting(), wordy), fmt="xlsx"))

    header, *_ = sheet.iter_rows()
    wide = {
        str(head.value): sheet.column_dimensions[get_column_letter(place)].width
        for place, head in enumerate(header, start=1)
    }
    assert sheet.freeze_panes == "A2"
    assert 31 <= wide["name"] < 33
    assert 51 <= wide["profileUrl"] < 53
    assert wide["ordinal"] >= len("ordinal")


@pytest.mark.parametrize("fmt", ["json", "jsonl"])
async def test_the_shape_of_the_guide_can_be_asked_for(fmt: str) -> None:
    data = await exported(found(a_sighting()), fmt=fmt, shape="guide")

    told = json.loads(data)
    creator = told["creators"][0] if fmt == "json" else told
    assert creator["creator"]["uniqueId"] == "invented_1"
    assert creator["video"]["statistics"]["play_count"] == 5_000


async def test_flat_formats_take_the_shape_of_the_guide_too() -> None:
    (line,) = lines_of(await exported(found(a_sighting()), fmt="csv", shape="guide"))

    assert line["creator.uniqueId"] == "invented_1"
    assert line["video.statistics.play_count"] == "5000"


@pytest.mark.parametrize("shape", SHAPES)
async def test_an_export_of_nobody_is_still_a_whole_file(shape: str) -> None:
    header = columns(SHAPES[shape], sandbox=False)

    written = {
        fmt: await exported(found(), fmt=fmt, shape=shape) for fmt in FILE_FORMATS
    }

    assert written["csv"] == ",".join(header).encode() + b"\r\n"
    assert written["jsonl"] == b""
    assert json.loads(written["json"])["creators"] == []
    assert cells_of(written["xlsx"]) == [header]


def test_more_rows_than_a_sheet_takes_are_refused_rather_than_dropped() -> None:
    with pytest.raises(OperatorError, match="at most 1,048,576 rows: write CSV"):
        _put(None, MOST_SHEET_ROWS, [])


async def test_every_export_of_a_sandbox_job_says_so() -> None:
    written = {
        fmt: await exported(found(a_sighting()), fmt=fmt, job=SANDBOX)
        for fmt in FORMATS
    }

    assert lines_of(written["csv"])[0]["sandbox"] == "true"
    assert json.loads(written["jsonl"])["sandbox"] is True
    assert json.loads(written["json"])["job"]["sandbox"] is True
    assert [line[-1] for line in cells_of(written["xlsx"])] == ["sandbox", True]
    assert "Sandbox: these creators" in written["table"].decode()


@pytest.mark.parametrize("fmt", ["csv", "xlsx"])
async def test_a_spreadsheet_gets_no_formula(fmt: str) -> None:
    hostile = replace(a_sighting(), name='=cmd|"/c calc"!A1', hashtags=("+1", "tea"))

    data = await exported(found(hostile), fmt=fmt)

    cells = list(csv.reader(io.StringIO(data.decode()))) if fmt == "csv" else []
    header, first = cells or cells_of(data)
    told = dict(zip(header, first, strict=True))
    assert told["name"] == '\'=cmd|"/c calc"!A1'
    assert told["hashtags"] == "'+1 tea"
    assert told["followers"] in {"1200", 1_200}


# ---------------------------------------------------------------- table
async def test_a_table_shows_names_as_they_are_written() -> None:
    hostile = replace(a_sighting(), name="[bold]x[/nothing]\x1b[2J")

    table = (await exported(found(hostile), fmt="table")).decode()

    assert "[bold]x[/nothing]" in table
    assert "\x1b" not in table
    assert "1,200" in table
    assert all(len(line) <= 120 for line in table.splitlines())


async def test_a_table_shows_twenty_and_says_how_many_more_there_are() -> None:
    twenty = (await exported(many(20), fmt="table")).decode()
    more = (await exported(many(1_251), fmt="table")).decode()

    assert twenty.count("invented_1") == 20
    assert "more" not in twenty
    assert more.count("invented_1") == 20
    assert more.endswith("... and 1,231 more: use --out FILE\n")


async def test_a_table_keeps_addresses_whole_where_there_is_room() -> None:
    address = "https://www.tiktok.invalid/@a_rather_long_username"
    named = replace(a_sighting(), name="many words " * 9, profile_url=address)

    table = [
        chunk.decode()
        async for chunk in stream(
            found(named), job=JOB, tracking={}, fmt="table", width=140
        )
    ]

    assert address in "".join(table)


async def test_a_table_fits_the_width_it_is_given() -> None:
    table = [
        chunk.decode()
        async for chunk in stream(
            found(a_sighting()), job=JOB, tracking={}, fmt="table", width=60
        )
    ]

    assert all(len(line) <= 60 for line in "".join(table).splitlines())


@pytest.mark.parametrize("width", [70, 80, 100, 120, 140, 200])
async def test_a_creator_takes_one_line_of_a_table(width: int) -> None:
    long = [
        replace(
            a_sighting(),
            username=f"invented_{number}_of_many",
            name="a name that goes on and on " * 3,
            profile_url="https://www.tiktok.invalid/@" + "x" * 60,
        )
        for number in range(5)
    ]

    table = "".join(
        [
            chunk.decode()
            async for chunk in stream(
                found(*long), job=JOB, tracking={}, fmt="table", width=width
            )
        ]
    )

    lines = table.splitlines()
    assert len(lines) == 2 + 5
    assert all(f"invented_{n}_of_many" in lines[2 + n] for n in range(5))
    assert ("https://" in table) is (width == 200)


async def test_a_table_of_nobody_is_its_header() -> None:
    table = (await exported(found(), fmt="table")).decode()

    assert "username" in table
    assert "more" not in table


async def test_a_table_of_the_guide_shows_its_names() -> None:
    table = (await exported(found(a_sighting()), fmt="table", shape="guide")).decode()

    assert "uniqueId" in table
    assert "invented_1" in table


# ---------------------------------------------------------------- files
def is_device(path: Path) -> bool:
    return path.is_char_device()


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


async def to_file(creators: Found, path: Path) -> None:
    fmt = format_of(path)
    await export(creators, job=JOB, tracking=tracking(JOB), fmt=fmt, out=path)


@pytest.mark.parametrize("fmt", FILE_FORMATS)
async def test_a_file_holds_what_the_stream_does(fmt: str, tmp_path: Path) -> None:
    path = tmp_path / f"creators.{fmt}"

    await to_file(found(a_sighting()), path)

    assert path.read_bytes() == await exported(found(a_sighting()), fmt=fmt)
    assert files_in(tmp_path) == [path]


@pytest.mark.parametrize("fmt", FILE_FORMATS)
async def test_an_export_that_breaks_off_leaves_the_old_file(
    fmt: str, tmp_path: Path
) -> None:
    path = tmp_path / f"creators.{fmt}"
    path.write_text("the old ones")

    with pytest.raises(StoreError):
        await to_file(broken_off(), path)

    assert path.read_text() == "the old ones"
    assert files_in(tmp_path) == [path]


async def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "creators.csv"
    path.touch()
    path.chmod(0o640)

    await to_file(found(a_sighting()), path)

    assert path.stat().st_mode & 0o777 == 0o640
    assert path.read_bytes()


async def test_a_link_stays_a_link(tmp_path: Path) -> None:
    path, link = tmp_path / "creators.csv", tmp_path / "latest.csv"
    link.symlink_to(path)

    await to_file(found(a_sighting()), link)

    assert link.is_symlink()
    assert path.read_bytes().startswith(b"ordinal,")


async def test_a_device_is_written_to_and_not_replaced() -> None:
    device = Path("/dev/null")

    await export(found(a_sighting()), job=JOB, tracking={}, fmt="csv", out=device)

    assert is_device(device)


@pytest.mark.parametrize("place", ["missing/a.csv", "file/a.csv", "folder.csv"])
async def test_a_place_that_cannot_be_written_is_one_clear_line(
    place: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a directory")
    (tmp_path / "folder.csv").mkdir()
    before = files_in(tmp_path)

    with pytest.raises(
        OperatorError, match=r"^cannot write .*: .* directory; "
    ) as told:
        await to_file(found(a_sighting()), tmp_path / place)

    assert "\n" not in str(told.value)
    assert files_in(tmp_path) == before


@pytest.fixture
def no_room() -> Iterator[None]:
    """No file may grow beyond a thousand bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("no_room")
@pytest.mark.parametrize("fmt", FILE_FORMATS)
async def test_a_full_disk_is_one_clear_line_and_leaves_the_old_file(
    fmt: str, tmp_path: Path
) -> None:
    path = tmp_path / f"creators.{fmt}"
    path.write_text("the old ones")

    with pytest.raises(OperatorError, match="File too large") as told:
        await to_file(many(500), path)

    assert "\n" not in str(told.value)
    assert path.read_text() == "the old ones"
    assert files_in(tmp_path) == [path]


async def test_a_full_device_is_told_as_well() -> None:
    full = Path("/dev/full")

    with pytest.raises(OperatorError, match="No space left on device"):
        await export(many(1), job=JOB, tracking={}, fmt="csv", out=full)


async def test_what_a_stream_refuses_is_left_to_its_owner() -> None:
    with pytest.raises(BrokenPipeError):
        await export(found(), job=JOB, tracking={}, fmt="csv", out=ClosedPipe())


class ClosedPipe(io.BytesIO):
    """A stream whose reader has gone."""

    def write(self, _: object) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


# ---------------------------------------------------------------- memory
class Sink(io.BytesIO):
    """A stream that only counts."""

    size = 0

    def write(self, data: object) -> int:
        assert isinstance(data, bytes)
        self.size += len(data)
        return len(data)


@pytest.mark.parametrize(
    ("fmt", "number"),
    [
        ("csv", 20_000),
        ("jsonl", 20_000),
        ("json", 20_000),
        ("table", 20_000),
        ("xlsx", 5_000),
    ],
)
async def test_memory_does_not_grow_with_the_number_of_rows(
    fmt: str, number: int
) -> None:
    await exported(many(1), fmt=fmt)  # what is imported only once does not count
    sink = Sink()
    tracemalloc.start()

    try:
        await export(many(number), job=JOB, tracking={}, fmt=fmt, out=sink)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 2_000_000
    assert fmt == "table" or sink.size > number * 50


async def test_a_stream_comes_in_chunks_rather_than_in_rows() -> None:
    chunks = [
        len(chunk)
        async for chunk in stream(many(5_000), job=JOB, tracking={}, fmt="jsonl")
    ]

    assert len(chunks) < sum(chunks) / 60_000
    assert min(chunks[:-1]) >= 65_536
