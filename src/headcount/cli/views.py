"""What a user sees while a job is worked on: a live bar, log lines, or nothing."""

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol

import typer

from headcount.core.calls import Call, CallState
from headcount.core.forecast import calls_remaining, forecast
from headcount.core.model import Change, Job, Status
from headcount.core.report import percent, progress
from headcount.core.sighting import Verdict

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live


class View(Protocol):
    """Shows a job: it is called with every change while `showing` is open."""

    def __call__(self, change: Change) -> None:
        """Show what has changed."""
        ...

    def showing(self, job: Job) -> AbstractContextManager[None]:
        """Show the job while the block runs."""
        ...

    def say(self, text: str) -> None:
        """Say something beside the job."""
        ...


def open_view(*, quiet: bool, debug: bool) -> View:
    """The view that fits: a live bar on a terminal, otherwise log lines."""
    if quiet:
        return Silence()
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal and not debug:
        return LiveBar()
    return LogLines(debug=debug)


class Silence:
    """Shows nothing."""

    def __call__(self, change: Change) -> None:
        """Nothing."""

    @contextmanager
    def showing(self, job: Job) -> Iterator[None]:  # noqa: ARG002 - as the port has it
        """Nothing."""
        yield

    def say(self, text: str) -> None:
        """Nothing."""


class LogLines:
    """Log lines for files and pipes; with `debug`, the new ids of each call too."""

    def __init__(self, *, debug: bool) -> None:
        self._debug = debug

    @contextmanager
    def showing(self, job: Job) -> Iterator[None]:
        """Begin with the target."""
        world = " (sandbox)" if job.sandbox else ""
        _say(f"🎯 [EXACT-COUNT] Target: {job.target} creators{world}")
        self._warn(job)
        yield

    def __call__(self, change: Change) -> None:
        """Tell of each call that has come back, and where that leaves the job."""
        job = change.job
        closed = [call for call in change.calls if call.closed_at]
        for call in closed:
            self._call(change, call)
        if any(call.state is CallState.SETTLED for call in closed):
            share = percent(job.delivered, job.target)
            _say(f"📊 [PROGRESS] {job.delivered}/{job.target} ({share}) complete")
            if job.missing and job.status is Status.PROCESSING:
                _say(f"🔄 [CONTINUE] Need {many(job.missing, 'more creator')}...")
                if not out_of_reach(change.before):
                    self._warn(job)
        if job.status is Status.COMPLETED and change.before.status is not job.status:
            _say(f"✅ [DONE] Exactly {job.delivered} creators")

    def _warn(self, job: Job) -> None:
        for warning in out_of_reach(job):
            _say(f"⚠️  [OUT OF REACH] {warning}")

    def _call(self, change: Change, call: Call) -> None:
        keyword = change.job.source(call.source).keyword
        if call.state is not CallState.SETTLED:
            fate = call.error or "given up"
            _say(f"⚠️  [NO PAGE] Cursor: {call.cursor} Keyword: {keyword}: {fate}")
            return
        _say(f"📡 [API CALL #{call.number}] Cursor: {call.cursor} Keyword: {keyword}")
        _say(f"   ✅ Received: {call.items} items")
        _say(f"   ✨ New unique: {call.new} creators")
        _say(f"   🔁 Duplicates: {call.duplicates}")
        if call.rejected:
            _say(f"   🚫 Rejected by filters: {call.rejected}")
        if self._debug:
            self._details(change, call)

    def _details(self, change: Change, call: Call) -> None:
        new = [
            finding.sighting.id
            for finding in change.findings
            if finding.call == call.id and finding.verdict is Verdict.QUALIFIED
        ]
        _say(
            f"   [DEBUG] uniqueIds: {new} duplicates: {call.duplicates} "
            f"responseSize: {call.size} durationMs: {call.duration_ms} "
            f"attempts: {call.attempts} credits: {call.credits}"
        )

    def say(self, text: str) -> None:
        """Say it on a line of its own."""
        _say(text)


class LiveBar:
    """A bar and a line of numbers that keep themselves up to date on a terminal."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._started = time.monotonic()
        self._calls_before = 0

    @contextmanager
    def showing(self, job: Job) -> Iterator[None]:
        """Draw the bar while the block runs."""
        from rich.console import Console
        from rich.live import Live

        self._started, self._calls_before = time.monotonic(), job.charged
        with Live(self._picture(job), console=Console(stderr=True)) as self._live:
            yield
        self._live = None

    def __call__(self, change: Change) -> None:
        """Move the bar on."""
        job, live = change.job, self._live
        if live is None:
            return
        for call in change.calls:
            if call.error:
                keyword = job.source(call.source).keyword
                live.console.print(
                    f"{keyword}: {call.error}", markup=False, style="dim"
                )
        live.update(self._picture(job))

    def say(self, text: str) -> None:
        """Say it above the bar, which would otherwise be drawn over it."""
        if self._live is None:
            _say(text)
        else:
            self._live.console.print(text, markup=False)

    def _picture(self, job: Job) -> "RenderableType":
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        numbers = progress(job)
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            "sandbox" if job.sandbox else job.search.platform,
            ProgressBar(total=job.target, completed=job.delivered, width=40),
            Text(f"{job.delivered}/{job.target}", style="bold"),
            str(numbers["progress"]),
        )
        parts = [
            many(job.charged, "call"),
            many(job.duplicates, "duplicate"),
            f"{numbers['averagePerCall']}/call",
            *self._forecast(job),
            many(job.credits, "credit"),
        ]
        lines = [" · ".join(parts), *out_of_reach(job)]
        return Group(
            bar, *(Text(line, no_wrap=True, overflow="ellipsis") for line in lines)
        )

    def _forecast(self, job: Job) -> list[str]:
        calls = calls_remaining(job)
        made = job.charged - self._calls_before
        if not calls:
            return []
        if not made:
            return [f"~{calls} to go"]
        seconds = (time.monotonic() - self._started) / made * calls
        return [f"~{calls} to go", f"~{_span(seconds)} left"]


def out_of_reach(job: Job) -> list[str]:
    """One line where what was seen says that the sources hold too few, else none."""
    ahead = forecast(job)
    if not job.pages or not ahead.out_of_reach:
        return []
    found = f"about {ahead.reach.expected:,} of {job.target:,}"
    return [f"{job.target:,} is out of reach with these keywords: {found}"]


def many(number: int, word: str) -> str:
    """A number of things, in words."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def _span(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _say(line: str) -> None:
    typer.echo(line, err=True)
