"""What to do next: a decision is a value, made of a job and the time.

The order matters: a reached target comes before a provider's refusal, that before the
deadline, that before the caps, and only then does it count what the sources hold.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from headcount.core import planner
from headcount.core.estimate import call_cap
from headcount.core.model import Job, Outcome, Reason, Source, SourceState, Status


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the next page of each of these sources now."""

    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to ask until this time; `None` is until an answer or a slot comes."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class End:
    """Nothing is left to do."""

    outcome: Outcome


Decision = Ask | Wait | End


def decide(job: Job, now: datetime, *, room: int, price: int) -> Decision:
    """Say what to do next, with `room` calls free and `price` credits held for each."""
    if job.status is not Status.PROCESSING:
        return Wait()
    stop = _stop(job, now, price)
    if stop is not None:
        return Wait() if job.open_calls else End(stop)
    candidates = planner.askable(job, now)
    chosen = planner.choose(job, candidates, room=min(room, _calls_left(job, price)))
    if chosen:
        return Ask(chosen)
    if candidates or job.open_calls or waiting_until(job):
        return Wait(waiting_until(job))
    return End(_dried_up(job))


def waiting_until(job: Job) -> datetime | None:
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


def _dried_up(job: Job) -> Outcome:
    failing = [s for s in job.sources if s.state is SourceState.FAILING]
    if not failing:
        return Outcome(job.missing, Reason.SOURCES_EXHAUSTED)
    keywords = ", ".join(source.keyword for source in failing)
    detail = f"no answer could be had for {keywords}: {failing[-1].error}"
    return Outcome(job.missing, Reason.PROVIDER_BLOCKED, detail)
