"""A creator as the outside sees them: a row, the guide's shape of it, flat cells."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from headcount.core.model import Finding, Job, Search, Source
from headcount.core.report import Document, moment
from headcount.core.sighting import Sighting, Verdict, Video

_PLATFORM_NAMES = {"tiktok": "TikTok"}
# What spreadsheets take for the start of a formula, their full-width forms included,
# and what they, or a reader's eye, skip before it: white space, marks without width.
_SKIPPED = r"[\s\x00-\x1f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
_FORMULA = re.compile(_SKIPPED + r"*[\t\r=+\-@\uff1d\uff0b\uff0d\uff20]")


def row(job: Job, finding: Finding, seen_in: int) -> Document:
    """A creator with the video that showed them, seen in this many posts."""
    sighting, source = finding.sighting, job.source(finding.source)
    return {
        "ordinal": finding.ordinal,
        "platform": sighting.platform,
        "id": sighting.id,
        "username": sighting.username,
        "name": sighting.name,
        "profileUrl": sighting.profile_url,
        "followers": sighting.followers,
        "verified": sighting.verified,
        "avatarUrl": sighting.avatar_url,
        "keyword": source.keyword,
        "source": source.name,
        "origin": source.origin,
        "hashtags": list(sighting.hashtags),
        "seenIn": seen_in,
        "collectedAt": moment(finding.found_at),
        "video": _video(sighting.video),
        **_fiction(job),
    }


def _video(video: Video) -> Document:
    return {
        "id": video.id,
        "url": video.url,
        "description": video.description,
        "postedAt": moment(video.posted_at),
        "plays": video.plays,
        "likes": video.likes,
        "comments": video.comments,
        "shares": video.shares,
    }


def guide_row(job: Job, finding: Finding) -> Document:
    """A creator in the shape that front ends of the JavaScript original read."""
    sighting, video = finding.sighting, finding.sighting.video
    return {
        "id": sighting.id,
        "creator": _creator(sighting),
        "video": {
            "description": video.description,
            "url": video.url,
            "statistics": _statistics(video),
        },
        "hashtags": list(sighting.hashtags),
        "platform": _PLATFORM_NAMES.get(sighting.platform, sighting.platform),
        "collectedAt": moment(finding.found_at),
        **_fiction(job),
    }


def _creator(sighting: Sighting) -> Document:
    return {
        "uniqueId": sighting.username,
        "name": sighting.name,
        "followers": sighting.followers,
        "avatarUrl": sighting.avatar_url,
        "bio": sighting.bio,
        "verified": sighting.verified,
    }


def _statistics(video: Video) -> Document:
    """The counts by TikTok's own names, which those front ends read."""
    return {
        "play_count": video.plays,
        "digg_count": video.likes,
        "comment_count": video.comments,
        "share_count": video.shares,
    }


def _fiction(job: Job) -> Document:
    """The mark of an invented creator; real ones have none."""
    return {"sandbox": True} if job.sandbox else {}


Shape = Callable[[Job, Finding, int], Document]
SHAPES: Mapping[str, Shape] = {
    "rows": row,
    "guide": lambda job, finding, _: guide_row(job, finding),
}

_NOBODY = Finding(
    number=0,
    key="",
    verdict=Verdict.PENDING,
    sighting=Sighting(platform="", id="", username="", video=Video(id="")),
    source=1,
    call=0,
    found_at=datetime(2000, 1, 1, tzinfo=UTC),
)
_NOWHERE = (Source(1, ""),)
_FICTIONAL = Search(1, (), provider="sandbox/")


def columns(shape: Shape, *, sandbox: bool) -> tuple[str, ...]:
    """The names of the flat cells of rows, known before there is any row."""
    job = Job("", _FICTIONAL if sandbox else Search(1, ()), _NOBODY.found_at, _NOWHERE)
    return tuple(flat(shape(job, _NOBODY, 0)))


def flat(row: Document) -> Document:
    """The cells of a row: `video.plays` for plays within video, lists by spaces."""
    cells: Document = {}
    for name, value in row.items():
        if isinstance(value, dict):
            inner = flat(value)
            cells |= {f"{name}.{key}": cell for key, cell in inner.items()}
        elif isinstance(value, list):
            cells[name] = " ".join(map(str, value))
        else:
            cells[name] = value
    return cells


def disarm(value: object) -> object:
    """A cell that no spreadsheet runs: an apostrophe before what may be a formula.

    Only text can be one; a number is given back as it came, negative ones too.
    """
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return value
