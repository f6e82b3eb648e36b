"""Worlds to search in the benchmarks: read from JSON, or invented by seed.

A world says which creators each page of each keyword shows. An invented one follows a
simple model of a market, whose figures resemble what recordings of real searches show:
a keyword has creators of its own and shares others with all keywords of the world;
some post far more than others; a page repeats some of what the page before it showed.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

PAGE = 30  # items
Pages = list[list[str]]


@dataclass(frozen=True, slots=True)
class World:
    """The pages of each keyword, and those of all keywords joined where known."""

    name: str
    keywords: dict[str, Pages]
    joined: Pages = field(default_factory=list)

    @property
    def creators(self) -> int:
        """How many different creators its keywords show."""
        pages = (page for pages in self.keywords.values() for page in pages)
        return len({creator for page in pages for creator in page})


def read_world(path: Path) -> World:
    """Read `{"keywords": {WORD: [[CREATOR, ...], ...]}}`, further names optional.

    Raises:
        ValueError: the file is no such document.
    """
    document = json.loads(path.read_text())
    keywords = document.get("keywords") if isinstance(document, dict) else None
    if not isinstance(keywords, dict):
        expected = '{"keywords": {WORD: [[CREATOR, ...], ...]}}'
        raise ValueError(f"{path}: expected {expected}")  # noqa: TRY004 - a document
    joined = document.get("joined", [])
    return World(
        path.stem,
        {word: _pages(path, word, pages) for word, pages in keywords.items()},
        _pages(path, "joined", joined),
    )


def _pages(path: Path, word: str, pages: object) -> Pages:
    if isinstance(pages, list) and all(isinstance(page, list) for page in pages):
        # Answers without items are no pages: the cursor would not move on from them.
        return [[str(creator) for creator in page] for page in pages if page]
    raise ValueError(f"{path}: expected a list of pages as {word!r}, not {pages!r}")


def invent(seed: int) -> World:
    """A world of 2 to 20 keywords; the same seed gives the same world."""
    chance = random.Random(seed)  # noqa: S311 - a game, not a secret
    common = _Pool("c", chance, size=chance.randint(40, 250), skew=chance.uniform(1, 2))
    themes = [_own(f"t{n}", chance) for n in range(chance.randint(0, 3))]
    keywords = {
        f"keyword{number}": _Keyword(chance, common, themes, f"k{number}").pages()
        for number in range(round(2 * 10 ** chance.uniform(0, 1)))
    }
    return World(f"invented-{seed}", keywords)


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
        left, pages = self._chance.randint(60, 420), list[list[str]]()
        while left > 0:
            before = pages[-1] if pages else []
            pages.append([self._item(before) for _ in range(min(PAGE, left))])
            left -= PAGE
        return pages

    def _item(self, before: Sequence[str]) -> str:
        if before and self._chance.random() < self._repeats:
            return self._chance.choice(before)
        if self._chance.random() < self._shared:
            return self._common.draw()
        themed = self._chance.random() < self._themed
        return (self._theme if themed else self._own).draw()
