"""A trivial store that counts for itself, and takes no rule's word for anything."""

import math
from collections import Counter
from dataclasses import dataclass, field, replace

import msgspec

from headcount.core.calls import Call, CallState, Page
from headcount.core.model import (
    Change,
    Finding,
    Job,
    Known,
    Reason,
    Seen,
    SourceState,
    Status,
)
from headcount.core.sighting import Sighting, Verdict

LEAST_FOLLOWERS = 100


@dataclass
class Witness:
    """What an onlooker notes of one source, by the rules as they are told."""

    cursor: str = "0"
    signs: list[int] = field(default_factory=list)  # of the end, since the last news
    videos: set[tuple[str, str]] = field(default_factory=set)
    failures: int = 0
    throttles: int = 0

    @property
    def dry(self) -> bool:
        return sum(self.signs) >= 3

    def look(self, page: Page) -> None:
        """Note a page that was settled."""
        shown = {(sighting.key, sighting.video.id) for sighting in page.sightings}
        news = bool(shown - self.videos)
        self.videos |= shown
        self.failures = self.throttles = 0
        if page.items:
            self.cursor = page.next_cursor
            signs = (page.more is False) + (not news) + page.stuck
        else:
            signs = 1 if page.more else 2
        self.signs = [*([] if news else self.signs), min(signs, 2)]


class Books:
    """The rows of one job, written change by change, each checked as it comes."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.calls: dict[int, Call] = {}
        self.findings: dict[str, Finding] = {}
        self.posts: set[tuple[int, int, str]] = set()
        self.order: list[str] = []  # of qualified creators, by an own count
        self.duplicates = 0
        self.finished = False  # by its owner, at some time
        self.settled: set[tuple[int, str]] = set()
        self.witnesses = {source.id: Witness() for source in job.sources}

    def known(self, page: Page) -> Known:
        return {
            key: self._seen(self.findings[key])
            for key in {sighting.key for sighting in page.sightings}
            if key in self.findings
        }

    def _seen(self, finding: Finding) -> Seen:
        posts = {(s, video) for n, s, video in self.posts if n == finding.number}
        return Seen(finding.number, finding.verdict, frozenset(posts))

    def write(self, change: Change) -> None:
        """Write a change down, if there is one."""
        assert change.before is self.job
        if not change.changed:
            told = [*change.calls, *change.findings, *change.posts]
            assert told == [], "nothing changed, yet there is something to write"
            return
        for call in change.calls:
            self._write_line(call)
        for finding in change.findings:
            before = self.findings.get(finding.key)
            number = before.number if before else len(self.findings) + 1
            assert finding.number == number, "a creator's number is its place for good"
            self.findings[finding.key] = finding
        assert not self.posts & set(change.posts), "a post was told to be new twice"
        self.posts |= set(change.posts)
        self.job = replace(change.job, version=self.job.version + 1)

    def _write_line(self, call: Call) -> None:
        before = self.calls.get(call.id)
        if call.state is CallState.OPEN:
            assert before is None
            assert call.cursor == self.witnesses[call.source].cursor
            assert (call.source, call.cursor) not in self.settled, "asked again"
        else:
            assert before is not None
            assert before.state is CallState.OPEN, "a line was closed twice"
        self.calls[call.id] = call

    def settle(self, call: Call, page: Page, change: Change) -> None:
        """Write down what a page changed, which must be what the books expect."""
        told = Counter(self._tell(sighting) for sighting in page.sightings)
        self.witnesses[call.source].look(page)
        if page.items:
            self.settled.add((call.source, call.cursor))
        self.write(change)

        line = self.calls[call.id]
        assert line.state is CallState.SETTLED
        assert (line.new, line.duplicates, line.rejected, line.pending) == (
            told["new"],
            told["duplicate"],
            told["rejected"],
            0,
        )
        assert line.unusable == page.items - len(page.sightings)
        self.duplicates += told["duplicate"]

    def _tell(self, sighting: Sighting) -> str:
        if sighting.key in self.order:
            return "duplicate"
        if (sighting.followers or 0) < LEAST_FOLLOWERS:
            return "rejected"
        self.order.append(sighting.key)
        return "new"

    def reload(self) -> None:
        """Read the job back from its own bytes, as after a crash."""
        self.job = msgspec.json.decode(msgspec.json.encode(self.job), type=Job)

    # --------------------------------------------------------------------- the audit
    def audit(self) -> None:
        """Compare the job with a recount of the rows."""
        job, lines = self.job, list(self.calls.values())
        ordinals = {f.ordinal: key for key, f in self.findings.items() if f.ordinal}
        assert [ordinals[number + 1] for number in range(len(ordinals))] == self.order
        assert job.delivered == min(job.target, len(self.order))
        verdicts = Counter(finding.verdict for finding in self.findings.values())
        assert job.qualified == len(self.order) == verdicts[Verdict.QUALIFIED]
        assert job.rejected == verdicts[Verdict.REJECTED]
        assert job.pending == verdicts[Verdict.PENDING]
        assert job.duplicates == self.duplicates == sum(x.duplicates for x in lines)
        assert job.rejections == sum(x.rejected for x in lines)
        assert job.unusable == sum(x.unusable for x in lines)
        assert job.items == sum(x.items for x in lines)
        assert all(x.items == _kinds(x) for x in lines)
        closed = [x for x in lines if x.state is not CallState.OPEN]
        numbers = sorted(x.number for x in closed if x.number is not None)
        assert numbers == list(range(1, job.charged + 1))
        assert job.charged == sum(x.state is not CallState.REFUSED for x in closed)
        assert (job.attempts, job.lines) == (len(closed), len(lines))
        assert job.credits == sum(x.credits for x in closed)
        assert job.open_calls == tuple(x for x in lines if x.state is CallState.OPEN)
        assert len({x.source for x in job.open_calls}) == len(job.open_calls)
        assert job.charged + len(job.open_calls) <= self.cap
        assert job.credits + sum(x.held for x in job.open_calls) <= self.budget
        self._audit_sources()

    def _audit_sources(self) -> None:
        shown: dict[int, list[int]] = {}
        for number, at, _ in self.posts:
            shown.setdefault(number, []).append(at)
        once = Counter(
            shown[finding.number][0]
            for finding in self.findings.values()
            if finding.verdict is Verdict.QUALIFIED and len(shown[finding.number]) == 1
        )
        due = self.job.status in {Status.PENDING, Status.PROCESSING}
        assert (self.job.due_at is not None) is due
        for source in self.job.sources:
            witness = self.witnesses[source.id]
            assert source.cursor == witness.cursor
            assert source.once == once[source.id], "seen once, but not by its count"
            assert (source.state is SourceState.DRY) is witness.dry
            assert not witness.dry or len(witness.signs) > 1, "dry by one answer"

    @property
    def cap(self) -> int:
        """The calls that the job may make, counted from what its owner was told."""
        given = self.job.search.limits.max_calls
        return given or 3 * math.ceil(self.job.target / 25.8) + 20

    @property
    def budget(self) -> float:
        """The credits that the job may spend."""
        given = self.job.search.limits.max_credits
        return math.inf if given is None else given

    def holds_true(self, reason: Reason, price: int) -> bool:
        """Whether the reason of a partial end is what the books say."""
        job, witnesses = self.job, self.witnesses.values()
        attempts = job.search.limits.attempts
        failing = [
            w
            for w in witnesses
            if w.failures >= attempts or w.throttles >= 4 * attempts
        ]
        halted = job.halt and job.halt.reason is reason
        deadline = job.search.limits.deadline
        truths = {
            Reason.SOURCES_EXHAUSTED: all(w.dry for w in witnesses),
            Reason.PROVIDER_BLOCKED: halted
            or (failing and all(w.dry or w in failing for w in witnesses)),
            Reason.OUT_OF_CREDITS: halted,
            Reason.FINISHED_BY_USER: self.finished,
            Reason.CALL_LIMIT: job.charged == self.cap,
            Reason.BUDGET: job.credits + price > self.budget,
            Reason.DEADLINE: deadline and job.ended_at and job.ended_at >= deadline,
        }
        return bool(truths[reason])


def _kinds(line: Call) -> int:
    parts = (line.new, line.duplicates, line.rejected, line.pending, line.unusable)
    return sum(parts)
