"""What a job may open beyond its keywords when these cannot reach the target."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from headcount.core.errors import InvalidSearch


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
        return any(squeezed(word) in squeezed(keyword) for word in self.exclude)


def squeezed(keyword: str) -> str:
    """A keyword as a hashtag has it: in one word, without case or mark."""
    return "".join(keyword.casefold().split()).replace("#", "")


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
