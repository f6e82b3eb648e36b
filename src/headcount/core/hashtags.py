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
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from headcount.core.expansion import squeezed

ROOM = 512  # counts that are kept
LEAST_POSTS = 5
LEAST_SCORE = 10.83  # chance does this once in a thousand times
_IMAGINED = 1_000
_SHORTEST, _LONGEST = 2, 40  # characters
_SAYS_NOTHING = (
    "4u", "4you", "4youpage", "blowthisup", "capcut", "duet", "explore", "explorepage",
    "follow", "follower", "followers", "followme", "foru", "foryou", "foryour", "fy",
    "fyp", "goviral", "greenscreen", "keşfet", "like", "likes", "now", "page", "parati",
    "post", "pourtoi", "reel", "reels", "shorts", "stitch", "tiktok", "tiktokshop",
    "trend", "trending", "trends", "video", "videos", "viral", "xyzbc", "xyzbca",
)  # fmt: skip
"""What stands in posts of all kinds."""
_SPAM = re.compile(
    "(?:(?:" + "|".join(f"{word}{word[-1]}*" for word in _SAYS_NOTHING) + ")"
    r"[\d\W_シツッﾟ]*)+"
)
"""Such words alone or in a row, drawn out and adorned: `fyppp`, `fypシ`, `viralvideo`.

What begins like one is a word of its own: `videogames`, `forum`, `explorer`.
"""


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
    return fits and not _SPAM.fullmatch(tag)


def _lowered(counts: Counts) -> Counts:
    """The counts for which there is room, all lowered by what had to go."""
    values = [n for tags in counts.values() for n in tags.values()]
    values.sort(reverse=True)
    cut = values[ROOM] if len(values) > ROOM else 0
    return {
        keyword: {tag: n - cut for tag, n in tags.items() if n > cut}
        for keyword, tags in counts.items()
    }


def companions(
    hashtags: Hashtags, *, known: Collection[str] = (), most: int = ROOM
) -> list[Companion]:
    """The hashtags that go with a keyword unusually often, the closest first.

    Left out are those `known`, as they are compared.
    """
    everywhere = Counter[str]()
    for tags in hashtags.counts.values():
        everywhere.update(tags)
    total = sum(hashtags.posts.values()) + _IMAGINED
    close = [
        (-_closeness(n, margins), tag, keyword, n, margins)
        for keyword, tags in hashtags.counts.items()
        for posts, own in [(hashtags.posts[keyword], squeezed(keyword))]
        for tag, n in tags.items()
        for margins in [(posts, everywhere[tag] + 1, total)]
        if n >= LEAST_POSTS
        and n * total > posts * margins[1]  # more often than by chance
        and (word := squeezed(tag)) != own
        and word not in known
    ]
    found = (
        Companion(tag, keyword, n, score, -negative)
        for negative, tag, keyword, n, margins in sorted(close)
        if (score := _ratio(n, margins)) >= LEAST_SCORE
    )
    return list(islice(found, most))


_Margins = tuple[int, int, int]
"""How many posts of a keyword, with a hashtag, and in all."""


def _closeness(both: int, margins: _Margins) -> float:
    with_keyword, with_tag, total = margins
    by_chance = with_keyword * with_tag / total
    return min(1.0, math.log(both / by_chance) / math.log(total / both))


def _ratio(both: int, margins: _Margins) -> float:
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
