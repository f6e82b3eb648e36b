"""What a job may open beyond its keywords when these cannot reach the target."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache

from headcount.core.errors import InvalidSearch

_UNHEARD = {
    "Cc",
    "Cf",
    "Pc",
    "Pd",
    "Pe",
    "Pf",
    "Pi",
    "Po",
    "Ps",
    "Sk",
    "Zl",
    "Zp",
    "Zs",
}
_APOSTROPHES = "\u02b9\u02bb\u02bc\u02bd"  # that count as letters


class Expand(StrEnum):
    """Which new sources a job may open."""

    OFF = "off"
    VARIANTS = "variants"  # other regions, orders and periods of the same keywords
    RELATED = "related"  # keywords that go with them, and feeds of hashtags
    ALL = "all"  # both, and at last the same questions again after an hour

    @property
    def variants(self) -> bool:
        """Whether the same keywords may be asked in other ways."""
        return self in {Expand.VARIANTS, Expand.ALL}

    @property
    def related(self) -> bool:
        """Whether other keywords may be asked."""
        return self in {Expand.RELATED, Expand.ALL}


@dataclass(frozen=True, slots=True)
class Expansion:
    """What the user allows: `expand`, but nothing with an excluded word in it.

    No source is opened whose relevance to the keywords, from 0 to 1, is below
    `relevance_min`.
    """

    expand: Expand = Expand.OFF
    exclude: tuple[str, ...] = ()
    relevance_min: float = 0.0

    def excludes(self, keyword: str) -> bool:
        """Whether a keyword has an excluded word in it, written in whichever way."""
        written = squeezed(keyword)
        return any(squeezed(word) in written for word in self.exclude)


@lru_cache(maxsize=8192)
def squeezed(keyword: str) -> str:
    """A keyword as it is compared: by its letters, numbers and symbols alone.

    Case, accents, width, spaces and punctuation tell none apart, unless it has nothing
    else. Marks of other scripts stay: there they make another word.
    """
    decomposed = unicodedata.normalize("NFKD", keyword.casefold()).casefold()
    bare = "".join(c for c in decomposed if not "\u0300" <= c <= "\u036f")
    letters = "".join(filter(_is_heard, bare))
    kept = letters or "".join(bare.split()).replace("#", "")
    return unicodedata.normalize("NFC", kept)


def as_hashtag(keyword: str) -> str:
    """A keyword as it is written in a hashtag: in one word, with its accents."""
    folded = unicodedata.normalize("NFC", keyword.casefold())
    return "".join(c for c in folded if c == "_" or _is_heard(c))


def _is_heard(character: str) -> bool:
    """Whether it is more than what stands between letters, or is left out at will."""
    unheard = unicodedata.category(character) in _UNHEARD
    return not unheard and character not in _APOSTROPHES


def parse_expand(text: str) -> Expand:
    """Read which new sources a job may open.

    Raises:
        InvalidSearch: an unknown word, with the nearest one that is known.
    """
    word = text.strip().casefold()
    if word in set(Expand):
        return Expand(word)
    near = get_close_matches(word, list(Expand), n=1, cutoff=0.4)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise InvalidSearch(
        "expand", f"expand: expected {', '.join(Expand)}, not {text[:40]!a}{hint}"
    )


def build_expansion(
    expand: Expand | str,
    *,
    exclude: Iterable[str] = (),
    relevance_min: float | None = None,
) -> Expansion:
    """Make an expansion of what a user gave.

    Raises:
        InvalidSearch: the first thing that cannot be used, with its field.
    """
    parts = (part for word in exclude for part in word.split(","))
    words = tuple(dict.fromkeys(part.strip() for part in parts))
    if any(not squeezed(word) for word in words):
        raise InvalidSearch(
            "expandExclude",
            "expandExclude: expected a word that new keywords must not have, not a "
            "blank: leave it out where there is none",
        )
    least = relevance_min or 0.0
    if not 0 <= least <= 1:
        raise InvalidSearch(
            "relevanceMin",
            f"relevanceMin: expected a number from 0 to 1, not {relevance_min}",
        )
    expand = parse_expand(expand)
    if expand is Expand.OFF and (words or least):
        raise InvalidSearch(
            "expand",
            "expandExclude and relevanceMin say which new sources may be opened: "
            f"give expand as {', '.join(list(Expand)[1:])} with them",
        )
    return Expansion(expand, words, least)
