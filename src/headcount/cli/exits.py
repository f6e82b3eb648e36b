"""How a command ends: the exit codes, and the one line that an error gets."""

import errno
import functools
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, redirect_stderr
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ParamSpec, TextIO, TypeVar, cast

import typer

from headcount.core.errors import HeadcountError, UsageError
from headcount.core.model import Reason, Status

if TYPE_CHECKING:
    from headcount.client.documents import JobDocument

P = ParamSpec("P")
T = TypeVar("T")


class Exit(IntEnum):
    """What a script may rely on."""

    EXACT = 0
    MACHINE = 1  # the store, the disk, or a defect of ours
    USAGE = 2
    PARTIAL = 3
    REFUSED = 4
    INTERRUPTED = 130
    UNREAD = 141  # as of a program that SIGPIPE has ended


def exit_of(job: "JobDocument") -> Exit:
    """The exit code that tells how a job stands."""
    if job.status is Status.COMPLETED:
        return Exit.EXACT
    if job.status is Status.FAILED:
        return Exit.MACHINE
    if job.status is Status.PAUSED:
        return Exit.INTERRUPTED
    blocked = job.outcome and job.outcome.reason is Reason.PROVIDER_BLOCKED
    return Exit.REFUSED if blocked else Exit.PARTIAL


def told(command: Callable[P, int | None]) -> Callable[P, None]:
    """Let a command's errors end as one clear line and the right exit code."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        with redirect_stderr(cast("TextIO", _Aside(sys.stderr))):
            code = _code_of(functools.partial(command, *args, **kwargs))
        raise typer.Exit(code)

    return wrapper


def _code_of(command: Callable[[], int | None]) -> int:
    """Run a command to its end, and tell what went wrong."""
    try:
        code = command()
        if sys.stdout is not None:  # it was not closed from the start
            sys.stdout.flush()
    except HeadcountError as error:
        typer.echo(f"Error: {error}", err=True)
        return Exit.USAGE if isinstance(error, UsageError) else Exit.MACHINE
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("Interrupted.", err=True)
        return Exit.INTERRUPTED
    except BrokenPipeError:  # whoever reads has seen enough
        abandon(sys.stdout)
        return Exit.UNREAD
    except OSError as error:
        act = f"use {error.filename}"
        if error.filename is None:
            act = "write the output"
            abandon(sys.stdout)
        typer.echo(f"Error: cannot {act}: {error.strerror or error}", err=True)
        return Exit.MACHINE
    return code or Exit.EXACT


class _Aside:
    """Standard error, whose reader may go away: no work is harmed by that."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            abandon(self._stream)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            abandon(self._stream)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a stream has
        return getattr(self._stream, name)


def print_data(data: str) -> None:
    """Print data.

    Raises:
        OSError: nobody can read it; a `BrokenPipeError` where the reader has left.
    """
    if sys.stdout is None:  # it was closed from the start
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    typer.echo(data)


@contextmanager
def whoever_reads() -> Iterator[None]:
    """A reader who has seen enough does not change how the command ends."""
    try:
        yield
    except BrokenPipeError:
        abandon(sys.stdout)


def abandon(stream: TextIO | None) -> None:
    """Let what could not be written go, or Python tries once more when it ends."""
    if stream is None:
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Run what a command does to its end."""
    try:
        import asyncio

        return asyncio.run(work)
    finally:
        work.close()  # where Ctrl-C came before it began
