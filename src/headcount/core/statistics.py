"""What ended jobs add up to: sums that can be added and taken back.

A job counts once it has ended, on the day it was created, by its owner, kind, status
and size, and again by each of its keywords. What it adds follows from the job alone. So
a change adds what the job counts for after it, less what it counted for before: a job
that is reopened is taken back, one that ends again is counted as it then is, and the
sums always equal a recount of the jobs that are kept, and of those that were forgotten
for their age.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from operator import add, attrgetter, neg

from headcount.core.errors import InvalidSearch
from headcount.core.estimate import call_cap
from headcount.core.model import Job, Status
from headcount.core.search import fold_keyword

ALL_KEYWORDS = ""  # in place of a keyword: all jobs, each of them once
SIZES = (100, 250, 500, 1_000)  # targets up to these are told apart
LARGER = 0  # the size of a job with a larger target
EVERY_SIZE = (*SIZES, LARGER)
PROCESSED = (Status.COMPLETED, Status.PARTIAL, Status.FAILED)
TOP = 10  # keywords listed


class Kind(StrEnum):
    """Which jobs are counted apart from the real ones."""

    REAL = "real"
    SANDBOX = "sandbox"  # its creators are fictional
    TEST_CAPPED = "test_capped"  # the cap for testing allowed it fewer calls


@dataclass(frozen=True, slots=True)
class Group:
    """What jobs have in common that the formulas tell apart."""

    kind: Kind
    status: Status
    size: int


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a job counts: the day it was created in UTC, whose it is, and its group."""

    day: str
    owner: str
    kind: Kind
    status: Status
    size: int
    keyword: str = ALL_KEYWORDS


@dataclass(frozen=True, slots=True)
class Sums:
    """What jobs add up to.

    `exact` jobs have delivered as many creators as they were asked for; `timed` ones
    were begun, and took `processing_ms` together.
    """

    jobs: int = 0
    exact: int = 0
    calls: int = 0
    credits: int = 0
    creators: int = 0
    duplicates: int = 0
    timed: int = 0
    processing_ms: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(*map(add, _values(self), _values(other)))

    def __neg__(self) -> "Sums":
        return Sums(*map(neg, _values(self)))


_values = attrgetter(*(field.name for field in fields(Sums)))
SumsByPlace = Mapping[Place, Sums]
NOTHING = Sums()


# ------------------------------------------------------------------ what one job adds
def counts_of(job: Job) -> dict[Place, Sums]:
    """What a job counts for, and where; nothing before it has ended."""
    if not job.status.ended:
        return {}
    place = Place(
        day=day_of(job.created_at),
        owner=job.label.owner,
        kind=kind_of(job),
        status=job.status,
        size=next((size for size in SIZES if job.target <= size), LARGER),
    )
    sums, keywords = _sums(job), {source.keyword for source in job.sources}
    return {replace(place, keyword=word): sums for word in {ALL_KEYWORDS} | keywords}


def difference(before: Job | None, after: Job | None) -> dict[Place, Sums]:
    """What a change of a job adds to the sums; `None` is no job at all."""
    taken = counts_of(before) if before else {}
    given = counts_of(after) if after else {}
    return total([{place: -sums for place, sums in taken.items()}, given])


def total(parts: Iterable[SumsByPlace]) -> dict[Place, Sums]:
    """All sums in the order of their places, without those that come to nothing."""
    found: dict[Place, Sums] = {}
    for part in parts:
        for place, sums in part.items():
            found[place] = found.get(place, NOTHING) + sums
    return {place: found[place] for place in sorted(found) if found[place] != NOTHING}


def kind_of(job: Job) -> Kind:
    """Whether a job is counted with the real ones."""
    if job.sandbox:
        return Kind.SANDBOX
    limits = replace(job.search.limits, max_calls_for_testing=None)
    untested = replace(job, search=replace(job.search, limits=limits))
    return Kind.TEST_CAPPED if call_cap(job) < call_cap(untested) else Kind.REAL


def day_of(time: datetime) -> str:
    """The day of a time in UTC, as ISO 8601 has it."""
    return time.astimezone(UTC).date().isoformat()


def _sums(job: Job) -> Sums:
    processing = time_taken(job)
    return Sums(
        jobs=1,
        exact=0 if job.missing else 1,
        calls=job.charged,
        credits=job.credits,
        creators=job.delivered,
        duplicates=job.duplicates,
        timed=0 if processing is None else 1,
        processing_ms=processing or 0,
    )


def time_taken(job: Job) -> int | None:
    """Milliseconds from the first claim to the end, less those it lay ended between."""
    if job.started_at is None or job.ended_at is None:
        return None
    elapsed = job.ended_at - job.started_at
    return round(elapsed.total_seconds() * 1000) - job.idle_ms


# --------------------------------------------------------------- what many come to
@dataclass(frozen=True, slots=True)
class Coverage:
    """Which ended jobs are covered; what is `None` is not asked for.

    A job was created on one of the days from `since` to `until`, both included, in UTC.
    """

    since: date | None = None
    until: date | None = None
    keyword: str | None = None
    owner: str | None = None


EVERYTHING = Coverage()


def cover(
    since: date | None = None,
    until: date | None = None,
    *,
    keyword: str | None = None,
    owner: str | None = None,
) -> Coverage:
    """Make a coverage of what a user gave.

    Raises:
        InvalidSearch: the days are in the wrong order, or the keyword cannot be one.
    """
    folded = None if keyword is None else fold_keyword(keyword)
    if since and until and since > until:
        raise InvalidSearch(
            "since", f"expected a first day that is not after {until}, not {since}"
        )
    return Coverage(since, until, folded, owner)


@dataclass(frozen=True, slots=True)
class Statistics:
    """What the jobs covered add up to at one time, and their most frequent keywords."""

    coverage: Coverage
    at: datetime
    groups: Mapping[Group, Sums]
    top_keywords: tuple[str, ...]

    def sums(
        self,
        kind: Kind,
        statuses: Iterable[Status] = tuple(Status),
        sizes: Iterable[int] = EVERY_SIZE,
    ) -> Sums:
        """The sums of all jobs of a kind that have one of these statuses and sizes."""
        wanted = {Group(kind, status, size) for status in statuses for size in sizes}
        found = (sums for group, sums in self.groups.items() if group in wanted)
        return sum(found, NOTHING)


def statistics_of(counted: SumsByPlace, coverage: Coverage, at: datetime) -> Statistics:
    """What the counts of all jobs covered, and of no others, come to."""
    keyword = coverage.keyword or ALL_KEYWORDS
    groups: dict[Group, Sums] = {}
    jobs: Counter[str] = Counter()
    for place, sums in counted.items():
        group = Group(place.kind, place.status, place.size)
        if place.keyword == keyword:
            groups[group] = groups.get(group, NOTHING) + sums
        if group.kind is Kind.REAL and group.status in PROCESSED:
            jobs[place.keyword] += sums.jobs
    listed = [coverage.keyword] if coverage.keyword else set(jobs) - {ALL_KEYWORDS}
    top = sorted((-jobs[word], word) for word in listed if jobs[word])
    return Statistics(coverage, at, groups, tuple(word for _, word in top[:TOP]))
