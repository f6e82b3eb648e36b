"""The words of the project as values: frozen, typed, and without behaviour.

A *search* is what is asked; a *job* is a search being fulfilled. It draws on
*sources*, streams of pages, by calls. Times are aware and in UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from headcount.core.calls import Call, Endpoint
from headcount.core.expansion import Expansion
from headcount.core.filters import Filters
from headcount.core.hashtags import Hashtags
from headcount.core.sighting import Sighting, Verdict
from headcount.core.tempo import Tempo


class Status(StrEnum):
    """Where a job stands; the last four are ends."""

    PENDING = "pending"
    PROCESSING = "processing"
    PAUSED = "paused"
    COMPLETED = "completed"
    PARTIAL = "partial"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens unless somebody reopens the job."""
        return self not in {Status.PENDING, Status.PROCESSING, Status.PAUSED}


class Reason(StrEnum):
    """Why a job ended with fewer creators than it was asked for."""

    SOURCES_EXHAUSTED = "sources_exhausted"
    CALL_LIMIT = "call_limit"
    BUDGET = "budget"
    DEADLINE = "deadline"
    OUT_OF_CREDITS = "out_of_credits"
    PROVIDER_BLOCKED = "provider_blocked"
    FINISHED_BY_USER = "finished_by_user"


class SourceState(StrEnum):
    """Whether a source is still worth asking."""

    OPEN = "open"
    DRY = "dry"  # its end is confirmed
    FAILING = "failing"  # set aside after too many failures in a row


class Speed(StrEnum):
    """How many calls a job may waste to be done sooner."""

    LEAN = "lean"
    BALANCED = "balanced"
    FAST = "fast"


@dataclass(frozen=True, slots=True)
class Look:
    """What a job may do before it pauses by itself: `calls` in all, `each` a source."""

    calls: int
    each: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What a job may spend; `None` as `max_calls` means three times the expectation.

    With a `look` it only looks around, for a plan, until somebody lets it go on.
    """

    max_calls: int | None = None
    max_credits: int | None = None
    deadline: datetime | None = None
    attempts: int = 3
    max_calls_for_testing: int | None = None  # holds whatever else is asked
    speed: Speed = Speed.BALANCED
    look: Look | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked: `target` creators from `keywords`, within filters and limits."""

    target: int
    keywords: tuple[str, ...]
    filters: Filters = field(default_factory=Filters)
    limits: Limits = field(default_factory=Limits)
    platform: str = "tiktok"
    provider: str = "scrapecreators"  # or "sandbox/SEED"
    region: str | None = None
    sort: str | None = None
    period: str | None = None
    expansion: Expansion = field(default_factory=Expansion)


@dataclass(frozen=True, slots=True)
class Source:
    """One stream of pages: a keyword with its variant, and how it has gone so far.

    `evidence` is how strongly its latest answers say that it has ended; `recent` is a
    moving average of new qualified creators a page. `once` counts the qualified
    creators whom one post only has shown to the job, and this source did. `refusals`
    counts the uncharged attempts since its last charged call; `set_aside` is the number
    of pages the job had when the source began to fail, and `error` what its last answer
    said, where that was no page. `sweep` is 2 where the same is asked a second time.
    `origin` says where a source comes from that the user did not ask for, and
    `relevance`, 0 to 1, how close it is to what they did. `charged` and `credits` are
    what its calls cost.
    """

    id: int
    keyword: str
    region: str | None = None
    sort: str | None = None
    period: str | None = None
    state: SourceState = SourceState.OPEN
    cursor: str = "0"
    evidence: int = 0
    failures: int = 0
    throttles: int = 0
    refusals: int = 0
    retry_at: datetime | None = None
    set_aside: int | None = None
    error: str | None = None
    pages: int = 0
    items: int = 0
    found: int = 0
    once: int = 0
    recent: float = 0.0
    endpoint: Endpoint = Endpoint.KEYWORD
    sweep: int = 1
    origin: str | None = None
    relevance: float = 1.0
    charged: int = 0
    credits: int = 0

    @property
    def name(self) -> str:
        """The endpoint and variant in one word, such as `keyword+region=US`."""
        variant = {
            "region": self.region,
            "sort": self.sort,
            "period": self.period,
            "sweep": self.sweep if self.sweep > 1 else None,
        }
        parts = [f"{key}={value}" for key, value in variant.items() if value]
        return "+".join([self.endpoint.value, *parts])


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to decide until `expires_at`; `token` fences off earlier holders."""

    token: int
    holder: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended: `short_by` creators missing, for this reason."""

    short_by: int = 0
    reason: Reason | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What the owner's allowances let a job come to; `None` is no limit.

    Its spent and held credits together may reach `credits`, and more again at
    `renews_at`. `daily` and `monthly` say which allowance it is that is used up then.
    """

    credits: int | None = None
    renews_at: datetime | None = None
    daily: str = ""
    monthly: str = ""


NO_LIMIT = Grant()


@dataclass(frozen=True, slots=True)
class Rest:
    """Why a job that could go on asks nothing before `until`."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Label:
    """Whose job it is, and what they call it.

    `owner` is who holds the API key, `end_user` a user of theirs. `webhook` is the URL
    that is told how the job goes.
    """

    owner: str = "local"
    campaign: str | None = None
    end_user: str | None = None
    webhook: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A search being fulfilled: its counters, sources and open calls, but no creators.

    `qualified` creators carry the ordinals 1, 2, 3 and on: those up to the target are
    delivered, those beyond it are spares. `rejected` and `pending` count creators;
    `rejections` and `duplicates` count items. `charged` counts calls that were or may
    have been charged, `attempts` all requests, `lines` all lines of the ledger;
    `credits` were spent by closed calls. `label` says whose it is, and `told_at` when
    its webhook was last told something. `idle_ms` is how long it lay ended before it
    was taken further. `entitled` is how many creators its owner's allowances let it
    deliver, if they limit it, and `rest` why it waits, if it does. `grant` is known
    only within a store's change. `hashtags` are those of its posts, where it may open
    related sources; `tempo` is how fast it has gone, where that was measured.
    """

    id: str
    search: Search
    created_at: datetime
    sources: tuple[Source, ...]
    label: Label = field(default_factory=Label)
    status: Status = Status.PENDING
    version: int = 0
    fence: int = 0
    lease: Lease | None = None
    due_at: datetime | None = None
    open_calls: tuple[Call, ...] = ()
    qualified: int = 0
    rejected: int = 0
    pending: int = 0
    pages: int = 0
    items: int = 0
    duplicates: int = 0
    rejections: int = 0
    unusable: int = 0
    lines: int = 0
    charged: int = 0
    attempts: int = 0
    credits: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    halt: Outcome | None = None
    outcome: Outcome | None = None
    told_at: datetime | None = None
    idle_ms: int = 0
    entitled: int | None = None
    rest: Rest | None = None
    grant: Grant = NO_LIMIT
    hashtags: Hashtags | None = None
    tempo: Tempo | None = None

    @property
    def target(self) -> int:
        """How many creators were asked for."""
        return self.search.target

    @property
    def found(self) -> int:
        """How many creators were found, whatever their verdict."""
        return self.qualified + self.rejected + self.pending

    @property
    def delivered(self) -> int:
        """How many creators the job has for its owner; never more than the target."""
        return min(self.qualified, self.wanted)

    @property
    def wanted(self) -> int:
        """How many creators it may deliver: its target, or less if so entitled."""
        target = self.search.target
        return target if self.entitled is None else min(target, self.entitled)

    @property
    def missing(self) -> int:
        """How many creators are still to be found."""
        return self.search.target - self.delivered

    @property
    def spares(self) -> int:
        """How many qualified creators lie beyond the target."""
        return self.qualified - self.delivered

    @property
    def held(self) -> int:
        """Credits held for calls that are out."""
        return sum(call.held for call in self.open_calls)

    @property
    def sandbox(self) -> bool:
        """Whether its creators are fictional."""
        return self.search.provider.startswith("sandbox/")

    def source(self, number: int) -> Source:
        """The source with this id; ids count from 1 in the order of the sources."""
        return self.sources[number - 1]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a job holds of one creator: the sighting that settled the verdict.

    `number` is the creator's place in the order in which they were found, from 1.
    """

    number: int
    key: str
    verdict: Verdict
    sighting: Sighting
    source: int
    call: int
    found_at: datetime
    ordinal: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the store knows of a creator, with the (source, video) pairs seen."""

    number: int
    verdict: Verdict
    posts: frozenset[tuple[int, str]] = frozenset()


Known = Mapping[str, Seen]


@dataclass(frozen=True, slots=True)
class Change:
    """What a rule makes of a job, to be written in one transaction.

    `calls` are ledger lines opened or closed, `findings` creators new or judged anew,
    `posts` the (creator's number, source, video) triples not seen before.
    `Change(job)` is the change that changes nothing, with which every rule begins.
    """

    job: Job
    calls: tuple[Call, ...] = ()
    findings: tuple[Finding, ...] = ()
    posts: tuple[tuple[int, int, str], ...] = ()
    before: Job = field(default=None)  # type: ignore[assignment] # see __post_init__

    def __post_init__(self) -> None:
        if self.before is None:
            object.__setattr__(self, "before", self.job)

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return self.job is not self.before
