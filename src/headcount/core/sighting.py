"""A sighting: one item of a page, a creator with the video that showed them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """What is decided about a creator; only qualified ones count."""

    QUALIFIED = "qualified"
    REJECTED = "rejected"
    PENDING = "pending"  # a further call must tell


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, with the reason where it is a rejection."""

    verdict: Verdict
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Video:
    """The post that showed a creator; counts are `None` where the page has none."""

    id: str
    url: str | None = None
    description: str = ""
    posted_at: datetime | None = None
    plays: int | None = None
    likes: int | None = None
    comments: int | None = None
    shares: int | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A creator as one item of a page shows them.

    `id` is the platform's own, stable id; the handle `username` changes and never
    tells creators apart. `language` is the caption's, `None` where unknown.
    """

    platform: str
    id: str
    username: str
    video: Video
    name: str = ""
    followers: int | None = None
    verified: bool = False
    avatar_url: str | None = None
    profile_url: str | None = None
    bio: str = ""
    hashtags: tuple[str, ...] = ()
    language: str | None = None
    is_ad: bool = False

    @property
    def key(self) -> str:
        """The creator key: what makes two sightings the same creator."""
        return f"{self.platform}:{self.id}"
