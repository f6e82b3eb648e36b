"""Working on a job at the command line: ask first, show progress, deliver, advise."""

import re
import shlex
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

import typer

from headcount.adapters.providers.scrapecreators import check_variant
from headcount.cli.delivery import Delivery, deliver
from headcount.cli.desk import Desk
from headcount.cli.desks import open_desk
from headcount.cli.exits import Exit, exit_of, whoever_reads
from headcount.cli.options import Caps, Output, Variant, Wider
from headcount.cli.views import View, many, open_view
from headcount.client.documents import JobDocument, JobSheet
from headcount.core.errors import InvalidSearch
from headcount.core.estimate import KEYWORD_HOLDS, expected_calls
from headcount.core.expansion import Expand, Expansion, build_expansion
from headcount.core.filters import parse_span
from headcount.core.model import Limits, Search, Status
from headcount.core.search import build_search
from headcount.settings import Settings

_COMMAND = re.compile(r"headcount jobs \w+ \w+")
_MANY = 100  # calls that are worth asking about before they are paid for


def search_from(
    settings: Settings,
    words: list[str],
    *,
    sandbox: bool,
    filters: Mapping[str, object],
    caps: Caps,
    variant: Variant,
    wider: Wider,
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
        expansion=expansion_of(wider, settings),
    )


def given_expansion(wider: Wider, settings: Settings) -> Expansion | None:
    """The same, if anything was said of it."""
    return expansion_of(wider, settings) if wider != Wider() else None


def expansion_of(wider: Wider, settings: Settings) -> Expansion:
    """Which new sources may be opened; what is not given comes from the settings.

    Raises:
        InvalidSearch: a word that is unknown or blank, or a share that is none.
    """
    return build_expansion(
        wider.expand or settings.expand,
        exclude=wider.expand_exclude or (),
        relevance_min=wider.relevance_min,
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
    """Start a job for a search, see it to its end, and write what it found."""
    delivery = Delivery.to(output)
    view = open_view(quiet=output.quiet, debug=settings.debug)
    async with open_desk(settings) as desk:
        await desk.ready(search)
        if not (yes or output.quiet or _goes_on(search, settings)):
            return Exit.INTERRUPTED
        job = await desk.create(search)
        expect(job, settings, view)
        return await work_and_deliver(desk, job, delivery, settings=settings, view=view)


async def work_and_deliver(
    desk: Desk,
    job: JobDocument,
    delivery: Delivery | None,
    *,
    settings: Settings,
    view: View,
) -> int:
    """See a job to its end, and write what it found; the exit code."""
    with view.showing(job):
        await desk.work(job, view)
    sheet = await desk.job(job.id)
    if not sheet.status.ended:
        typer.echo(_unfinished(desk, sheet, delivery), err=True)
        return Exit.INTERRUPTED
    if delivery:
        try:
            with whoever_reads():
                await deliver(desk, sheet, delivery)
        except BaseException:  # Ctrl-C, too
            again = f"headcount jobs export {job.id}{desk.suffix}"
            view.say(f"The creators are kept: {again}")
            raise
    summary = _summary(desk, sheet, settings, delivery)
    if sheet.status is Status.COMPLETED:
        view.say(summary)
    else:  # why there are fewer is said even to those who want quiet
        typer.echo(summary, err=True)
    return exit_of(sheet)


def expect(job: JobDocument, settings: Settings, view: View) -> None:
    """Say before the next call what is expected, and the caps in force."""
    calls, left = _expected(job), job.call_cap - job.api_calls
    budget = job.limits.max_credits
    credits_ = left if budget is None else budget - job.credits
    more = "more " if job.api_calls else ""
    world = " in the sandbox (an invented world)" if job.sandbox else ""
    caps = many(left, f"{more}call")
    if budget is not None:
        caps += f" and {many(credits_, 'credit')}"
    view.say(
        f"Job {job.id}: {many(job.missing, f'{more}creator')} for "
        f"{', '.join(job.keywords)}{world}. Expecting about "
        f"{many(calls, 'call')}, {many(calls, 'credit')}{_cost(calls, settings)}; "
        f"at most {caps}."
    )
    if min(left, credits_) < calls:
        view.say(
            f"Note: that is fewer than the {many(calls, 'call')} expected, "
            "so the job will probably end partial."
        )
    most = KEYWORD_HOLDS * len(job.keywords)
    if job.target > most:
        view.say(
            f"Note: a keyword rarely holds more than {KEYWORD_HOLDS} creators, so "
            f"{job.target:,} are probably out of reach: {_further(job)}."
        )
    if job.filters:
        view.say("Note: what the filters turn away takes calls beyond that.")


def _expected(job: JobDocument) -> int:
    """How many more calls are expected, by the job's own forecast where it has one."""
    ahead = job.forecast.calls
    return expected_calls(job.missing) if ahead is None else ahead.expected


def _further(job: JobDocument) -> str:
    """What helps where the keywords hold too few."""
    if job.expand is Expand.OFF:
        return "name further keywords, or allow new sources by --expand all"
    return f"new sources will be opened (--expand {job.expand})"


def _unfinished(desk: Desk, job: JobSheet, delivery: Delivery | None) -> str:
    """How a job stands that was left, and how to go on where this command was to."""
    file = delivery.out if delivery else None
    out = f" --out {shlex.quote(str(file))}" if file else ""
    again = f"headcount jobs resume {job.id}{out}{desk.suffix}"
    if job.status is Status.PAUSED:
        kept = f"Interrupted: {job.current} of {job.target} are kept."
        return f"{kept} Go on with: {again}"
    pause = f"headcount jobs pause {job.id}{desk.suffix}"
    return (
        f"Job {job.id} goes on at the server: {job.current} of {job.target} so far. "
        f"Look on and write them with: {again}\nStop it with: {pause}"
    )


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


def _summary(
    desk: Desk, job: JobSheet, settings: Settings, delivery: Delivery | None
) -> str:
    """How the job ended, what it cost, and what would help where it fell short."""
    spent = f"{many(job.api_calls, 'call')}, {many(job.credits, 'credit')}"
    spent += _cost(job.credits, settings)
    world = " (sandbox)" if job.sandbox else ""
    where = f" -> {delivery.out}" if delivery and delivery.out else ""
    spares = f", {many(job.spares, 'spare')} kept" if job.spares else ""
    aim = many(job.target, "creator")
    line = f"{job.current} of {aim}{world}: {spent}{spares}{where}"
    opened = _opened(job)
    if job.status is Status.COMPLETED:
        return f"Exactly {line}{opened}"
    reason = job.outcome.reason if job.outcome else None
    told = f"{job.status.value.capitalize()}: {line}"
    return f"{told}{opened}\nReason: {reason or job.status}. {helped(desk, job.advice)}"


def _opened(job: JobSheet) -> str:
    """A line on the sources that the job opened itself, if it did."""
    made = job.expansion
    if not made.sources:
        return ""
    cost = f"{many(made.calls, 'call')}, {many(made.credits, 'credit')}"
    return (
        f"\nOpened {many(made.sources, 'source')} beyond the keywords: {cost}, "
        f"{many(made.new_unique, 'creator')}."
    )


def helped(desk: Desk, advice: str) -> str:
    """Advice whose commands turn to the same desk."""
    return _COMMAND.sub(lambda found: found[0] + desk.suffix, advice)
