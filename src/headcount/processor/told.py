"""What a call says to the caller: how the job stands, and what is to be stored."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from headcount.core.calls import Call
from headcount.core.figures import final_report
from headcount.core.model import Job, Status
from headcount.core.report import (
    Document,
    exact_count_tracking,
    percent,
)
from headcount.processor.carried import OURS, Before, Carried, written

_DETAILS = 50  # calls of which the metadata has the details: the last ones


@dataclass(frozen=True, slots=True)
class Processed:
    """How a job stands after a call.

    `creators` are those that the metadata given did not count yet, in the shape that
    front ends of the JavaScript original read: store both in one transaction, and none
    is missing or doubled. `progress` is 0 to 100, and 100 only when all `target` are
    there; `found` is their number. `call_again_in` is in seconds, `None` when the job
    has ended or somebody paused it.
    """

    status: str
    message: str
    progress: int
    target: int
    found: int
    creators: tuple[Document, ...] = field(repr=False)
    metadata: Document = field(repr=False)
    call_again_in: int | None = None

    def as_dict(self) -> Document:
        """The same for JSON, in camelCase."""
        return {
            "status": self.status,
            "message": self.message,
            "progress": self.progress,
            "target": self.target,
            "found": self.found,
            "callAgainIn": self.call_again_in,
            "creators": list(self.creators),
            "metadata": self.metadata,
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """A job as it is now, with what was before it; `target` is theirs."""

    job: Job
    target: int
    before: Before

    @property
    def found(self) -> int:
        """How many of the creators that they want are there."""
        return min(self.target, max(0, self.job.delivered + self.before.found))

    def told(
        self,
        creators: tuple[Document, ...],
        metadata: Document,
        notes: Sequence[str],
        now: datetime,
    ) -> Processed:
        """What the caller is told."""
        return Processed(
            status=self.job.status.value,
            message="; ".join([*self._words(), *notes]),
            progress=self.found * 100 // self.target,  # cut: 100 only with all
            target=self.target,
            found=self.found,
            creators=creators,
            metadata=metadata,
            call_again_in=self._again_in(now),
        )

    def _words(self) -> Iterator[str]:
        job, outcome = self.job, self.job.outcome
        yield f"{self.found} of {self.target} creators"
        if outcome and outcome.reason:
            detail = f" ({outcome.detail})" if outcome.detail else ""
            yield f"it ended short: {outcome.reason.value}{detail}"
        elif outcome and outcome.detail:
            yield outcome.detail
        elif job.lease:
            yield "another call takes it forward"
        elif not job.status.ended:
            yield "paused" if job.status is Status.PAUSED else "it goes on"

    def _again_in(self, now: datetime) -> int | None:
        """Seconds until the next call makes sense."""
        if self.job.status.ended or self.job.status is Status.PAUSED:
            return None
        due = self.job.due_at or now
        return max(0, math.ceil((due - now).total_seconds()))

    def metadata(
        self,
        theirs: Document,
        details: Sequence[object],
        calls: Sequence[Call],
        carried: Carried,
    ) -> Document:
        """The metadata to store: theirs, the guide's shape, and our own part."""
        tracking = self._tracking(calls, details)
        document = {**theirs, "exactCountTracking": tracking, OURS: written(carried)}
        document.pop("finalReport", None)
        if self.job.status.ended:
            document["finalReport"] = final_report(self.job, tracking)
        return document

    def _tracking(self, calls: Sequence[Call], earlier: Sequence[object]) -> Document:
        """The statistics as front ends read them, with what was before counted in."""
        tracking = exact_count_tracking(self.job, calls)
        made = self.job.charged + self.before.calls
        latest = tracking["apiCallDetails"]
        assert isinstance(latest, list)
        return {
            **tracking,
            "targetCount": self.target,
            "uniqueCreatorsFound": self.found,
            "totalApiCalls": made,
            "duplicatesFound": self.job.duplicates + self.before.duplicates,
            "averageCreatorsPerCall": round(self.found / made, 2) if made else 0.0,
            "progress": percent(self.found, self.target),
            "targetAchieved": self.found == self.target,
            "apiCallDetails": [*earlier, *latest][-_DETAILS:],
        }
