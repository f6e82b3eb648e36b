"""What would help a job that fell short."""

from dataclasses import replace

import pytest
from builders import a_job

from headcount.core.advice import advice
from headcount.core.expansion import Expand, Expansion
from headcount.core.model import Job, Outcome, Reason, Source, SourceState

CAPPED = "The cap on credits is used up: headcount jobs resume job-1 --max-credits 28"
BLOCKED = (
    "The provider gave no answer ({}). When that is mended: headcount jobs resume job-1"
)


def short() -> Job:
    """A job that has spent more credits than calls."""
    source = Source(1, "tea", pages=1, recent=10.0)
    job = replace(a_job(target=100), sources=(source,))
    return replace(job, qualified=30, charged=4, credits=8)


def test_advice_for_a_month_that_is_used_up_names_it() -> None:
    outcome = Outcome(60, Reason.BUDGET, "the 40 creators a month are used up")

    assert advice(replace(short(), outcome=outcome)) == (
        "It may deliver no more (the 40 creators a month are used up). Next month, or "
        "when more is allowed: headcount jobs resume job-1"
    )


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (None, ""),
        (Outcome(), ""),
        (Outcome(4), ""),
        (Outcome(4, None, "a defect"), "a defect"),
        (
            Outcome(4, Reason.CALL_LIMIT),
            "The cap on calls is used up: headcount jobs resume job-1 --max-calls 28",
        ),
        (
            Outcome(4, Reason.BUDGET),
            CAPPED,
        ),
        (
            Outcome(4, Reason.PROVIDER_BLOCKED, "no answer"),
            BLOCKED.format("no answer"),
        ),
        (
            Outcome(4, Reason.PROVIDER_BLOCKED),
            BLOCKED.format("no detail"),
        ),
    ],
)
def test_advice_says_what_would_help(outcome: Outcome | None, told: str) -> None:
    assert advice(replace(short(), outcome=outcome)) == told


@pytest.mark.parametrize("reason", Reason)
def test_there_is_advice_for_every_reason(reason: Reason) -> None:
    told = advice(replace(a_job(target=10), outcome=Outcome(4, reason)))

    assert told.endswith((".", "headcount jobs resume job-1", "10m", " 4"))
    assert "{" not in told


def test_what_is_allowed_already_is_not_advised() -> None:
    outcome = Outcome(4, Reason.SOURCES_EXHAUSTED)
    [off, on] = [
        advice(
            replace(
                short(),
                search=replace(short().search, expansion=Expansion(expand)),
                outcome=outcome,
            )
        )
        for expand in (Expand.OFF, Expand.ALL)
    ]

    assert "--expand all" in off
    assert "--expand" not in on
    assert "further keywords" in on


def test_a_cap_is_advised_by_the_expectation_where_no_source_is_open() -> None:
    job = a_job("tea", target=52)
    dry = replace(job.source(1), state=SourceState.DRY)
    job = replace(job, sources=(dry,), outcome=Outcome(52, Reason.CALL_LIMIT))

    assert advice(job).endswith(" --max-calls 8")
