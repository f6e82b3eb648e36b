"""Working on a job at the command line: ask first, show progress, deliver, advise."""

import asyncio
import shlex
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import typer

from headcount.adapters.providers.scrapecreators import check_variant
from headcount.bootstrap import App, open_app
from headcount.cli.delivery import Delivery, deliver
from headcount.cli.exits import Exit, exit_of, whoever_reads
from headcount.cli.options import Caps, Output, Variant
from headcount.cli.views import View, many, open_view
from headcount.core.errors import HeadcountError, InvalidSearch
from headcount.core.estimate import KEYWORD_HOLDS, call_cap, expected_calls
from headcount.core.filters import Filters, parse_span
from headcount.core.model import Job, Limits, Search, Status
from headcount.core.report import advice
from headcount.core.search import build_search
from headcount.settings import Settings

_MANY = 100  # calls that are worth asking about before they are paid for


def search_from(
    settings: Settings,
    words: list[str],
    *,
    sandbox: bool,
    filters: Mapping[str, object],
    caps: Caps,
    variant: Variant,
) -> Search:
    """Make a search of the words of a command line; settings fill what is not there.

    Raises:
        InvalidSearch: naming what cannot be used.
    """
    target = words[0] if words else settings.target
    if target is None:
        raise InvalidSearch(
            "targetResults",
            "expected how many creators, then keywords: headcount find 100 apple tech",
        )
    check_variant(sort=variant.sort, period=variant.period)
    return build_search(
        target,
        words[1:] or settings.keywords,
        filters=filters,
        limits=settings.filled(limits_of(caps)),
        provider=f"sandbox/{settings.sandbox_seed}" if sandbox else "scrapecreators",
        region=variant.region,
        sort=variant.sort,
        period=variant.period,
    )


def limits_of(caps: Caps) -> Limits:
    """The limits that caps stand for, counted from now.

    Raises:
        InvalidSearch: a deadline that is none, or in the past.
    """
    deadline = None if caps.deadline is None else _deadline(caps.deadline)
    return Limits(caps.max_calls, caps.max_credits, deadline)


def _deadline(text: str) -> datetime:
    """Read a deadline: a span from now, or a time in ISO 8601 (UTC where unsaid)."""
    now = datetime.now(UTC)
    try:
        time = datetime.fromisoformat(text)
        time = time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    except ValueError:
        return now + parse_span(text, "deadline")
    except OverflowError:
        raise InvalidSearch(
            "deadline", f"deadline: expected a time from year 1 to 9999, not {text}"
        ) from None
    if time <= now:
        raise InvalidSearch("deadline", f"deadline: {text} is in the past")
    return time


async def find_and_deliver(
    settings: Settings, search: Search, output: Output, *, yes: bool
) -> int:
    """Start a job for a search, work on it, and write what it found."""
    delivery = Delivery.to(output)
    view = open_view(quiet=output.quiet, debug=settings.debug)
    async with open_app(settings, watch=view) as app:
        await app.connect(search.provider)
        if not (yes or output.quiet or _goes_on(search, settings)):
            return Exit.INTERRUPTED
        job = await app.create(search)
        expect(job, settings, view)
        return await work_and_deliver(app, job, delivery, view)


async def work_and_deliver(
    app: App, job: Job, delivery: Delivery | None, view: View
) -> int:
    """Work on a job until it has ended, and write what it found; the exit code."""
    with view.showing(job):
        job = await work(app, job, view)
    if job.status is Status.PAUSED:
        line = f"Interrupted: {job.delivered} of {job.target} are kept. "
        typer.echo(f"{line}Go on with: {_resume(job, delivery)}", err=True)
        return Exit.INTERRUPTED
    if delivery:
        try:
            with whoever_reads():
                await deliver(app, job, delivery)
        except BaseException:  # Ctrl-C, too
            view.say(f"The creators are kept: headcount jobs export {job.id}")
            raise
    summary = _summary(job, app.settings, delivery)
    if job.status is Status.COMPLETED:
        view.say(summary)
    else:  # why there are fewer is said even to those who want quiet
        typer.echo(summary, err=True)
    return exit_of(job)


async def work(app: App, job: Job, view: View) -> Job:
    """Work on a job; Ctrl-C pauses it once what is out has been settled."""
    running = asyncio.ensure_future(app.run(job.id))
    async with _interruptible(app, job, view, running):
        try:
            return await running
        except asyncio.CancelledError:
            return await app.pause(job.id)
        except HeadcountError:
            view.say(f"What was found is kept: headcount jobs resume {job.id}")
            raise


@asynccontextmanager
async def _interruptible(
    app: App, job: Job, view: View, running: asyncio.Future[Job]
) -> AsyncIterator[None]:
    """Turn the first Ctrl-C into a pause, and the second into an end at once."""
    loop, pauses = asyncio.get_running_loop(), set[asyncio.Task[Job]]()

    def interrupted() -> None:
        if pauses:
            running.cancel()
            return
        view.say("Settling the calls that are out; Ctrl-C again stops at once.")
        pauses.add(asyncio.ensure_future(app.pause(job.id)))

    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, interrupted)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
        await asyncio.gather(*pauses, return_exceptions=True)


def expect(job: Job, settings: Settings, view: View) -> None:
    """Say before the next call what is expected, and the caps in force."""
    calls, left = expected_calls(job.missing), call_cap(job) - job.charged
    budget = job.search.limits.max_credits
    credits_ = left if budget is None else budget - job.credits
    more = "more " if job.charged else ""
    world = " in the sandbox (an invented world)" if job.sandbox else ""
    caps = many(left, f"{more}call")
    if budget is not None:
        caps += f" and {many(credits_, 'credit')}"
    view.say(
        f"Job {job.id}: {many(job.missing, f'{more}creator')} for "
        f"{', '.join(job.search.keywords)}{world}. Expecting about "
        f"{many(calls, 'call')}, {many(calls, 'credit')}{_cost(calls, settings)}; "
        f"at most {caps}."
    )
    if min(left, credits_) < calls:
        view.say(
            f"Note: that is fewer than the {many(calls, 'call')} expected, "
            "so the job will probably end partial."
        )
    most = KEYWORD_HOLDS * len(job.search.keywords)
    if job.target > most:
        view.say(
            f"Note: a keyword rarely holds more than {KEYWORD_HOLDS} creators, so "
            f"{job.target:,} are probably out of reach: name further keywords."
        )
    if job.search.filters != Filters():
        view.say("Note: what the filters turn away takes calls beyond that.")


def _resume(job: Job, delivery: Delivery | None) -> str:
    """The command that goes on and writes where this one was to write."""
    out = (
        f" --out {shlex.quote(str(delivery.out))}" if delivery and delivery.out else ""
    )
    return f"headcount jobs resume {job.id}{out}"


def _cost(credits_: int, settings: Settings) -> str:
    price = settings.credit_price
    return "" if price is None else f" (cost {credits_ * price:.2f})"


def _goes_on(search: Search, settings: Settings) -> bool:
    """Ask before a search that costs much, where somebody is there to answer."""
    limits, testing = search.limits, settings.max_calls_for_testing
    caps = [c for c in (limits.max_calls, limits.max_credits, testing) if c is not None]
    calls = min([expected_calls(search.target), *caps])
    sandbox = search.provider.startswith("sandbox/")
    if sandbox or calls < _MANY:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    price = f"About {calls} credits{_cost(calls, settings)}"
    return typer.confirm(f"{price} will be spent. Go on?", err=True)


def _summary(job: Job, settings: Settings, delivery: Delivery | None) -> str:
    """How the job ended, what it cost, and what would help where it fell short."""
    spent = f"{many(job.charged, 'call')}, {many(job.credits, 'credit')}"
    spent += _cost(job.credits, settings)
    world = " (sandbox)" if job.sandbox else ""
    where = f" -> {delivery.out}" if delivery and delivery.out else ""
    spares = f", {many(job.spares, 'spare')} kept" if job.spares else ""
    aim = many(job.target, "creator")
    line = f"{job.delivered} of {aim}{world}: {spent}{spares}{where}"
    if job.status is Status.COMPLETED:
        return f"Exactly {line}"
    reason = job.outcome.reason if job.outcome else None
    told = f"{job.status.value.capitalize()}: {line}"
    return f"{told}\nReason: {reason or job.status}. {advice(job)}"
