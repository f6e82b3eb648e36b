"""The key figures of ended jobs: each formula once, and the documents that show them.

A figure whose denominator is 0 is `None`: where nothing counts, there is no rate.
"""

from collections.abc import Iterable

from headcount.core.model import Job, Status
from headcount.core.report import Document, moment, percent
from headcount.core.statistics import (
    EVERY_SIZE,
    NOTHING,
    PROCESSED,
    Kind,
    Statistics,
    time_taken,
)


def figures(
    statistics: Statistics, kind: Kind, sizes: Iterable[int] = EVERY_SIZE
) -> Document:
    """The key figures of all jobs of a kind; `null` where no job counts.

    A *processed* job is completed, partial or failed; one that its owner cancelled says
    nothing of how exact the counts are, so it only counts against the success rate.
    """
    sizes = tuple(sizes)
    by_status = {
        status: statistics.sums(kind, [status], sizes)
        for status in Status
        if status.ended
    }
    ended = sum(by_status.values(), NOTHING)
    processed = statistics.sums(kind, PROCESSED, sizes)
    completed, partial = by_status[Status.COMPLETED], by_status[Status.PARTIAL]
    return {
        "totalJobs": ended.jobs,
        **{status.value: sums.jobs for status, sums in by_status.items()},
        "exactCountAchieved": processed.exact,
        "accuracyRate": _rate(processed.exact, processed.jobs),
        "completionRate": _rate(completed.jobs + partial.jobs, processed.jobs),
        "successRate": _rate(completed.jobs, ended.jobs),
        "apiEfficiency": _average(processed.creators, processed.calls),
        "avgApiCalls": _average(processed.calls, processed.jobs),
        "avgProcessingTime": _seconds(processed.processing_ms, processed.timed),
        "totalApiCalls": ended.calls,
        "creditsSpent": ended.credits,
        "creatorsDelivered": ended.creators,
        "duplicatesFound": ended.duplicates,
    }


def exact_count_stats(statistics: Statistics) -> Document:
    """The block that monitoring reads: the real jobs that were processed."""
    processed = statistics.sums(Kind.REAL, PROCESSED)
    return {
        "totalJobsProcessed": processed.jobs,
        "exactCountAchieved": processed.exact,
        "accuracyRate": _rate(processed.exact, processed.jobs),
        "avgApiCallsPerJob": _average(processed.calls, processed.jobs),
        "avgProcessingTime": _seconds(processed.processing_ms, processed.timed),
        "topKeywords": list(statistics.top_keywords),
        "lastUpdated": moment(statistics.at),
    }


def exact_count_status(statistics: Statistics) -> Document:
    """How the service does, in one flat object: the real jobs."""
    return {**figures(statistics, Kind.REAL), "lastUpdated": moment(statistics.at)}


def statistics_document(statistics: Statistics) -> Document:
    """All figures: of real jobs, of the other kinds apart, and by the target asked."""
    coverage = statistics.coverage
    return {
        "since": coverage.since and coverage.since.isoformat(),
        "until": coverage.until and coverage.until.isoformat(),
        "keyword": coverage.keyword,
        "owner": coverage.owner,
        "exactCountStats": exact_count_stats(statistics),
        "real": figures(statistics, Kind.REAL),
        "sandbox": figures(statistics, Kind.SANDBOX),
        "testCapped": figures(statistics, Kind.TEST_CAPPED),
        "byTargetCount": [
            {
                "targetCountUpTo": size or None,
                "figures": figures(statistics, Kind.REAL, [size]),
            }
            for size in EVERY_SIZE
        ],
    }


def final_report(job: Job, tracking: Document) -> Document:
    """How an ended job went, as `tracking` tells it."""
    reason = job.outcome.reason if job.outcome else None
    return {
        "targetCount": tracking["targetCount"],
        "uniqueCreatorsFound": tracking["uniqueCreatorsFound"],
        "collectedCount": tracking["uniqueCreatorsFound"],
        "targetAchieved": tracking["targetAchieved"],
        "reason": reason.value if reason else None,
        "totalApiCalls": tracking["totalApiCalls"],
        "totalCreatorsScanned": job.items,
        "duplicatesFound": tracking["duplicatesFound"],
        "averageCreatorsPerCall": tracking["averageCreatorsPerCall"],
        "creditsSpent": tracking["creditsSpent"],
        "processingTime": time_taken(job) or 0,
        "completedAt": moment(job.ended_at),
    }


def _rate(part: int, whole: int) -> str | None:
    return percent(part, whole) if whole else None


def _average(amount: int, number: int) -> float | None:
    return round(amount / number, 2) if number else None


def _seconds(milliseconds: int, number: int) -> str | None:
    return f"{milliseconds / number / 1000:.1f}s" if number else None
