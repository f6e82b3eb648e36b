"""Worlds to search in the benchmarks: read from JSON, or invented by seed.

A world says which creators each page of each keyword shows. An invented one follows a
simple model of a market, whose figures resemble what recordings of real searches show:
a keyword has creators of its own and shares others with all keywords of the world;
some post far more than others; a page repeats some of what the page before it showed.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from pathlib import Path
from statistics import mean

import msgspec

from headcount.core.errors import InvalidSearch
from headcount.core.search import fold_keyword

PAGE = 30  # items
_MOST_CREATORS = 20_000  # a benchmark plays each world more than fifty times
_SHORTEST, _LONGEST = 60, 420  # items of a keyword, each length as likely
Pages = list[list[str]]


@dataclass(frozen=True, slots=True)
class World:
    """The pages of each keyword, and those of all keywords joined where known.

    A keyword that shows nobody has one page, an empty one: learning so costs a call.
    """

    name: str
    keywords: dict[str, Pages]
    joined: Pages = field(default_factory=list)

    @property
    def creators(self) -> int:
        """How many different creators its keywords show."""
        pages = (page for pages in self.keywords.values() for page in pages)
        return len({creator for page in pages for creator in page})


class _Document(msgspec.Struct):
    keywords: dict[str, list[list[str | int]]]
    joined: list[list[str | int]] = []


def read_world(path: Path) -> World:
    """Read `{"keywords": {WORD: [[CREATOR, ...], ...]}}`, further names optional.

    Raises:
        ValueError: the file is no such document, or too large to be played.
    """
    try:
        document = msgspec.json.decode(path.read_bytes(), type=_Document)
    except (msgspec.DecodeError, RecursionError) as error:
        expected = 'expected {"keywords": {WORD: [[CREATOR, ...], ...]}}'
        raise ValueError(f"{path}: {expected}: {error}") from None
    _tell_apart(path, document.keywords)
    world = World(
        path.stem,
        {word: _pages(pages) or [[]] for word, pages in document.keywords.items()},
        _pages(document.joined),
    )
    if world.creators > _MOST_CREATORS:
        most = f"expected at most {_MOST_CREATORS:,} creators"
        raise ValueError(
            f"{path}: {most}, not {world.creators:,}: all are played often"
        )
    return world


def _tell_apart(path: Path, keywords: Iterable[str]) -> None:
    """Let no keyword pass that cannot be searched for, or that is another one's."""
    spellings: dict[str, str] = {}
    for keyword in keywords:
        try:
            folded = fold_keyword(keyword).casefold()
        except InvalidSearch as error:
            raise ValueError(f"{path}: {error}") from None
        if folded in spellings:
            raise ValueError(
                f"{path}: {spellings[folded]!r} and {keyword!r} differ in case or "
                "spaces, and are one keyword to a search: expected one of them"
            )
        spellings[folded] = keyword


def named_apart(worlds: Iterable[World]) -> list[World]:
    """The worlds, those of a name that was there before by their number with it."""
    times = Counter[str]()
    apart: list[World] = []
    for world in worlds:
        times[world.name] += 1
        number = times[world.name]
        name = world.name if number == 1 else f"{world.name} ({number})"
        apart.append(replace(world, name=name))
    return apart


def _pages(pages: list[list[str | int]]) -> Pages:
    # Answers without items are no pages: the cursor would not move on from them.
    return [[str(creator) for creator in page] for page in pages if page]


@dataclass(frozen=True, slots=True)
class MakeUp:
    """What nobody is told of a keyword: how likely an item shows each creator.

    `repeats` is the share of items that show somebody of the page before instead.
    """

    chances: dict[str, float]
    repeats: float


def items_of(page: int) -> float:
    """How many items a page, numbered from 0, has in the mean of keywords with it."""
    before = PAGE * page
    lengths = range(max(_SHORTEST, before + 1), _LONGEST + 1)
    return mean(min(PAGE, length - before) for length in lengths)


def invent(seed: int) -> World:
    """A world of 2 to 20 keywords; the same seed gives the same world."""
    return invent_told(seed)[0]


def invent_told(seed: int) -> tuple[World, list[MakeUp]]:
    """The world of a seed, and the make-up of each of its keywords."""
    chance = random.Random(seed)  # noqa: S311 - a game, not a secret
    common = _Pool("c", chance, size=chance.randint(40, 250), skew=chance.uniform(1, 2))
    themes = [_own(f"t{n}", chance) for n in range(chance.randint(0, 3))]
    pages, make_ups = dict[str, Pages](), list[MakeUp]()
    for number in range(round(2 * 10 ** chance.uniform(0, 1))):
        keyword = _Keyword(chance, common, themes, f"k{number}")
        pages[f"keyword{number}"] = keyword.pages()
        make_ups.append(keyword.make_up())
    return World(f"invented-{seed}", pages), make_ups


class _Pool:
    """Creators of whom some post more than others: weights by rank, to the `skew`."""

    def __init__(
        self, name: str, chance: random.Random, *, size: int, skew: float
    ) -> None:
        self._names = [f"{name}_{rank}" for rank in range(size)]
        chance.shuffle(self._names)
        self._weights = list(accumulate((rank + 1) ** -skew for rank in range(size)))
        self._chance = chance

    def draw(self) -> str:
        """A creator by chance, those who post more often before others."""
        return self._chance.choices(self._names, cum_weights=self._weights)[0]

    def chances(self) -> dict[str, float]:
        """How likely each creator is drawn."""
        weights = (after - before for before, after in pairwise([0, *self._weights]))
        return {
            name: weight / self._weights[-1]
            for name, weight in zip(self._names, weights, strict=True)
        }


def _own(name: str, chance: random.Random) -> _Pool:
    return _Pool(
        name, chance, size=chance.randint(100, 800), skew=chance.uniform(0.3, 0.8)
    )


class _Keyword:
    """What a keyword shows: its own creators, those of a theme, and those of all."""

    def __init__(
        self,
        chance: random.Random,
        common: _Pool,
        themes: Sequence[_Pool],
        name: str,
    ) -> None:
        self._chance, self._own, self._common = chance, _own(name, chance), common
        self._theme = chance.choice(themes) if themes else self._own
        self._shared = chance.betavariate(0.6, 1.2)
        self._themed = chance.betavariate(0.5, 1)
        self._repeats = chance.uniform(0, 0.12)

    def pages(self) -> Pages:
        """Between two and fourteen pages, the last one short."""
        left, pages = self._chance.randint(_SHORTEST, _LONGEST), list[list[str]]()
        while left > 0:
            before = pages[-1] if pages else []
            pages.append([self._item(before) for _ in range(min(PAGE, left))])
            left -= PAGE
        return pages

    def make_up(self) -> MakeUp:
        """How likely an item shows each creator, and how often it is a repeat."""
        chances: dict[str, float] = defaultdict(float)
        for pool, share in (
            (self._common, self._shared),
            (self._theme, (1 - self._shared) * self._themed),
            (self._own, (1 - self._shared) * (1 - self._themed)),
        ):
            for name, chance in pool.chances().items():
                chances[name] += share * chance
        return MakeUp(chances, self._repeats)

    def _item(self, before: Sequence[str]) -> str:
        if before and self._chance.random() < self._repeats:
            return self._chance.choice(before)
        if self._chance.random() < self._shared:
            return self._common.draw()
        themed = self._chance.random() < self._themed
        return (self._theme if themed else self._own).draw()
