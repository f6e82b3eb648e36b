"""What clients send: the bodies of requests, and the search that is made of one.

Only the form is checked here; what a search may be is told by `core/search.py`.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    create_model,
)
from pydantic.alias_generators import to_camel

from headcount.adapters.providers.scrapecreators import (
    PERIODS,
    SORTS,
    check_variant,
)
from headcount.core.destinations import LONGEST_URL, check_webhook_url
from headcount.core.errors import InvalidSearch
from headcount.core.expansion import Expansion, build_expansion
from headcount.core.filters import FILTERS, FilterSpec, parse_span
from headcount.core.model import Label, Limits, Search, Speed
from headcount.core.search import MOST_CREATORS, MOST_KEYWORDS, build_search
from headcount.planning import looking
from headcount.settings import Settings

_MOST = 10**9  # calls or credits
_MOST_COUNTED = 10**15  # followers, plays and likes


def _plain(text: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValueError("expected text without control characters")
    if not text.strip():
        raise ValueError("expected more than spaces")
    return text


Words = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_plain)]
Country = Annotated[str, Field(pattern="^[A-Za-z]{2}$")]
Sort = Annotated[str, Field(json_schema_extra={"enum": list(SORTS)})]
Period = Annotated[str, Field(json_schema_extra={"enum": list(PERIODS)})]
_Listed = Annotated[str, Field(min_length=1, max_length=MOST_KEYWORDS * 200)]
_KINDS: Mapping[str, Any] = {
    "count": Annotated[int, Field(ge=0, le=_MOST_COUNTED)] | Words,
    "span": Words,
    "words": Annotated[list[Words], Field(max_length=100)] | Words,
    "flag": bool,
}


class Ask(BaseModel):
    """A body: its fields by their JSON names, and no others."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, alias_generator=to_camel
    )


def _filter(spec: FilterSpec) -> tuple[Any, Any]:
    return _KINDS[spec.kind] | None, Field(None, description=spec.help)


# One field for each declared filter, as text or number, however people write it.
FiltersAsk: Any = create_model(
    "FiltersAsk",
    __base__=Ask,
    __doc__="What creators must be like; a filter that is left out lets all pass.",
    **{spec.name: _filter(spec) for spec in FILTERS},  # type: ignore[call-overload] # made of the list
)


class LimitsAsk(Ask):
    """What the job may spend; what is left out comes from the service's settings."""

    max_calls: int | None = Field(None, ge=1, le=_MOST, description="Calls in all.")
    max_credits: int | None = Field(None, ge=1, le=_MOST, description="Credits in all.")
    max_cost: float | None = Field(
        None,
        gt=0,
        le=_MOST,
        allow_inf_nan=False,
        description="Money in all, where the service knows the price of a credit.",
    )
    deadline: Words | None = Field(
        None,
        description="Nothing is asked after this: a time with its zone (ISO 8601), "
        "or a time from now such as 90s, 15m or 2h.",
        examples=["2h"],
    )
    attempts: int | None = Field(
        None, ge=1, le=100, description="Attempts at a page before its keyword waits."
    )
    speed: Literal["lean", "balanced", "fast"] | None = Field(
        None, description="Waste no calls, a few, or some to be done sooner."
    )


class PlanAsk(Ask):
    """How far a job looks around before it pauses, to tell what it would take."""

    calls: int | None = Field(
        None,
        ge=1,
        le=_MOST,
        description="Calls that it may make; one a keyword, and five at most, where "
        "nothing is said.",
    )


class WiderAsk(Ask):
    """Which new sources a job may open where its own cannot reach the target."""

    expand: Literal["off", "variants", "related", "all"] | None = Field(
        None,
        description="Which new sources may be opened where the keywords fall short.",
    )
    expand_exclude: Annotated[list[Words], Field(max_length=100)] | None = Field(
        None, description="Words that no keyword opened so may have in it."
    )
    relevance_min: float | None = Field(
        None, ge=0, le=1, description="The least relevance of what may be opened."
    )


class SearchAsk(WiderAsk):
    """A search: how many creators, from which keywords, within what limits."""

    keywords: list[Words] | _Listed = Field(
        description="A list, or text in which commas separate them. Each keyword is a "
        "source of its own.",
        examples=[["apple", "tech"]],
    )
    target_results: int = Field(
        ge=1, le=MOST_CREATORS, description="How many creators.", examples=[100]
    )
    platform: Words = Field(
        "tiktok", description="The platform to search, in any case: tiktok."
    )
    filters: FiltersAsk | None = None
    limits: LimitsAsk | None = None
    plan: PlanAsk | None = Field(
        None,
        description="Only look around, then pause: GET /api/jobs/{id}/plan tells what "
        "the rest will take, and POST /api/jobs/{id}/resume goes on from there.",
    )
    region: Country | None = Field(
        None, description="The country to search from, such as US."
    )
    sort: Sort | None = Field(None, description="The order asked for.")
    period: Period | None = Field(None, description="How old videos may be.")
    campaign: Words | None = Field(None, description="What you call it, to find it by.")
    end_user: Words | None = Field(None, description="Which of your users it is for.")
    webhook: Annotated[str, Field(max_length=LONGEST_URL)] | None = Field(
        None, description="The URL that is told how the job goes."
    )
    sandbox: bool = Field(
        default=False, description="Search an invented world: no key, no cost."
    )

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "keywords": ["apple", "tech", "gaming"],
                    "targetResults": 100,
                    "platform": "TikTok",
                    "filters": {"followersMin": "10k", "postedWithin": "30d"},
                    "limits": {"maxCalls": 40, "deadline": "2h"},
                    "campaign": "spring",
                    "sandbox": True,
                }
            ]
        }
    )


class TopUpAsk(WiderAsk):
    """What a job may have in all: absolute, so that asking twice changes nothing."""

    target_results: int | None = Field(
        None, ge=1, le=MOST_CREATORS, description="Creators in all.", examples=[150]
    )
    limits: LimitsAsk | None = Field(None, description="Limits in all.")


@dataclass(frozen=True, slots=True)
class Door:
    """Makes searches of what clients send, by the settings of this service."""

    settings: Settings

    def search(self, ask: SearchAsk, now: datetime) -> Search:
        """The search that is asked for.

        Raises:
            InvalidSearch: the first thing that cannot be used, with its field.
        """
        check_variant(sort=ask.sort, period=ask.period)
        limits = Limits(**self.limits(ask.limits, now))  # type: ignore[arg-type] # as declared by Limits
        seed = self.settings.sandbox_seed
        search = build_search(
            ask.target_results,
            _keywords(ask.keywords),
            filters=ask.filters.model_dump(exclude_none=True) if ask.filters else {},
            limits=self.settings.filled(limits),
            platform=ask.platform,
            provider=f"sandbox/{seed}" if ask.sandbox else "scrapecreators",
            region=ask.region,
            sort=ask.sort,
            period=ask.period,
            expansion=self.expansion(ask) or Expansion(self.settings.expand),
        )
        return looking(search, ask.plan.calls) if ask.plan else search

    def expansion(self, ask: WiderAsk) -> Expansion | None:
        """What may be opened, if anything is said of it.

        Raises:
            InvalidSearch: conditions for what may not be opened at all.
        """
        conditions = ask.expand_exclude or ask.relevance_min
        if ask.expand is None and not conditions:
            return None
        return build_expansion(
            ask.expand or self.settings.expand,
            exclude=ask.expand_exclude or (),
            relevance_min=ask.relevance_min,
        )

    def label(self, ask: SearchAsk, owner: str) -> Label:
        """Whose the job will be, and what they call it.

        Raises:
            InvalidSearch: a webhook that must not be asked.
        """
        if ask.webhook is not None:
            allow = self.settings.webhook_allow_private
            check_webhook_url(ask.webhook, allow_private=allow)
        return Label(owner, ask.campaign, ask.end_user, ask.webhook)

    def limits(self, ask: LimitsAsk | None, now: datetime) -> dict[str, object]:
        """The limits that are given, by the names of `Limits`.

        Raises:
            InvalidSearch: a deadline or a cost that cannot be used.
        """
        if ask is None:
            return {}
        caps = [c for c in (ask.max_credits, self._credits(ask.max_cost)) if c]
        given = {
            "max_calls": ask.max_calls,
            "max_credits": min(caps, default=None),
            "deadline": ask.deadline and _deadline(ask.deadline, now),
            "attempts": ask.attempts,
            "speed": ask.speed and Speed(ask.speed),
        }
        return {name: value for name, value in given.items() if value is not None}

    def _credits(self, cost: float | None) -> int | None:
        """The credits that this much money buys."""
        price = self.settings.credit_price
        if cost is None:
            return None
        if not price:
            raise InvalidSearch(
                "limits.maxCost",
                "maxCost: this service does not know what a credit costs: give "
                "maxCredits, or have the operator set HEADCOUNT_CREDIT_PRICE",
            )
        if cost < price:
            raise InvalidSearch(
                "limits.maxCost", f"maxCost: one credit costs {price}: give more"
            )
        return int(min(cost / price, _MOST))


def _keywords(given: list[str] | str) -> list[str]:
    keywords = given.split(",") if isinstance(given, str) else given
    if len(keywords) > MOST_KEYWORDS:
        raise InvalidSearch("keywords", f"at most {MOST_KEYWORDS:,} keywords")
    return keywords


def _deadline(text: str, now: datetime) -> datetime:
    """A deadline that lies ahead."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return now + parse_span(text, "limits.deadline")
    if time.tzinfo is None:
        raise InvalidSearch(
            "limits.deadline", f"deadline: {text!a} has no zone: add Z for UTC"
        )
    try:
        time = time.astimezone(UTC)
    except OverflowError:
        raise InvalidSearch(
            "limits.deadline", f"deadline: {text!a} lies beyond the calendar"
        ) from None
    if time <= now:
        raise InvalidSearch("limits.deadline", f"deadline: {text!a} is in the past")
    return time
