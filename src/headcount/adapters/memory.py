"""The store that keeps everything in memory: for trials and tests, gone at exit."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from headcount.core import report
from headcount.core.calls import Call
from headcount.core.errors import InternalError, NoSuchJob
from headcount.core.model import Change, Finding, Job, Seen
from headcount.core.selection import ALL_JOBS, Selection
from headcount.ports import Event, Rule


@dataclass(slots=True)
class _Shelf:
    """A job with all that it found, in the order it came."""

    job: Job
    calls: dict[int, Call] = field(default_factory=dict)
    findings: dict[str, Finding] = field(default_factory=dict)
    ordinals: dict[int, str] = field(default_factory=dict)
    posts: dict[int, set[tuple[int, str]]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def seen(self, key: str) -> Seen:
        finding = self.findings[key]
        posts = frozenset(self.posts.get(finding.number, ()))
        return Seen(finding.number, finding.verdict, posts)

    def seen_in(self, finding: Finding) -> int:
        return len({video for _, video in self.posts.get(finding.number, ())})


class MemoryStore:
    """Both sides of a store, `Store` and `Records`, in dictionaries."""

    def __init__(
        self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._now = now
        self._shelves: dict[str, _Shelf] = {}

    async def create(self, job: Job) -> Job:
        """Keep a new job."""
        if job.id in self._shelves:
            raise InternalError(f"job {job.id} was created twice")
        self._shelves[job.id] = _Shelf(job)
        return job

    async def load(self, job_id: str) -> Job:
        """The job as it stands."""
        return self._shelf(job_id).job

    async def change(self, job_id: str, rule: Rule, keys: Sequence[str] = ()) -> Change:
        """Apply a rule to the job, and keep all that it changes."""
        shelf = self._shelf(job_id)
        before = shelf.job
        known = {key: shelf.seen(key) for key in keys if key in shelf.findings}
        change = rule(before, known)
        if change.job is before:
            return change
        shelf.ordinals |= _numbered(shelf, change)
        change = replace(change, job=replace(change.job, version=before.version + 1))
        self._keep(shelf, change)
        return change

    def _keep(self, shelf: _Shelf, change: Change) -> None:
        news = report.event(change)
        shelf.job = change.job
        shelf.calls |= {call.id: call for call in change.calls}
        shelf.findings |= {finding.key: finding for finding in change.findings}
        for number, source, video in change.posts:
            shelf.posts.setdefault(number, set()).add((source, video))
        if news:
            shelf.events.append(
                Event(change.job.version, news[0], self._now(), news[1])
            )

    async def delete(self, job_id: str) -> None:
        """Forget a job and all that it found."""
        self._shelf(job_id)
        del self._shelves[job_id]

    async def close(self) -> None:
        """Let go of nothing: what was kept stays readable."""

    def _shelf(self, job_id: str) -> _Shelf:
        if job_id not in self._shelves:
            raise NoSuchJob(f"no job has the id {job_id!r}")
        return self._shelves[job_id]

    # --------------------------------------------------------------- the reading side
    async def jobs(
        self,
        selection: Selection = ALL_JOBS,
        *,
        after: Job | None = None,
        batch: int = 1_000,
    ) -> AsyncIterator[Job]:
        """The jobs selected, the newest first; or those that come after this one."""
        del batch  # nothing is read here
        jobs = [shelf.job for shelf in self._shelves.values()]
        for job in sorted(jobs, key=_place, reverse=True):
            if selection.takes(job) and (after is None or _place(job) < _place(after)):
                yield job

    async def due(self, now: datetime, limit: int) -> list[str]:
        """The ids of jobs that should be looked at by now, the longest due first."""
        jobs = [shelf.job for shelf in self._shelves.values()]
        due = [(job.due_at, job.id) for job in jobs if job.due_at and job.due_at <= now]
        return [job_id for _, job_id in sorted(due)[:limit]]

    async def versions(self, job_ids: Collection[str]) -> dict[str, int]:
        """The versions of these jobs, as far as they exist."""
        found = [shelf.job for name in job_ids for shelf in self._shelves_of(name)]
        return {job.id: job.version for job in found}

    async def delivered(
        self, job_id: str, after: int = 0
    ) -> AsyncIterator[tuple[Finding, int]]:
        """The delivered creators beyond an ordinal, each with the number of posts."""
        for shelf in self._shelves_of(job_id):
            for ordinal in range(after + 1, shelf.job.delivered + 1):
                finding = shelf.findings[shelf.ordinals[ordinal]]
                yield finding, shelf.seen_in(finding)

    async def findings(self, job_id: str) -> AsyncIterator[tuple[Finding, int]]:
        """All creators of a job in the order found, spares and rejected ones too."""
        for shelf in self._shelves_of(job_id):
            for finding in list(shelf.findings.values()):
                yield finding, shelf.seen_in(finding)

    async def calls(self, job_id: str, after: int = 0) -> AsyncIterator[Call]:
        """The ledger of a job beyond the call with this id, as the calls were held."""
        for shelf in self._shelves_of(job_id):
            for number in sorted(n for n in shelf.calls if n > after):
                yield shelf.calls[number]

    async def events(self, job_id: str, after: int = 0) -> AsyncIterator[Event]:
        """What happened to a job since the event with this id."""
        for shelf in self._shelves_of(job_id):
            for event in [event for event in shelf.events if event.id > after]:
                yield event

    def _shelves_of(self, job_id: str) -> list[_Shelf]:
        return [self._shelves[job_id]] if job_id in self._shelves else []


def _place(job: Job) -> tuple[datetime, str]:
    return job.created_at, job.id


def _numbered(shelf: _Shelf, change: Change) -> dict[int, str]:
    """The ordinals with those of a change; no two creators may have the same."""
    numbered = {f.ordinal: f.key for f in change.findings if f.ordinal}
    taken = [number for number in numbered if number in shelf.ordinals]
    if taken or len(numbered) < sum(f.ordinal is not None for f in change.findings):
        raise InternalError(f"an ordinal would be given twice in job {change.job.id}")
    return numbered
