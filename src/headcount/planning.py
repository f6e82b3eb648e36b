"""Looks at a few pages before anybody commits to a search, and tells what it takes."""

import math
from dataclasses import replace

from headcount.app import App
from headcount.core.expansion import Expansion
from headcount.core.hashtags import NO_HASHTAGS, Hashtags, noted
from headcount.core.model import Job, Search
from headcount.core.plans import MOST_CALLS, Plan


def calls_of_plan(search: Search, calls: int | None = None) -> int:
    """How many calls a plan makes at most: as asked, else one for each of 5 keywords.

    The caps of the search hold too.
    """
    limits = search.limits
    wanted = min(len(search.keywords), MOST_CALLS) if calls is None else calls
    caps = [c for c in (limits.max_calls, limits.max_credits) if c is not None]
    return min([wanted, *caps])


async def plan(app: App, search: Search, calls: int | None = None) -> Plan:
    """Make a few calls for a search, and tell what the rest of it is expected to take.

    The job is left paused, under the limits of the search, and goes on from what was
    paid for.
    """
    most = calls_of_plan(search, calls)
    each = math.ceil(most / len(search.keywords))
    limits = replace(search.limits, max_calls=most, pages_each=each)
    job = await app.create(replace(search, limits=limits))
    await app.run(job.id)
    job = await app.shelve(job.id, search.limits)
    return Plan(
        job=job,
        calls=tuple([call async for call in app.store.calls(job.id)]),
        hashtags=job.hashtags or await hashtags_of(app, job),
        credit_price=app.settings.credit_price,
    )


async def widen(app: App, job_id: str, expansion: Expansion | None) -> None:
    """Let a job open new sources from now on, by all that it has found until now."""
    if expansion is None:
        return
    job = await app.store.load(job_id)
    found = NO_HASHTAGS
    if job.hashtags is None and expansion.expand.related:
        found = await hashtags_of(app, job)
    await app.widen(job_id, expansion, found)


async def hashtags_of(app: App, job: Job) -> Hashtags:
    """The hashtags of all that a job has found."""
    posts: dict[str, list[tuple[str, ...]]] = {}
    async for finding, _ in app.store.findings(job.id):
        keyword = job.source(finding.source).keyword
        posts.setdefault(keyword, []).append(finding.sighting.hashtags)
    summary = NO_HASHTAGS
    for keyword, shown in posts.items():
        summary = noted(summary, keyword, shown)
    return summary
