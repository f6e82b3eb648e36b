"""What the sandbox's search can find: ranked videos for every keyword, and their pages.

A keyword ranks 150-420 videos by 70-85 % as many creators. Creators stand on the ranks
of their topic, popular ones first; each keyword sees these ranks a little shaken, takes
the first so many, and adds some creators of its own. So two words of one topic share
most of their creators, words of bordering topics some, and other words none. Another
region, order, period or hour shows others on about half of the places, and so does the
feed of a word as a hashtag.
"""

from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Self

from headcount.sandbox.people import People, Sighting, Video
from headcount.sandbox.topics import (
    dice,
    fold,
    home_of,
    suggestions_for,
    topics_of,
)
from headcount.sandbox.world_file import read_pages

PAGE_SIZE = 30
RANKS = 480  # creators a topic has on offer
SHAKE = 20.0  # how far, in ranks, two keywords of a topic see a creator apart
OWN_SHARE = (0.05, 0.35)  # of a keyword's creators, found by no other keyword
REGIONAL_SHARE = (0.55, 0.65)  # the same, of those that another variant puts in

SHORT_PAGE = 0.08  # share of pages that lack one or two items
RERANK_SPREAD = 12.0  # shakes about half of a page out of it
RERANK_TOP = 230  # where a reranked first page draws from: 13 % remain

ORDERS: Mapping[str, Callable[[Video], float] | None] = {
    "relevance": None,
    "most-liked": lambda video: -video.likes,
    "date-posted": lambda video: -video.created.timestamp(),
}
PERIODS: Mapping[str, int | None] = {
    "yesterday": 1,
    "this-week": 7,
    "this-month": 30,
    "last-3-months": 90,
    "last-6-months": 180,
    "all-time": None,
}


@dataclass(frozen=True, slots=True)
class Question:
    """One search request, with the vendor's names and defaults."""

    keyword: str
    cursor: int = 0
    region: str = ""
    sort_by: str = "relevance"
    date_posted: str = "all-time"
    trim: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """What the universe answers to one search, before anything goes wrong."""

    videos: tuple[Video, ...]
    cursor: int
    has_more: bool


class World:
    """A universe that follows from its seed alone; only the dates move with `now`.

    Args:
        seed: another seed is another universe.
        now: the day that post dates count back from; today if left out.
        pages: exact pages of creator ids for these keywords, instead of rankings.
    """

    def __init__(
        self,
        seed: int = 42,
        now: date | None = None,
        *,
        pages: Mapping[str, list[list[str]]] | None = None,
    ) -> None:
        self.seed = seed
        self.today = now or datetime.now(UTC).date()
        self._pages = pages
        self._people = People(seed, self.today, label_is_uid=pages is not None)
        self._rankings: dict[tuple[Question, int], tuple[Sighting, ...]] = {}

    @classmethod
    def from_file(
        cls, path: str | Path, *, seed: int = 42, now: date | None = None
    ) -> Self:
        """A universe of exactly the pages a file lists.

        Raises:
            ValueError: it is not `{"keywords": {word: [[creator id, ...], ...]}}`.
        """
        return cls(seed, now, pages=read_pages(Path(path)))

    def page(
        self, question: Question, *, rerank: int | None = None, hour: int = 0
    ) -> Page:
        """The page at a search's cursor, so many hours after the first question.

        With a `rerank` number it is shaken by it. A keyword with a # is a hashtag.
        """
        question = replace(question, keyword=fold(question.keyword), trim=False)
        if self._pages is not None:
            return self._written_page(self._pages.get(question.keyword, []), question)
        return self._ranked_page(question, rerank, hour)

    def ranking(self, question: Question, hour: int = 0) -> tuple[Sighting, ...]:
        """All that a search can find, best first, whatever its cursor."""
        variant = replace(
            question, keyword=fold(question.keyword), cursor=0, trim=False
        )
        if (variant, hour) not in self._rankings:
            self._rankings[variant, hour] = self._rank(variant, hour)
        return self._rankings[variant, hour]

    def suggestions(self, keyword: str) -> tuple[str, ...]:
        """What else one might search for; nothing where a file says all there is."""
        return () if self._pages is not None else suggestions_for(self.seed, keyword)

    def _written_page(self, pages: list[list[str]], question: Question) -> Page:
        number = question.cursor // PAGE_SIZE
        creators = pages[number] if number < len(pages) else []
        videos = (
            self._people.video(Sighting(creator, f"{number}.{place}"))
            for place, creator in enumerate(creators)
        )
        after = (number + 1) * PAGE_SIZE
        return Page(tuple(videos), after, has_more=number + 1 < len(pages))

    def _ranked_page(self, question: Question, rerank: int | None, hour: int) -> Page:
        ranking, start = self.ranking(question, hour), question.cursor
        throw = dice(self.seed, "page", *astuple(question))
        if rerank is not None:
            throw = dice(self.seed, "rerank", rerank)
            ranking = _reranked(ranking, start, throw)
        sightings = _with_repeats(ranking, start, throw)
        return Page(
            tuple(map(self._people.video, sightings)),
            start + PAGE_SIZE,
            has_more=start + PAGE_SIZE < len(ranking),
        )

    def _rank(self, variant: Question, hour: int) -> tuple[Sighting, ...]:
        """The plain ranking, with others for all that the variant asks besides."""
        keyword = variant.keyword
        ranking = _rank_keyword(dice(self.seed, keyword), keyword)
        asked = (
            variant.region.casefold(),
            "" if variant.sort_by == "relevance" else variant.sort_by,
            "" if variant.date_posted == "all-time" else variant.date_posted,
            f"hour-{hour}" if hour else "",
        )
        for variation in filter(None, asked):
            ranking = self._mixed(ranking, keyword, variation)
        return self._sorted(ranking, variant)

    def _mixed(
        self, plain: tuple[Sighting, ...], keyword: str, variation: str
    ) -> tuple[Sighting, ...]:
        """A ranking of which another one takes about every second place."""
        throw = dice(self.seed, keyword, "in", variation)
        others = _rank_keyword(throw, keyword, takes=variation, own=REGIONAL_SHARE)
        mixed = [
            others[place] if place < len(others) and throw.random() < 0.5 else here
            for place, here in enumerate(plain)
        ]
        return tuple(mixed)

    def _sorted(
        self, ranking: tuple[Sighting, ...], variant: Question
    ) -> tuple[Sighting, ...]:
        videos = {sighting: self._people.video(sighting) for sighting in ranking}
        kept = list(ranking)
        if (days := PERIODS[variant.date_posted]) is not None:
            midnight = datetime.combine(self.today, time(), UTC)
            first = midnight - timedelta(days=days)
            kept = [here for here in kept if videos[here].created >= first]
        if (order := ORDERS[variant.sort_by]) is not None:
            kept.sort(key=lambda here: order(videos[here]))
        return tuple(kept)


def _rank_keyword(
    throw: Random,
    keyword: str,
    *,
    takes: str = "",
    own: tuple[float, float] = OWN_SHARE,
) -> tuple[Sighting, ...]:
    total = throw.randint(150, 420)
    crowd = round(total * throw.uniform(0.70, 0.85))
    creators = iter(_cast(throw, topics_of(keyword), crowd, throw.uniform(*own)))
    again = _places_of_returns(throw, total, total - crowd)
    shown: list[str] = []
    times: dict[str, int] = {}
    ranking = []
    for place in range(total):
        creator = throw.choice(shown) if place in again else next(creators)
        if creator not in times:
            shown.append(creator)
        times[creator] = times.get(creator, 0) + 1
        ranking.append(Sighting(creator, f"{takes}{times[creator]}"))
    return tuple(ranking)


def _cast(throw: Random, topics: tuple[str, ...], crowd: int, own: float) -> list[str]:
    """The creators of a keyword: its own, and an equal part of each of its topics."""
    block = throw.randrange(1, 100_000)
    creators = [f"{topics[0]}_{block:05}{n:03}" for n in range(round(crowd * own))]
    for left, topic in zip(range(len(topics), 0, -1), topics, strict=True):
        part = (crowd - len(creators)) // left
        nearest = sorted(range(RANKS), key=lambda rank: rank + throw.gauss(0, SHAKE))
        labels = [f"{home_of(topic, rank)}_{rank:04}" for rank in nearest]
        taken = set(creators)
        fresh = [label for label in labels if label not in taken]
        creators += fresh[:part]
    throw.shuffle(creators)
    return creators


def _places_of_returns(throw: Random, total: int, count: int) -> set[int]:
    """Where a creator comes again: the further down, the more often; never first."""
    weighted = {
        place: throw.random() ** (total / place) ** 1.3 for place in range(1, total)
    }
    return set(sorted(weighted, key=weighted.__getitem__)[-count:])


def _reranked(
    ranking: tuple[Sighting, ...], start: int, throw: Random
) -> tuple[Sighting, ...]:
    if start == 0:
        top = list(ranking[:RERANK_TOP])
        throw.shuffle(top)
        return (*top, *ranking[RERANK_TOP:])
    places = [place + throw.gauss(0, RERANK_SPREAD) for place in range(len(ranking))]
    return tuple(
        ranking[n] for n in sorted(range(len(ranking)), key=places.__getitem__)
    )


def _with_repeats(
    ranking: tuple[Sighting, ...], start: int, throw: Random
) -> list[Sighting]:
    """A page as it is served: now and then short, with videos of the pages before.

    The share of repeats rises from 2 % on the second page to 12 % from the fourth on,
    three of four from the page just before; within a page no video comes twice.
    """
    page = list(ranking[start : start + PAGE_SIZE])
    if throw.random() < SHORT_PAGE:
        del page[PAGE_SIZE - throw.choice((1, 2)) :]
    share = min(0.12, max(0.0, 0.05 * start / PAGE_SIZE - 0.03))
    for place in range(len(page)):
        if throw.random() < share:
            back = throw.choices((1, 2, 3), (77, 15, 8))[0] * PAGE_SIZE
            earlier = ranking[max(0, start - back) :][:PAGE_SIZE]
            repeat = throw.choice(earlier)
            if repeat not in page:
                page[place] = repeat
    return page
