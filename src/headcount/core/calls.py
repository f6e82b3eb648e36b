"""Calls and what comes back: a page of sightings, or a failure. Both are values.

The ledger lists every call of a job; what it was paid is never a guess made later.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from headcount.core.sighting import Sighting


class CallKind(StrEnum):
    """What a call asks for; each kind has its price."""

    PAGE = "page"  # the next page of a source
    SUGGESTIONS = "suggestions"  # what the provider would search beside a keyword
    PROFILE = "profile"  # what a page does not say of a pending creator


Prices = Mapping[CallKind, int]
"""The most credits that a call of each kind may cost."""


class Endpoint(StrEnum):
    """Which of a provider's endpoints a source asks."""

    KEYWORD = "keyword"
    HASHTAG = "hashtag"
    SUGGESTIONS = "suggestions"  # it shows no creators, but further keywords

    @property
    def kind(self) -> CallKind:
        """What a call of it asks for."""
        return CallKind.SUGGESTIONS if self is Endpoint.SUGGESTIONS else CallKind.PAGE


class CallState(StrEnum):
    """Where a call stands in the ledger; `held` credits count until it is closed."""

    OPEN = "open"
    SETTLED = "settled"  # a page came
    FAILED = "failed"  # no page came, and the call may have been charged
    REFUSED = "refused"  # no page came, and it was surely not charged
    LOST = "lost"  # a crash left it open: it counts as charged


class FailureKind(StrEnum):
    """What a failed call asks of us."""

    UNAVAILABLE = "unavailable"  # try again, with backoff
    THROTTLED = "throttled"  # try again, later, as told
    KEY_REFUSED = "key_refused"  # no call with this key can pass
    OUT_OF_CREDITS = "out_of_credits"  # no call can pass until somebody pays
    KEY_PAUSED = "key_paused"  # the same, where the job may wait for it


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the ledger: a request that is, was, or may have been paid for.

    `id` counts all lines of the job; `number` counts, in the order they were closed,
    those that were or may have been charged. `attempts` adds to this request the
    uncharged ones that went before it for the same page.
    """

    id: int
    source: int
    cursor: str
    held: int
    opened_at: datetime
    kind: CallKind = CallKind.PAGE
    creator_key: str | None = None  # whom a profile call is about
    state: CallState = CallState.OPEN
    number: int | None = None
    attempts: int = 1
    credits: int = 0
    items: int = 0
    new: int = 0
    duplicates: int = 0
    rejected: int = 0
    pending: int = 0
    unusable: int = 0
    size: int = 0  # of the answer's body, in bytes, decompressed
    duration_ms: int = 0
    closed_at: datetime | None = None
    error: str | None = None

    @property
    def charged(self) -> bool:
        """Whether it was or may have been charged."""
        return self.state not in {CallState.OPEN, CallState.REFUSED}


@dataclass(frozen=True, slots=True)
class Page:
    """What a call brought: its sightings, and what it says of the way on.

    `items` counts all entries received, readable or not. `more` is the provider's own
    word, `None` where it said nothing. `next_cursor` always lies ahead of the cursor
    asked; `stuck` tells that the provider's own cursor did not. An answer of
    suggestions has these, and no sightings.
    """

    sightings: tuple[Sighting, ...]
    items: int
    next_cursor: str
    more: bool | None = None
    stuck: bool = False
    credits: int | None = None
    size: int = 0
    duration_ms: int = 0
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that brought no page; `charged` unless that is ruled out."""

    kind: FailureKind
    message: str
    charged: bool = True
    credits: int | None = None
    retry_after: float | None = None  # seconds, as the provider asked
    size: int = 0
    duration_ms: int = 0


Answer = Page | Failure
