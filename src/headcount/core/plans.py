"""A plan: what a search is expected to take, told from a few pages of it.

Figures are ranges that hold the truth in about nine cases of ten, as those of
`forecast`. The pages are those of a job, which may go on from them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from headcount.core.calls import Call
from headcount.core.estimate import call_cap
from headcount.core.expansion import Expand
from headcount.core.forecast import Range, Seconds, forecast, reach, supplies
from headcount.core.hashtags import Hashtags
from headcount.core.model import Job
from headcount.core.proposals import candidates
from headcount.core.report import Document, seconds_document

MOST_CALLS = 5  # that a plan makes where nobody said how many


@dataclass(frozen=True, slots=True)
class Plan:
    """A job that has looked at a few pages, and what it takes to complete it.

    `hashtags` are those of what it found, whether or not it may open related sources;
    `credit_price` is that of a credit, where one is configured.
    """

    job: Job
    calls: tuple[Call, ...]
    hashtags: Hashtags
    credit_price: float | None = None

    @property
    def needed(self) -> Range | None:
        """Calls still to be made; `None` where no source is left to ask."""
        return forecast(self.job).calls

    @property
    def out_of_reach(self) -> bool:
        """Whether the target is more than the keywords are likely to hold."""
        return bool(self.job.missing) and forecast(self.job).out_of_reach

    @property
    def falls_short(self) -> bool:
        """Whether the target is more than the keywords are expected to hold."""
        return bool(self.job.missing) and reach(self.job).expected < self.job.target

    @property
    def over_the_cap(self) -> bool:
        """Whether the job is expected to need more calls than it may make."""
        left = call_cap(self.job) - self.job.charged
        return self.needed is not None and self.needed.expected > left

    @property
    def seconds(self) -> Seconds | None:
        """How long that takes at the tempo of the calls made; `None` before any."""
        return forecast(self.job).seconds

    @property
    def price(self) -> float:
        """The credits that a call costs, by those made."""
        return self.job.credits / self.job.charged if self.job.charged else 1.0

    def may_open(self, expand: Expand) -> tuple[str, ...]:
        """What the job would open first if it was allowed to, by keyword and name."""
        allowed = replace(self.job.search.expansion, expand=expand)
        search = replace(self.job.search, expansion=allowed)
        job = replace(self.job, search=search, hashtags=self.hashtags)
        return tuple(f"{s.keyword} ({s.name})" for s in candidates(job))


def plan_document(plan: Plan) -> Document:
    """A plan as programs read it."""
    job, price = plan.job, plan.credit_price
    needed = {
        "calls": _range(plan.needed, 1.0, math.ceil),
        "credits": _range(plan.needed, plan.price, math.ceil),
        "cost": price and _range(plan.needed, plan.price * price, _cents),
        "seconds": seconds_document(plan.seconds),
    }
    return {
        "job": job.id,
        "sandbox": job.sandbox,
        "targetResults": job.target,
        "found": job.delivered,
        "spent": {"calls": job.charged, "credits": job.credits},
        "needed": needed,
        "callCap": call_cap(job),
        "overTheCap": plan.over_the_cap,
        "reach": _range(reach(job), 1.0, math.ceil),
        "outOfReach": plan.out_of_reach,
        "keywords": [
            {
                "keyword": source.keyword,
                "pages": source.pages,
                "newUnique": source.found,
                "supply": supply,
                "error": source.error,
            }
            for source, supply in zip(job.sources, supplies(job), strict=True)
        ],
        "mayOpen": {
            expand.value: list(plan.may_open(expand))
            for expand in (Expand.VARIANTS, Expand.RELATED)
        },
        "resume": f"headcount jobs resume {job.id}" if job.missing else None,
    }


def _range(
    calls: Range | None, times: float, rounded: Callable[[float], float]
) -> Document | None:
    if calls is None:
        return None
    return {
        "low": rounded(calls.low * times),
        "expected": rounded(calls.expected * times),
        "high": rounded(calls.high * times),
    }


def _cents(money: float) -> float:
    return round(money, 2)
