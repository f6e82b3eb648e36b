"""What a service tells about its work: lines on a terminal, JSON for machines.

Each line that is written while a job is worked on names the job, and the call where it
is about one; with traces, the span too.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import structlog

from headcount.acts import Act, Fetch, Send, Step, Write
from headcount.cli.views import LogLines
from headcount.client.documents import event_of
from headcount.core import report
from headcount.core.calls import CallState
from headcount.core.model import Change
from headcount.engine import Watch
from headcount.settings import Settings

_LOG = structlog.stdlib.get_logger("headcount")
_QUIET = ("httpx2", "httpcore2", "pgqueuer", "uvicorn.access", "alembic")


def set_up_logs(settings: Settings) -> None:
    """Write logs to stderr: for people on a terminal, else one JSON object a line."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        *_traced(settings),
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    people = sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer()
        if people
        else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *([] if people else [structlog.processors.format_exc_info]),
                renderer,
            ],
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)


def _traced(settings: Settings) -> list[structlog.typing.Processor]:
    """What names the span of a line, where there are spans."""
    if settings.traces_endpoint is None:
        return []
    try:
        from headcount.adapters.traces import trace_ids
    except ImportError:
        return []  # whoever opens the service is told what to install
    return [trace_ids]


class LogContext:
    """An observer that has every line name what it is about."""

    @contextmanager
    def during(self, act: Act) -> Iterator[None]:
        """Name the job, call or message of an act in all lines meanwhile."""
        with structlog.contextvars.bound_contextvars(**_named(act)):
            yield


def _named(act: Act) -> dict[str, object]:
    match act:
        case Step(job_id=job) | Write(job_id=job):
            return {"job": job}
        case Fetch(call=call):
            return {"call": call.id}
        case Send(job_id=job, message_id=message):
            return {"job": job, "message": message}
    return {}


def work_log() -> Watch:
    """What tells of the work: to people in the lines of `find`, else by fields."""
    return _ForPeople() if sys.stderr.isatty() else log_change


class _ForPeople:
    """The lines of each job that is worked on, with its id."""

    def __init__(self) -> None:
        self._lines: dict[str, LogLines] = {}

    def __call__(self, change: Change) -> None:
        """Tell of each call that came back, and where that leaves the job."""
        job, told = change.job, report.event(change)
        if told is None:
            return
        write = partial(_LOG.info, job=job.id)
        lines = self._lines.setdefault(job.id, LogLines(debug=False, write=write))
        lines(event_of(job.version, told[0], datetime.now(UTC), told[1]))
        if job.status.ended:
            _tell_status(change)
            del self._lines[job.id]


def log_change(change: Change) -> None:
    """Tell of each call that came back, and of how a job ended."""
    job = change.job
    for call in change.calls:
        if call.state is not CallState.OPEN:
            detail = report.call_detail(job, call)
            _LOG.info("call", job=job.id, call=call.id, **_short(detail))
    _tell_status(change)


def _tell_status(change: Change) -> None:
    job = change.job
    if job.status is not change.before.status:
        _LOG.info(
            f"job {job.status.value}",
            job=job.id,
            owner=job.label.owner,
            found=job.delivered,
            target=job.target,
            calls=job.charged,
            credits=job.credits,
            reason=job.outcome and job.outcome.reason and job.outcome.reason.value,
        )


def _short(detail: report.Document) -> report.Document:
    """The part of a call's details that says how it went."""
    names = ("keyword", "source", "cursor", "state", "itemsReceived", "newUnique")
    also = ("duplicates", "rejected", "credits", "durationMs", "error")
    return {name: detail[name] for name in (*names, *also)}
