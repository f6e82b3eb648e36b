"""Where commands turn to: a desk that takes searches and answers about jobs.

There is one here, over the store of this machine, and one for each server. What they
answer is in the words of the HTTP API, so that a command need not know which it asks.
"""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Protocol

from headcount.cli.views import View
from headcount.client.documents import JobDocument, JobEvent, JobSheet, PlanDocument
from headcount.client.results import StatisticsDocument
from headcount.core.expansion import Expansion
from headcount.core.model import Limits, Search, Status
from headcount.core.report import Document
from headcount.core.statistics import Coverage


class Order(StrEnum):
    """What may be asked of a job that is there."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    FINISH = "finish"


class Orders(Protocol):
    """The side of a desk that changes jobs."""

    async def ready(self, search: Search) -> None:
        """See that a search can be worked on, before anything is said or kept.

        Raises:
            InvalidSetting: what it needs here is missing.
        """
        ...

    async def create(self, search: Search) -> JobDocument:
        """Keep a new job."""
        ...

    async def work(self, job: JobDocument, view: View) -> None:
        """See a job to its end, or until Ctrl-C; `view` is shown what happens."""
        ...

    async def order(self, job_id: str, order: Order) -> JobDocument:
        """Give an order, and return how the job stands.

        Raises:
            JobNotReady: the job's status does not allow it.
        """
        ...

    async def top_up(
        self,
        job_id: str,
        target: int | None,
        limits: Limits,
        expansion: Expansion | None = None,
    ) -> JobDocument:
        """Raise the target or limits to absolute values; `None` leaves one as is.

        `expansion` is what it may open from now on.
        """
        ...

    async def delete(self, job_id: str) -> None:
        """Forget a job and all that it found."""
        ...


class Answers(Protocol):
    """The side of a desk that tells. Of an unknown job it raises `NoSuchJob`."""

    def jobs(self, status: Status | None) -> AsyncIterator[tuple[JobDocument, str]]:
        """All jobs, the newest first, each with what would help it, if known."""
        ...

    async def job(self, job_id: str) -> JobSheet:
        """A job with its ledger."""
        ...

    async def plan(self, job_id: str) -> PlanDocument:
        """What the rest of a job is expected to take, by all that it has seen."""
        ...

    def creators(self, job_id: str, shape: str) -> AsyncIterator[Document]:
        """The delivered creators by ordinal, in this shape."""
        ...

    def events(self, job_id: str) -> AsyncIterator[JobEvent]:
        """All that has happened to a job and will, as long as somebody works on it."""
        ...

    async def statistics(self, coverage: Coverage) -> StatisticsDocument:
        """The figures of the jobs that have ended, those that just did included."""
        ...


class Desk(Orders, Answers, Protocol):
    """Takes searches, and answers about jobs."""

    @property
    def suffix(self) -> str:
        """What a further command needs, to turn to the same desk: ` --server URL`."""
        ...
