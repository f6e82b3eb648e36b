"""The door: what a user gave becomes a search, or one clear line about the fault."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime

from headcount.core.errors import InvalidSearch
from headcount.core.expansion import Expansion
from headcount.core.filters import Filters, build_filters, shown
from headcount.core.model import Job, Label, Limits, Search, Source

MOST_CREATORS = 1_000_000
MOST_KEYWORDS = 2_000
LONGEST_KEYWORD = 200  # characters; search boxes take fewer
_TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What turns the direction of all text that follows, on a terminal too."""
_UNSEEN = {"Cf", "Mn", "Zs"}
PLATFORMS = ("tiktok",)
_COUNTRIES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN
BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ
DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL
GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM
JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME
MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP
NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD
SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
"""ISO 3166-1 alpha-2, which changes about once in ten years."""


def parse_target(value: int | str) -> int:
    """Read the number of creators: 1 to 1,000,000.

    Raises:
        InvalidSearch: not a whole number, or out of range.
    """
    text = str(value).strip().replace(",", "").replace("_", "")
    if not re.fullmatch("[+-]?[0-9]+", text):
        raise InvalidSearch(
            "targetResults",
            f"expected the number of creators first, such as 100, not {shown(text)}",
        )
    too_long = len(text.lstrip("+-")) > 9  # `int` itself refuses thousands of digits
    if too_long or not 1 <= int(text) <= MOST_CREATORS:
        raise InvalidSearch(
            "targetResults",
            f"the number of creators goes from 1 to {MOST_CREATORS:,}, "
            f"not {shown(text)}",
        )
    return int(text)


def fold_keyword(text: str) -> str:
    """A keyword as it is sent: composed, trimmed, with single spaces.

    Raises:
        InvalidSearch: blank, too long, or with control characters.
    """
    folded = " ".join(unicodedata.normalize("NFC", text).split())
    if not folded:
        raise InvalidSearch("keywords", "a keyword is blank: give a word or a phrase")
    if len(folded) > LONGEST_KEYWORD:
        raise InvalidSearch(
            "keywords",
            f"a keyword has at most {LONGEST_KEYWORD} characters, and "
            f"{shown(folded)} has {len(folded):,}: shorten it",
        )
    kinds = {unicodedata.category(character) for character in folded}
    if kinds & {"Cc", "Cs"} or _TURNING & set(folded):
        raise InvalidSearch(
            "keywords", f"a keyword has no control characters, unlike {shown(folded)}"
        )
    if kinds <= _UNSEEN:
        raise InvalidSearch(
            "keywords", f"a keyword has something to see, unlike {shown(folded)}"
        )
    return folded


def fold_keywords(texts: Iterable[str]) -> tuple[str, ...]:
    """Keywords in the order given, each once: case and spaces tell none apart.

    Raises:
        InvalidSearch: none, too many, or one that cannot be used.
    """
    folded: dict[str, str] = {}
    for text in texts:
        keyword = fold_keyword(text)
        folded.setdefault(keyword.casefold(), keyword)
    if not folded:
        raise InvalidSearch(
            "keywords", "expected at least one keyword after the number of creators"
        )
    if len(folded) > MOST_KEYWORDS:
        raise InvalidSearch(
            "keywords", f"at most {MOST_KEYWORDS:,} keywords, not {len(folded):,}"
        )
    return tuple(folded.values())


def build_search(  # noqa: PLR0913 - a search has as many parts as a user may name
    target: int | str,
    keywords: Iterable[str],
    *,
    filters: Mapping[str, object] | None = None,
    limits: Limits | None = None,
    platform: str = "tiktok",
    provider: str = "scrapecreators",
    region: str | None = None,
    sort: str | None = None,
    period: str | None = None,
    expansion: Expansion | None = None,
) -> Search:
    """Make a search of what a user gave.

    Raises:
        InvalidSearch: the first thing that cannot be used, with its field.
    """
    if platform.casefold() not in PLATFORMS:
        raise InvalidSearch(
            "platform", f"expected platform tiktok, not {shown(platform)}"
        )
    return Search(
        target=parse_target(target),
        keywords=fold_keywords(keywords),
        filters=_spoken(build_filters(filters or {})),
        limits=check_limits(limits or Limits()),
        platform=platform.casefold(),
        provider=provider,
        region=_region(region),
        sort=sort,
        period=period,
        expansion=expansion or Expansion(),
    )


def check_limits(limits: Limits) -> Limits:
    """Let limits through that allow at least one attempt.

    Raises:
        InvalidSearch: a limit below 1, or a deadline without a zone.
    """
    given = {
        "maxCalls": limits.max_calls,
        "maxCredits": limits.max_credits,
        "attempts": limits.attempts,
    }
    for name, value in given.items():
        if value is not None and value < 1:
            raise InvalidSearch(
                f"limits.{name}", f"{name}: expected 1 or more, not {value}"
            )
    if limits.deadline and limits.deadline.utcoffset() is None:
        raise InvalidSearch(
            "limits.deadline",
            f"deadline: expected a time with its zone, not {limits.deadline}",
        )
    return limits


def new_job(
    job_id: str, search: Search, now: datetime, *, label: Label | None = None
) -> Job:
    """A job at its start: each keyword is a source of its own, never joined."""
    sources = tuple(
        Source(
            id=number,
            keyword=keyword,
            region=search.region,
            sort=search.sort,
            period=search.period,
        )
        for number, keyword in enumerate(search.keywords, start=1)
    )
    return Job(
        id=job_id,
        search=search,
        created_at=now,
        sources=sources,
        label=label or Label(),
        due_at=now,
    )


def _region(text: str | None) -> str | None:
    if text is None:
        return None
    region = text.strip().upper()
    if region in _COUNTRIES.split():
        return region
    raise InvalidSearch(
        "region",
        f"region: expected a country by its code such as US or GB, not {shown(text)}",
    )


def _spoken(filters: Filters) -> Filters:
    """Filters whose languages a caption may be in, as far as the form of a code tells.

    A list would refuse what TikTok says beyond ISO 639-1, three letters or old codes.
    """
    for code in filters.language:
        if code == "un" or not re.fullmatch("[a-z]{2,3}", code):
            raise InvalidSearch(
                "language",
                "language: expected a language by its code such as en or es, "
                f"not {shown(code)}",
            )
    return filters
