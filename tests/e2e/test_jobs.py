"""`headcount jobs`: looking at jobs, and taking them further."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files

import pytest
from builders import NOON, a_job
from e2e.program import Home, Provider, unread
from jsonschema import Draft202012Validator

from headcount.cli.here import help_for
from headcount.core.model import Lease, Status
from headcount.engine import LEASE

WORDS = ("tech", "gaming", "fitness")


def test_a_topup_takes_spares_before_any_call(home: Home, provider: Provider) -> None:
    job = home.run("find", 20, *WORDS).job
    before = home.creators(job)
    made = len(provider.calls)

    ran = home.run("jobs", "topup", job, "--target", 28, "--format", "jsonl")

    assert ran.code == 0
    assert len(provider.calls) == made
    assert len(ran.out.splitlines()) == 28
    assert home.creators(job)[:20] == before


def test_a_topup_beyond_the_spares_asks_on_where_it_stood(
    home: Home, provider: Provider
) -> None:
    job = home.run("find", 20, *WORDS).job

    ran = home.run("jobs", "topup", job, "--target", 150)

    assert ran.code == 0
    assert len(set(home.creators(job))) == 150
    assert provider.asked_again() == 0
    assert home.shows(job)["apiCalls"] == len(provider.calls)


def test_a_lower_target_is_refused_in_one_line(home: Home) -> None:
    job = home.run("find", 20, "tech", "--sandbox").job

    ran = home.run("jobs", "topup", job, "--target", 10)

    assert ran.code == 2
    assert ran.err.startswith(f"Error: job {job} has a target of 20 already")
    assert len(ran.err.splitlines()) == 1


def test_resuming_what_is_complete_delivers_it_again_without_a_call(
    home: Home, provider: Provider
) -> None:
    first = home.run("find", 30, "tech", "--format", "jsonl")
    made = len(provider.calls)

    again = home.run("jobs", "resume", first.job, "--format", "jsonl")

    assert again.code == 0
    assert again.out == first.out
    assert len(provider.calls) == made


def test_a_partial_job_is_exported_in_any_format(home: Home) -> None:
    short = home.run("find", 100, "tech", "--sandbox", "--max-calls", 1)

    ran = home.run("jobs", "export", short.job, "--out", "part.json")

    document = json.loads((home.folder / "part.json").read_text())
    assert ran.code == 0
    assert document["job"]["status"] == "partial"
    assert len(document["creators"]) == document["job"]["current"] > 0


def test_jobs_are_listed_with_the_newest_first(home: Home) -> None:
    jobs = [home.run("find", n, "tech", "--sandbox").job for n in (1, 2)]
    jobs.append(home.run("find", 99, "tech", "--sandbox", "--max-calls", 1).job)

    listed = home.run("jobs", "list", "--format", "json").json
    short = home.run("jobs", "list", "--status", "partial", "--format", "json").json
    table = home.run("jobs", "list").out

    assert [row["id"] for row in listed] == jobs[::-1]
    assert [row["id"] for row in short] == jobs[2:]
    assert all(job in table for job in jobs)
    assert "(sandbox)" in table


def test_an_empty_list_says_how_to_begin(home: Home) -> None:
    assert "headcount find 100 apple --sandbox" in home.run("jobs", "list").out
    assert home.run("jobs", "list", "--format", "json").json == []


def test_a_job_is_shown_with_its_sources_and_calls(home: Home) -> None:
    job = home.run("find", 60, *WORDS, "--sandbox").job

    sheet = home.run("jobs", "show", job).out
    document = home.shows(job)

    assert f"Job {job}: completed (sandbox)" in sheet
    assert all(word in sheet for word in WORDS)
    calls = document["exactCountTracking"]["apiCallDetails"]
    assert [call["callNumber"] for call in calls] == [1, 2, 3]
    assert sum(call["newUnique"] for call in calls) == 60 + document["spares"]


def test_a_job_that_has_ended_is_watched_to_its_end_at_once(home: Home) -> None:
    job = home.run("find", 60, *WORDS, "--sandbox").job

    ran = home.run("jobs", "watch", job, "--format", "json")

    events = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 0
    assert events[-1]["type"] == "job.completed"
    assert events[-1]["progress"] == "100.0%"
    counts = [event["current"] for event in events]
    assert counts == sorted(counts)


@pytest.mark.parametrize("verb", ["watch", "list", "show", "export"])
def test_a_reader_that_leaves_ends_it_as_it_ends_other_programs(
    home: Home, verb: str
) -> None:
    job = home.run("find", 60, *WORDS, "--sandbox").job

    with unread() as pipe:
        words = ("jobs", verb, *([] if verb == "list" else [job]))
        ran = home.start(*words, out=pipe).end()

    assert ran.code == 141
    assert ran.err == ""


STALLED = "Nobody works on job job-1 any more: headcount jobs resume job-1"
SECOND = timedelta(seconds=1)


def test_a_job_whose_worker_let_its_lease_run_out_is_stalled() -> None:
    lease = Lease(1, "elsewhere/1/1", NOON)
    job = replace(a_job(), status=Status.PROCESSING, lease=lease)

    assert help_for(job, NOON - SECOND) == ""
    assert help_for(job, NOON) == STALLED


@pytest.mark.parametrize("status", [Status.PENDING, Status.PROCESSING])
def test_a_job_that_nobody_took_when_it_was_due_is_stalled(status: Status) -> None:
    job = replace(a_job(), status=status, due_at=NOON)

    assert help_for(job, NOON + LEASE) == ""
    assert help_for(job, NOON + LEASE + SECOND) == STALLED


def test_a_paused_job_is_not_stalled() -> None:
    job = replace(a_job(), status=Status.PAUSED, lease=Lease(1, "gone/1/1", NOON))

    assert help_for(job, NOON + 99 * SECOND) == ""


def test_a_killed_job_is_listed_with_how_it_goes_on(home: Home, slow: Provider) -> None:
    run = home.start("find", 300, *WORDS, "--rate-limit-ms", 500)
    slow.after(1)
    (alive,) = home.run("jobs", "list", "--format", "json").json
    run.kill()

    (killed,) = home.run("jobs", "list", "--format", "json").json
    table = home.run("jobs", "list").out.splitlines()

    told = STALLED.replace("job-1", run.job)
    assert (alive.pop("advice"), killed.pop("advice")) == ("", told)
    assert alive["status"] == killed["status"] == "processing"
    assert "processing, stalled" in table[1]
    assert table[2:] == [told]
    schema = json.loads(files("headcount").joinpath("schema.json").read_bytes())
    job_document = {"$ref": "#/$defs/jobDocument", "$defs": schema["$defs"]}
    Draft202012Validator(job_document).validate(killed)


@pytest.mark.parametrize(
    ("verb", "status"), [("cancel", "cancelled"), ("finish", "processing")]
)
def test_ending_a_job_at_work_says_that_what_is_out_will_be_counted(
    home: Home, serve: Callable[..., Provider], verb: str, status: str
) -> None:
    provider = serve("--latency", 60_000)
    run = home.start("find", 300, *WORDS)
    provider.after(3)

    ran = home.run("jobs", verb, run.job)

    assert ran.code == 0
    assert ran.err == (
        f"Job {run.job} is {status}: 0 of 300 creators; "
        "3 calls still out will be counted.\n"
    )


def test_a_deleted_job_is_forgotten(home: Home) -> None:
    job = home.run("find", 5, "tech", "--sandbox").job

    ran = home.run("jobs", "delete", job, "--yes", "--format", "json")

    assert ran.json == {"id": job, "deleted": True}
    assert home.run("jobs", "list", "--format", "json").json == []


def test_nobody_there_to_answer_deletes_nothing(home: Home) -> None:
    job = home.run("find", 5, "tech", "--sandbox").job

    ran = home.run("jobs", "delete", job)

    assert ran.code == 130
    assert len(home.creators(job)) == 5


def test_a_cancelled_job_keeps_what_it_found_and_goes_no_further(home: Home) -> None:
    job = home.run("find", 99, "tech", "--sandbox", "--max-calls", 1).job
    done = home.run("find", 5, "tech", "--sandbox").job

    ended = home.run("jobs", "cancel", done, "--format", "json")

    assert ended.json["status"] == "completed"
    assert home.run("jobs", "cancel", job).code == 0
    assert home.creators(job)


@pytest.mark.parametrize(
    "command",
    ["show", "watch", "resume", "cancel", "export", "delete --yes", "topup --target 9"],
)
def test_an_unknown_job_is_one_clear_line(home: Home, command: str) -> None:
    verb, *options = command.split()

    ran = home.run("jobs", verb, "nope", *options)

    assert ran.code == 2
    assert ran.err.startswith("Error: no job has the id 'nope'")
    assert len(ran.err.splitlines()) == 1
