"""What the HTTP API tells of jobs, as frozen values: snake_case here, camelCase there.

What each field means is said once, in `headcount/schema.json`. Fields that a later
server adds are passed over.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from headcount.core.calls import CallState
from headcount.core.expansion import Expand
from headcount.core.model import Reason, SourceState, Speed, Status
from headcount.core.report import Document, moment

T = TypeVar("T", bound="Answer")


class Answer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An object of the API."""


class LimitsDocument(Answer, frozen=True):
    """What a job may spend."""

    max_calls: int | None
    max_credits: int | None
    deadline: datetime | None
    attempts: int
    speed: Speed


class OutcomeDocument(Answer, frozen=True):
    """How a job ended."""

    short_by: int
    reason: Reason | None
    detail: str | None


class RangeDocument(Answer, frozen=True):
    """A figure that is expected."""

    low: int
    expected: int
    high: int


class FigureDocument(Answer, frozen=True):
    """A figure that is expected, which need not be whole."""

    low: float
    expected: float
    high: float


class ForecastDocument(Answer, frozen=True):
    """What is ahead of a job."""

    calls: RangeDocument | None
    credits: RangeDocument | None
    reach: RangeDocument
    out_of_reach: bool
    seconds: FigureDocument | None = None  # an older server does not tell it


class SourceDocument(Answer, frozen=True):
    """One stream of pages."""

    keyword: str
    source: str
    origin: str | None
    relevance: float
    state: SourceState
    cursor: str
    pages: int
    items_received: int
    new_unique: int
    supply: int
    credits: int
    error: str | None


class ExpansionDocument(Answer, frozen=True):
    """What the sources cost and brought that a job opened itself."""

    sources: int
    calls: int
    credits: int
    new_unique: int


class RestDocument(Answer, frozen=True):
    """Why a job waits, and until when."""

    until: datetime
    reason: str


class JobDocument(Answer, frozen=True):
    """A job, without its creators and calls."""

    id: str
    status: Status
    sandbox: bool
    owner: str
    campaign: str | None
    end_user: str | None
    webhook: str | None
    target_results: int
    keywords: list[str]
    platform: str
    region: str | None
    sort: str | None
    period: str | None
    filters: dict[str, Any]
    limits: LimitsDocument
    expand: Expand
    expand_exclude: list[str]
    relevance_min: float
    current: int
    target: int
    progress: str
    api_calls: int
    duplicates_found: int
    average_per_call: float
    predicted_calls_remaining: int | None
    spares: int
    rejected: int
    credits: int
    open_calls: int
    call_cap: int
    outcome: OutcomeDocument | None
    rest: RestDocument | None
    forecast: ForecastDocument
    sources: list[SourceDocument]
    expansion: ExpansionDocument
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def missing(self) -> int:
        """How many creators are still to be found."""
        return self.target - self.current


class CallDetail(Answer, frozen=True):
    """One closed call of the ledger."""

    call_number: int | None
    keyword: str
    source: str
    cursor: str
    items_received: int
    new_unique: int
    duplicates: int
    rejected: int
    pending: int
    unusable: int
    duration_ms: int
    response_bytes: int
    attempts: int
    credits: int
    state: CallState
    error: str | None
    timestamp: datetime
    origin: str | None = None  # an older server does not tell it


class Tracking(Answer, frozen=True):
    """The whole statistics of a job: `exactCountTracking`."""

    version: str
    target_count: int
    unique_creators_found: int
    spare_creators: int
    rejected_creators: int
    pending_creators: int
    total_api_calls: int
    attempts: int
    credits_spent: int
    duplicates_found: int
    average_creators_per_call: float
    predicted_calls_remaining: int | None
    progress: str
    target_achieved: bool
    api_call_details: list[CallDetail]


class JobSheet(JobDocument, frozen=True):
    """A job with its statistics, and what would help where it fell short."""

    advice: str
    exact_count_tracking: Tracking


class News(Answer, frozen=True):
    """The data of an event: how the job stands, and the calls just closed."""

    at: datetime
    status: Status
    current: int
    target: int
    progress: str
    api_calls: int
    duplicates_found: int
    average_per_call: float
    predicted_calls_remaining: int | None
    credits: int
    calls: list[CallDetail]
    outcome: OutcomeDocument | None
    rest: RestDocument | None = None  # events of version 0.1 have none
    forecast: ForecastDocument | None = None  # the same

    @property
    def missing(self) -> int:
        """How many creators are still to be found."""
        return self.target - self.current


class JobEvent(msgspec.Struct, frozen=True):
    """Something that happened to a job; ids grow, and are not without gaps."""

    id: int
    type: str
    news: News


class SpentDocument(Answer, frozen=True):
    """What a plan itself cost."""

    calls: int
    credits: int


class NeededDocument(Answer, frozen=True):
    """What is still to come, as far as it is known."""

    calls: FigureDocument | None
    credits: FigureDocument | None
    cost: FigureDocument | None
    seconds: FigureDocument | None


class KeywordDocument(Answer, frozen=True):
    """What a source has shown, and is expected to show."""

    keyword: str
    pages: int
    new_unique: int
    supply: int
    error: str | None


class MayOpenDocument(Answer, frozen=True):
    """The sources that a job would open first, by what it may be allowed."""

    variants: list[str]
    related: list[str]


class PlanDocument(Answer, frozen=True):
    """What a search is expected to take, told from a few pages of it."""

    job: str
    sandbox: bool
    target_results: int
    found: int
    spent: SpentDocument
    needed: NeededDocument
    call_cap: int
    over_the_cap: bool
    reach: FigureDocument
    out_of_reach: bool
    keywords: list[KeywordDocument]
    may_open: MayOpenDocument
    resume: str | None


class JobPage(Answer, frozen=True):
    """A page of the list of jobs."""

    jobs: list[JobDocument]
    next_cursor: str | None


class CallPage(Answer, frozen=True):
    """A page of a ledger."""

    calls: list[CallDetail]
    next_cursor: str | None


def value_of(document: Mapping[str, object], kind: type[T]) -> T:
    """A document as a value."""
    return msgspec.convert(document, kind)


def event_of(number: int, kind: str, at: datetime, news: Document) -> JobEvent:
    """An event as watchers get it."""
    return JobEvent(number, kind, value_of({"at": moment(at), **news}, News))


def document_of(value: msgspec.Struct) -> Document:
    """A value as the document that it came as: camelCase, times to the millisecond."""
    told: Document = _told(msgspec.to_builtins(value, builtin_types=(datetime,)))
    return told


def _told(part: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(part, dict):
        return {name: _told(inner) for name, inner in part.items()}
    if isinstance(part, list):
        return [_told(inner) for inner in part]
    return moment(part) if isinstance(part, datetime) else part
