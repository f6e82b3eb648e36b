"""Headcount as this app uses it: begin a job, and fetch its creators.

Each call opens Headcount's store for itself, so it may come from any thread.
"""

from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings

from headcount import Limits
from headcount.bootstrap import open_app
from headcount.core.model import Label
from headcount.core.rows import guide_row
from headcount.core.search import build_search
from headcount.settings import load_settings


@async_to_sync
async def begin(campaign: str, keywords: list[str], target: int) -> str:
    """Begin a job, and publish its first message; the job's id.

    The campaign comes back with every webhook.

    Raises:
        InvalidSearch: the search cannot be taken.
    """
    async with open_app(load_settings(runner="qstash")) as headcount:
        limits = headcount.settings.filled(Limits())  # the caps of the environment
        search = build_search(target, keywords, limits=limits)
        webhook = f"{settings.PUBLIC_URL}/hooks/headcount"
        label = Label(campaign=campaign, webhook=webhook)
        return (await headcount.create(search, label)).id


@async_to_sync
async def creators(job_id: str) -> list[dict[str, Any]]:
    """All creators that a job has delivered, by ordinal."""
    async with open_app(load_settings(runner="qstash")) as headcount:
        job = await headcount.store.load(job_id)
        found = headcount.store.delivered(job_id)
        return [guide_row(job, finding) async for finding, _ in found]
