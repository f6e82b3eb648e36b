"""The count of one page: what each of its items makes of the creator it shows.

Besides new, duplicate, rejected and pending it tells which qualified creators were
seen in one post only, and by which source: from these `estimate` tells how much that
is new a source has still to show.
"""

from collections import Counter
from datetime import datetime

from headcount.core.calls import Call, CallKind
from headcount.core.filters import chosen, judge
from headcount.core.model import Finding, Job, Seen
from headcount.core.sighting import Judgement, Sighting, Verdict


class Count:
    """The count of one page, sighting by sighting; the fields are what it comes to."""

    def __init__(self, job: Job, call: Call, now: datetime) -> None:
        self._job, self._call, self._now = job, call, now
        self._filters, self._specs = job.search.filters, chosen(job.search.filters)
        self.items: Counter[Verdict] = Counter()
        self.duplicates = 0
        self.creators: Counter[Verdict] = Counter()
        self.findings: dict[str, Finding] = {}
        self.posts: dict[tuple[int, int, str], None] = {}
        self.once: Counter[int] = Counter()  # more or fewer than before, by source
        self._numbers: dict[str, int] = {}  # of creators that are new
        self._shown: dict[str, frozenset[tuple[int, str]]] = {}

    def add(self, sighting: Sighting, seen: Seen | None) -> None:
        """Count one sighting, given what the store knows of its creator."""
        key, post = sighting.key, (self._call.source, sighting.video.id)
        number = seen.number if seen else self._number(key)
        shown = self._shown.get(key, seen.posts if seen else frozenset())
        if post not in shown:
            self.posts[number, *post] = None
        self._shown[key] = shown | {post}
        before = seen.verdict if seen else None
        if key in self.findings:
            before = self.findings[key].verdict
        if before is Verdict.QUALIFIED:
            self.duplicates += 1
            self._weigh(shown, -1)
            self._weigh(self._shown[key], 1)
            return
        judgement = judge(sighting, self._filters, self._now, specs=self._specs)
        self.items[judgement.verdict] += 1
        if self._tells_more(before, judgement.verdict):
            self._find(sighting, number, before, judgement)
            if judgement.verdict is Verdict.QUALIFIED:
                self._weigh(self._shown[key], 1)

    def _weigh(self, posts: frozenset[tuple[int, str]], by: int) -> None:
        """Count a qualified creator as seen once, if there is one such post only."""
        if len(posts) == 1:
            [(source, _)] = posts
            self.once[source] += by

    def _number(self, key: str) -> int:
        """The place of a new creator among all that the job found."""
        return self._numbers.setdefault(key, self._job.found + len(self._numbers) + 1)

    def _tells_more(self, before: Verdict | None, after: Verdict) -> bool:
        """A weak video does not reject who waits for a call that tells more."""
        if before is Verdict.PENDING and after is Verdict.REJECTED:
            return self._call.kind is not CallKind.PAGE
        return after is not before

    def _find(
        self,
        sighting: Sighting,
        number: int,
        before: Verdict | None,
        judgement: Judgement,
    ) -> None:
        self.creators[judgement.verdict] += 1
        if before is not None:
            self.creators[before] -= 1
        ordinal = self._job.qualified + self.creators[Verdict.QUALIFIED]
        qualified = judgement.verdict is Verdict.QUALIFIED
        self.findings[sighting.key] = Finding(
            number=number,
            key=sighting.key,
            verdict=judgement.verdict,
            sighting=sighting,
            source=self._call.source,
            call=self._call.id,
            found_at=self._now,
            ordinal=ordinal if qualified else None,
            reason=judgement.reason,
        )
