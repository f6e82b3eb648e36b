"""What a user sees while a job is worked on: a live bar, log lines, or nothing."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import zip_longest
from typing import TYPE_CHECKING, Protocol

import typer

from headcount.client.documents import (
    CallDetail,
    JobDocument,
    JobEvent,
    News,
    RestDocument,
)
from headcount.core.calls import CallState
from headcount.core.model import Status

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

NewIds = Sequence[Sequence[str]]
"""For each call just closed, the creators new by it; empty where nobody here knows."""


class View(Protocol):
    """Shows a job: it is called with every event while `showing` is open."""

    def __call__(self, event: JobEvent, new_ids: NewIds = ()) -> None:
        """Show what has happened."""
        ...

    def showing(self, job: JobDocument) -> AbstractContextManager[None]:
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

    def __call__(self, event: JobEvent, new_ids: NewIds = ()) -> None:
        """Nothing."""

    @contextmanager
    def showing(self, job: JobDocument) -> Iterator[None]:  # noqa: ARG002 - as the port has it
        """Nothing."""
        yield

    def say(self, text: str) -> None:
        """Nothing."""


class Remarks(Silence):
    """Shows nothing of the job, and says what is said beside it."""

    def say(self, text: str) -> None:
        """Say it on a line of its own."""
        _say(text)


class LogLines:
    """Log lines for files and pipes; with `debug`, the new ids of each call too.

    `write` takes each line; by default it goes to stderr.
    """

    def __init__(
        self, *, debug: bool, write: Callable[[str], object] | None = None
    ) -> None:
        self._debug, self._write = debug, write or _say
        self._warned = self._done = False
        self._rest: RestDocument | None = None

    @contextmanager
    def showing(self, job: JobDocument) -> Iterator[None]:
        """Begin with the target."""
        world = " (sandbox)" if job.sandbox else ""
        self._write(f"🎯 [EXACT-COUNT] Target: {job.target} creators{world}")
        self._done = job.status is Status.COMPLETED
        self._warned = False
        self._warn(job)
        yield

    def __call__(self, event: JobEvent, new_ids: NewIds = ()) -> None:
        """Tell of each call that has come back, and where that leaves the job."""
        news = event.news
        for call, ids in zip_longest(news.calls, new_ids):
            self._call(call, ids)
        if any(call.state is CallState.SETTLED for call in news.calls):
            self._write(
                f"📊 [PROGRESS] {news.current}/{news.target} ({news.progress}) complete"
            )
            if news.missing and news.status is Status.PROCESSING:
                self._write(
                    f"🔄 [CONTINUE] Need {many(news.missing, 'more creator')}..."
                )
                for line in ahead(news):
                    self._write(f"🔮 [FORECAST] {line}")
                self._warn(news)
        if news.rest and (not self._rest or news.rest.reason != self._rest.reason):
            for line in resting(news):
                self._write(f"⏳ [WAITING] {line}")
        self._rest = news.rest
        if news.status is Status.COMPLETED and not self._done:
            self._done = True
            self._write(f"✅ [DONE] Exactly {news.current} creators")

    def _warn(self, job: JobDocument | News) -> None:
        warnings = out_of_reach(job)
        for warning in [] if self._warned else warnings:
            self._write(f"⚠️  [OUT OF REACH] {warning}")
        self._warned = bool(warnings)

    def _call(self, call: CallDetail, new_ids: Sequence[str] | None) -> None:
        if call.state is not CallState.SETTLED:
            fate = call.error or "given up"
            self._write(
                f"⚠️  [NO PAGE] Cursor: {call.cursor} Keyword: {call.keyword}: {fate}"
            )
            return
        number, keyword = call.call_number, call.keyword
        opened = f" ({call.source}, {call.origin})" if call.origin else ""
        self._write(
            f"📡 [API CALL #{number}] Cursor: {call.cursor} Keyword: {keyword}{opened}"
        )
        self._write(f"   ✅ Received: {call.items_received} items")
        self._write(f"   ✨ New unique: {call.new_unique} creators")
        self._write(f"   🔁 Duplicates: {call.duplicates}")
        if call.rejected:
            self._write(f"   🚫 Rejected by filters: {call.rejected}")
        if self._debug:
            self._details(call, new_ids)

    def _details(self, call: CallDetail, new_ids: Sequence[str] | None) -> None:
        known = "" if new_ids is None else f"uniqueIds: {list(new_ids)} "
        self._write(
            f"   [DEBUG] {known}duplicates: {call.duplicates} "
            f"responseSize: {call.response_bytes} durationMs: {call.duration_ms} "
            f"attempts: {call.attempts} credits: {call.credits}"
        )

    def say(self, text: str) -> None:
        """Say it on a line of its own."""
        self._write(text)


class LiveBar:
    """A bar and a line of numbers that keep themselves up to date on a terminal."""

    def __init__(self) -> None:
        self._live: Live | None = None
        self._name = ""

    @contextmanager
    def showing(self, job: JobDocument) -> Iterator[None]:
        """Draw the bar while the block runs."""
        from rich.console import Console
        from rich.live import Live

        self._name = "sandbox" if job.sandbox else job.platform
        with Live(self._picture(job), console=Console(stderr=True)) as self._live:
            yield
        self._live = None

    def __call__(self, event: JobEvent, new_ids: NewIds = ()) -> None:  # noqa: ARG002 - no room for ids
        """Move the bar on."""
        news, live = event.news, self._live
        if live is None:
            return
        for call in news.calls:
            if call.error:
                told = f"{call.keyword}: {call.error}"
                live.console.print(told, markup=False, style="dim")
        live.update(self._picture(news))

    def say(self, text: str) -> None:
        """Say it above the bar, which would otherwise be drawn over it."""
        if self._live is None:
            _say(text)
        else:
            self._live.console.print(text, markup=False)

    def _picture(self, job: JobDocument | News) -> "RenderableType":
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            self._name,
            ProgressBar(total=job.target, completed=job.current, width=40),
            Text(f"{job.current}/{job.target}", style="bold"),
            job.progress,
        )
        parts = [
            many(job.api_calls, "call"),
            many(job.credits, "credit"),
            many(job.duplicates_found, "duplicate"),
            f"{job.average_per_call}/call",
        ]
        lines = [
            " · ".join(parts),
            *ahead(job),
            *out_of_reach(job),
            *resting(job),
        ]
        return Group(
            bar, *(Text(line, no_wrap=True, overflow="ellipsis") for line in lines)
        )


def ahead(job: JobDocument | News) -> list[str]:
    """One line of calls, credits and time to go, with their ranges, while there are."""
    if job.forecast is None or not job.predicted_calls_remaining:
        return []
    figures = (("call", job.forecast.calls), ("credit", job.forecast.credits))
    told = [
        f"~{many(figure.expected, word)} ({figure.low:,}-{figure.high:,})"
        for word, figure in figures
        if figure
    ]
    seconds = job.forecast.seconds
    if seconds:
        between = _between(seconds.low, seconds.high)
        told.append(f"~{_span(seconds.expected)} ({between})")
    return [f"To go: {' · '.join(told)}"]


def out_of_reach(job: JobDocument | News) -> list[str]:
    """One line where what was seen says that the sources hold too few, else none."""
    ahead = job.forecast
    if not job.api_calls or ahead is None or not ahead.out_of_reach:
        return []
    found = f"about {ahead.reach.expected:,} of {job.target:,}"
    return [f"{job.target:,} is out of reach with these keywords: {found}"]


def resting(job: JobDocument | News) -> list[str]:
    """One line where a job waits for the day on which its owner may spend more."""
    if job.rest is None:
        return []
    until = f"{job.rest.until:%Y-%m-%d %H:%M} UTC"
    return [f"{job.rest.reason}: it goes on at {until}, or when more is allowed"]


def many(number: int, word: str) -> str:
    """A number of things, in words."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def _between(low: float, high: float) -> str:
    """Two times as people say them."""
    if high < 90:
        return f"{math.ceil(low)}-{math.ceil(high)} s"
    return f"{_span(low)} to {_span(high)}"


def _span(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _say(line: str) -> None:
    typer.echo(line, err=True)
