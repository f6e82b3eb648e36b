"""The page filters: what a sighting alone can tell, declared once.

`FILTERS` is the single list that the command line, the API and the documentation
read. A filter is a pure test of one sighting; a creator qualifies by the first
sighting that passes all of them, so a weak video does not bar its creator for good.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from headcount.core.errors import InvalidSearch
from headcount.core.sighting import Judgement, Sighting, Verdict

_COUNT = re.compile(r"(\d{1,15}(?:\.\d{1,15})?)\s*([kmb]?)", re.IGNORECASE)
_SCALE = {"": 1, "k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
_SPAN = re.compile(r"(\d+)\s*([smhdw])", re.IGNORECASE)
_UNIT = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=36_500)
_QUALIFIED = Judgement(Verdict.QUALIFIED)


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of a search; a field left at its default lets everything pass."""

    followers_min: int | None = None
    followers_max: int | None = None
    plays_min: int | None = None
    likes_min: int | None = None
    posted_within: timedelta | None = None
    verified: bool = False
    caption_has: tuple[str, ...] = ()
    caption_lacks: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    no_ads: bool = False


def shown(text: str) -> str:
    """What came, short and harmless to print."""
    return ascii(text) if len(text) <= 40 else f"{text[:40]!a}..."


def parse_count(text: str, field: str = "count") -> int:
    """Read a count as people write it: `850`, `10k`, `1.5m`."""
    match = _COUNT.fullmatch(text.strip().replace(",", "").replace("_", ""))
    if match is None:
        raise InvalidSearch(
            field,
            f"{field}: expected a count such as 850, 10k or 1.5m, not {shown(text)}",
        )
    return round(float(match[1]) * _SCALE[match[2].lower()])


def parse_span(text: str, field: str = "span") -> timedelta:
    """Read a span of time: `90s`, `15m`, `12h`, `30d`, `2w`."""
    match = _SPAN.fullmatch(text.strip())
    if match is None or len(match[1]) > 9 or int(match[1]) == 0:
        raise InvalidSearch(
            field,
            f"{field}: expected a time such as 90s, 12h, 30d or 2w, not {shown(text)}",
        )
    span = timedelta(**{_UNIT[match[2].lower()]: int(match[1])})
    if span > _LONGEST:
        raise InvalidSearch(field, f"{field}: at most 100 years, not {text!r}")
    return span


def _words(text: str | list[str] | tuple[str, ...], field: str) -> tuple[str, ...]:
    """Fold words for comparison; a blank one is a mistake worth telling."""
    given = [text] if isinstance(text, str) else list(text)
    folded = [" ".join(str(word).casefold().split()) for word in given]
    if not all(folded):
        raise InvalidSearch(field, f"{field}: expected a word, got a blank one")
    return tuple(dict.fromkeys(folded))


@dataclass(frozen=True, slots=True)
class FilterSpec:
    """One filter as every surface shows it.

    `kind` is what the user writes: count, span, words or flag. `fails` answers with
    the reason for a rejection, or `None` where the sighting passes.
    """

    name: str
    kind: str
    help: str
    fails: Callable[[Sighting, Filters, datetime], str | None]

    @property
    def json_name(self) -> str:
        """The name in JSON: camelCase."""
        head, *rest = self.name.split("_")
        return head + "".join(word.capitalize() for word in rest)

    @property
    def flag(self) -> str:
        """The name on the command line."""
        return "--" + self.name.replace("_", "-")

    def parse(self, value: object) -> object:
        """Turn what a user or a JSON body gave into the value of `Filters`."""
        if self.kind == "flag":
            return _flag(value, self.name)
        if self.kind == "words" and isinstance(value, str | list | tuple):
            return _words(value, self.name)
        if self.kind == "count" and isinstance(value, int | str):
            return _count(value, self.name)
        if self.kind == "span" and isinstance(value, str):
            return parse_span(value, self.name)
        raise InvalidSearch(
            self.name, f"{self.name}: expected {self.kind}, not {value!r}"
        )


def _flag(value: object, field: str) -> bool:
    if isinstance(value, bool):
        return value
    raise InvalidSearch(field, f"{field}: expected true or false, not {value!r}")


def _count(value: int | str, field: str) -> int:
    if isinstance(value, bool) or (isinstance(value, int) and value < 0):
        raise InvalidSearch(field, f"{field}: expected a count from 0 up, not {value}")
    return value if isinstance(value, int) else parse_count(value, field)


def _below(value: int | None, least: int | None) -> bool:
    return least is not None and (value is None or value < least)


def _posted_too_early(
    sighting: Sighting, filters: Filters, now: datetime
) -> str | None:
    if filters.posted_within is None:
        return None
    posted = sighting.video.posted_at
    early = posted is None or posted < now - filters.posted_within
    return "posted_within" if early else None


def _above(value: int | None, most: int | None) -> bool:
    return most is not None and (value is None or value > most)


def _has(sighting: Sighting, word: str) -> bool:
    caption = " ".join(sighting.video.description.casefold().split())
    tags = {tag.casefold() for tag in sighting.hashtags}
    return word in caption or word.removeprefix("#") in tags


FILTERS: tuple[FilterSpec, ...] = (
    FilterSpec(
        "followers_min",
        "count",
        "At least this many followers (850, 10k, 1.5m).",
        lambda s, f, _: (
            "followers_min" if _below(s.followers, f.followers_min) else None
        ),
    ),
    FilterSpec(
        "followers_max",
        "count",
        "At most this many followers.",
        lambda s, f, _: (
            "followers_max" if _above(s.followers, f.followers_max) else None
        ),
    ),
    FilterSpec(
        "plays_min",
        "count",
        "The video has been played at least this often.",
        lambda s, f, _: "plays_min" if _below(s.video.plays, f.plays_min) else None,
    ),
    FilterSpec(
        "likes_min",
        "count",
        "The video has at least this many likes.",
        lambda s, f, _: "likes_min" if _below(s.video.likes, f.likes_min) else None,
    ),
    FilterSpec(
        "posted_within",
        "span",
        "The video was posted within this time (12h, 30d, 2w).",
        _posted_too_early,
    ),
    FilterSpec(
        "verified",
        "flag",
        "Verified accounts only.",
        lambda s, f, _: "verified" if f.verified and not s.verified else None,
    ),
    FilterSpec(
        "caption_has",
        "words",
        "The caption or its hashtags contain this; every one where repeated.",
        lambda s, f, _: (
            "caption_has" if not all(_has(s, w) for w in f.caption_has) else None
        ),
    ),
    FilterSpec(
        "caption_lacks",
        "words",
        "Neither the caption nor its hashtags contain this.",
        lambda s, f, _: (
            "caption_lacks" if any(_has(s, w) for w in f.caption_lacks) else None
        ),
    ),
    FilterSpec(
        "language",
        "words",
        "The caption is in this language (en, es, ...); any one where repeated.",
        lambda s, f, _: (
            "language" if f.language and s.language not in f.language else None
        ),
    ),
    FilterSpec(
        "no_ads",
        "flag",
        "Leave advertisements out.",
        lambda s, f, _: "no_ads" if f.no_ads and s.is_ad else None,
    ),
)

_BY_NAME = {spec.name: spec for spec in FILTERS} | {
    spec.json_name: spec for spec in FILTERS
}


def build_filters(given: Mapping[str, object]) -> Filters:
    """Make filters of what a user gave, by Python or JSON name; `None` is not given.

    Raises:
        InvalidSearch: an unknown name, a value out of range, or a contradiction.
    """
    unknown = [name for name in given if name not in _BY_NAME]
    if unknown:
        known = ", ".join(spec.json_name for spec in FILTERS)
        raise InvalidSearch(
            unknown[0], f"no filter is called {unknown[0]!r}; the filters are {known}"
        )
    values = {
        _BY_NAME[name].name: _BY_NAME[name].parse(value)
        for name, value in given.items()
        if value is not None
    }
    return _checked(Filters(**values))  # type: ignore[arg-type] # parse checked each


def _checked(filters: Filters) -> Filters:
    least, most = filters.followers_min, filters.followers_max
    if least is not None and most is not None and least > most:
        raise InvalidSearch(
            "followers_min",
            f"no creator has at least {least} and at most {most} followers: "
            "lower followers_min or raise followers_max",
        )
    both = set(filters.caption_has) & set(filters.caption_lacks)
    if both:
        raise InvalidSearch(
            "caption_lacks",
            f"no caption both contains and lacks {min(both)!r}: drop one of the two",
        )
    return filters


def filters_as_given(filters: Filters) -> dict[str, object]:
    """The filters that are set, by JSON name, in the form `build_filters` takes."""
    return {
        spec.json_name: _plain(getattr(filters, spec.name)) for spec in chosen(filters)
    }


def chosen(filters: Filters) -> tuple[FilterSpec, ...]:
    """The filters that are set."""
    unset = (None, False, ())
    return tuple(
        spec
        for spec in FILTERS
        if not any(getattr(filters, spec.name) is nothing for nothing in unset)
    )


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return f"{int(value.total_seconds())}s"
    return list(value) if isinstance(value, tuple) else value


def judge(
    sighting: Sighting,
    filters: Filters,
    now: datetime,
    *,
    specs: Iterable[FilterSpec] = FILTERS,
) -> Judgement:
    """Give the verdict on a creator as far as this sighting can tell.

    `specs` are those that need to be looked at: the `chosen` ones do.
    """
    for spec in specs:
        reason = spec.fails(sighting, filters, now)
        if reason is not None:
            return Judgement(Verdict.REJECTED, reason)
    return _QUALIFIED
