"""How a command ends: the exit codes, and the one line that an error gets."""

import functools
import os
import sys
from collections.abc import Callable, Coroutine
from enum import IntEnum
from typing import Any, ParamSpec, TypeVar

import typer

from headcount.core.errors import HeadcountError, UsageError
from headcount.core.model import Job, Reason, Status

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


def exit_of(job: Job) -> Exit:
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
        try:
            code = command(*args, **kwargs)
            sys.stdout.flush()
        except HeadcountError as error:
            typer.echo(f"Error: {error}", err=True)
            usage = isinstance(error, UsageError)
            raise typer.Exit(Exit.USAGE if usage else Exit.MACHINE) from None
        except (KeyboardInterrupt, typer.Abort):
            typer.echo("Interrupted.", err=True)
            raise typer.Exit(Exit.INTERRUPTED) from None
        except BrokenPipeError:  # whoever reads has seen enough
            _abandon_output()
            raise typer.Exit(Exit.EXACT) from None
        except OSError as error:
            _abandon_output()
            typer.echo(f"Error: cannot write the output: {error.strerror}", err=True)
            raise typer.Exit(Exit.MACHINE) from None
        raise typer.Exit(code or Exit.EXACT)

    return wrapper


def _abandon_output() -> None:
    """Let what could not be written go, or Python tries once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def finish(work: Coroutine[Any, Any, T]) -> T:
    """Run what a command does to its end."""
    import asyncio

    return asyncio.run(work)
