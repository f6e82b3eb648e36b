"""Which jobs to list, as one value that every store understands."""

from dataclasses import dataclass
from datetime import datetime

from headcount.core.model import Job, Status


@dataclass(frozen=True, slots=True)
class Selection:
    """Which jobs to list; what is `None` is not asked for.

    A job has a keyword if one of its sources does. `created_from` is the first moment
    that counts and `created_to` the first that does not.
    """

    status: Status | None = None
    owner: str | None = None
    campaign: str | None = None
    end_user: str | None = None
    keyword: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None

    def takes(self, job: Job) -> bool:
        """Whether a job is one of these."""
        label = job.label
        asked = (
            (self.status, job.status),
            (self.owner, label.owner),
            (self.campaign, label.campaign),
            (self.end_user, label.end_user),
        )
        return (
            all(wanted in {None, found} for wanted, found in asked)
            and self.keyword in {None, *(source.keyword for source in job.sources)}
            and (self.created_from is None or self.created_from <= job.created_at)
            and (self.created_to is None or job.created_at < self.created_to)
        )


ALL_JOBS = Selection()
