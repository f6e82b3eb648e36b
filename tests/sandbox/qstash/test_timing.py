"""How waiting times are written and reckoned: durations, expressions, cron."""

from datetime import UTC, datetime

import pytest

from headcount.sandbox.qstash.cron import Cron
from headcount.sandbox.qstash.timing import backoff, retry_delay, seconds_of

DURATIONS = {
    "10s": 10, "1d10h30m": 124_200, "6m5s": 365, "1.5h": 5400, "250ms": 0.25,
    "1us": 1e-6,
}  # fmt: skip


@pytest.mark.parametrize("text", DURATIONS)
def test_a_duration_is_numbers_with_units(text: str) -> None:
    assert seconds_of(text) == pytest.approx(DURATIONS[text])


@pytest.mark.parametrize("text", ["", "10", "s", "10 s", "-1s", "10y", "1s later"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        seconds_of(text)


def test_the_backoff_grows_to_a_day() -> None:
    assert [round(backoff(retry)) for retry in (1, 2, 3, 4, 5, 99)] == [
        12, 148, 1808, 22_026, 86_400, 86_400,
    ]  # fmt: skip


EXPRESSIONS = {
    "1000": (1, 1),
    "1000 * (1 + retried)": (1, 3),
    "max(10, pow(2, retried)) * 1000": (10, 10),
    "min(sqrt(4), abs(-3), exp(1)) * 1000": (2, 2),
    "round(1499.6) + floor(0.9) + ceil(0.1) - 1 % 2": (1.5, 1.5),
    "-1000": (0, 0),
    "pow(10, 30)": (86_400, 86_400),
}


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_a_retry_delay_is_arithmetic_in_milliseconds(text: str) -> None:
    assert (retry_delay(text, 0), retry_delay(text, 2)) == pytest.approx(
        EXPRESSIONS[text]
    )


NO_EXPRESSIONS = [
    "", "retries", "1 +", "open('x')", "().__class__", "1/0", "pow(9, 9, 9)", "2 ** 9",
    "pow(9, 9999)", "'a' * 9", "min(key=1)", "(" * 500,
]  # fmt: skip


@pytest.mark.parametrize("text", NO_EXPRESSIONS)
def test_nothing_else_is_reckoned(text: str) -> None:
    with pytest.raises(ValueError, match="expected arithmetic"):
        retry_delay(text, 0)


# cron -> when it fires after Friday, 2 January 2026, 10:07:30 UTC
CRONS = {
    "* * * * *": "2026-01-02T10:08",
    "*/5 * * * *": "2026-01-02T10:10",
    "0 9-17/4 * * *": "2026-01-02T13:00",
    "7 10 * * *": "2026-01-03T10:07",
    "0 0 1 * *": "2026-02-01T00:00",
    "0 0 * * 7": "2026-01-04T00:00",
    "0 0 * * 1-5": "2026-01-05T00:00",
    "0 0 13 * 1": "2026-01-05T00:00",
    "0 0 29 2 *": "2028-02-29T00:00",
    "15,45 10 * * *": "2026-01-02T10:15",
    "CRON_TZ=Europe/Berlin 0 12 * * *": "2026-01-02T11:00",
}


@pytest.mark.parametrize("text", CRONS)
def test_a_cron_says_when_it_fires_next(text: str) -> None:
    now = datetime(2026, 1, 2, 10, 7, 30, tzinfo=UTC).timestamp()

    fires = datetime.fromtimestamp(Cron.parse(text).after(now), UTC)

    assert fires.isoformat(timespec="minutes") == f"{CRONS[text]}+00:00"


NO_CRONS = [
    "", "* * * *", "60 * * * *", "* * 0 * *", "x * * * *", "*/0 * * * *",
    "CRON_TZ=Nowhere/Land * * * * *",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_CRONS)
def test_anything_else_is_no_cron(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Cron.parse(text)


def test_a_cron_that_never_comes_is_told() -> None:
    with pytest.raises(ValueError, match="never fires"):
        Cron.parse("0 0 30 2 *").after(0)
