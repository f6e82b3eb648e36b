"""Where the creators of a job go: to standard output or a file, in a format."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from headcount.adapters.exports import FORMATS, check_format, export, format_of
from headcount.cli.desk import Desk
from headcount.cli.options import Place, Shape
from headcount.client.documents import JobDocument, JobSheet, document_of
from headcount.core.errors import InvalidSetting, OperatorError

_JOB_NAMES = tuple(field.encode_name for field in msgspec.structs.fields(JobDocument))


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where the creators go, and in what form."""

    out: Path | None
    form: str
    shape: str

    @classmethod
    def to(cls, place: Place) -> "Delivery":
        """Settle the form: as asked, else by the file's suffix, else by who reads.

        Raises:
            InvalidSetting: the suffix names no format, or its package is missing.
            OperatorError: nothing can be written there.
        """
        out, form, shape = place.out, place.format_, place.shape
        if form is not None:
            check_format(form.value)
        suffix = out.suffix.lower().removeprefix(".") if out is not None else ""
        if form is not None and suffix in FORMATS and suffix != form.value:
            raise InvalidSetting(
                f"--format {form.value} contradicts the name {out}: drop the one or "
                "change the other"
            )
        if out is not None:
            chosen = format_of(out) if form is None else form.value
            _check_place(out)
            return cls(out, chosen, shape.value)
        if sys.stdout is None:  # it was closed from the start
            raise OperatorError(
                "cannot write to standard output, which is closed: "
                "name a file by --out FILE"
            )
        if form is not None:
            return cls(out, form.value, shape.value)
        if shape is Shape.GUIDE:
            return cls(out, "json", shape.value)
        return cls(out, "table" if sys.stdout.isatty() else "csv", shape.value)


def _check_place(out: Path) -> None:
    """Refuse a place where no file can be made before anything is paid for."""
    folder = out.resolve().parent
    if out.is_dir():
        raise OperatorError(f"cannot write {out}: it is a directory: name a file in it")
    if not folder.is_dir():
        raise OperatorError(
            f"cannot write {out}: there is no directory {folder}: "
            "make it, or choose another file"
        )
    if not os.access(folder, os.W_OK):
        raise OperatorError(
            f"cannot write {out}: {folder} does not allow it: choose another file"
        )


async def deliver(desk: Desk, job: JobSheet, delivery: Delivery) -> None:
    """Write the delivered creators of a job."""
    sheet = document_of(job)
    await export(
        desk.creators(job.id, delivery.shape),
        job={name: sheet[name] for name in _JOB_NAMES},
        tracking=document_of(job.exact_count_tracking),
        fmt=delivery.form,
        shape=delivery.shape,
        out=delivery.out or sys.stdout.buffer,
    )
