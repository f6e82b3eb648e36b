"""Interrupted, killed, doubled: nothing is lost, and hardly anything is paid twice."""

import inspect
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

import pytest
from e2e.program import PATIENCE, Home, Provider, Run

from headcount.cli.exits import finish

WORDS = ("tech", "gaming", "fitness", "cooking")
UNHURRIED = ("--rate-limit-ms", 500)  # 300 creators take ten calls, so five seconds
Serve = Callable[..., Provider]


def settled(job: dict[str, object]) -> list[dict[str, object]]:
    tracking = job["exactCountTracking"]
    assert isinstance(tracking, dict)
    return [call for call in tracking["apiCallDetails"] if call["state"] == "settled"]


def lost(job: dict[str, object]) -> int:
    """How many calls were out when their worker died."""
    tracking = job["exactCountTracking"]
    assert isinstance(tracking, dict)
    return sum(call["state"] == "lost" for call in tracking["apiCallDetails"])


def interrupted(home: Home, provider: Provider, number: signal.Signals) -> Run:
    run = home.start("find", 300, *WORDS, *UNHURRIED, "--out", "found here.csv")
    provider.after(3)
    run.send(number)
    return run


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_settles_what_is_out_and_tells_how_to_go_on(
    home: Home, slow: Provider, number: signal.Signals
) -> None:
    ran = interrupted(home, slow, number).end()

    assert ran.code == 130
    assert ran.out == ""
    assert "Settling the calls that are out" in ran.err
    told = f"Go on with: headcount jobs resume {ran.job} --out 'found here.csv'"
    assert told in ran.err.splitlines()[-1]
    job = home.shows(ran.job)
    assert job["status"] == "paused"
    assert job["apiCalls"] == len(settled(job)) == slow.charged
    assert len(home.creators(ran.job)) == job["current"]

    resumed = home.run("jobs", "resume", ran.job, "--format", "jsonl")

    assert resumed.code == 0
    assert len(resumed.out.splitlines()) == 300
    assert slow.asked_again() == 0
    assert home.shows(ran.job)["apiCalls"] == slow.charged


def test_a_second_ctrl_c_ends_at_once(home: Home, serve: Serve) -> None:
    provider = serve("--latency", 30_000)
    run = home.start("find", 300, *WORDS)
    provider.after(4)
    run.send(signal.SIGINT)
    run.hears("Ctrl-C again")

    started = time.monotonic()
    run.send(signal.SIGINT)

    ran = run.end()
    assert ran.code == 130
    assert time.monotonic() - started < PATIENCE
    assert "headcount jobs resume" in ran.err.splitlines()[-1]
    assert "Traceback" not in ran.err


def test_ctrl_c_while_the_program_is_loaded_ends_it_without_a_word(home: Home) -> None:
    (home.folder / "typer.py").write_text("raise KeyboardInterrupt")

    ran = home.start("find", 3, "tech", PYTHONPATH=str(home.folder)).end()

    assert ran.code == 130
    assert ran.err == ""


async def test_work_that_could_not_begin_is_not_left_waiting() -> None:
    async def work() -> None: ...

    waiting = work()

    with pytest.raises(RuntimeError):
        finish(waiting)  # there is a loop already

    assert inspect.getcoroutinestate(waiting) == inspect.CORO_CLOSED


MOMENTS = [*range(1, 7), *random.Random(7).sample(range(7, 16), 2)]  # noqa: S311 - moments


@pytest.mark.parametrize("call", MOMENTS)
def test_a_killed_job_is_resumed_and_repays_only_what_was_out(
    home: Home, slow: Provider, call: int
) -> None:
    run = home.start("find", 300, *WORDS)
    slow.after(call)
    run.kill()

    ran = home.run("jobs", "resume", run.job, "--format", "jsonl")

    job = home.shows(run.job)
    assert ran.code == 0
    assert len(set(ran.out.splitlines())) == len(home.creators(run.job)) == 300
    assert slow.asked_again() <= lost(job) <= 4
    assert slow.charged <= job["apiCalls"] <= slow.charged + lost(job)


def test_the_lease_of_a_killed_process_is_not_waited_for(
    home: Home, slow: Provider
) -> None:
    run = home.start("find", 100, *WORDS, *UNHURRIED)
    slow.after(1)
    run.kill()
    (store,) = home.data.rglob("jobs.db")
    with closing(sqlite3.connect(store)) as connection, connection:
        late = "UPDATE jobs SET lease_expires_at = '2999-01-01T00:00:00.000000+00:00'"
        held = connection.execute(f"{late} WHERE lease_holder IS NOT NULL").rowcount

    ran = home.start("jobs", "resume", run.job).end()

    assert held == 1
    assert ran.code == 0


def test_killed_again_and_again_it_still_ends_exactly(
    home: Home, slow: Provider
) -> None:
    run = home.start("find", 300, *WORDS)
    slow.after(4)
    run.kill()
    for calls in (8, 12):
        again = home.start("jobs", "resume", run.job)
        slow.after(calls)
        again.kill()

    ran = home.run("jobs", "resume", run.job, "--format", "jsonl")

    job = home.shows(run.job)
    assert ran.code == 0
    assert len(set(home.creators(run.job))) == 300
    assert slow.asked_again() <= lost(job)
    assert job["apiCalls"] <= slow.charged + lost(job)


def test_resuming_what_another_process_works_on_asks_nothing_twice(
    home: Home, slow: Provider
) -> None:
    first = home.start("find", 200, *WORDS, "--format", "jsonl")
    slow.after(2)

    second = home.run("jobs", "resume", first.job, "--format", "jsonl")

    ended = first.end()
    assert ended.code == second.code == 0
    assert second.out == ended.out
    assert slow.asked_again() == 0
    assert home.shows(first.job)["apiCalls"] == slow.charged


def test_another_process_can_watch_a_job(home: Home, slow: Provider) -> None:
    run = home.start("find", 150, *WORDS)
    slow.after(1)

    watched = home.run("jobs", "watch", run.job)

    assert watched.code == run.end().code == 0
    assert "completed  150/150 (100.0%)" in watched.out.splitlines()[-1]


def test_watching_a_killed_job_ends_and_says_how_to_go_on(
    home: Home, slow: Provider
) -> None:
    run = home.start("find", 300, *WORDS, *UNHURRIED)
    slow.after(2)
    run.kill()

    watched = home.run("jobs", "watch", run.job)
    deleted = home.run("jobs", "delete", run.job, "--yes")

    assert watched.code == 130
    assert f"headcount jobs resume {run.job}" in watched.err
    assert deleted.code == 0


def test_another_process_can_cancel_a_job(home: Home, slow: Provider) -> None:
    run = home.start("find", 1000, *WORDS, *UNHURRIED)
    slow.after(2)

    cancelled = home.run("jobs", "cancel", run.job)

    ran = run.end()
    job = home.shows(run.job)
    assert cancelled.code == 0
    assert job["status"] == "cancelled"
    assert ran.code == 3
    assert "Cancelled" in ran.err.splitlines()[-2]
    assert len(ran.out.splitlines()) - 1 == job["current"] < 1000
    assert job["apiCalls"] == slow.charged


def test_a_job_that_is_worked_on_is_not_deleted(home: Home, slow: Provider) -> None:
    run = home.start("find", 300, *WORDS, *UNHURRIED)
    slow.after(1)

    refused = home.run("jobs", "delete", run.job, "--yes")

    assert refused.code == 2
    assert "is being worked on: headcount jobs cancel" in refused.err
    assert home.shows(run.job)["status"] == "processing"
