"""Small values for tests: every builder fills in what a test does not care about."""

from collections.abc import Iterable
from datetime import UTC, datetime

from headcount.core.calls import CallKind, Page, Prices
from headcount.core.filters import Filters
from headcount.core.model import Job, Label, Limits, Search, Source
from headcount.core.sighting import Sighting, Video

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
A_CREDIT: Prices = dict.fromkeys(CallKind, 1)
"""Every call costs one."""


def a_job(
    *keywords: str,
    id: str = "job-1",  # noqa: A002 - the field's own name
    target: int = 10,
    filters: Filters | None = None,
    limits: Limits | None = None,
    created_at: datetime = NOON,
    label: Label | None = None,
) -> Job:
    """A new job with one source for each keyword, `tea` where none is given."""
    words = keywords or ("tea",)
    search = Search(target, words, filters or Filters(), limits or Limits())
    sources = tuple(Source(number, word) for number, word in enumerate(words, start=1))
    return Job(id, search, created_at, sources, label or Label())


def a_sighting(
    creator: int = 1, *, video: int | None = None, followers: int | None = 1_200
) -> Sighting:
    """One invented creator in one of their videos."""
    number = creator * 1_000 if video is None else video
    return Sighting(
        platform="tiktok",
        id=str(7_000_000 + creator),
        username=f"invented_{creator}",
        name=f"Invented {creator}",
        followers=followers,
        video=Video(
            id=str(9_000_000_000 + number),
            description="a cup of #tea",
            posted_at=NOON,
            plays=5_000,
            likes=300,
        ),
        hashtags=("tea",),
        language="en",
    )


def a_page(
    creators: Iterable[int | Sighting] = (),
    *,
    next_cursor: str = "30",
    more: bool | None = True,
    unreadable: int = 0,
) -> Page:
    """A page that shows these creators, by number or as sightings, in this order."""
    sightings = tuple(
        a_sighting(creator) if isinstance(creator, int) else creator
        for creator in creators
    )
    items = len(sightings) + unreadable
    return Page(sightings, items, next_cursor, more, size=items * 70_000)
