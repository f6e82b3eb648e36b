"""`headcount stats`: the figures of all jobs, as its user sees them."""

import json
import signal
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

from e2e.program import Home, Provider, until
from e2e.test_live_view import terminal
from jsonschema import Draft202012Validator

SCHEMA = json.loads(files("headcount").joinpath("schema.json").read_text())
STATISTICS = Draft202012Validator(
    {"$ref": "#/$defs/statistics", "$defs": SCHEMA["$defs"]}
)


def figures_of(home: Home, *words: str) -> Any:  # noqa: ANN401 - JSON
    told = home.run("stats", *words, "--format", "json").json
    STATISTICS.validate(told)
    return told


def test_the_figures_are_those_of_a_recount(home: Home, provider: Provider) -> None:
    home.run("find", 20, "tech", "--quiet")
    home.run("find", 60, "gaming", "--max-calls", 1, "--quiet")
    home.run("find", 20, "fitness", "--sandbox", "--quiet")

    kept, counted = figures_of(home), figures_of(home, "--recount")

    for told in (kept, counted):
        told["exactCountStats"].pop("lastUpdated")
    assert kept == counted
    assert kept["exactCountStats"]["totalJobsProcessed"] == 2
    assert kept["exactCountStats"]["accuracyRate"] == "50.0%"
    assert kept["exactCountStats"]["topKeywords"] == ["gaming", "tech"]
    assert kept["real"]["totalApiCalls"] == len(provider.calls)
    assert kept["sandbox"]["totalJobs"] == 1


def test_a_job_with_a_cap_for_testing_is_counted_apart(home: Home) -> None:
    home.run("find", 20, "tech", "--sandbox", "--quiet")
    home.run("find", 20, "tech", "--sandbox", "--quiet", MAX_API_CALLS_FOR_TESTING="1")

    told = figures_of(home)

    assert told["sandbox"]["totalJobs"] == 2
    assert told["testCapped"]["totalJobs"] == 0


def test_figures_can_be_had_by_day_keyword_and_owner(home: Home) -> None:
    home.run("find", 20, "tech", "--sandbox", "--quiet")
    today = datetime.now(UTC).date()
    days = [str(today + timedelta(days=number)) for number in (-1, 1)]

    found = [
        figures_of(home, *words)["sandbox"]["totalJobs"]
        for words in (
            ("--since", days[0], "--until", days[1]),
            ("--since", days[1]),
            ("--until", days[0]),
            ("--keyword", " tech "),
            ("--keyword", "gaming"),
            ("--owner", "local"),
            ("--owner", "nobody"),
        )
    ]

    assert found == [1, 0, 0, 1, 0, 1, 0]


def test_a_deleted_job_counts_no_more(home: Home) -> None:
    job = home.run("find", 20, "tech", "--sandbox").job

    home.run("jobs", "delete", job, "--yes")

    assert figures_of(home)["sandbox"]["totalJobs"] == 0


def test_the_table_has_the_figures_of_every_kind(home: Home) -> None:
    home.run("find", 20, "tech", "--sandbox", "--quiet")

    told = home.run("stats", "--keyword", "tech").out

    assert told.startswith("Jobs that have ended: keyword tech\n")
    assert "accuracy rate" in told
    assert ["success", "rate", "-", "100.0%", "-"] in [
        line.split() for line in told.splitlines()
    ]
    assert told.endswith("Top keywords: none yet\n")


def test_days_in_the_wrong_order_are_refused_in_one_line(home: Home) -> None:
    ran = home.run("stats", "--since", "2026-03-02", "--until", "2026-03-01")

    assert ran.code == 2
    assert ran.err == (
        "Error: expected a first day that is not after 2026-03-01, not 2026-03-02\n"
    )


def test_what_is_no_day_is_refused(home: Home) -> None:
    ran = home.run("stats", "--since", "yesterday")

    assert ran.code == 2
    assert "'yesterday' does not match the formats '%Y-%m-%d'" in ran.err


def test_a_job_shows_up_at_once_when_somebody_watches(home: Home) -> None:
    with (home.folder / "watched.jsonl").open("w+") as file:
        run = home.start("stats", "--watch", "--format", "json", out=file)

        def counted() -> list[int]:
            file.seek(0)
            told = [json.loads(line) for line in file.read().splitlines()]
            return [one["sandbox"]["totalJobs"] for one in told]

        until(lambda: counted() == [0])
        home.run("find", 20, "tech", "--sandbox", "--quiet")
        until(lambda: counted() == [0, 1])
        run.send(signal.SIGINT)
        ran = run.end()

    assert (ran.code, ran.err) == (130, "Interrupted.\n")


def test_a_terminal_shows_the_figures_in_place(home: Home) -> None:
    with terminal(home, "stats", "--watch") as watched:
        watched.read_to("Jobs that have ended")
        watched.process.send_signal(signal.SIGINT)
        shown = watched.end()

    assert watched.process.returncode == 130
    assert "Interrupted." in shown
