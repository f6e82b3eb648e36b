"""What an owner, or a user of theirs, may spend in a day and be delivered in a month.

An allowance is held like the caps of a job: the transaction that decides on calls, or
delivers creators, reads what is left, and writes what it took. Before a rule is applied
to a job, `granted` puts what is left into the job's own counts; after it, `taken` says
what the change took. Sandbox jobs cost nothing and are not counted.

A day's credits that are used up make a job wait for the next day. A month's creators
that are used up end it: what it found beyond them stays with it as spares.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from headcount.core.calls import Call
from headcount.core.model import NO_LIMIT, Change, Job
from headcount.core.report import Document

EVERYONE = "*"  # the owner that stands for all of them together
LOOK_AGAIN = timedelta(seconds=30)  # at a job while all calls are stopped


@dataclass(frozen=True, slots=True)
class Allowance:
    """The limits of a holder, and what was used of them; `None` is no limit.

    The holder is an owner, or one `end_user` of an owner where that is not empty.
    `credits_used` counts on `day` and `creators_used` in `month`, both in UTC; on
    another day or in another month nothing was used yet.
    """

    owner: str
    end_user: str = ""
    credits_per_day: int | None = None
    creators_per_month: int | None = None
    day: str = ""
    credits_used: int = 0
    month: str = ""
    creators_used: int = 0

    @property
    def holder(self) -> str:
        """Whose it is, for messages."""
        if self.owner == EVERYONE:
            return "all owners together"
        user = f", end user {self.end_user!r}" if self.end_user else ""
        return f"owner {self.owner!r}{user}"

    def at(self, now: datetime) -> "Allowance":
        """The allowance with what was used in the day and month of this time.

        A day that has begun by another machine's clock has begun for all.
        """
        day = max(self.day, now.astimezone(UTC).date().isoformat())
        month = max(self.month, day[:7])
        return replace(
            self,
            day=day,
            credits_used=self.credits_used if self.day == day else 0,
            month=month,
            creators_used=self.creators_used if self.month == month else 0,
        )

    def less(self, taken: "Taken") -> "Allowance":
        """The allowance with more of it used."""
        return replace(
            self,
            credits_used=self.credits_used + taken.credits,
            creators_used=self.creators_used + taken.creators,
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """What a change takes of allowances."""

    credits: int = 0
    creators: int = 0


def concerns(job: Job) -> list[tuple[str, str]]:
    """The holders, as owner and end user, whose allowances a job takes from."""
    if job.sandbox:
        return []
    label = job.label
    owners = [(EVERYONE, ""), (label.owner, "")]
    return owners + ([(label.owner, label.end_user)] if label.end_user else [])


def granted(
    job: Job, allowances: Sequence[Allowance], now: datetime, *, stop: str | None = None
) -> Job:
    """The job with what these allowances, as of now, let it come to.

    Where all calls are stopped, and `stop` says why, that is nothing more for a while.
    """
    unlimited = not allowances and stop is None
    if unlimited and job.entitled is None and job.grant is NO_LIMIT:
        return job
    grant, entitled = NO_LIMIT, None
    of_day = _least((a.credits_per_day, a.credits_used, _daily(a)) for a in allowances)
    if of_day is not None:
        left, text = of_day
        spendable = job.credits + job.held + left
        grant = replace(grant, credits=spendable, renews_at=tomorrow(now), daily=text)
    of_month = _least(
        (a.creators_per_month, a.creators_used, _monthly(a)) for a in allowances
    )
    if of_month is not None:
        left, text = of_month
        entitled = job.delivered + left
        grant = replace(grant, monthly=text)
    if stop is not None:
        grant = replace(
            grant,
            credits=job.credits + job.held,
            renews_at=now + LOOK_AGAIN,
            daily=f"all calls are stopped ({stop})",
        )
    return replace(job, grant=grant, entitled=entitled)


def _least(limits: Iterable[tuple[int | None, int, str]]) -> tuple[int, str] | None:
    """How much the tightest limit leaves, and what to say of it."""
    left = [
        (max(0, most - used), text) for most, used, text in limits if most is not None
    ]
    return min(left, default=None)


def _daily(allowance: Allowance) -> str:
    most = allowance.credits_per_day
    return f"the {most} credits a day of {allowance.holder} are used up"


def _monthly(allowance: Allowance) -> str:
    most = allowance.creators_per_month
    return f"the {most} creators a month of {allowance.holder} are used up"


def taken(before: Job, change: Change, now: datetime) -> Taken:
    """What a change takes: credits held or corrected, and creators delivered.

    A call counts on the day on which it was held. What it turns out to have cost is
    corrected on that day only: a new day is not made larger by an earlier one.
    """
    cost = sum(_cost(call, now) for call in change.calls)
    return Taken(cost, change.job.delivered - before.delivered)


def _cost(call: Call, now: datetime) -> int:
    if call.closed_at is None:
        return call.held
    same_day = call.opened_at.astimezone(UTC).date() == now.astimezone(UTC).date()
    return call.credits - call.held if same_day else 0


def allowance_document(allowance: Allowance) -> Document:
    """An allowance as the API and `headcount allowances` give it."""
    return {
        "owner": allowance.owner,
        "endUser": allowance.end_user or None,
        "creditsPerDay": allowance.credits_per_day,
        "creditsUsedToday": allowance.credits_used,
        "creatorsPerMonth": allowance.creators_per_month,
        "creatorsUsedThisMonth": allowance.creators_used,
    }


def tomorrow(now: datetime) -> datetime:
    """The first moment of the next day, in UTC."""
    day = now.astimezone(UTC).date() + timedelta(days=1)
    return datetime.combine(day, time(), UTC)
