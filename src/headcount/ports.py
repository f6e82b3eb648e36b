"""The doors of the engine: what it needs of the outside world, and nothing more."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from headcount.core.calls import Answer, Call, CallKind, Failure
from headcount.core.model import Change, Finding, Job, Known, Source
from headcount.core.selection import ALL_JOBS, Selection

Rule = Callable[[Job, Known], Change]
"""A pure decision: what to make of a job, given what is known of some creators.

A store may apply it more than once before one result is written, so it must have no
effect but its value. A rule that changes nothing returns `Change(job)` as it was given.
"""


class Clock(Protocol):
    """The time, and waiting for it."""

    def now(self) -> datetime:
        """The present in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return when this much time has passed; at once for 0 and below."""
        ...


class Provider(Protocol):
    """A search API: it answers questions about pages, one paid call each."""

    def price(self, kind: CallKind) -> int:
        """The most credits that a call of this kind can cost."""
        ...

    async def fetch(self, call: Call, source: Source) -> Answer:
        """Make one request; what goes wrong comes back as a `Failure`, not raised."""
        ...


@dataclass(frozen=True, slots=True)
class Slots:
    """Calls that may be made now; the next ones may not before `next_at`."""

    number: int
    next_at: datetime | None = None


class Pace(Protocol):
    """How many calls may be out at once, and how far apart; one for each key."""

    async def take(self, wanted: int) -> Slots:
        """Reserve up to `wanted` slots, as many as are free."""
        ...

    async def give_back(self, slots: Slots, unused: int) -> None:
        """Return those that were not used, as if never taken."""
        ...

    def done(self) -> None:
        """Free the slot of a call that has come back."""
        ...

    async def heed(self, failure: Failure) -> Failure:
        """Rest or close where the provider asks for it, and say what that makes of it.

        A key out of credits may be closed for all jobs until somebody pays: then it is
        no failure of the job, which waits.
        """
        ...

    def closed_until(self) -> datetime | None:
        """When to look again, where no slot will be free for long."""
        ...

    async def ready(self) -> None:
        """Return when a slot may be free."""
        ...


class Waker(Protocol):
    """Says "look at job J", nothing more; may be lost, late or doubled."""

    async def wake(self, job_id: str, at: datetime) -> None:
        """Have the job looked at, no earlier than `at`."""
        ...


class Store(Protocol):
    """The jobs and all that they found; every change is one transaction."""

    async def create(self, job: Job) -> Job:
        """Keep a new job."""
        ...

    async def load(self, job_id: str) -> Job:
        """The job as it stands.

        Raises:
            NoSuchJob: no job has this id.
        """
        ...

    async def change(self, job_id: str, rule: Rule, keys: Sequence[str] = ()) -> Change:
        """Apply a rule to the job, given what is known of the creators `keys`.

        All of the change is written, or nothing. The returned job carries its new
        version. A rule that changes nothing writes nothing.

        Raises:
            NoSuchJob: no job has this id.
            StoreError: nothing was written, and why.
        """
        ...

    async def delete(self, job_id: str) -> None:
        """Forget a job and all that it found.

        Raises:
            NoSuchJob: no job has this id.
        """
        ...

    async def close(self) -> None:
        """Let go of files and connections."""
        ...


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a job; `id` is the job's version after it."""

    id: int
    type: str
    at: datetime
    data: dict[str, object]


class Records(Protocol):
    """The reading side of a store: long lists come in batches, in a stable order."""

    def jobs(
        self,
        selection: Selection = ALL_JOBS,
        *,
        after: Job | None = None,
        batch: int = 1_000,
    ) -> AsyncIterator[Job]:
        """The jobs selected, the newest first; or those that come after this one.

        `batch` is how many are read at a time: no more than are wanted.
        """
        ...

    async def versions(self, job_ids: Collection[str]) -> dict[str, int]:
        """The versions of these jobs, as far as they exist."""
        ...

    async def due(self, now: datetime, limit: int) -> list[str]:
        """The ids of jobs that should be looked at by now, the longest due first.

        A job that somebody works on is due when the lease expires.
        """
        ...

    def delivered(
        self, job_id: str, after: int = 0
    ) -> AsyncIterator[tuple[Finding, int]]:
        """The delivered creators beyond an ordinal, each with the number of posts."""
        ...

    def findings(self, job_id: str) -> AsyncIterator[tuple[Finding, int]]:
        """All creators of a job in the order found, spares and rejected ones too."""
        ...

    def calls(self, job_id: str, after: int = 0) -> AsyncIterator[Call]:
        """The ledger of a job beyond the call with this id, as the calls were held."""
        ...

    def events(self, job_id: str, after: int = 0) -> AsyncIterator[Event]:
        """What happened to a job since the event with this id."""
        ...


class FullStore(Store, Records, Protocol):
    """A store with both of its sides."""
