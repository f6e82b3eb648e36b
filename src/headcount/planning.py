"""Looks at a few pages before anybody commits to a search, and tells what it takes."""

import math
from dataclasses import replace

from headcount.app import App
from headcount.core.expansion import Expansion
from headcount.core.hashtags import NO_HASHTAGS, Hashtags, noted
from headcount.core.model import Job, Look, Search
from headcount.core.plans import MOST_CALLS, Plan


def looking(search: Search, calls: int | None = None) -> Search:
    """The search of a job that only looks around, until somebody lets it go on.

    It makes as many calls as asked, else one for each keyword and five at most; the
    caps of the search hold too.
    """
    limits = search.limits
    wanted = min(len(search.keywords), MOST_CALLS) if calls is None else calls
    caps = [c for c in (limits.max_calls, limits.max_credits) if c is not None]
    most = min([wanted, *caps])
    look = Look(most, each=math.ceil(most / len(search.keywords)))
    return replace(search, limits=replace(limits, look=look))


async def plan(app: App, search: Search, calls: int | None = None) -> Plan:
    """Make a few calls for a search, and tell what the rest of it is expected to take.

    The job pauses then, and goes on from what was paid for when it is resumed.
    """
    job = await app.create(looking(search, calls))
    await app.run(job.id)
    return await plan_of(app, job.id)


async def plan_of(app: App, job_id: str) -> Plan:
    """What the rest of a job is expected to take, by all that it has seen."""
    job = await app.store.load(job_id)
    return Plan(
        job=job,
        calls=tuple([call async for call in app.store.calls(job_id)]),
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
