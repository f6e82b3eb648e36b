"""The diagram of the statuses has just the edges that the rules allow."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

from builders import A_CREDIT, NOON, a_job
from docs.pages import page

from headcount.core import lifecycle, ownership
from headcount.core.errors import JobNotReady
from headcount.core.model import Change, Job, Lease, Limits, SourceState, Status

TARGET = 10
LEASE = Lease(1, "worker", NOON + timedelta(seconds=30))
ENDS_WITHOUT_LEASE = {Status.PENDING, Status.COMPLETED, Status.PARTIAL}
Rule = Callable[[Change], Change]


def jobs() -> Iterator[Job]:
    """Jobs in every status: short of the target, at it, beyond it; leased or not."""
    for status in Status:
        for qualified in (0, TARGET, TARGET + 5):
            for lease in (None, LEASE):
                job = a_job("tea", target=TARGET)
                job = replace(job, status=status, qualified=qualified, lease=lease)
                if is_possible(job):
                    yield job


def is_possible(job: Job) -> bool:
    if job.status is Status.COMPLETED and job.missing:
        return False
    if job.status is Status.PARTIAL and not job.missing:
        return False
    if job.status is Status.PROCESSING:
        return job.lease is not None
    return job.lease is None or job.status not in ENDS_WITHOUT_LEASE


def rules() -> Iterator[tuple[str, Rule]]:
    """Everything that may happen to a job, by the rule's name."""
    yield "claim", lambda change: lifecycle.claim(change, LEASE, NOON)
    yield "renew", lambda change: lifecycle.renew(change, 1, NOON)
    yield "release", lambda change: lifecycle.release(change, 1, NOON, due_at=NOON)
    yield (
        "proceed",
        lambda change: lifecycle.proceed(change, 1, NOON, room=1, prices=A_CREDIT),
    )
    yield (
        "proceed",
        lambda change: lifecycle.proceed(dry(change), 1, NOON, room=1, prices=A_CREDIT),
    )
    yield "pause", ownership.pause
    yield "cancel", lambda change: ownership.cancel(change, NOON)
    yield "collapse", lambda change: lifecycle.collapse(change, "a defect", NOON)
    yield "resume", lambda change: ownership.resume(change, NOON)
    for target in (TARGET, TARGET + 1, TARGET + 9):
        yield "top_up", topping_up(target)


def dry(change: Change) -> Change:
    """The same with sources that have ended."""
    ended = tuple(replace(s, state=SourceState.DRY) for s in change.job.sources)
    return Change(replace(change.job, sources=ended))


def topping_up(target: int) -> Rule:
    return lambda change: ownership.top_up(change, target, Limits(max_calls=99), NOON)


def edges() -> set[str]:
    """Each way from one status to another, as the diagram writes it."""
    found = set()
    for job in jobs():
        for name, rule in rules():
            try:
                after = rule(Change(job)).job.status
            except JobNotReady:
                continue
            if after is not job.status:
                found.add(f"{job.status} --> {after}: {name}")
    return found


def test_the_diagram_of_the_statuses_has_just_the_edges_that_the_rules_allow() -> None:
    text = page("docs/reference/exit-codes.md").text

    drawn = re.findall(r"^ +(\w+ --> \w+: \w+)$", text, re.MULTILINE)

    assert sorted(drawn) == sorted(edges())
