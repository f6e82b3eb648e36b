"""Which hashtags go with the keywords of a job, in a summary that does not grow.

Counted is in how many posts that a keyword found each hashtag stands. Of all these
counts only the largest are kept, by the method of Misra and Gries (1982): where there
is no room, all are lowered alike. A count is so never too high, and too low by at most
what was counted divided by the room.

A hashtag goes with a keyword if it stands in more of its posts than in others, more
often than chance would have it: by the log-likelihood ratio of Dunning (1993). How
close the two are is the normalised pointwise mutual information of Bouma (2009): 0 as
if by chance, 1 only ever together. So that a single keyword has others to be compared
with, a thousand posts are imagined beside those seen, one of them with the hashtag.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from headcount.core.expansion import squeezed

ROOM = 512  # counts that are kept
LEAST_POSTS = 5
LEAST_SCORE = 10.83  # chance does this once in a thousand times
_IMAGINED = 1_000
_SHORTEST, _LONGEST = 2, 40  # characters
_SAYS_NOTHING = (
    "4u", "4you", "blowthisup", "capcut", "duet", "explore", "follow", "foru", "foryou",
    "fy", "goviral", "greenscreen", "keşfet", "like", "parati", "paratii", "pourtoi",
    "reels", "shorts", "stitch", "tiktok", "trend", "viral", "video", "xyzbc",
)  # fmt: skip
"""What stands in posts of all kinds, alone or before another word."""


Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Hashtags:
    """The posts seen of each keyword, and how many of them had which hashtag."""

    posts: Mapping[str, int]
    counts: Counts


NO_HASHTAGS = Hashtags({}, {})


@dataclass(frozen=True, slots=True)
class Companion:
    """A hashtag that goes with a keyword, seen with it in so many posts at least.

    `closeness` goes from 0 to 1; a `score` of 10.83 comes about by chance once in a
    thousand times.
    """

    hashtag: str
    keyword: str
    posts: int
    score: float
    closeness: float


def noted(
    hashtags: Hashtags, keyword: str, posts: Iterable[Collection[str]]
) -> Hashtags:
    """The summary with posts that a keyword has found, by the hashtags of each."""
    posts = list(posts)
    added = Counter(tag for tags in posts for tag in set(tags) if _tells(tag))
    counts = dict(hashtags.counts)
    counts[keyword] = Counter(counts.get(keyword, {})) + added
    seen = hashtags.posts.get(keyword, 0) + len(posts)
    return Hashtags({**hashtags.posts, keyword: seen}, _lowered(counts))


def _tells(tag: str) -> bool:
    """Whether a hashtag can tell anything of what a post is about."""
    fits = _SHORTEST <= len(tag) <= _LONGEST and not tag.isdecimal()
    return fits and not tag.startswith(_SAYS_NOTHING)


def _lowered(counts: Counts) -> Counts:
    """The counts for which there is room, all lowered by what had to go."""
    values = [n for tags in counts.values() for n in tags.values()]
    values.sort(reverse=True)
    cut = values[ROOM] if len(values) > ROOM else 0
    return {
        keyword: {tag: n - cut for tag, n in tags.items() if n > cut}
        for keyword, tags in counts.items()
    }


def companions(hashtags: Hashtags) -> list[Companion]:
    """The hashtags that go with a keyword unusually often, the closest first."""
    everywhere = Counter[str]()
    for tags in hashtags.counts.values():
        everywhere.update(tags)
    total = sum(hashtags.posts.values()) + _IMAGINED
    posts = hashtags.posts
    found = [
        _compared(keyword, tag, n, (posts[keyword], everywhere[tag] + 1, total))
        for keyword, tags in hashtags.counts.items()
        for tag, n in tags.items()
        if n >= LEAST_POSTS and tag != squeezed(keyword)
    ]
    kept = [one for one in found if one.score >= LEAST_SCORE and one.closeness > 0]
    return sorted(kept, key=lambda one: (-one.closeness, one.hashtag, one.keyword))


def _compared(
    keyword: str, tag: str, both: int, margins: tuple[int, int, int]
) -> Companion:
    """A hashtag beside a keyword, of `margins`: posts of each, and posts in all."""
    with_keyword, with_tag, total = margins
    by_chance = with_keyword * with_tag / total
    closeness = math.log(both / by_chance) / math.log(total / both)
    return Companion(tag, keyword, both, _ratio(both, margins), min(1.0, closeness))


def _ratio(both: int, margins: tuple[int, int, int]) -> float:
    """The log-likelihood ratio of a table of two by two."""
    keyword, tag, total = margins
    cells = (
        (both, keyword, tag),
        (keyword - both, keyword, total - tag),
        (tag - both, total - keyword, tag),
        (total - keyword - tag + both, total - keyword, total - tag),
    )
    return 2 * sum(
        n * math.log(n * total / (row * column)) for n, row, column in cells if n > 0
    )
