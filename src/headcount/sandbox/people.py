"""Who lives in the sandbox: invented creators and their videos, each made when asked.

Everything about a creator follows from the seed and the creator's label, everything
about a video from these and the number of the take, so nothing needs to be kept.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from headcount.sandbox.topics import TOPICS, dice, neighbours, topics_of

# (share of all, value): the recorded quantiles of followers, and of plays those that
# put 12.8 % of the videos below 1,000.
FOLLOWERS = (
    (0.0, 0), (0.1, 113), (0.25, 630), (0.5, 11_965), (0.75, 172_943),
    (0.9, 1_390_000), (1.0, 8_900_000),
)  # fmt: skip
PLAYS = ((0.0, 40), (0.128, 1_000), (0.5, 48_000), (0.9, 2_100_000), (1.0, 41_000_000))

UID_LENGTHS = ((0.95, 19), (0.97, 18), (0.98, 17), (0.99, 8), (1.0, 7))

COUNTRIES = (
    "GB", "CA", "AU", "DE", "FR", "ES", "IT", "BR", "MX", "PH", "ID", "VN", "TH", "MY",
    "IN", "PK", "NG", "ZA", "EG", "TR", "PL", "NL", "SE", "JP", "KR", "AR", "CO", "SA",
)  # fmt: skip
LANGUAGES = ("en", "en", "en", "en", "en", "en", "es", "fr", "de", "pt", "id", "vi")
FLOURISHES = ("Créatrice {}", "Señor {}", "Größe {}", "{} ✨", "🌵 {}", "{} さん")
PHRASES = (
    "three things about", "my honest take on", "day one with", "you asked for more",
    "nobody tells you this about", "a small guide to", "trying out", "a year of",
)  # fmt: skip
OLDEST_DAYS = 720


class Sighting(NamedTuple):
    """A place in a ranked list: whose video, and which of theirs."""

    creator: str
    take: str


@dataclass(frozen=True, slots=True)
class Creator:
    """An invented account."""

    uid: str
    sec_uid: str
    handle: str
    nickname: str
    followers: int
    following: int
    badge: str


@dataclass(frozen=True, slots=True)
class Video:
    """An invented video with the creator who shows it."""

    id: str
    creator: Creator
    caption: str
    hashtags: tuple[str, ...]
    language: str
    country: str
    created: datetime
    plays: int
    likes: int
    is_ad: bool


class People:
    """All creators and videos that can be, by label.

    A label such as `tech_0417` is turned into an account with an id of its own; a label
    out of a world file *is* the id (`label_is_uid`).
    """

    def __init__(self, seed: int, today: date, *, label_is_uid: bool = False) -> None:
        self._seed = seed
        self._midnight = datetime.combine(today, time(), UTC)
        self._label_is_uid = label_is_uid

    def creator(self, label: str) -> Creator:
        """The account behind a label."""
        if not self._label_is_uid:
            return _invent_creator(self._seed, label, f"sandbox_{label}")
        handle = f"sandbox_{label.casefold()}"
        if len(handle) > 24 or not handle.isascii():
            handle = f"sandbox_{dice('handle', label).getrandbits(60):x}"
        return replace(_invent_creator(self._seed, label, handle), uid=label)

    def video(self, sighting: Sighting) -> Video:
        """The video of one sighting."""
        label, take = sighting
        throw = dice(self._seed, label, take)
        plays = between(PLAYS, throw.random())
        tags = _hashtags(label, throw.random(), throw.random())
        age = timedelta(days=int(OLDEST_DAYS ** throw.random()))
        country, is_known = throw.random(), throw.random() < 0.83
        return Video(
            id=f"5{throw.randrange(10**18):018}",
            creator=self.creator(label),
            caption=f"{_pick(PHRASES, throw.random())} {tags[0]} "
            + " ".join(f"#{tag}" for tag in tags),
            hashtags=tags,
            language=_pick(LANGUAGES, throw.random()) if is_known else "un",
            country="US" if country < 0.5 else _pick(COUNTRIES, 2 * country - 1),
            created=self._midnight
            - age
            + timedelta(seconds=int(throw.random() * 86400)),
            plays=plays,
            likes=int(plays * (0.01 + throw.random() * 0.11)),
            is_ad=throw.random() < 0.014,
        )


def between(quantiles: Sequence[tuple[float, int]], share: float) -> int:
    """The value at a share of all: on a log scale, straight between the quantiles."""
    above = min(bisect_right(quantiles, (share, math.inf)), len(quantiles) - 1)
    (low, start), (high, end) = quantiles[above - 1], quantiles[above]
    part = (share - low) / (high - low)
    return round(math.expm1((1 - part) * math.log1p(start) + part * math.log1p(end)))


def _pick(options: Sequence[str], share: float) -> str:
    return options[int(share * len(options))]


def _invent_creator(seed: int, label: str, handle: str) -> Creator:
    throw = dice(seed, label)
    topic, _, number = label.rpartition("_")
    name = f"{topic.title()} {number.lstrip('0') or 0}".strip()
    if throw.random() < 0.26:
        name = _pick(FLOURISHES, throw.random()).format(name)
    return Creator(
        uid=_uid(throw.random(), throw.randrange(10**18)),
        sec_uid=f"MS4wLjABAAAA{throw.getrandbits(256):064x}",
        handle=handle,
        nickname=f"Sandbox {name}",
        followers=between(FOLLOWERS, throw.random()),
        following=int(throw.random() ** 3 * 5000),
        badge=_badge(throw.random()),
    )


def _uid(share: float, number: int) -> str:
    """95 of 100 ids have 19 digits; a 5 in front means a time before TikTok was."""
    length = next(size for limit, size in UID_LENGTHS if share < limit)
    return f"5{number:018}"[:length]


def _badge(share: float) -> str:
    if share < 0.09:
        return "Verified account"
    return "Popular creator" if share < 0.10 else ""


def _hashtags(label: str, first: float, second: float) -> tuple[str, ...]:
    """Two words of the creator's topic, and one that leads to a bordering topic."""
    topic = label.split("_", maxsplit=1)[0]
    if topic not in TOPICS:
        (topic,) = topics_of(label)[:1]
    words, beside = TOPICS[topic], neighbours(topic)
    start = int(first * len(words))
    further = TOPICS[_pick(beside, second)]
    nearby = words[start], words[(start + 3) % len(words)]
    return (*nearby, _pick(further, (first * 7 + second) % 1))
