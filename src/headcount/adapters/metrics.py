"""Counts acts for Prometheus: how much, how fast, and how it stands at a scrape.

No label tells of a job, an owner or a keyword: each has few values, known beforehand,
or as many as there are routes. Counters and histograms are those of this process; the
gauges `headcount_jobs` and `headcount_provider_keys_closed` are those of the database,
and the same wherever they are asked for.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    Metric,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from headcount.acts import Act, Fetch, Request, Send, Wake, Write
from headcount.core.calls import Answer, CallState, Failure, FailureKind, Page
from headcount.core.model import Change, Reason, Status
from headcount.core.webhooks import is_taken

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
UNKNOWN = float("nan")  # where the database does not answer
# A key is paused by what a call found: the call itself found it out of credits.
_FAILURES = [kind for kind in FailureKind if kind is not FailureKind.KEY_PAUSED]
_OUTCOMES = ("page", "empty", *_FAILURES, "lost")
_METHODS = {"GET", "HEAD", "POST", "DELETE", "OPTIONS"}  # anybody may make up one
_SENT = ("delivered", "failed", "given_up")
_CALL_SECONDS = (0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30, 60, 120)
_WRITE_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10)
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand when somebody asks; what is not known is NaN.

    `jobs` counts those that are to go on, by state.
    """

    jobs: Mapping[str, float]
    keys_closed: float
    at_work: int
    watchers: int


class Metrics:
    """An observer that counts, and tells Prometheus what it has counted."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        build = Info("headcount_build", "The version that runs.", registry=registry)
        build.info({"version": version("headcount")})
        self._count_calls(registry)
        self._count_service(registry)
        self._stand(registry)

    def _count_calls(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            "headcount_calls_total",
            "Calls by outcome: page, empty, a kind of failure, or lost: nobody waited "
            "for the answer, or the worker died.",
            ["outcome"],
            registry=registry,
        )
        for outcome in _OUTCOMES:
            self._calls.labels(outcome)
        self._call_seconds = Histogram(
            "headcount_call_duration_seconds",
            "Seconds that the provider took to answer a call, or to fail.",
            buckets=_CALL_SECONDS,
            registry=registry,
        )
        self._pages = Counter(
            "headcount_pages_settled_total",
            "Pages counted in the store, empty ones too.",
            registry=registry,
        )
        self._creators = Counter(
            "headcount_creators_total",
            "New qualified creators, spares included.",
            registry=registry,
        )
        self._duplicates = Counter(
            "headcount_duplicates_total",
            "Items that showed a creator whom the job had already.",
            registry=registry,
        )
        self._credits = Counter(
            "headcount_credits_spent_total",
            "Credits that closed calls have or may have cost.",
            registry=registry,
        )
        self._settle_seconds = Histogram(
            "headcount_settle_duration_seconds",
            "Seconds of the transaction that counts a page and holds the next calls, "
            "the wait for the database included.",
            buckets=_WRITE_SECONDS,
            registry=registry,
        )

    def _count_service(self, registry: CollectorRegistry) -> None:
        self._ended = Counter(
            "headcount_jobs_ended_total",
            "Ends of jobs by status and, where there is one, the reason; a job that is "
            "topped up may end again.",
            ["status", "reason"],
            registry=registry,
        )
        for status in (s for s in Status if s.ended and s is not Status.PARTIAL):
            self._ended.labels(status, "")
        for reason in Reason:
            self._ended.labels(Status.PARTIAL, reason)
        self._leases_lost = Counter(
            "headcount_leases_lost_total",
            "Jobs taken over here because another worker's lease had run out.",
            registry=registry,
        )
        self._wakes = Counter(
            "headcount_wakeups_total",
            "Wake-ups sent: a job is to be looked at now.",
            registry=registry,
        )
        self._sent = Counter(
            "headcount_webhook_attempts_total",
            "Attempts at messages to webhooks by outcome: delivered, failed (it is "
            "tried again), given_up.",
            ["outcome"],
            registry=registry,
        )
        for outcome in _SENT:
            self._sent.labels(outcome)
        self._requests = Counter(
            "headcount_http_requests_total",
            "Requests answered, by method, route template (none: no such route) and "
            "status.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._request_seconds = Histogram(
            "headcount_http_request_duration_seconds",
            "Seconds until an answer began, by method and route template.",
            ["method", "route"],
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )

    def _stand(self, registry: CollectorRegistry) -> None:
        self._jobs = Gauge(
            "headcount_jobs",
            "Jobs that are to go on, in the whole database, by state: due, at_work "
            "(a worker has the lease), waiting; at most 10,000 in all are counted.",
            ["state"],
            registry=registry,
        )
        self._keys_closed = Gauge(
            "headcount_provider_keys_closed",
            "Provider keys that are closed: without credits, or paused by hand.",
            registry=registry,
        )
        self._at_work = Gauge(
            "headcount_worker_jobs",
            "Jobs that this process works on.",
            registry=registry,
        )
        self._watchers = Gauge(
            "headcount_watchers",
            "Streams of events that are open in this process.",
            registry=registry,
        )

    @contextmanager
    def during(self, act: Act) -> Iterator[None]:
        """Count an act when it is done."""
        began = self._clock()
        yield
        seconds = self._clock() - began
        match act:
            case Fetch(answer=answer, error=error):
                self._fetched(answer, error, seconds)
            case Write(change=change) if change is not None and change.changed:
                self._written(change, seconds)
            case Wake():
                self._wakes.inc()
            case Send(answer=answer) if answer is not None:
                failed = "given_up" if act.gave_up else "failed"
                self._sent.labels("delivered" if is_taken(answer) else failed).inc()
            case Request(waited=waited) if waited is not None:
                self._answered(act, waited)

    def _fetched(
        self, answer: Answer | None, error: BaseException | None, seconds: float
    ) -> None:
        match answer:
            case Page():
                outcome = "page" if answer.items else "empty"
            case Failure():
                outcome = answer.kind.value
            case None if not isinstance(error, Exception):
                return  # it was cancelled: its line in the ledger says that it is lost
            case None:
                outcome = FailureKind.UNAVAILABLE.value
        self._calls.labels(outcome).inc()
        self._call_seconds.observe(seconds)

    def _written(self, change: Change, seconds: float) -> None:
        settled = [c for c in change.calls if c.state is CallState.SETTLED]
        if settled:
            self._settle_seconds.observe(seconds)
        self._pages.inc(len(settled))
        self._creators.inc(max(0, change.job.qualified - change.before.qualified))
        self._duplicates.inc(sum(call.duplicates for call in settled))
        self._credits.inc(max(0, change.job.credits - change.before.credits))
        lost = [c for c in change.calls if c.state is CallState.LOST]
        self._calls.labels("lost").inc(len(lost))
        before, job = change.before, change.job
        if before.lease is not None and job.fence > before.fence:
            self._leases_lost.inc()
        if job.status.ended and not before.status.ended:
            reason = job.outcome.reason if job.outcome else None
            self._ended.labels(job.status, reason or "").inc()

    def _answered(self, act: Request, waited: float) -> None:
        method = act.method if act.method in _METHODS else "other"
        route = act.route or "none"
        self._requests.labels(method, route, str(act.status)).inc()
        self._request_seconds.labels(method, route).observe(waited)

    def told(self, standing: Standing) -> bytes:
        """All metrics in the text format of Prometheus."""
        for state, number in standing.jobs.items():
            self._jobs.labels(state).set(number)
        self._keys_closed.set(standing.keys_closed)
        self._at_work.set(standing.at_work)
        self._watchers.set(standing.watchers)
        return generate_latest(self)

    def collect(self) -> Iterator[Metric]:
        """All metrics as they are, but for the times at which they were made."""
        for metric in self.registry.collect():
            made = f"{metric.name}_created"
            metric.samples = [one for one in metric.samples if one.name != made]
            yield metric
