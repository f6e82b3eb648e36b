"""The formulas: which statuses count in which figure."""

from datetime import date

from builders import NOON

from headcount.core.figures import (
    _seconds,
    exact_count_stats,
    exact_count_status,
    figures,
    statistics_document,
)
from headcount.core.model import Status
from headcount.core.report import Document
from headcount.core.statistics import (
    EVERYTHING,
    LARGER,
    Coverage,
    Group,
    Kind,
    Statistics,
    Sums,
)

COMPLETED = Sums(6, 6, 30, 31, 600, 50, 6, 90_000)
PARTIAL = Sums(2, 0, 20, 20, 100, 30, 1, 30_000)
FAILED = Sums(1, 0, 5, 5, 15, 4, 1, 4_000)
CANCELLED = Sums(3, 1, 7, 7, 200, 9, 3, 999_000)


def statistics(
    kind: Kind = Kind.REAL,
    size: int = 100,
    top: tuple[str, ...] = (),
    coverage: Coverage = EVERYTHING,
    **sums: Sums,
) -> Statistics:
    """Statistics with these sums by status, all of one kind and size."""
    groups = {Group(kind, Status(name), size): value for name, value in sums.items()}
    return Statistics(coverage, NOON, groups, top)


def of_all(kind: Kind = Kind.REAL) -> Statistics:
    return statistics(
        kind, completed=COMPLETED, partial=PARTIAL, failed=FAILED, cancelled=CANCELLED
    )


def real(found: Statistics) -> Document:
    return figures(found, Kind.REAL)


def test_every_status_that_is_an_end_is_counted() -> None:
    told = real(of_all())

    names = [status.value for status in Status if status.ended]
    assert [told[name] for name in names] == [6, 2, 3, 1]
    assert told["totalJobs"] == 12


def test_accuracy_is_the_share_of_processed_jobs_that_were_exact() -> None:
    told = real(of_all())

    assert told["exactCountAchieved"] == 6
    assert told["accuracyRate"] == "66.6%"


def test_a_job_that_failed_after_all_were_found_was_exact_all_the_same() -> None:
    told = real(statistics(failed=Sums(jobs=1, exact=1)))

    assert (told["accuracyRate"], told["completionRate"]) == ("100.0%", "0.0%")


def test_completion_is_the_share_of_processed_jobs_that_did_not_fail() -> None:
    assert real(of_all())["completionRate"] == "88.8%"


def test_success_is_the_share_of_all_ended_jobs_that_are_completed() -> None:
    assert real(of_all())["successRate"] == "50.0%"


def test_efficiency_and_averages_are_those_of_processed_jobs() -> None:
    told = real(of_all())

    assert told["apiEfficiency"] == 13.0
    assert told["avgApiCalls"] == 6.11
    assert told["avgProcessingTime"] == "15.5s"


def test_what_was_spent_is_counted_for_cancelled_jobs_too() -> None:
    told = real(of_all())

    assert (told["totalApiCalls"], told["creditsSpent"]) == (62, 63)
    assert (told["creatorsDelivered"], told["duplicatesFound"]) == (915, 93)


def test_where_nothing_counts_there_is_no_rate() -> None:
    told = real(statistics())

    rates = ("accuracyRate", "completionRate", "successRate", "apiEfficiency")
    averages = ("avgApiCalls", "avgProcessingTime")
    assert [told[name] for name in (*rates, *averages)] == [None] * 6
    assert told["totalJobs"] == 0


def test_jobs_that_were_never_begun_have_no_average_time() -> None:
    told = real(statistics(partial=Sums(jobs=2)))

    assert told["avgProcessingTime"] is None
    assert told["avgApiCalls"] == 0.0


def test_cancelled_jobs_alone_have_a_success_rate_of_nothing() -> None:
    told = real(statistics(cancelled=CANCELLED))

    assert (told["successRate"], told["accuracyRate"]) == ("0.0%", None)


def test_999_exact_jobs_of_1000_are_not_all_of_them() -> None:
    told = real(statistics(completed=Sums(9_999, 9_999), partial=Sums(1)))

    assert told["accuracyRate"] == "99.9%"


def test_sandbox_and_test_capped_jobs_are_apart() -> None:
    found = of_all(Kind.SANDBOX)

    told = statistics_document(found)

    assert told["sandbox"] == real(of_all())
    assert told["real"] == told["testCapped"] == real(statistics())
    assert told["exactCountStats"] == exact_count_stats(statistics())


def test_test_capped_jobs_have_figures_of_their_own() -> None:
    assert statistics_document(of_all(Kind.TEST_CAPPED))["testCapped"] == real(of_all())


def test_the_block_for_monitoring_is_about_processed_jobs() -> None:
    found = of_all()

    told = exact_count_stats(found)

    assert told == {
        "totalJobsProcessed": 9,
        "exactCountAchieved": 6,
        "accuracyRate": "66.6%",
        "avgApiCallsPerJob": 6.11,
        "avgProcessingTime": "15.5s",
        "topKeywords": [],
        "lastUpdated": "2026-03-14T12:00:00.000Z",
    }


def test_the_block_for_monitoring_of_no_jobs_has_no_rates() -> None:
    told = exact_count_stats(statistics(top=("tea", "çay")))

    assert told["totalJobsProcessed"] == 0
    assert told["topKeywords"] == ["tea", "çay"]
    assert (told["accuracyRate"], told["avgApiCallsPerJob"]) == (None, None)
    assert told["avgProcessingTime"] is None


def test_the_status_is_the_figures_of_real_jobs_and_their_time() -> None:
    assert exact_count_status(of_all()) == {
        **real(of_all()),
        "lastUpdated": "2026-03-14T12:00:00.000Z",
    }


def test_figures_are_told_apart_by_the_target_asked() -> None:
    told = statistics_document(statistics(size=LARGER, completed=COMPLETED))

    assert told["byTargetCount"] == [
        *(
            {"targetCountUpTo": size, "figures": real(statistics())}
            for size in (100, 250, 500, 1_000)
        ),
        {"targetCountUpTo": None, "figures": real(statistics(completed=COMPLETED))},
    ]


def test_the_document_says_what_it_covers() -> None:
    some = Coverage(date(2026, 3, 1), date(2026, 3, 31), "tea", "ada")

    covered = statistics_document(statistics(coverage=some))
    everything = statistics_document(statistics())

    names = ("since", "until", "keyword", "owner")
    assert [covered[name] for name in names] == [
        *("2026-03-01", "2026-03-31", "tea", "ada")
    ]
    assert [everything[name] for name in names] == [None] * 4


def test_a_long_time_is_told_to_the_tenth_of_a_second() -> None:
    assert _seconds(10_000_000, 1) == "10000.0s"
