"""What to do next: a decision is a value, made of a job and the time.

The order matters: a reached target comes before a provider's refusal, that before the
deadline, that before the caps. A job that was only to look around pauses then. Only
after that does it count what the sources hold, and open new ones where they hold too
little and the user allowed it.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from headcount.core import planner
from headcount.core.calls import CallKind, Prices
from headcount.core.estimate import call_cap
from headcount.core.model import (
    Job,
    Outcome,
    Reason,
    Rest,
    Source,
    SourceState,
    Status,
)
from headcount.core.proposals import proposals

_CAPS = {Reason.CALL_LIMIT, Reason.BUDGET}


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the next page of each of these sources now."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Open:
    """Add these sources to the job, then decide anew."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to ask until this time; `None` is until an answer or a slot comes.

    `rest` says why where the owner's allowances forbid it until then.
    """

    until: datetime | None = None
    rest: Rest | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """The job was only to look around, and has done so."""


@dataclass(frozen=True, slots=True)
class End:
    """Nothing is left to do."""

    outcome: Outcome


Decision = Ask | Open | Wait | Pause | End


def decide(job: Job, now: datetime, *, room: int, prices: Prices) -> Decision:
    """Say what to do next, with `room` calls free, each held at its kind's price."""
    if job.status is not Status.PROCESSING:
        return Wait()
    price = _lowest(job, prices)
    last = _last(job, now, price)
    if last is not None:
        return Wait() if job.open_calls else last
    candidates = planner.askable(job, now)
    left = _calls_left(job, price)
    today = _calls_today(job, price, left)
    if candidates and left and not today:
        return _until_tomorrow(job)
    new = proposals(job, now) if left and not job.search.limits.look else ()
    if new:
        return Open(new)
    chosen = planner.choose(
        _as_entitled(job),
        candidates,
        room=_looks_left(job, min(room, today)),
        prices=prices,
        credits=_spendable(job),
    )
    if chosen:
        return Ask(chosen)
    waits = _payable(job, candidates, prices) or job.open_calls or _retry_at(job)
    return Wait(_retry_at(job)) if waits else End(_dried_up(job))


def _lowest(job: Job, prices: Prices) -> int:
    """What the cheapest call costs that any source of the job may still take."""
    kinds = {s.endpoint.kind for s in job.sources if s.state is SourceState.OPEN}
    return min(prices[kind] for kind in kinds or {CallKind.PAGE})


def _spendable(job: Job) -> int | None:
    """The credits that may be spent now; `None` where they are not limited."""
    caps = (job.search.limits.max_credits, job.grant.credits)
    given = min((cap for cap in caps if cap is not None), default=None)
    return None if given is None else max(0, given - job.credits - job.held)


def _payable(job: Job, sources: list[Source], prices: Prices) -> list[Source]:
    """The sources that may be asked for the credits that there are."""
    credits_ = _spendable(job)
    if credits_ is None:
        return sources
    return [s for s in sources if prices[s.endpoint.kind] <= credits_]


def _last(job: Job, now: datetime, price: int) -> End | Pause | None:
    """The decision where no further call may be made, whatever the sources hold."""
    stop = _stop(job, now, price)
    if _has_looked(job) and (stop is None or stop.reason in _CAPS):
        return Pause()  # a cap that it just meets ends it when it is to go on
    return None if stop is None else End(stop)


def _has_looked(job: Job) -> bool:
    """Whether a look has made its calls, or seen its pages of all that is open."""
    look = job.search.limits.look
    if look is None:
        return False
    able = [s for s in job.sources if s.state is SourceState.OPEN]
    seen = bool(able) and all(source.pages >= look.each for source in able)
    return seen or look.calls <= job.charged + len(job.open_calls)


def _looks_left(job: Job, room: int) -> int:
    """How many of the calls that there is `room` for a look may make."""
    look = job.search.limits.look
    if look is None:
        return room
    return min(room, look.calls - job.charged - len(job.open_calls))


def _until_tomorrow(job: Job) -> Wait:
    until = job.grant.renews_at
    return Wait(until, Rest(until, job.grant.daily)) if until else Wait()


def _as_entitled(job: Job) -> Job:
    """The job as if it was asked for no more than its owner is entitled to."""
    if job.wanted == job.target:
        return job
    return replace(job, search=replace(job.search, target=job.wanted))


def waiting_until(job: Job) -> datetime | None:
    """When to look again at a job that asks nothing; `None` if nothing is known."""
    if job.rest is None:
        return _retry_at(job)
    deadline = job.search.limits.deadline
    return min(job.rest.until, deadline) if deadline else job.rest.until


def _retry_at(job: Job) -> datetime | None:
    """When the first source that must wait may be asked again, or the deadline."""
    busy = {call.source for call in job.open_calls}
    times = [
        source.retry_at
        for source in job.sources
        if source.retry_at
        and source.state is SourceState.OPEN
        and source.id not in busy
    ]
    deadline = job.search.limits.deadline
    return min([*times, *([deadline] if deadline else [])]) if times else None


def _stop(job: Job, now: datetime, price: int) -> Outcome | None:
    """The outcome where no further call may be made, whatever the sources hold."""
    deadline = job.search.limits.deadline
    if not job.missing:
        return Outcome()
    if job.halt:
        return replace(job.halt, short_by=job.missing)
    if deadline and now >= deadline:
        return Outcome(job.missing, Reason.DEADLINE)
    if job.delivered == job.entitled:
        return Outcome(job.missing, Reason.BUDGET, job.grant.monthly)
    if _calls_left(job, price) > 0 or job.open_calls:
        return None
    by_calls = job.charged >= call_cap(job)
    return Outcome(job.missing, Reason.CALL_LIMIT if by_calls else Reason.BUDGET)


def _calls_left(job: Job, price: int) -> int:
    """How many more calls the caps allow, those that are out already counted."""
    left = call_cap(job) - job.charged - len(job.open_calls)
    budget = job.search.limits.max_credits
    if budget is not None:
        left = min(left, (budget - job.credits - job.held) // price)
    return max(0, left)


def _calls_today(job: Job, price: int, left: int) -> int:
    """How many of the calls `left` the owner may pay for today."""
    if job.grant.credits is None:
        return left
    spendable = job.grant.credits - job.credits - job.held
    return min(left, max(0, spendable) // price)


def _dried_up(job: Job) -> Outcome:
    if any(source.state is SourceState.OPEN for source in job.sources):
        return Outcome(job.missing, Reason.BUDGET)  # too little for what is left
    failing = [s for s in job.sources if s.state is SourceState.FAILING]
    asked = [source for source in failing if source.origin is None]
    # What the job opened itself may fail alone; not so if nothing has come since.
    failing = asked or [s for s in failing if s.set_aside == job.pages]
    if not failing:
        return Outcome(job.missing, Reason.SOURCES_EXHAUSTED)
    keywords = ", ".join(source.keyword for source in failing)
    detail = f"no answer could be had for {keywords}: {failing[-1].error}"
    return Outcome(job.missing, Reason.PROVIDER_BLOCKED, detail)
